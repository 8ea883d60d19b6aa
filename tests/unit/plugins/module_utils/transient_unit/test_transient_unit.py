# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transient unit as systemd shows it, its start, and what lies beside it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, probe, runtime, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.transient_unit import files, shown
from ansible_collections.healtharchive.remediation.plugins.module_utils.transient_unit.unit import TransientUnit
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import transient_samples as samples
from transient_samples import properties

UNIT = TransientUnit("walk.service", "walk", "walk.json", "walk.log", "walk_not_started")
ARGV = ("/usr/bin/systemd-run", "--unit=walk.service", "walk")
STATE = {"action_id": "walk-0123456789ab-00000000"}
SECRET = "hunter2-correct-horse"
WHERE = settings.Settings(**{name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (properties("not-found", "inactive", "0"), (shown.GONE, True, None)),
        (properties("loaded", "activating", "0"), (shown.RUNNING, False, None)),
        # The command has ended, and what follows it runs.
        (properties("loaded", "activating", "1"), (shown.RUNNING, True, 0)),
        (properties("loaded", "deactivating", "0"), (shown.RUNNING, False, None)),
        (properties("loaded", "active", "1"), (shown.SUCCEEDED, True, 0)),
        (properties("loaded", "failed", "1", "3", "exit-code"), (shown.FAILED, True, 3)),
        (properties("loaded", "failed", "1", "0", "exit-code"), (shown.FAILED, True, 0)),
        (properties("loaded", "failed", "2", "9", "signal"), (shown.FAILED, True, None)),
        (properties("loaded", "failed", "2", "15", "timeout"), (shown.FAILED, True, None)),
        (properties("loaded", "inactive", "1", "1"), (shown.FAILED, True, 1)),
        (properties("loaded", "inactive", "2", "15"), (shown.FAILED, True, None)),
    ],
)
def test_the_states_of_the_unit(found, expected):
    assert shown.of_properties(found)[:3] == expected


@pytest.mark.parametrize(
    "found",
    [
        {},
        properties("loaded", "active", ""),
        properties("loaded", "active", "x"),
        properties("loaded", "maintenance", "0"),
    ],
)
def test_what_systemd_does_not_say_is_no_state(found):
    with pytest.raises(ParseError):
        shown.of_properties(found)


@given(
    st.dictionaries(
        st.sampled_from(["LoadState", "ActiveState", "ExecMainCode", "ExecMainStatus", "Result"]), st.text(max_size=8)
    )
)
def test_nothing_but_an_exit_of_0_is_a_success(found):
    try:
        state = shown.of_properties(found)
    except ParseError:
        return
    if state.state == shown.SUCCEEDED and found["ActiveState"] != "active":
        assert state.code == 0


@pytest.fixture
def systemd(monkeypatch, tmp_path):
    stand_in = samples.Systemd(UNIT.name)
    monkeypatch.setattr(host, "run", stand_in.run)
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    return stand_in


@pytest.fixture
def context():
    return probe.Context(WHERE, None, None, Redactor([SECRET]), True, time.monotonic() + 60, 600, "local")


def test_looking_creates_nothing(systemd, context):
    assert UNIT.state() == {}
    assert UNIT.output(context) is None
    assert not os.path.exists(runtime.DIRECTORY)


def test_a_unit_is_started_once(systemd, context):
    UNIT.start(context, ARGV, STATE, {"walk.py": b"guard"})
    assert UNIT.state() == STATE
    assert UNIT.output(context) is None
    assert Path(runtime.DIRECTORY, "walk.py").read_bytes() == b"guard"
    with pytest.raises(Refusal) as caught:
        UNIT.start(context, ARGV, {"action_id": "other"})
    assert caught.value.code == "walk_running"
    assert UNIT.state() == STATE
    # Asking to take it away does not end it.
    UNIT.forget(context)
    assert UNIT.look(context).state == shown.RUNNING


def test_what_is_left_of_an_earlier_one_is_taken_away(systemd, context):
    systemd.state = samples.FAILED
    Path(runtime.DIRECTORY).mkdir(0o700)
    Path(runtime.DIRECTORY, UNIT.output_file).write_text("old")
    UNIT.start(context, ARGV, STATE)
    assert "/usr/bin/systemctl reset-failed" in systemd.asked
    assert UNIT.look(context).state == shown.RUNNING
    assert UNIT.output(context) is None


def test_what_systemd_refuses_has_not_begun(systemd, context):
    systemd.starts = False
    with pytest.raises(Refusal) as caught:
        UNIT.start(context, ARGV, STATE)
    assert caught.value.code == "walk_not_started"
    assert "Failed to start transient" in str(caught.value)


def test_what_it_prints_is_read_without_secrets(systemd, context):
    UNIT.start(context, ARGV, STATE)
    Path(runtime.DIRECTORY, UNIT.output_file).write_bytes(b"the password is %s\n\xff\n" % SECRET.encode())
    printed = UNIT.output(context)
    assert printed is not None
    assert SECRET.encode() not in printed
    assert printed.endswith(b"\n\xff\n")


def test_of_endless_output_the_beginning_and_the_end_are_read(systemd, context, monkeypatch):
    monkeypatch.setattr(files, "_HEAD_BYTES", 100)
    monkeypatch.setattr(files, "_TAIL_BYTES", 100)
    Path(runtime.DIRECTORY).mkdir(0o700)
    lines = [b"line %04d" % number for number in range(1000)]
    Path(runtime.DIRECTORY, UNIT.output_file).write_bytes(b"\n".join(lines) + b"\n")
    read = (UNIT.output(context) or b"").split(b"\n")
    assert (read[0], read[-2]) == (b"line 0000", b"line 0999")
    assert set(read[:-1]) <= set(lines)
    assert len(read) < 30


@pytest.mark.parametrize("content", [b"", b'{"action_id": "walk-01', b"[1]", b"\xff", b"null"])
def test_a_torn_file_is_read_as_nothing(systemd, content):
    Path(runtime.DIRECTORY).mkdir(0o700)
    Path(runtime.DIRECTORY, UNIT.state_file).write_bytes(content)
    assert UNIT.state() == {}


def test_a_file_is_written_as_a_whole_or_not_at_all(systemd, monkeypatch):
    def full(*_said: object, **_named: object) -> None:
        raise OSError("no space")

    with runtime.directory() as directory:
        files.write(directory, UNIT.state_file, b'{"action_id": "old"}')
        monkeypatch.setattr(os, "rename", full)
        with pytest.raises(OSError, match="no space"):
            files.write(directory, UNIT.state_file, b'{"action_id": "new"}')
    assert os.listdir(runtime.DIRECTORY) == [UNIT.state_file]
    assert UNIT.state() == {"action_id": "old"}
