# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stale jobs: marked running, while nothing runs them, made retryable by the service's own command (contract 2.6, 4.1).

Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, Mapping, Union

from . import change, recorded, service
from .budget import Budget
from .change import Host, Observation
from .plan import NothingToDo, Plan
from .refusal import Refusal
from .settings import BadInput
from .stuck import applying, decision, pickup, survey

# Beside those of `settings` and `change`.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "older_than_minutes": {"type": "int", "default": 180},
    "no_progress_seconds": {"type": "int", "default": 300},
    "include_missing_started_at": {"type": "bool", "default": True},
    "jobs": {"type": "list", "elements": "int", "default": []},
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
    return decision.Wish(
        parameters["older_than_minutes"],
        parameters["no_progress_seconds"],
        parameters["include_missing_started_at"],
        frozenset(parameters["jobs"]) or None,
    )


class StaleJobs(change.Action):
    """Recover rows, and nothing else: no unit is touched."""

    name = "stale-jobs"
    # What goes stale for the third time in a day has a cause that no recovery mends (law 11).
    budget = Budget(per_host=6, per_subject=2, window_seconds=24 * 3600)
    plan_seconds = 150
    seconds = 180

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self.wish = _wish(parameters)
        self.observe_seconds = parameters["pickup_seconds"] + 90
        self._began = time.time()
        self._survey: Any = None
        self._recovery: Any = None

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
        found = self._survey
        planned = {row["id"]: row for row in found.decision.planned}
        self._recovery = applying.Recovery(host.context, found.directory, planned)
        self._recovery.run(found.decision.selections, untouched=True)

    def observe(self, host: Host, plan: Plan) -> Observation:
        done = self._recovery
        outcome, changed, sentence, states, evidence = done.effect(host.context)
        if outcome == "applied":
            taken = pickup.watch(
                host.context, done.directory, done.planned, self.parameters["pickup_seconds"], self._began
            )
            sentence = "%s %s" % (sentence, taken.described())
            evidence["pickup"] = taken.evidence()
        code = "changed_otherwise" if outcome == "unknown" and changed is True else None
        return Observation(outcome, changed, sentence, states, code, None, evidence)

    def settle(self, host: Host, action: recorded.Action) -> Observation:
        """What the rows of its subjects say now; by whom they were changed since, nobody can tell."""
        return Observation("unknown", None, "It was cut off. %s" % applying.told(host.context, action.subjects))
