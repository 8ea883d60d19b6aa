# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring replay back, and see by asking it for pages whether it is. Private to this collection.

No crawl notices: neither the worker nor the API is touched, and nothing below the archive root is written.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .. import change, recorded, service, tried
from ..budget import Budget
from ..change import ActFailed, Host, Observation
from ..plan import NothingToDo, Plan
from ..probe import Context
from ..refusal import Refusal
from ..settings import BadInput
from ..stuck import worker_unit
from ..stuck.worker_unit import SYSTEMCTL
from ..tiers import survey as tiers_survey
from ..tiers.facts import REPLAY_UNIT, TIERING_UNIT
from . import decide, reconcile, smoke, survey
from .decide import Decision, Nothing
from .facts import SMOKE_UNIT, Facts

# Beside those of `settings` and `change`.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "jobs": {"type": "list", "elements": "int", "default": []},
}
ACTION = "replay"
_MOST_JOBS = 20
# Replay's unit may pull its image first (contract 1.4).
_UNIT_SECONDS = 180.0
# How long a replay that was started may take until it serves, and for how long it must stay the same process then.
_SERVED_SECONDS = 75.0
_HELD_SECONDS = 4.0
_POLL_SECONDS = 0.5
_JOURNAL = "sudo journalctl -u %s -n 100 --no-pager" % REPLAY_UNIT


class Replay(change.Action):
    """Start the tiering unit that failed, restart replay once, write an index anew; each only where the evidence says so."""

    name = ACTION
    # One restart in six hours: what does not serve again within that time has a cause that no restart mends (law 11).
    budget = Budget(per_host=4, per_subject=1, window_seconds=6 * 3600)
    plan_seconds = 120
    seconds = 960
    observe_seconds = 120

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self.jobs = tuple(sorted(set(parameters["jobs"])))
        if len(self.jobs) > _MOST_JOBS or any(job < 1 for job in self.jobs):
            raise BadInput(
                "out_of_range",
                "jobs must be at most %d numbers of jobs, from 1." % _MOST_JOBS,
                "Name the jobs whose index is to be written anew, or leave it out.",
            )
        self._facts: Any = None
        self._decision: Any = None
        self._run: Optional[str] = None
        self._smoke: Optional[smoke.Said] = None
        self._code: Optional[str] = None

    def counted(self, plan: Plan) -> Sequence[str]:
        """The units and the collections; a page is what tells whether they are well."""
        return [subject for subject in plan.subjects if subject.startswith(("unit ", "collection "))]

    # What would be done.

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        context = host.context
        seen = survey.look(context)
        wanted = decide.candidates(seen, self.jobs)
        if wanted:
            pages = survey.ask(context, wanted)
            served = frozenset(job for job in wanted if pages[job] == "served")
            seen = seen._replace(indexes=reconcile.would(context, wanted), served=served)
        decided = decide.decide(seen)
        if isinstance(decided, Refusal):
            raise decided
        if isinstance(decided, Nothing):
            return NothingToDo(decided.detail)
        self._facts, self._decision = seen, decided
        if decided.verb is not None:
            self._run = worker_unit.show(context, REPLAY_UNIT).run
        before, after = _states(seen, decided)
        return Plan(
            action=self.name,
            objective=_objective(decided),
            commands=tuple(tuple(argv) for argv in _commands(context, decided)),
            subjects=tuple(before),
            before=before,
            after=after,
            expected_impact=_impact(decided),
            rollback="None is needed: no file below the archive root is written. An index that was written anew is written anew "
            "by the service's own timer as well."
            if decided.collection is not None
            else "None is needed: no file is written.",
            left_out=decided.left_out,
            symptom="replay does not serve the archive",
            remarks=tuple([decided.why] if decided.why else []),
        )

    # Doing it.

    def act(self, host: Host, plan: Plan) -> None:
        context, decided = host.context, self._decision
        if decided.start_tiering:
            tried.run(context, _systemctl("reset-failed", TIERING_UNIT), _UNIT_SECONDS)
            tried.run(context, _systemctl("start", TIERING_UNIT), _UNIT_SECONDS)
            self._prove_mounts(context)
        if decided.verb == decide.START:
            tried.run(context, _systemctl("reset-failed", REPLAY_UNIT), _UNIT_SECONDS)
        if decided.verb is not None:
            tried.run(context, _systemctl(decided.verb, REPLAY_UNIT), _UNIT_SECONDS)
        if decided.collection is not None:
            _until_it_responds(context)
            try:
                reconcile.write(context, decided.collection)
            except reconcile.NotRun as error:
                self._code = "index_not_written"
                raise ActFailed("The index of job %d: %s." % (decided.collection, error)) from error
        if decided.smoke:
            self._pages(context)
            self._smoke = smoke.run(context)

    def _prove_mounts(self, context: Context) -> None:
        """By the kernel's table and a look; the unit's own exit code proves nothing (contract 3.5)."""
        place = tiers_survey.where(context)
        seen = tiers_survey.states(context, sorted(place.manifest), place.manifest)
        wrong = [
            "%s is %s" % (path, state) for path, state in sorted(seen.items()) if state not in ("ok", "not_writable")
        ]
        if wrong:
            self._code = "mounts_not_proven"
            raise ActFailed("%s was started, and %s. Replay was left alone." % (TIERING_UNIT, ", ".join(wrong)))

    # Seeing what became of it.

    def observe(self, host: Host, plan: Plan) -> Observation:
        context, decided = host.context, self._decision
        pages = self._pages(context)
        states, wrong = self._units(context, plan)
        for job, state in pages.items():
            if state != "served" and job not in _known(self._facts, decided):
                wrong[_page(job)] = "the page of job %d is %s" % (job, _STATES.get(state, "not known"))
            for name in (_page(job), _collection(job)):
                if name in plan.after:
                    states[name] = plan.after[name] if state == "served" else plan.before[name]
        if self._runs() and not survey.responds(context):
            wrong["unit " + REPLAY_UNIT] = "replay's front page is not well"
        if self._smoke is not None and self._smoke.well is False:
            wrong["smoke"] = self._smoke.sentence.rstrip(".")
            self._code = self._code or "smoke_fails"
        changed = any(states.get(name) != state for name, state in plan.before.items())
        evidence = {"pages": {str(job): state for job, state in pages.items()}}
        words = ["Not as planned: %s." % "; ".join(sorted(set(wrong.values())))] if wrong else [_told(plan, pages)]
        words += [self._smoke.sentence] if self._smoke is not None and "smoke" not in wrong else []
        detail = " ".join(words)
        if not wrong:
            return Observation("applied", True, detail, states, None, None, evidence)
        step = "Read its last lines: %s. Then triage: one more restart is a loop and no recovery." % _JOURNAL
        return Observation("failed", changed, detail, states, self._code or "not_mended", step, evidence)

    def _runs(self) -> bool:
        """Whether replay must run in the end."""
        return self._decision.verb is not None or self._facts.units[REPLAY_UNIT].active == "active"

    def _pages(self, context: Context) -> Dict[int, Optional[str]]:
        """What replay answers at last for the pages that must be served, and for one of each mount and of the local disk."""
        if not self._runs():
            return {}
        wanted, known = _asked(self._facts, self._decision), _known(self._facts, self._decision)
        end = time.monotonic() + context.seconds(_SERVED_SECONDS)
        while True:
            found = survey.ask(context, wanted)
            well = all(state == "served" for job, state in found.items() if job not in known)
            if (well and survey.responds(context)) or time.monotonic() >= end:
                return found
            time.sleep(_POLL_SECONDS)

    def _units(self, context: Context, plan: Plan) -> Tuple[Dict[str, Any], Dict[str, str]]:
        states: Dict[str, Any] = {}
        wrong: Dict[str, str] = {}
        for name in plan.subjects:
            unit = name[len("unit ") :] if name.startswith("unit ") else None
            if unit is None:
                continue
            shown = worker_unit.show(context, unit)
            if unit == REPLAY_UNIT and shown.runs:
                time.sleep(context.seconds(_HELD_SECONDS))
                held = worker_unit.show(context, unit)
                if held.run != shown.run or not held.runs:
                    wrong[name] = "%s does not stay up (%s)" % (unit, held.active_state)
                elif held.run == self._run:
                    wrong[name] = "%s was not started again" % unit
            elif not shown.runs:
                wrong[name] = "%s is %s" % (unit, shown.active_state)
            states[name] = {"state": shown.active_state} if name in wrong else plan.after[name]
        return states, wrong

    def settle(self, host: Host, action: recorded.Action) -> Observation:
        """Nothing of it outlives its commands but the units, and these show how they are; an index that was being written is
        written by the container, and ends there. What did not get to its end may be done once more (law 6)."""
        units = [name[len("unit ") :] for name in action.subjects if name.startswith("unit ")]
        shown = [worker_unit.show(host.context, unit) for unit in units]
        jobs = {int(name.rpartition("-")[2]) for name in action.subjects if name.startswith(("replay ", "collection "))}
        pages = survey.ask(host.context, sorted(jobs))
        told = [each.described() for each in shown]
        told += [
            "%s: its page is %s" % (_page(job), _STATES.get(state, "not known")) for job, state in sorted(pages.items())
        ]
        well = all(each.runs for each in shown) and all(pages[job] == "served" for job in jobs)
        well = well and (REPLAY_UNIT not in units or survey.responds(host.context))
        detail = "It was cut off. This is how it is now: %s." % "; ".join(told)
        return Observation("applied" if well else "failed", None, detail)


_STATES: Mapping[Optional[str], str] = {
    "served": "served",
    "not_found": "not found",
    "failing": "answered with an error",
    "silent": "not answered",
}


def _asked(facts: Facts, decided: Decision) -> Tuple[int, ...]:
    """The jobs whose pages must be served in the end: what was not and shall be, and what was served before."""
    served = [page.job for page in facts.pages if page.state == "served"]
    index = [] if decided.collection is None else [decided.collection]
    return tuple(sorted({*decided.pages, *served, *index}))


def _known(facts: Facts, decided: Decision) -> Tuple[int, ...]:
    """The jobs whose pages were not served before, and are not what this is about."""
    return tuple(
        page.job for page in facts.pages if page.state != "served" and page.job not in (*decided.pages, decided.collection)
    )


def _until_it_responds(context: Context) -> None:
    end = time.monotonic() + context.seconds(_SERVED_SECONDS)
    while not survey.responds(context) and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)


def _states(seen: Facts, decided: Decision) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    before: Dict[str, Any] = {}
    after: Dict[str, Any] = {}
    if decided.start_tiering:
        before["unit " + TIERING_UNIT] = {"state": seen.units[TIERING_UNIT].active}
        after["unit " + TIERING_UNIT] = {"state": "active"}
    if decided.verb is not None:
        before["unit " + REPLAY_UNIT] = {"state": seen.units[REPLAY_UNIT].active}
        after["unit " + REPLAY_UNIT] = {"state": "active" if decided.verb == decide.START else "active, started again"}
    for job in decided.pages:
        before[_page(job)], after[_page(job)] = {"page": "not served"}, {"page": "served"}
    if decided.collection is not None:
        name = _collection(decided.collection)
        before[name], after[name] = {"index": "behind"}, {"index": "written anew, and its page served"}
    return before, after


def _commands(context: Context, decided: Decision) -> List[List[str]]:
    commands: List[List[str]] = []
    if decided.start_tiering:
        commands += [_systemctl("reset-failed", TIERING_UNIT), _systemctl("start", TIERING_UNIT)]
    if decided.verb == decide.START:
        commands.append(_systemctl("reset-failed", REPLAY_UNIT))
    if decided.verb is not None:
        commands.append(_systemctl(decided.verb, REPLAY_UNIT))
    if decided.collection is not None:
        commands.append(service.replay_reconcile_applied(context.settings, decided.collection))
    if decided.smoke:
        commands.append(list(smoke.START))
    return commands


def _objective(decided: Decision) -> str:
    parts = []
    if decided.start_tiering:
        parts.append("start %s, which has failed while all that its manifest names is mounted" % TIERING_UNIT)
    if decided.verb == decide.START:
        parts.append("start replay, which does not run")
    if decided.verb == decide.RESTART:
        parts.append("restart replay, which does not serve what the host sees" if decided.pages else "restart replay")
    if decided.collection is not None:
        parts.append("have replay's index of job %d written anew" % decided.collection)
    text = ", and ".join(parts)
    return text[0].upper() + text[1:] + "."


def _impact(decided: Decision) -> str:
    words = []
    if decided.start_tiering:
        words.append("The tiering unit binds what its manifest names and is not mounted: nothing, as it is now.")
    if decided.verb is not None:
        words.append("Replay is away for some seconds, or for as long as its image is pulled.")
    if decided.collection is not None:
        words.append(
            "Pages of job %d are not served while its index is written, which can take minutes. It is run as root, with the "
            "archive read-only: it writes links, index and marker of collection job-%d, and nothing of the job's directory."
            % (decided.collection, decided.collection)
        )
    if decided.smoke:
        words.append("%s writes its metrics anew." % SMOKE_UNIT)
    return " ".join([*words, "No crawl notices."])


def _told(plan: Plan, pages: Mapping[int, Optional[str]]) -> str:
    served = ", ".join(str(job) for job, state in sorted(pages.items()) if state == "served")
    told = "As planned: %s." % ", ".join(plan.subjects)
    return told + (" Replay was asked for a page of each, and serves job %s." % served if served else "")


def _page(job: int) -> str:
    return "replay job-%d" % job


def _collection(job: int) -> str:
    return "collection job-%d" % job


def _systemctl(verb: str, unit: str) -> List[str]:
    return [SYSTEMCTL, verb, unit]
