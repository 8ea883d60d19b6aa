# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One incident carried through: broken, noted, answered plan by plan, verified, closed, and looked at by another path."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from driving import guest as guests
from driving.playbook import Controller, Run

from . import plan

# The module whose plan a role shows.
MODULES = {
    "deploy_pinned_ref": "deployment",
    "recover_services": "service",
    "recover_storage": "storage",
    "recover_replay": "replay",
    "recover_output_directories": "output_directories",
    "recover_stale_jobs": "stale_jobs",
    "recover_stalled_crawl": "stalled_crawl",
    "recover_failed_jobs": "job",
    "recover_indexing": "indexing",
    "reconcile_config": "annual_tool_options",
    "remediate_drift": "baseline_drift",
}
_MOST_ROUNDS = 6
# What goes on by itself is looked at again after so many seconds, and so often.
_PAUSE_SECONDS, _MOST_PAUSES = 10, 12
_NO_COMMIT = "A drill: nothing of the repository has a part in it"


class Wrong(Exception):
    """The incident did not go as the drill expects; the text says what, and the output of the run."""


class Phase(NamedTuple):
    """What was done, what came of it, and how long that took."""

    name: str
    outcome: str
    seconds: float


class Course:
    """One drill on one guest. ``phases`` is the report."""

    def __init__(self, drill: plan.Drill, guest: guests.Guest, directory: Path) -> None:
        self.drill = drill
        self.guest = guest
        self.controller = Controller(guest.name, directory)
        self.phases: List[Phase] = []
        self.incident = ""
        self._jobs: Dict[int, Dict[str, Any]] = {}
        self._needed = {"no_repo_change_reason": _NO_COMMIT}

    def run(self) -> None:
        """All of it; :class:`Wrong`."""
        self._break()
        if self.drill.steps is None:
            self._whatever_comes()
        else:
            self._as_described(self.drill.steps)
        self._close()
        self._check()

    # its parts

    def _break(self) -> None:
        started = time.monotonic()
        for name in self.drill.faults:
            self.guest.fault(name, "break_it")
        if self.drill.before:
            self.guest.root(self.drill.before)
        self._jobs = self.guest.jobs()
        self._told("break", ", ".join(self.drill.faults), started)

    def _as_described(self, steps: Any) -> None:
        run = self._respond("note and triage", title=self.drill.title)
        for number, step in enumerate(steps):
            if self._answer(run) != step.answer:
                raise Wrong(
                    "step %d: respond says %s, not %s\n%s" % (number + 1, self._answer(run), step.answer, run.output)
                )
            if step.answer == "verify":
                self._expect(run.rc == 0, "the verification does not pass", run)
                if number == len(steps) - 1:
                    return
            run = self._step(run, step)
        raise Wrong("the steps of the drill end without a verification")

    def _whatever_comes(self) -> None:
        run = self._respond("note and triage", title=self.drill.title)
        self._expect(self._answer(run) == self.drill.first, "the first answer is not %s" % self.drill.first, run)
        for _round in range(_MOST_ROUNDS):
            answer = self._answer(run)
            if answer == "verify":
                self._expect(run.rc == 0, "the verification does not pass", run)
                return
            code = (run.result(MODULES[answer]) or {}).get("code") if answer in MODULES else None
            if code in plan.a_persons():
                self._by_hand(plan.Step("person", None, None, {}))
                run = self._looked_again()
                continue
            run = self._step(run, plan.Step(answer, None, code, plan.said().get(code, {})))
        raise Wrong("no end after %d rounds\n%s" % (_MOST_ROUNDS, run.output))

    def _step(self, run: Run, step: plan.Step) -> Run:
        """One answer is followed; what respond says afterwards."""
        if step.answer in ("person", "wait", "verify"):
            self._by_hand(step)
            if step.deploy:
                self._deployed()
            return self._looked_again()
        said = {name: self._filled(value) for name, value in step.say.items()}
        planned = run.result(MODULES[step.answer]) or {}
        if step.refused is not None:
            self._expect(planned.get("code") == step.refused, "it is not refused with %s" % step.refused, run)
        if said:
            run = self._respond("plan, with what was said", incident=self.incident, **said)
            planned = run.result(MODULES[step.answer]) or {}
        self._expect(planned.get("outcome") == "planned", "nothing is planned: %s" % planned.get("detail"), run)
        if step.hand is not None:
            self._by_hand(step)
        run = self._respond(
            step.answer,
            incident=self.incident,
            approve=planned["plan_id"],
            **self._needed,
            **said,
        )
        done = run.result(MODULES[step.answer]) or {}
        self._expect(
            done.get("outcome") == "applied" and run.rc == 0, "it is not applied: %s" % done.get("detail"), run
        )
        if step.answer == "deploy_pinned_ref":
            # What comes after it needs it.
            self._needed = {"required_commit": (run.result("respond_decision") or {})["commit"]}
        return self._looked_again()

    def _respond(self, phase: str, **said: Any) -> Run:
        started = time.monotonic()
        run = self.controller.run("respond", **said)
        decided = run.result("respond_decision") or {}
        self._told("respond: " + phase, str(decided.get("do") or "ended with %s" % run.rc), started)
        if not self.incident:
            opened = [event for event in self.guest.record() if event["kind"] == "incident_opened"]
            self._expect(len(opened) == 1, "no incident was opened", run)
            self.incident = opened[0]["incident"]
        self._expect(bool(decided), "respond came to no answer", run)
        return run

    def _looked_again(self) -> Run:
        """What respond says when there is nothing to wait for any more."""
        for _pause in range(_MOST_PAUSES):
            run = self._respond("triage", incident=self.incident)
            if self._answer(run) != "wait":
                return run
            time.sleep(_PAUSE_SECONDS)
        raise Wrong("it is waited for too long\n%s" % run.output)

    def _by_hand(self, step: plan.Step) -> None:
        started = time.monotonic()
        if step.hand is not None:
            self.guest.root(plan.hand(step.hand))
        else:
            for name in self.drill.faults:
                self.guest.fault(name, "mend_it")
        self._told("by hand", step.hand or "mended as a person would", started)

    def _deployed(self) -> None:
        """What was pushed, planned and approved by the playbook of the deploy."""
        started = time.monotonic()
        commit = self.guest.root("runuser -u haadmin -- git -C $ORIGIN rev-parse main").strip()
        said = {"incident": self.incident, "deploy_ref": commit}
        planned = self.controller.run("deploy_pinned_ref", **said)
        plan_id = (planned.result("deployment") or {}).get("plan_id")
        self._expect(plan_id is not None, "the deploy is not planned", planned)
        run = self.controller.run("deploy_pinned_ref", approve=plan_id, **said)
        done = run.result("deployment") or {}
        self._told("deploy_pinned_ref", str(done.get("outcome")), started)
        self._expect(run.rc == 0 and done.get("outcome") == "applied", "it is not deployed", run)

    def _close(self) -> None:
        started = time.monotonic()
        cause = {"trigger": self.drill.trigger, "underlying": self.drill.underlying}
        run = self.controller.run("close_incident", incident=self.incident, **cause)
        self._told("close_incident", "closed" if run.rc == 0 else "not closed", started)
        self._expect(run.rc == 0, "it cannot be closed", run)

    def _check(self) -> None:
        """By another path than the collection's."""
        started = time.monotonic()
        record = self.guest.record()
        kinds = [event["kind"] for event in record]
        wrong = [] if kinds[-1] == "incident_closed" else ["the last event is %s" % kinds[-1]]
        wrong += ["no end of %s is on record" % each for each in self.guest.unfinished()]
        granted, ended = (
            kinds.count("clearance_granted"),
            kinds.count("clearance_released") + kinds.count("clearance_expired"),
        )
        wrong += [] if granted == ended else ["%d clearances were granted, %d ended" % (granted, ended)]
        wrong += [] if self.guest.holds(NOTHING_HELD) else ["the deploy lock is held still"]
        wrong += [
            "job %d is gone" % job for job in set(self._jobs) - set(self.guest.jobs()) if not self._mended_by_person()
        ]
        wrong += ["%s is there still" % name for name in self.drill.faults if self.guest.is_broken(name)]
        wrong += ["does not hold: %s" % check for check in self.drill.checks if not self.guest.holds(check)]
        self._told("second path", "; ".join(wrong) or "all is as it should be", started)
        if wrong:
            raise Wrong("; ".join(wrong))

    # small things

    def _mended_by_person(self) -> bool:
        """The sandbox's own mending takes the jobs of its fault away."""
        return any(phase.name == "by hand" for phase in self.phases)

    def _answer(self, run: Run) -> str:
        return str((run.result("respond_decision") or {}).get("do"))

    def _filled(self, value: Any) -> Any:
        """``job NAME`` as the number of the job of that name."""
        if isinstance(value, str) and value.startswith("job "):
            return next(str(number) for number, job in self.guest.jobs().items() if job["name"] == value[4:])
        return value

    def _told(self, name: str, outcome: str, started: float) -> None:
        self.phases.append(Phase(name, outcome, time.monotonic() - started))

    @staticmethod
    def _expect(holds: bool, what: str, run: Run) -> None:
        if not holds:
            raise Wrong("%s\n%s" % (what, run.output))

    def report(self, failure: Optional[str]) -> Dict[str, Any]:
        return {
            "drill": self.drill.name,
            "faults": list(self.drill.faults),
            "passed": failure is None,
            "failure": failure,
            "seconds": round(sum(phase.seconds for phase in self.phases), 1),
            "phases": [
                {"phase": each.name, "outcome": each.outcome, "seconds": round(each.seconds, 1)} for each in self.phases
            ],
        }


# Whoever may deploy gets the lock.
_LOCK = "/tmp/healtharchive-deploy.lock"
NOTHING_HELD = "! test -e %s || runuser -u haadmin -- flock --nonblock %s true" % (_LOCK, _LOCK)


def text(report: Mapping[str, Any]) -> str:
    """The report for a terminal."""
    lines = ["", "%-32s %-44s %8s" % ("phase", "outcome", "seconds")]
    for phase in report["phases"]:
        lines.append("%-32s %-44s %8.1f" % (phase["phase"][:32], phase["outcome"][:44], phase["seconds"]))
    verdict = "passed" if report["passed"] else "FAILED: %s" % str(report["failure"]).splitlines()[0]
    return (
        "\n".join([*lines, "%-32s %-44s %8.1f" % ("drill " + report["drill"], verdict[:44], report["seconds"])]) + "\n"
    )


def save(report: Mapping[str, Any], file: Path) -> None:
    file.write_text(json.dumps(report, indent=1) + "\n")
