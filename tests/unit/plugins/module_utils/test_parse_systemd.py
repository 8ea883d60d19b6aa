# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units as systemctl shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import systemd
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / name).read_bytes()


def state_of(name: str, unit: str = "healtharchive-api.service", now: Optional[float] = None) -> dict[str, Any]:
    return systemd.unit_state(systemd.show(read(name))[unit], now)


def test_every_unit_has_its_block() -> None:
    assert list(systemd.show(read("systemctl-show-mixed-units.txt"))) == [
        "healtharchive-api.service",
        "healtharchive-worker.service",
        "healtharchive-replay.service",
        "postgresql.service",
        "healtharchive-warc-tiering.service",
    ]
    for properties in systemd.show(read("systemctl-show-mixed-units.txt")).values():
        assert set(properties) == set(systemd.PROPERTIES)


def test_a_running_service() -> None:
    assert state_of("systemctl-show-mixed-units.txt") == {
        "load_state": "loaded",
        "active_state": "active",
        "sub_state": "running",
        "result": "success",
        "unit_file_state": "enabled",
        "restarts": 0,
        "main_pid": 730,
        "started_at": "2026-11-23T18:24:10Z",
        "condition_met": True,
        "restarting": False,
    }


def test_a_start_that_a_condition_skipped() -> None:
    state = state_of("systemctl-show-mixed-units.txt", "healtharchive-worker.service")
    assert (state["active_state"], state["condition_met"], state["started_at"]) == ("inactive", False, None)


def test_a_unit_that_does_not_exist_has_no_verdict_on_its_conditions() -> None:
    state = state_of("systemctl-show-mixed-units.txt", "healtharchive-replay.service")
    assert (state["load_state"], state["unit_file_state"], state["main_pid"]) == ("not-found", "", None)
    assert state["condition_met"] is None


def test_a_oneshot_that_stays_active_has_started() -> None:
    state = state_of("systemctl-show-mixed-units.txt", "healtharchive-warc-tiering.service")
    assert (state["main_pid"], state["started_at"]) == (None, "2026-11-23T18:24:17Z")


LOOP_STARTED = 1795458300


@pytest.mark.parametrize(
    ("name", "now", "restarting"),
    [
        ("systemctl-show-restart-loop-waiting.txt", None, True),
        ("systemctl-show-restart-loop-waiting.txt", LOOP_STARTED + 4, True),
        ("systemctl-show-restart-loop-running.txt", LOOP_STARTED + 1, True),
        ("systemctl-show-restart-loop-running.txt", LOOP_STARTED + 3600, False),
        ("systemctl-show-restart-loop-running.txt", None, False),
        ("systemctl-show-restart-loop-running.txt", LOOP_STARTED - 86400, False),  # the clock was set back
        ("systemctl-show-mixed-units.txt", 1795458251, False),
    ],
)
def test_a_restart_loop_is_seen_in_each_of_its_moments(name: str, now: Optional[float], restarting: bool) -> None:
    assert state_of(name, now=now)["restarting"] is restarting


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"Id=a.service\nActiveSta", "truncated"),
        (b"ActiveState=active\n", "unparsable"),
        (b"Id=\nActiveState=active\n", "unparsable"),
        (b"Id=a.service\n\nId=a.service\n", "unparsable"),
        (b"Id=a.service\nFailed to connect to bus\n", "unparsable"),
    ],
)
def test_other_output_is_refused(stdout: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        systemd.show(stdout)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        {"ActiveState": ""},
        {"LoadState": ""},
        {"SubState": ""},
        {"NRestarts": "many"},
        {"MainPID": "-1"},
        {"ExecMainStartTimestamp": "Mon 2026-11-23 15:44:08 UTC"},
        {"ActiveEnterTimestamp": "@999999999999"},
    ],
)
def test_a_state_that_makes_no_sense_is_refused(change: dict[str, str]) -> None:
    properties = systemd.show(read("systemctl-show-mixed-units.txt"))["healtharchive-api.service"]
    assert systemd.unit_state(properties)
    with pytest.raises(ParseError):
        systemd.unit_state({**properties, **change})


def test_a_repeated_property_keeps_all_its_values() -> None:
    assert systemd.show(b"Id=a\nX=1\nX=2=3\n")["a"]["X"] == "1\n2=3"


names = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=8).filter(
    lambda name: name != "Id"
)
values = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)


@given(st.dictionaries(values.filter(bool), st.dictionaries(names, values), min_size=1, max_size=4))
def test_blocks_survive_the_round_trip(units: dict[str, dict[str, str]]) -> None:
    blocks = [
        "".join("%s=%s\n" % item for item in {"Id": unit, **properties}.items()) for unit, properties in units.items()
    ]
    found = systemd.show("\n".join(blocks).encode("utf-8"))
    assert found == {unit: {"Id": unit, **properties} for unit, properties in units.items()}


PRECISE = {"Id": "a", "MainPID": "92", "ExecMainStartTimestamp": "Sat 2026-11-28 14:34:50.618592 UTC"}


def test_the_main_process_and_when_it_started_to_the_microsecond() -> None:
    assert systemd.main_process(PRECISE) == (92, 1795876490_618592)
    # What ended keeps its time, and is no process.
    assert systemd.main_process({**PRECISE, "MainPID": "0"}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"MainPID": "many"},
        {"ExecMainStartTimestamp": ""},
        {"ExecMainStartTimestamp": "n/a"},
        {"ExecMainStartTimestamp": "@1795876490"},
        {"ExecMainStartTimestamp": "Sat 2026-11-28 14:34:50 UTC"},
        {"ExecMainStartTimestamp": "Sat 2026-11-28 14:34:50.618592 CET"},
        {"ExecMainStartTimestamp": "Sat 2026-13-28 14:34:50.618592 UTC"},
    ],
)
def test_a_main_process_that_makes_no_sense_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ParseError):
        systemd.main_process({**PRECISE, **change})
    with pytest.raises(ParseError):
        systemd.main_process({"Id": "a"})
