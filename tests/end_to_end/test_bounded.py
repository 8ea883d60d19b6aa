# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing on the host can make triage wait: it ends within its deadline and says what gave no answer."""

from __future__ import annotations

import contextlib

import pytest

# What the role allows the link and the host around the module's own deadline, in seconds.
LINK_SECONDS = 60


@contextlib.contextmanager
def done_to(host, act: str, undo: str):
    host.ssh(act)
    try:
        yield
    finally:
        host.ssh(undo)


def assert_in_time(triage, deadline: int) -> None:
    """On the host within the deadline; what Ansible takes around it depends on the load of the machine."""
    assert triage.evidence["duration_seconds"] < deadline
    assert triage.seconds < deadline + LINK_SECONDS


def codes(triage, probe: str) -> set:
    return {problem["code"] for problem in triage.probe(probe)["problems"]}


def processes(host) -> set:
    """The processes of the host, each by its number and command, but for what brings us there and idle connections."""
    passing = ("sshd", "ps -ww", "systemd --user", "(sd-pam)", "postgres:")
    listed = host.ssh("ps -ww -eo pid=,args=").stdout.splitlines()
    return {line.strip() for line in listed if not any(word in line for word in passing)}


def left_behind(host) -> str:
    return host.ssh("ps -ww -eo args | grep -F AnsiballZ | grep -v grep || true").stdout


DEAD_API = (
    "sudo systemctl stop healtharchive-api && sudo systemd-run --quiet --unit=dead-api python3 -c "
    "'import socket, time; s = socket.create_server((\"127.0.0.1\", 8001), backlog=512); time.sleep(3600)' "
    "&& until ss -ltn | grep -q 127.0.0.1:8001; do :; done"
)
START_API = (
    "sudo systemctl start healtharchive-api; "
    "until curl -fsS -o /dev/null http://127.0.0.1:8001/api/health; do sleep 0.2; done"
)
DEAD_API_UNDO = "sudo systemctl stop dead-api; " + START_API
CLI = "/opt/healtharchive/.venv/bin/healtharchive"


def replaced_cli(script: str) -> str:
    """Put another program over the CLI by a bind mount: the checkout itself stays as it is."""
    return (
        "printf '%%s' '%s' | sudo tee /run/other-cli >/dev/null && sudo chmod 755 /run/other-cli"
        " && sudo mount --bind /run/other-cli %s" % (script, CLI)
    )


RESTORED_CLI = "sudo umount %s && sudo rm /run/other-cli" % CLI


def test_an_api_that_accepts_and_never_answers(host, tmp_path):
    with done_to(host, DEAD_API, DEAD_API_UNDO):
        triage = host.triage(tmp_path, "-e", "triage_deadline=30")
    assert triage.rc == 0
    assert_in_time(triage, 30)
    assert triage.probe("api")["data"]["failure"] == "timed_out"
    assert triage.first["class"] == "service"
    assert triage.probe("jobs")["data"]["source"] == "cli"


def test_a_cli_that_never_returns(host, tmp_path):
    hang = "#!/bin/sh\nsleep 3600 &\nsleep 3600\n"
    stop_api = "sudo systemctl stop healtharchive-api"
    with done_to(host, replaced_cli(hang), RESTORED_CLI), done_to(host, stop_api, START_API):
        triage = host.triage(tmp_path, "-e", "triage_deadline=30")
        assert host.ssh("pgrep -f '[s]leep 3600' || true").stdout == ""
    assert triage.rc == 0
    assert_in_time(triage, 30)
    assert codes(triage, "database") == {"timed_out"}
    assert "timed_out" in codes(triage, "jobs")
    assert triage.probe("jobs")["data"] is None
    assert "timed" in triage.output or "no answer" in triage.output


def test_a_hung_mount(host, broken, tmp_path):
    """Law 10."""
    broken("hot_path_hung")
    triage = host.triage(tmp_path, "-e", "triage_deadline=40")
    assert triage.rc == 0
    assert_in_time(triage, 40)
    assert triage.first["class"] == "storage"
    assert "hung" in {path["state"] for path in triage.probe("storage")["data"]["paths"]}
    assert left_behind(host) == ""


def test_a_cli_that_prints_100_megabytes(host, tmp_path):
    """And one that never stops, when it is asked for the jobs."""
    much = (
        "#!/usr/bin/python3\nimport os, sys\n"
        'if "list-jobs" in sys.argv:\n    os.execv("/usr/bin/yes", ["yes"])\n'
        'sys.stdout.write("x" * 100000000)\n'
    )
    before = processes(host)
    with (
        done_to(host, replaced_cli(much), RESTORED_CLI),
        done_to(host, "sudo systemctl stop healtharchive-api", START_API),
    ):
        assert int(host.ssh(CLI + " check-db | wc -c").stdout) == 100_000_000  # the positive control
        triage = host.triage(tmp_path)
        left = {line for line in processes(host) - before if "healtharchive-api" not in line}
    assert triage.rc == 0
    assert_in_time(triage, 60)
    assert codes(triage, "database") == {"output_truncated"}
    assert "output_truncated" in codes(triage, "jobs")
    assert triage.probe("jobs")["data"] is None
    assert triage.result["verdict"] == "found"
    assert left == set()
    assert max(len(str(record)) for record in triage.evidence["probes"].values()) < 200_000


# Forks twice with a session of its own, deaf to polite signals; a last one forks and ends again and again, and is never the
# same process for longer than a moment.
FORKS = """#!/usr/bin/python3
import os, signal, sys, time
def escaped():
    if os.fork():
        return False
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    return True
for _each in range(3):
    if escaped():
        os.execv("/bin/sleep", ["left-by-the-cli", "3600"])
if "check-db" in sys.argv and escaped():
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        time.sleep(0.01)
    os._exit(0)
print("looks as usual", flush=True)
time.sleep(3600)
"""


def test_a_cli_that_forks_children_and_hangs(host, tmp_path):
    stop_api = "sudo systemctl stop healtharchive-api"
    with done_to(host, replaced_cli(FORKS.replace("'", '"')), RESTORED_CLI), done_to(host, stop_api, START_API):
        # The positive control: without us they stay.
        host.ssh("timeout 1 %s version </dev/null >/dev/null 2>&1; true" % CLI)
        assert host.ssh("pgrep -fc '[l]eft-by-the-cli'").stdout.strip() == "3"
        host.ssh("sudo pkill -KILL -f '[l]eft-by-the-cli'")
        before = processes(host)
        triage = host.triage(tmp_path, "-e", "triage_deadline=15")
        left = processes(host) - before
    assert triage.rc == 0
    assert_in_time(triage, 15)
    assert codes(triage, "database") == {"timed_out"}
    assert triage.result["verdict"] == "found"
    assert left == set()


@pytest.mark.parametrize("deadline", ["0", "9", "601", "-1"])
def test_an_impossible_deadline_is_refused(host, tmp_path, deadline):
    triage = host.triage(tmp_path, "-e", "triage_deadline=" + deadline)
    assert triage.rc != 0
    assert "10 to 600" in " ".join(triage.output.split())
