# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round: a guest as new, broken, and carried through `respond` until nothing is left, plan by plan, as an operator would.

What only a person mends is mended by the sandbox, each fault once (or again where the mending of the other brings it back), and
`respond` goes on. Which recoveries there are is not known here.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from drilling import plan as drills
from driving import guest as guests
from driving.playbook import COLLECTION, Controller, Run

from . import hands, laws, seen
from .plan import Round

MOST_STEPS = 10
_MOST_PAUSES, _PAUSE_SECONDS = 4, 15
_NO_COMMIT = "A soak: nothing of the repository has a part in it"
# Nothing more is done about it on this host: contained, and for somebody else.
_PARKED = ("parked", "budget_spent")
_BY_HAND = "by hand: "
# Of a fault, when `respond` finds what may wait, it goes on to the verification with it.
_MAY_WAIT = "verify"

RECOVERED, PARKED, PERSON, STUCK, NOT_MADE = "recovered", "parked", "needs a person", "stuck", "not made"


class Stuck(Exception):
    """It came to no end; the text says why."""


class Course:
    """One round on one guest, which is as new. ``directory``: where what was printed goes."""

    def __init__(self, drawn: Round, guest: guests.Guest, directory: Path, kinds: Mapping[str, laws.Kind]) -> None:
        self.drawn = drawn
        self.guest = guest
        self.controller = Controller(guest.name, directory)
        self.steps: List[str] = []
        self.wrong: List[str] = []
        self._kinds = kinds
        self._incident = ""
        self._needed: Dict[str, Any] = {"no_repo_change_reason": _NO_COMMIT}
        self._planned: Set[str] = set()
        self._applied: List[str] = []
        self._basis: Optional[seen.Seen] = None
        self._alone = hands.rules_alone(drawn.faults)
        self._mended: List[str] = []
        self._parked = False
        self._runs = 0

    def run(self) -> Dict[str, Any]:
        """The row of the table."""
        started = time.monotonic()
        outcome, why = STUCK, None
        try:
            outcome, why = self._run()
        except Stuck as error:
            why = str(error)
        except AssertionError as error:
            # The chain of the record, which is followed by hand.
            self.wrong.append(str(error))
        return {
            "round": self.drawn.number,
            "faults": list(self.drawn.faults),
            "times": self.drawn.times,
            "outcome": outcome,
            "why": why,
            "steps": self.steps,
            "seconds": round(time.monotonic() - started),
            "broken_laws": self.wrong,
        }

    def _run(self) -> Tuple[str, Optional[str]]:
        mounted = seen.mounts(self.guest)
        for time_of_it in range(self.drawn.times):
            try:
                self._break()
            except guests.Failed as error:
                return NOT_MADE, str(error).splitlines()[0]
            self._carried()
            self._judged(mounted)
            if self._mended or self._parked:
                break
            if time_of_it + 1 < self.drawn.times:
                self._tidied()
        return (PARKED if self._parked else PERSON if self._mended else RECOVERED), None

    # its parts

    def _break(self) -> None:
        for name in self.drawn.faults:
            self.guest.fault(name, "break_it")
        for name in self.drawn.faults:
            self.guest.fault(name, "is_broken")
        self._basis = seen.look(self.guest)

    def _tidied(self) -> None:
        """What the fault has brought along is taken away, so that it can be broken again."""
        self._mend(self.drawn.faults)

    def _carried(self) -> None:
        """Until the host is verified; :class:`Stuck`."""
        run = self._looked_again() if self._incident else self._respond("Soak " + " and ".join(self.drawn.faults))
        failed: Set[str] = set()
        for _step in range(MOST_STEPS):
            answer = _answer(run)
            if answer == "verify":
                self._expect(run.rc == 0, "the verification does not pass", run)
                self.steps.append("verify")
                return
            if answer in ("person", "wait"):
                run = self._by_a_person("%s (%s)" % (answer, _rule(run)), run)
                continue
            result = _last(run)
            outcome, code = result.get("outcome"), str(result.get("code"))
            said: Dict[str, Any] = {}
            if outcome == "refused" and code in drills.said():
                said = drills.said()[code]
                run = self._respond(None, **said)
                result = _last(run)
                outcome, code = result.get("outcome"), str(result.get("code"))
            if outcome == "planned":
                run = self._approved(answer, str(result["plan_id"]), said, failed)
            elif outcome == "nothing_to_do" and answer not in failed:
                failed.add(answer)
                self.steps.append("%s: nothing to do" % answer)
                run = self._looked_again()
            else:
                self._parked |= code in _PARKED
                run = self._by_a_person("%s: %s" % (answer, code if outcome == "refused" else outcome), run)
        raise Stuck("no end after %d steps" % MOST_STEPS)

    def _approved(self, answer: str, plan_id: str, said: Mapping[str, Any], failed: Set[str]) -> Run:
        self._planned.add(plan_id)
        run = self._respond(None, approve=plan_id, **self._needed, **said)
        result = _last(run)
        outcome, code = result.get("outcome"), str(result.get("code"))
        if outcome == "applied":
            self.steps.append("%s: applied" % answer)
            self._applied.append(result["action_id"])
            self._expect(run.rc == 0, "it is applied, and the playbook fails", run)
            if answer == "deploy_pinned_ref":
                # What comes after it needs it.
                self._needed = {"required_commit": (run.result("respond_decision") or {})["commit"]}
            return self._looked_again()
        self.steps.append("%s: %s" % (answer, code if outcome in ("refused", "failed", "unknown") else outcome))
        self._parked |= code in _PARKED
        if answer in failed or code in _PARKED:
            return self._by_a_person(answer, run)
        failed.add(answer)
        return self._looked_again()

    def _by_a_person(self, what: str, run: Run) -> Run:
        """What respond speaks of is mended as a person would. What was there before them is judged first."""
        # What a person has just mended may bring back the other: a deploy that goes on brings its commit.
        by_hand_before = bool(self.steps) and self.steps[-1].startswith(_BY_HAND)
        self.steps.append(what)
        self._between()
        broken = [
            name
            for name in self.drawn.faults
            if (by_hand_before or name not in self._mended) and self.guest.is_broken(name)
        ]
        left = [name for name in self.drawn.faults if name not in self._mended or name in broken]
        self._expect(bool(left), "a person has mended all of it, and it is %s still" % what, run)
        due = hands.due(_rule(run), broken or left, self._alone)
        try:
            self._mend(due)
        except guests.Failed:
            # It takes more of a sound host than the other fault has left.
            due = broken or left
            for attempt in (0, 1):
                try:
                    self._mend(due if attempt else due[::-1])
                    break
                except guests.Failed as error:
                    if attempt:
                        raise Stuck("the sandbox does not mend it: %s" % str(error).splitlines()[0]) from error
        self._mended += due
        self.steps.append(_BY_HAND + " and ".join(due))
        self._basis = seen.look(self.guest)
        return self._looked_again()

    def _mend(self, names: Sequence[str]) -> None:
        for name in reversed(names):
            self.guest.fault(name, "mend_it")

    def _respond(self, title: Optional[str], **said: Any) -> Run:
        said = {"title": title} if title is not None else {"incident": self._incident, **said}
        run = self.controller.run("respond", **said)
        self._runs += 1
        (self.controller.directory / ("%02d.txt" % self._runs)).write_text(run.output)
        if title is not None:
            opened = [event for event in self.guest.record() if event["kind"] == "incident_opened"]
            self._expect(len(opened) == 1, "no incident was opened", run)
            self._incident = opened[0]["incident"]
        self._expect(run.result("respond_decision") is not None, "respond comes to no answer", run)
        return run

    def _looked_again(self) -> Run:
        """What respond says; what goes on by itself is given a little time."""
        run = self._respond(None)
        for _pause in range(_MOST_PAUSES):
            if _answer(run) != "wait":
                break
            time.sleep(_PAUSE_SECONDS)
            run = self._respond(None)
        return run

    # what it is judged by

    def _look(self) -> seen.Seen:
        assert self._basis is not None
        return self._basis

    def _between(self) -> None:
        """Since the last time that somebody else than the playbooks did something."""
        self._add(laws.between(self._look(), seen.look(self.guest, self._look()), self.guest.record()))

    def _judged(self, mounted: Sequence[str]) -> None:
        """The end: it is well by another path, and the record tells no lie."""
        self._between()
        record = self.guest.record()
        self._add(laws.told(record, self._planned, self._applied, self._kinds))
        self._add(seen.left(self.guest))
        self._add(seen.not_well(self.guest))
        self._add(laws.mounts(mounted, seen.mounts(self.guest), record))
        self._add(
            [
                "%s is there still" % name
                for name in self.drawn.faults
                if drills.of_fault(name).first != _MAY_WAIT and self.guest.is_broken(name)
            ]
        )

    def _add(self, found: Sequence[str]) -> None:
        self.wrong += [each for each in found if each not in self.wrong]

    @staticmethod
    def _expect(holds: bool, what: str, run: Run) -> None:
        if not holds:
            raise Stuck("%s (rc %s%s)" % (what, run.rc, ": " + run.failed[-1][:200] if run.failed else ""))


def _answer(run: Run) -> str:
    return str((run.result("respond_decision") or {}).get("do"))


def _rule(run: Run) -> str:
    return str((run.result("respond_decision") or {}).get("rule"))


def _results(run: Run) -> List[Tuple[str, Mapping[str, Any]]]:
    """What the modules answered that were asked for what respond chose, in their order."""
    found: List[Tuple[str, Mapping[str, Any]]] = []
    decided = False
    for event in run.events:
        data = event.get("event_data") or {}
        action = str(data.get("task_action"))
        if event["event"] not in ("runner_on_ok", "runner_on_failed") or not action.startswith(COLLECTION):
            continue
        if decided and "outcome" in data["res"]:
            found.append((action, data["res"]))
        decided = decided or action == COLLECTION + "respond_decision"
    return found


def _last(run: Run) -> Mapping[str, Any]:
    """Of an act, and else what kept it from being done, or the plan. The first module that answers is the one that plans and
    acts; the others grant and give back its clearance."""
    results = _results(run)
    own = [result for action, result in results if action == results[0][0]]
    acts = [each for each in own if each.get("action_id")]
    refused = [result for _action, result in results if result["outcome"] == "refused"]
    return (acts or refused or own or [{}])[-1]
