# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watchdogs are held off under a switch and given back as they were."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host as commands
from ansible_collections.healtharchive.remediation.plugins.module_utils import runtime
from ansible_collections.healtharchive.remediation.plugins.module_utils.change import ActFailed
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import hold, noted

HOT, START, CRAWL = (hold.timer(name) for name in hold.WATCHDOGS)
SWITCH = hold.timer(hold.SWITCH)


class Systemd:
    """Units, and what is done to them."""

    def __init__(self) -> None:
        self.states: Dict[str, str] = {HOT: "active", START: "inactive", CRAWL: "active"}
        self.did: List[str] = []
        self.fails: set = set()
        # Units that are at work once the timers are stopped.
        self.begins: List[str] = []

    def run(self, argv: List[str], _seconds: float) -> commands.Result:
        if argv[0].endswith("systemd-run"):
            what = "arm"
        elif argv[1] == "show":
            return self.show(argv[2])
        else:
            what = " ".join(argv[1:])
        self.did.append(what)
        if what in self.fails:
            return commands.Result(argv, 1, b"", b"no", 0.1, None)
        if what == "arm":
            self.states[SWITCH] = "active"
        for name in argv[2:]:
            if argv[1] in ("start", "stop"):
                self.states[name] = "active" if argv[1] == "start" else "inactive"
        if argv[1] == "stop" and HOT in argv:
            self.states.update((name, "activating") for name in self.begins)
        return commands.Result(argv, 0, b"", b"", 0.1, None)

    def show(self, name: str) -> commands.Result:
        state = self.states.get(name, "inactive")
        text = "Id=%s\nLoadState=loaded\nActiveState=%s\nSubState=x\n\n" % (name, state)
        return commands.Result([], 0, text.encode(), b"", 0.1, None)


@pytest.fixture
def systemd(monkeypatch: Any, tmp_path: Any) -> Systemd:
    monkeypatch.setattr(runtime, "DIRECTORY", str(tmp_path / "run"))
    return Systemd()


@pytest.fixture
def context(systemd: Systemd) -> Any:
    return SimpleNamespace(run=systemd.run)


def test_only_those_that_run_are_held_and_given_back(systemd: Systemd, context: Any) -> None:
    timers = hold.to_hold(context)
    assert timers == (HOT, CRAWL)
    hold.begin(context, timers, 1200)
    # Armed before anything is stopped.
    assert systemd.did == ["stop " + SWITCH, "arm", "stop " + " ".join(timers)]
    assert hold.armed(context)
    hold.end(context, timers)
    assert systemd.states == {HOT: "active", START: "inactive", CRAWL: "active", SWITCH: "inactive"}
    assert noted.read("watchdogs-held.json") == {}
    assert hold.arm_argv(timers, 1200)[-4:] == ["/usr/bin/systemctl", "start", HOT, CRAWL]
    assert [argv[1] for argv in hold.return_commands(timers)] == ["start", "stop"]


def test_what_one_that_was_cut_off_has_stopped_is_held_on(systemd: Systemd, context: Any) -> None:
    hold.begin(context, (HOT, CRAWL), 1200)
    systemd.states[START] = "inactive"
    assert hold.to_hold(context) == (HOT, CRAWL)
    # Its switch has gone off and somebody has stopped one since.
    systemd.states[SWITCH] = "inactive"
    systemd.states.update({HOT: "active", CRAWL: "inactive"})
    assert hold.to_hold(context) == (HOT,)


def test_none_is_held_where_none_runs(systemd: Systemd, context: Any) -> None:
    systemd.states.clear()
    assert hold.to_hold(context) == ()
    hold.begin(context, (), 1200)
    hold.end(context, ())
    assert systemd.did == []
    assert hold.hold_commands((), 1200) == hold.return_commands(()) == []


@pytest.mark.parametrize(
    ("fails", "code"), [("arm", "switch_not_armed"), ("stop %s %s" % (HOT, CRAWL), "watchdogs_not_held")]
)
def test_what_cannot_be_held_is_as_before(systemd: Systemd, context: Any, fails: str, code: str) -> None:
    systemd.fails.add(fails)
    with pytest.raises(Refusal) as caught:
        hold.begin(context, (HOT, CRAWL), 1200)
    assert caught.value.code == code
    assert (systemd.states[HOT], systemd.states[CRAWL], hold.armed(context)) == ("active", "active", False)


def test_one_that_acts_is_waited_for_by_nobody(systemd: Systemd, context: Any) -> None:
    systemd.begins = [hold.WATCHDOGS[0] + ".service"]
    with pytest.raises(Refusal) as caught:
        hold.begin(context, (HOT, CRAWL), 1200)
    assert caught.value.code == "watchdog_acting"
    assert (systemd.states[HOT], hold.armed(context)) == ("active", False)
    with pytest.raises(Refusal):
        hold.to_hold(context)


def test_one_that_does_not_come_back_leaves_the_switch_armed(systemd: Systemd, context: Any) -> None:
    hold.begin(context, (HOT, CRAWL), 1200)
    systemd.fails.add("start %s %s" % (HOT, CRAWL))
    with pytest.raises(ActFailed):
        hold.end(context, (HOT, CRAWL))
    assert hold.armed(context)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff"])
def test_a_note_that_cannot_be_read_is_not_taken_for_none(systemd: Systemd, content: bytes) -> None:
    noted.write("x.json", {"a": 1})
    assert noted.read("x.json") == {"a": 1}
    with runtime.directory() as parent:
        with open(os.open("x.json", os.O_WRONLY | os.O_TRUNC, dir_fd=parent), "wb") as handle:
            handle.write(content)
    with pytest.raises(Refusal) as refused:
        noted.read("x.json")
    assert refused.value.code == "note_unreadable"
    noted.forget("x.json")
    noted.forget("x.json")
    assert noted.read("x.json") == {}
