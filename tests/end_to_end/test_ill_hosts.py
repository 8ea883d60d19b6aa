# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that have lost what triage itself stands on: the journal, room in /tmp, the right time, or all of it together."""

from __future__ import annotations

import time

import pytest

from .test_bad_input import inventory
from .test_bounded import DEAD_API, assert_in_time, codes, processes
from .test_reads_only import state

NO_JOURNAL = (
    "systemctl mask --runtime --now systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket"
    " systemd-journald-audit.socket 2>/dev/null\n"
    "rm -rf /run/log/journal /var/log/journal\n"
)
FULL_TMP = "mount -t tmpfs -o size=64k,mode=1777 full /tmp\ndd if=/dev/zero of=/tmp/filled bs=1k 2>/dev/null || true\n"


@pytest.fixture
def anew(host):
    """The host is made anew afterwards: what was taken from it does not come back by itself."""
    yield host
    host.sandbox("reset", host.name)


def assert_told(triage, deadline: int) -> None:
    """Within the deadline, with an answer for everything, and no fault of ours."""
    assert triage.rc == 0
    assert_in_time(triage, deadline)
    assert "Traceback" not in triage.output
    assert "probe_error" not in str(triage.evidence)
    for name, probe in triage.evidence["probes"].items():
        assert (probe["status"] == "ok") is (probe["problems"] == []), name


def test_no_journal_and_no_room_in_tmp(anew, tmp_path):
    """Healthy but for these two: nothing is concluded of a journal that cannot be read, and nothing is written."""
    well = anew.triage(tmp_path / "well")
    assert well.probe("journal")["status"] == "ok"  # the positive control
    anew.root(NO_JOURNAL + FULL_TMP)
    assert anew.ssh("echo x >/tmp/x", check=False).returncode != 0  # the positive control
    before, running = state(anew), processes(anew)
    triage = anew.triage(tmp_path / "ill")
    left = processes(anew) - running
    after = state(anew)
    assert_told(triage, 60)
    assert codes(triage, "journal") >= {"not_running"}
    assert triage.result["verdict"] == "unknown"
    missing = [fact["text"] for fact in triage.result["not_established"]]
    assert missing == ["the journals of API and worker were read"]
    assert left == set()
    assert after == before


def test_everything_fails_together(anew, tmp_path):
    """Storage hangs, PostgreSQL is down, something accepts in the API's place and never answers, the environment file is closed
    to the service, the journal is gone and /tmp is full."""
    deadline = 30
    anew.sandbox("break", "hot_path_hung", "--name", anew.name)
    anew.root("systemctl stop postgresql\nchmod 0600 /etc/healtharchive/backend.env\n")
    anew.ssh(DEAD_API)
    anew.root(NO_JOURNAL + FULL_TMP)
    before = processes(anew)
    triage = anew.triage(tmp_path, "-e", "triage_deadline=%d" % deadline)
    left = processes(anew) - before
    assert_told(triage, deadline)
    assert triage.result["verdict"] == "found"
    assert triage.first["class"] == "storage"
    rules = {each["rule"]: each for each in triage.result["classes"]}
    assert {"hot_path_hung", "env_file_unreadable", "postgresql_down", "api_stopped"} <= set(rules)
    assert rules["hot_path_hung"]["confidence"] == "certain"
    assert triage.probe("api")["data"]["failure"] == "timed_out"
    assert triage.probe("database")["data"]["reachable"] is False
    assert triage.probe("environment")["data"]["readable_by_service_user"] is False
    assert "not_running" in codes(triage, "journal")
    # Of what nobody could see, nothing is said.
    assert triage.probe("jobs")["data"] is None
    assert not {"stale_running_row", "job_failed", "crawl_stalled", "dependency_missing"} & set(rules)
    assert left == set()


# What the module takes for the clock is so many days off from the one by which rows, logs and journals were written: as on a
# host whose clock was just set. The machine's clock is not touched; commands of the host, which only tell absolute times, see it.
CLOCK = """#!/usr/bin/python3
import sys, time
SHIFT = %d * 86400
real, gmtime = time.time, time.gmtime
time.time = lambda: real() + SHIFT
time.gmtime = lambda seconds=None: gmtime(time.time() if seconds is None else seconds)
exec(compile(sys.stdin.read(), "<stdin>", "exec"), {"__name__": "__main__"})
"""


def shifted(host, tmp_path, days: int):
    """Triage with the clock so many days off."""
    host.root("cat >/run/python-of-another-day <<'END'\n%sEND\nchmod 755 /run/python-of-another-day" % (CLOCK % days))
    clock = inventory(tmp_path, host, ansible_python_interpreter="/run/python-of-another-day")
    triage = host.triage(tmp_path / ("out%d" % days), inventory=clock)
    assert_told(triage, 60)
    return triage


def test_a_clock_that_is_a_day_wrong(host, broken, tmp_path):
    """A row that stands for no crawl is known as such when the clock went forward. When it went back, its start lies in the
    future, and that is not known to be fresh."""
    broken("stale_running_row")
    stamps = [time.strftime("%Y-%m-%d", time.gmtime())]
    for days, stale in ((-1, None), (1, True)):
        triage = shifted(host, tmp_path, days)
        stamps.append(triage.evidence["collected_at"][:10])
        running = [job for job in triage.probe("jobs")["data"]["jobs"] if job["status"] == "running"]
        assert [job["stale"] for job in running] == [stale]
        assert triage.result["verdict"] != "nothing_found"
        wrong = {each["rule"] for each in triage.result["classes"] if each["confidence"] == "certain"}
        assert wrong <= {"stale_running_row", "worker_stopped", "worker_inactive"}
    assert len(set(stamps)) == 3  # the positive control
