# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transient unit as systemd shows it, what lies beside it, and the program that restarts the worker after it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, probe, runtime, service, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy import command, rows, unit, worker
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy.facts import Wish
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from hypothesis import given
from hypothesis import strategies as st

REF = "b" * 40
WHERE = settings.Settings(**{name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()})


def shown(load: str, active: str, main: str, status: str = "0", result: str = "success") -> Dict[str, str]:
    """Of systemd 252, as recorded on a host."""
    return {"LoadState": load, "ActiveState": active, "ExecMainCode": main, "ExecMainStatus": status, "Result": result}


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (shown("not-found", "inactive", "0"), (unit.GONE, True, None)),
        (shown("loaded", "activating", "0"), (unit.RUNNING, False, None)),
        # The script has ended, and what follows it runs.
        (shown("loaded", "activating", "1"), (unit.RUNNING, True, 0)),
        (shown("loaded", "deactivating", "0"), (unit.RUNNING, False, None)),
        (shown("loaded", "active", "1"), (unit.SUCCEEDED, True, 0)),
        (shown("loaded", "failed", "1", "3", "exit-code"), (unit.FAILED, True, 3)),
        (shown("loaded", "failed", "1", "0", "exit-code"), (unit.FAILED, True, 0)),
        (shown("loaded", "failed", "2", "9", "signal"), (unit.FAILED, True, None)),
        (shown("loaded", "failed", "2", "15", "timeout"), (unit.FAILED, True, None)),
        (shown("loaded", "inactive", "1", "1"), (unit.FAILED, True, 1)),
        (shown("loaded", "inactive", "2", "15"), (unit.FAILED, True, None)),
    ],
)
def test_the_states_of_the_unit(properties, expected):
    assert unit.of_properties(properties)[:3] == expected


@pytest.mark.parametrize(
    "properties",
    [{}, shown("loaded", "active", ""), shown("loaded", "active", "x"), shown("loaded", "maintenance", "0")],
)
def test_what_systemd_does_not_say_is_no_state(properties):
    with pytest.raises(ParseError):
        unit.of_properties(properties)


@given(
    st.dictionaries(
        st.sampled_from(["LoadState", "ActiveState", "ExecMainCode", "ExecMainStatus", "Result"]), st.text(max_size=8)
    )
)
def test_nothing_but_an_exit_of_0_is_a_success(properties):
    try:
        found = unit.of_properties(properties)
    except ParseError:
        return
    if found.state == unit.SUCCEEDED and properties["ActiveState"] != "active":
        assert found.code == 0


def test_a_dollar_in_a_path_is_not_a_variable_to_systemd():
    where = WHERE._replace(checkout="/opt/$HOME/healtharchive")
    first = command.commands(where, Wish(REF), False, False, False)[0]
    assert "/opt/$$HOME/healtharchive/scripts/vps-deploy.sh" in first


def test_only_known_flags_go_to_the_script():
    with pytest.raises(ValueError, match="force-worker-restart"):
        service.deploy(WHERE, REF, ["--force-worker-restart"])
    with pytest.raises(ValueError, match="allow-dirty"):
        service.deploy(WHERE, REF, ["--allow-dirty"])


class Systemd:
    """Stands for systemctl and systemd-run: the state of the unit, and what was asked."""

    def __init__(self) -> None:
        self.state = shown("not-found", "inactive", "0")
        self.asked: List[str] = []
        self.starts = True

    def run(self, argv: Any, seconds: float, who: Any = None, **options: Any) -> host.Result:
        self.asked.append(" ".join(argv[:2]))
        rc, output = 0, b""
        if "show" in argv:
            output = "".join("%s=%s\n" % pair for pair in {"Id": command.NAME, **self.state}.items()).encode()
        elif argv[0].endswith("systemd-run"):
            if self.starts:
                self.state = shown("loaded", "activating", "0")
            rc = 0 if self.starts else 1
        elif "stop" in argv or "reset-failed" in argv:
            self.state = shown("not-found", "inactive", "0")
        return host.Result(argv, rc, output, b"" if rc == 0 else b"Failed to start transient service unit", 0.1, None)


@pytest.fixture
def systemd(monkeypatch, tmp_path):
    stand_in = Systemd()
    monkeypatch.setattr(host, "run", stand_in.run)
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    return stand_in


@pytest.fixture
def context():
    return probe.Context(WHERE, None, None, Redactor(), True, time.monotonic() + 60, 600, "local")


STATE = {"action_id": "deployment-0123456789ab-00000000", "accepted": [12]}


def test_looking_creates_nothing(systemd):
    assert unit.state() == {}
    assert unit.kept_state("deployment-1") == {}
    assert unit.output() is None
    assert not os.path.exists(runtime.DIRECTORY)


def test_a_unit_is_started_once(systemd, context):
    argv = command.commands(WHERE, Wish(REF), False, False, False)[0]
    unit.start(context, argv, STATE, False)
    assert unit.state() == STATE
    assert unit.output() is None
    with pytest.raises(Refusal) as caught:
        unit.start(context, argv, {**STATE, "action_id": "other"}, False)
    assert caught.value.code == "deploy_running"
    assert unit.state() == STATE
    # Asking to take it away does not end it.
    unit.forget(context)
    assert unit.look(context).state == unit.RUNNING


def test_what_is_left_of_an_earlier_one_is_taken_away(systemd, context):
    systemd.state = shown("loaded", "failed", "1", "1", "exit-code")
    Path(runtime.DIRECTORY).mkdir(0o700)
    Path(runtime.DIRECTORY, command.OUTPUT).write_text("old")
    unit.start(context, command.commands(WHERE, Wish(REF), False, False, False)[0], STATE, False)
    assert "/usr/bin/systemctl reset-failed" in systemd.asked
    assert unit.look(context).state == unit.RUNNING
    assert unit.output() is None


def test_what_systemd_refuses_has_not_begun(systemd, context):
    systemd.starts = False
    with pytest.raises(Refusal) as caught:
        unit.start(context, command.commands(WHERE, Wish(REF), False, False, False)[0], STATE, False)
    assert caught.value.code == "deploy_not_started"
    assert "Failed to start transient" in str(caught.value)


def test_an_end_is_put_aside_and_only_the_newest_are_kept(systemd, context):
    for number in range(8):
        state = {**STATE, "action_id": "deployment-0123456789ab-%08d" % number}
        unit.start(context, command.commands(WHERE, Wish(REF), False, True, False)[0], state, True)
        Path(runtime.DIRECTORY, command.OUTPUT).write_text("output %d" % number)
        systemd.state = shown("loaded", "active", "1")
        unit.keep(state["action_id"], {"outcome": "applied", "number": number})
        unit.forget(context)
        assert unit.state() == {}
        assert unit.kept_state(state["action_id"]) == {"outcome": "applied", "number": number}
        assert Path(unit.path_of(state["action_id"])).read_text() == "output %d" % number
    names = sorted(os.listdir(runtime.DIRECTORY))
    assert len(names) == 10
    assert all(name.startswith("deploy-deployment-0123456789ab-0000000") for name in names)


def test_of_endless_output_the_beginning_and_the_end_are_read(systemd, context, monkeypatch):
    monkeypatch.setattr(unit, "_HEAD_BYTES", 100)
    monkeypatch.setattr(unit, "_TAIL_BYTES", 100)
    Path(runtime.DIRECTORY).mkdir(0o700)
    lines = [b"line %04d" % number for number in range(1000)]
    Path(runtime.DIRECTORY, command.OUTPUT).write_bytes(b"\n".join(lines) + b"\n")
    read = (unit.output() or b"").split(b"\n")
    assert (read[0], read[-2]) == (b"line 0000", b"line 0999")
    assert set(read[:-1]) <= set(lines)
    assert len(read) < 30


ROWS = b'{"jobs": [[3, "hc-x", "hc", "running"], [7, "y", null, "retryable"], [9, null, "hc", null]], "revisions": ["0014"]}'


def test_rows():
    found = rows.parse(ROWS)
    assert found.jobs[:2] == (rows.Job(3, "hc-x", "hc", "running"), rows.Job(7, "y", None, "retryable"))
    assert (found.jobs[2].name, found.jobs[2].status, found.revisions) == ("", None, ("0014",))
    assert rows.argv(WHERE, {7, 3})[-2:] == ["[3, 7]", "1000"]


@given(
    st.one_of(
        st.binary(max_size=200),
        st.from_regex(r'\{"jobs": \[.{0,40}\], "revisions": \[.{0,20}\]\}', fullmatch=True).map(str.encode),
    )
)
def test_any_answer_is_rows_or_a_parse_error(content):
    try:
        found = rows.parse(content)
    except ParseError:
        return
    assert all(isinstance(job.id, int) for job in found.jobs)
    assert all(isinstance(revision, str) for revision in found.revisions)


def test_more_rows_than_can_be_told_are_no_answer():
    many = json.dumps({"jobs": [[number, "x", "hc", "running"] for number in range(rows.MOST + 1)], "revisions": []})
    with pytest.raises(ParseError):
        rows.parse(many.encode())


@pytest.mark.parametrize(
    ("answer", "exit_code", "accepted", "restarts", "said"),
    [
        ({"jobs": []}, 0, [12], True, "worker restarted"),
        ({"jobs": [[12, "x", "hc", "running"]]}, 0, [12], True, "worker restarted"),
        ({"jobs": [[12, "x", "hc", "running"]]}, 0, [12, 13], True, "worker restarted"),
        ({"jobs": [[12, "x", "hc", "running"], [14, "y", None, "running"]]}, 0, [12], False, "job 14 began meanwhile"),
        ({"jobs": [[14, "y", "hc", "running"]]}, 0, [12], False, "job 14 began meanwhile"),
        ("not json", 0, [12], False, "is not known"),
        ({"jobs": []}, 1, [12], False, "is not known"),
        ({}, 0, [12], False, "is not known"),
    ],
)
def test_the_worker_is_restarted_only_if_nothing_else_would_be_interrupted(
    tmp_path, monkeypatch, answer, exit_code, accepted, restarts, said
):
    """The program as it lies on the host, with stand-ins for the database's answer and for systemctl."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    (tmp_path / "answer").write_text(text)
    program = worker.guard(WHERE, accepted)
    named = json.loads(ast.literal_eval(program.partition("json.loads(")[2].partition("\n")[0][:-1]))
    assert named["ask"][:4] == ["/usr/sbin/runuser", "-u", "haadmin", "--"]
    assert named["ask"][8:] == rows.argv(WHERE, ())
    assert named["restart"] == ["/usr/bin/systemctl", "restart", "healtharchive-worker.service"]
    named["ask"] = ["/bin/sh", "-c", "cat %s; exit %d" % (tmp_path / "answer", exit_code)]
    named["restart"] = ["/bin/sh", "-c", "echo yes >%s" % (tmp_path / "restarted")]
    (tmp_path / "guard.py").write_text(worker._CODE % {"config": ascii(json.dumps(named))})
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "guard.py")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "restarted").exists() is restarts
    assert done.stdout.startswith("healtharchive.remediation: worker ")
    assert said in done.stdout


def test_a_restart_that_fails_fails_the_unit(tmp_path):
    named = {
        "ask": ["/bin/echo", '{"jobs": []}'], "restart": ["/bin/false"], "accepted": [1], "says": "s: ", "left": "l",
        "restarted": "r",
    }  # fmt: skip
    (tmp_path / "guard.py").write_text(worker._CODE % {"config": ascii(json.dumps(named))})
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "guard.py")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "s: worker: its restart ended with 1\n")
