# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stale jobs: marked running, while nothing runs them, made retryable by the service's own command (contract 2.6, 4.1).

Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, Mapping, Set, Union

from . import budget, change, recorded, service
from .change import ActFailed, Host, Observation
from .plan import NothingToDo, Plan
from .probe import Context
from .refusal import Refusal
from .settings import BadInput
from .stuck import decision, effect, pickup, recovery, rows, survey, worker_unit

# Beside those of `settings` and `change`.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "older_than_minutes": {"type": "int", "default": 180},
    "no_progress_seconds": {"type": "int", "default": 300},
    "include_missing_started_at": {"type": "bool", "default": True},
    "jobs": {"type": "list", "elements": "int"},
    "pickup_seconds": {"type": "int", "default": 45},
}
_RANGES = {"older_than_minutes": (5, 100_000), "no_progress_seconds": (300, 1_000_000), "pickup_seconds": (0, 600)}

_OBJECTIVE = "Make %s retryable that %s marked running while nothing runs %s."
_IMPACT = (
    "Each of these rows goes from running to retryable, and the worker takes them up again, one after another. No process is "
    "stopped or started. Their files, retry counts and configuration stay as they are, and every other running job is left alone."
)
_ROLLBACK = (
    "Nothing has to be put back: a retryable job waits in the queue, as after any crawl that was interrupted. If it should not "
    "be crawled yet, pause the worker first."
)


def _wish(parameters: Mapping[str, Any]) -> decision.Wish:
    for name, (low, high) in _RANGES.items():
        if not low <= parameters[name] <= high:
            raise BadInput(
                "out_of_range",
                "%s must be from %d to %d, not %d." % (name, low, high, parameters[name]),
                "Give a value in that range, or leave it out.",
            )
    wanted = parameters["jobs"]
    if wanted is not None and (not wanted or min(wanted) < 1):
        raise BadInput(
            "bad_jobs", "jobs must be numbers of jobs.", "Name one or more, or leave it out: then all are meant."
        )
    return decision.Wish(
        parameters["older_than_minutes"],
        parameters["no_progress_seconds"],
        parameters["include_missing_started_at"],
        None if wanted is None else frozenset(wanted),
    )


class StaleJobs(change.Action):
    """Recover rows, and nothing else: no unit is touched."""

    name = "stale-jobs"
    # What goes stale for the third time in a day has a cause that no recovery mends (law 11).
    budget = budget.Budget(per_host=6, per_subject=2, window_seconds=24 * 3600)
    plan_seconds = 150
    seconds = 180

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self.wish = _wish(parameters)
        self.observe_seconds = parameters["pickup_seconds"] + 90
        self._claimed: Set[int] = set()
        self._before: Dict[int, Mapping[str, Any]] = {}
        self._others: Dict[int, Mapping[str, Any]] = {}
        self._began = time.time()
        self._survey: Any = None

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        found = survey.survey(host.context, self.wish)
        self._survey = found
        decided = found.decision
        left_out = {survey.subject(job): why for job, why in sorted(decided.left_out.items())}
        if not decided.planned:
            if decided.shadowed:
                raise Refusal(
                    "cannot_be_separated",
                    "No job can be recovered without the risk that another one is, too: %s"
                    % decided.left_out[decided.shadowed[0]],
                    "Recover the one that stands still first (playbook recover_stalled_crawl).",
                    left_out=left_out,
                )
            return NothingToDo(
                "The service's own command and the rows agree: nothing is stale that can be recovered.", left_out
            )
        before = {survey.subject(row["id"]): survey.state(row) for row in decided.planned}
        one = len(before) == 1
        words = ("1 job", "is", "it") if one else ("%d jobs" % len(before), "are", "them")
        hindered = pickup.hindrance(host.context)
        settings = host.context.settings
        return Plan(
            action=self.name,
            objective=_OBJECTIVE % words,
            commands=tuple(
                tuple(argv)
                for selection in decided.selections
                for argv in (
                    service.recover_stale_jobs(settings, selection),
                    service.recover_stale_jobs_applied(settings, selection),
                )
            ),
            subjects=tuple(before),
            before=before,
            after={name: {**state, "status": "retryable"} for name, state in before.items()},
            expected_impact=_IMPACT,
            rollback=_ROLLBACK,
            left_out=left_out,
            symptom="marked running while nothing runs it",
            remarks=(*survey.remarks(found), *([hindered[1]] if hindered else [])),
        )

    def act(self, host: Host, plan: Plan) -> None:
        """The locks of all other running jobs are held or were found held while the command runs: see :mod:`.stuck.decision`."""
        context, found = host.context, self._survey
        self._before = {row["id"]: row for row in found.decision.planned}
        for selection in found.decision.selections:
            running = rows.of_statuses(context, ("running",)).jobs
            self._others.update((job, row) for job, row in running.items() if job not in self._before)
            others = set(running) - set(self._before)
            wanted = {job for job, row in self._before.items() if selection.source in (None, row["source"])}
            self._run(context, service.recover_stale_jobs(context.settings, selection), others, wanted)
            self._claimed |= self._run(
                context, service.recover_stale_jobs_applied(context.settings, selection), others, wanted
            )

    def _run(self, context: Context, argv: Any, others: Set[int], wanted: Set[int]) -> Set[int]:
        """The jobs that it names. A dry run that names others than are wanted is the last before nothing more is done."""
        applies = argv[-1] == "--apply"
        try:
            report = recovery.run(context, argv, self._survey.directory, others, context.seconds(self.seconds))
        except recovery.NotRun as error:
            if not self._claimed and not (applies and error.started):
                raise Refusal("not_run", "The service's command did not do it: %s." % error, _SEE) from error
            raise ActFailed("The service's command did not end as it should: %s." % error) from error
        named = {candidate.id for candidate in report.candidates}
        if applies or named == wanted:
            return named
        told = "The service's own dry run, a moment before, names %s instead of %s." % (sorted(named), sorted(wanted))
        if self._claimed:
            raise ActFailed(told)
        raise Refusal("world_moved", told, "Run it again without approve, and read the plan of now.")

    def observe(self, host: Host, plan: Plan) -> Observation:
        context = host.context
        now = rows.states(context, [*self._before, *self._others])
        seen = effect.of(self._before, self._others, now)
        for job in seen.beside:
            self._others[job] = now[job]
        outcome, changed, sentence = effect.judge(seen, self._claimed, worker_unit.show(context).runs)
        states = {survey.subject(job): survey.state(now[job]) for job in self._before if job in now}
        evidence: Dict[str, Any] = {"claimed": sorted(self._claimed), "changed_beside": sorted(seen.beside)}
        code = None
        if outcome == "applied":
            taken = pickup.watch(
                context, self._survey.directory, self._before, self.parameters["pickup_seconds"], self._began
            )
            sentence = "%s %s" % (sentence, taken.described())
            evidence["pickup"] = {
                "taken_up": {survey.subject(job): what for job, what in sorted(taken.taken.items())},
                "code": taken.code,
                "why_not": taken.why,
                "worker_journal": list(taken.journal),
            }
        elif outcome == "unknown" and changed is True:
            code = "changed_otherwise"
        return Observation(outcome, changed, sentence, states, code, None, evidence)

    def settle(self, host: Host, action: recorded.Action) -> Observation:
        """What the rows of its subjects say now; by whom they were changed since, nobody can tell."""
        ids = {int(name[4:]) for name in action.subjects if name.startswith("job ") and name[4:].isdigit()}
        try:
            now = rows.states(host.context, ids)
        except Refusal as error:
            return Observation("unknown", None, "It was cut off, and what it left cannot be read: %s" % error)
        said = ", ".join("%s %s" % (survey.subject(job), row["status"]) for job, row in sorted(now.items()))
        return Observation("unknown", None, "It was cut off. The rows say now: %s." % (said or "nothing"))


_SEE = "See what it says by hand, as a dry run, then plan again."
