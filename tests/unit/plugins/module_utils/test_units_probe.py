# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the units: which of those that were restarted again and again still are in a loop."""

from __future__ import annotations

import json
import time
from typing import Any, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, probe, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import unit_ends
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import units
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

NOW, BEFORE = "3" * 32, "2" * 32
WHERE = settings.Settings(**{name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()})


def message(at: int, kind: str, run: str) -> str:
    fields = {"UNIT": units.API, "MESSAGE_ID": kind, "INVOCATION_ID": run, "__MONOTONIC_TIMESTAMP": str(at)}
    return json.dumps({**fields, "__REALTIME_TIMESTAMP": "1795876939787057"})


FAILED = message(1, unit_ends.FAILED, BEFORE)
RESTARTS = message(2, unit_ends.RESTARTS, BEFORE)


class Systemd:
    """Stands for systemctl and journalctl: the API's unit, and what systemd has written about it."""

    def __init__(self) -> None:
        self.api = {"ActiveState": "active", "SubState": "running", "NRestarts": "3", "MainPID": "7"}
        self.started = int(time.time()) - 1
        self.invocation = NOW
        self.journal = ""
        self.code = 0
        self.asked: List[str] = []

    def run(self, argv: Any, seconds: float, who: Any = None, **options: Any) -> host.Result:
        if argv[0].endswith("journalctl"):
            self.asked.append(next(word for word in argv if word.startswith("UNIT=")))
            return host.Result(argv, self.code, self.journal.encode(), b"", 0.1, None)
        said = ""
        for name in units.UNITS:
            state = {
                "LoadState": "loaded",
                "ActiveState": "inactive",
                "SubState": "dead",
                "NRestarts": "0",
                "MainPID": "0",
            }
            if name == units.API:
                started = "@%d" % self.started
                state.update(self.api, ExecMainStartTimestamp=started, InvocationID=self.invocation)
            said += "".join("%s=%s\n" % pair for pair in {"Id": name, **state}.items()) + "\n"
        return host.Result(argv, 0, said.encode(), b"", 0.1, None)


@pytest.fixture
def systemd(monkeypatch):
    stand_in = Systemd()
    monkeypatch.setattr(host, "run", stand_in.run)
    return stand_in


def restarting() -> bool:
    context = probe.Context(WHERE, None, None, Redactor(), True, time.monotonic() + 60, 600, "local")
    found = units.probe(context)
    assert found.data is not None
    return bool(found.data["units"][units.API]["restarting"])


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        ([RESTARTS, FAILED], True),
        ([FAILED], False),
        # What does not tell takes nothing back.
        ([], True),
        (["no JSON"], True),
        ([message(3, unit_ends.FAILED, NOW)], True),
    ],
)
def test_one_that_was_restarted_by_hand_out_of_a_loop_is_in_none(systemd, journal, expected):
    systemd.journal = "".join(line + "\n" for line in journal)
    assert restarting() is expected
    assert systemd.asked == ["UNIT=" + units.API]


def test_a_journal_that_cannot_be_read_takes_nothing_back(systemd):
    systemd.journal, systemd.code = FAILED + "\n", 1
    assert restarting() is True


def test_without_the_id_of_its_run_nothing_is_taken_back(systemd):
    systemd.journal, systemd.invocation = FAILED + "\n", ""
    assert restarting() is True


def test_one_that_waits_for_a_restart_needs_no_journal(systemd):
    systemd.api.update(ActiveState="activating", SubState="auto-restart", MainPID="0")
    assert (restarting(), systemd.asked) == (True, [])


@pytest.mark.parametrize("more", [{"NRestarts": "1"}, {"NRestarts": "0"}, {"ActiveState": "failed", "MainPID": "0"}])
def test_what_is_in_no_loop_needs_none_either(systemd, more):
    systemd.api.update(more)
    assert (restarting(), systemd.asked) == (False, [])


def test_nor_does_one_that_lasts(systemd):
    systemd.started -= 600
    assert (restarting(), systemd.asked) == (False, [])
