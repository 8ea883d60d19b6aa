# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following what goes on on a host: each step is told once, and a link that breaks ends nothing."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from ansible_collections.healtharchive.remediation.plugins.plugin_utils import following
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.following import Follower

BROKEN = {"unreachable": True, "msg": "Connection reset by peer"}
CUT = {"outcome": "unknown", "code": "link_broke", "detail": "The link to the host broke while it was acting (x)."}
NOT_BEGUN = {"outcome": "refused", "code": "not_begun", "detail": "No deploy with that id."}
APPLIED = {"outcome": "applied", "changed": True, "detail": "Done.", "steps": []}


def running(*commands: str) -> Dict[str, Any]:
    steps = [{"name": "step", "command": command} for command in commands]
    return {"outcome": "running", "changed": True, "action_id": "deployment-1", "detail": "It runs.", "steps": steps}


class Told:
    """A host that gives these answers, on a clock of its own."""

    def __init__(self, *answers: Dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: List[Tuple[str, int]] = []
        self.said: List[str] = []
        self.now = 0.0
        self.follower = Follower(self.ask, self.said.append, lambda: self.now, self.sleep)

    def ask(self, wanted: str, seen: int) -> Dict[str, Any]:
        self.asked.append((wanted, seen))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def commands(self) -> List[str]:
        return [line.split()[-1] for line in self.said if " s  " in line]


def test_each_step_is_told_once_as_it_passes():
    host = Told(
        running("a", "b"),
        running("a", "b"),
        running("a", "b", "c"),
        {**APPLIED, "steps": running("a", "b", "c", "d")["steps"]},
    )
    assert host.follower.follow(running("a"))["outcome"] == "applied"
    assert host.commands() == ["a", "b", "c", "d"]
    assert host.asked == [("deployment-1", 1), ("deployment-1", 2), ("deployment-1", 2), ("deployment-1", 3)]


def test_what_has_ended_is_not_followed():
    host = Told(running("a"))
    assert host.follower.follow(APPLIED) == APPLIED
    assert (host.asked, host.said) == ([], [])


def test_a_link_that_breaks_for_a_while_is_tried_again():
    host = Told(running("a"), BROKEN, {"msg": "no answer of a module"}, running("a", "b"), APPLIED)
    assert host.follower.follow(running())["outcome"] == "applied"
    assert host.commands() == ["a", "b"]
    assert sum("asked again" in line for line in host.said) == 2


def test_a_link_that_stays_broken_is_told_and_what_was_seen_last():
    host = Told(running("pip"), BROKEN)
    found = host.follower.follow(running())
    assert (found["outcome"], found["code"], found["failed"], found["changed"]) == ("unknown", "link_broke", True, True)
    assert "goes on there" in found["detail"]
    assert "pip" in found["detail"]
    assert following.LINK_SECONDS <= host.now <= following.LINK_SECONDS + 2 * following.PAUSE_SECONDS


def test_what_was_begun_when_the_link_broke_is_found_and_followed():
    host = Told(BROKEN, NOT_BEGUN, NOT_BEGUN, running("a"), APPLIED)
    found = host.follower.find("0123456789ab", CUT)
    assert (found["outcome"], {wanted for wanted, _seen in host.asked}) == ("running", {"0123456789ab"})
    assert host.follower.follow(found)["outcome"] == "applied"


def test_what_was_never_begun_stays_unknown():
    """It may have been cut off before or in the middle of its beginning: nobody here knows."""
    host = Told(NOT_BEGUN)
    assert host.follower.find("0123456789ab", CUT) == CUT
    assert following.BEGIN_SECONDS <= host.now <= following.BEGIN_SECONDS + following.PAUSE_SECONDS
    assert Told(BROKEN).follower.find("0123456789ab", CUT) == CUT


def test_what_ended_while_the_link_was_broken_is_the_result():
    assert Told(APPLIED).follower.find("0123456789ab", CUT) == APPLIED


def test_what_a_host_says_is_printable():
    host = Told(APPLIED)
    host.follower.follow({**running("\x1b[31m\nevil"), "detail": "a\nb"})
    assert all(line.isprintable() for line in host.said)
