# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts a deploy, what is put aside of it, and the program that restarts the worker after it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, probe, runtime, service, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy import command, rows, unit, worker
from ansible_collections.healtharchive.remediation.plugins.module_utils.deploy.facts import Wish
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "transient_unit"))

import transient_samples as samples

REF = "b" * 40
WHERE = settings.Settings(**{name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()})


def test_a_dollar_in_a_path_is_not_a_variable_to_systemd():
    where = WHERE._replace(checkout="/opt/$HOME/healtharchive")
    first = command.commands(where, Wish(REF), False, False, False)[0]
    assert "/opt/$$HOME/healtharchive/scripts/vps-deploy.sh" in first


def test_only_known_flags_go_to_the_script():
    with pytest.raises(ValueError, match="force-worker-restart"):
        service.deploy(WHERE, REF, ["--force-worker-restart"])
    with pytest.raises(ValueError, match="allow-dirty"):
        service.deploy(WHERE, REF, ["--allow-dirty"])


@pytest.fixture
def systemd(monkeypatch, tmp_path):
    stand_in = samples.Systemd(command.NAME)
    monkeypatch.setattr(host, "run", stand_in.run)
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    return stand_in


@pytest.fixture
def context():
    return probe.Context(WHERE, None, None, Redactor(), True, time.monotonic() + 60, 600, "local")


STATE = {"action_id": "deployment-0123456789ab-00000000", "accepted": [12]}


def test_an_end_is_put_aside_and_only_the_newest_are_kept(systemd, context):
    for number in range(8):
        state = {**STATE, "action_id": "deployment-0123456789ab-%08d" % number}
        argv = command.commands(WHERE, Wish(REF), False, True, False)[0]
        unit.UNIT.start(context, argv, state, {command.GUARD: b"guard"})
        Path(runtime.DIRECTORY, command.OUTPUT).write_text("output %d" % number)
        systemd.state = samples.SUCCEEDED
        unit.keep(state["action_id"], {"outcome": "applied", "number": number})
        unit.UNIT.forget(context)
        assert unit.UNIT.state() == {}
        assert unit.kept(state["action_id"]) == {"outcome": "applied", "number": number}
        assert Path(unit.path_of(state["action_id"])).read_text() == "output %d" % number
    names = sorted(os.listdir(runtime.DIRECTORY))
    assert len(names) == 10
    assert all(name.startswith("deploy-deployment-0123456789ab-0000000") for name in names)


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
