# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker, paused and resumed (contract 1.4, 4.13): what a pause ends is named, and it comes back by itself.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Mapping, Union

from . import change, recorded
from .budget import Budget
from .change import Host, Observation
from .plan import NothingToDo, Plan
from .probes.units import WORKER
from .refusal import Refusal
from .settings import BadInput
from .stuck import hits, lock_directories, pause, rows, worker_unit

# Beside those of `settings` and `change`.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "state": {"type": "str", "choices": ["paused", "resumed"], "required": True},
    "resume_after": {"type": "int", "default": 1800},
    "accept_interruption_of": {"type": "list", "elements": "int", "default": []},
}
# Nobody should be able to forget a worker for longer than half a day.
_RANGE = (20, 12 * 3600)
_UNIT = "unit " + WORKER
_ROLLBACK = "The worker starts by itself after %d s, whatever happens; sooner with state=resumed, or by hand: systemctl start %s."


def check_resume_after(seconds: int) -> int:
    """:class:`BadInput`."""
    low, high = _RANGE
    if low <= seconds <= high:
        return seconds
    raise BadInput(
        "out_of_range",
        "resume_after must be from %d to %d seconds, not %d." % (low, high, seconds),
        "Give a value in that range, or leave it out.",
    )


class Worker(change.Action):
    """Pause or resume it."""

    name = "worker"
    budget = Budget(per_host=12, per_subject=12, window_seconds=24 * 3600)
    plan_seconds = 60
    seconds = 180
    observe_seconds = 60

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self.after = check_resume_after(parameters["resume_after"])
        self._directory = ""
        self._named: FrozenSet[int] = frozenset()

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        return self._pause(host) if self.parameters["state"] == "paused" else self._resume(host)

    def _pause(self, host: Host) -> Union[Plan, NothingToDo]:
        unit = worker_unit.show(host.context)
        if unit.stopped:
            held = pause.in_force(host.context)
            if held is not None:
                return NothingToDo(
                    "The worker is paused since %s, and starts by itself at %s." % (held.paused_at, held.resumes_at)
                )
            return NothingToDo(
                "The worker does not run (%s), and was not stopped by a pause: it stays so." % unit.described()
            )
        if not unit.runs:
            raise Refusal(
                "unit_changing",
                "%s: it starts or stops right now." % unit.described(),
                "Wait a moment, then plan again.",
            )
        self._directory = lock_directories.agreed(host.context)
        marked = rows.of_statuses(host.context, ("running", "completed"))
        jobs = hits.running(host.context, self._directory, marked)
        found = hits.with_facts(host.context, hits.hit_by(jobs, {WORKER}))
        stalled = [job.id for job in found if job.facts.get("stalled") is True]
        refusal = hits.refuse_unaccepted(
            found, self.parameters["accept_interruption_of"], stalled, "Stopping the worker"
        )
        if refusal is not None:
            raise refusal
        self._named = frozenset(job.id for job in found)
        elsewhere = [job for job in jobs if job.id not in self._named]
        before: Dict[str, Any] = {_UNIT: {"state": "running"}}
        after: Dict[str, Any] = {_UNIT: {"state": "paused, starts by itself %d s later" % self.after}}
        for job in found:
            before["job %d" % job.id] = {"crawl": "runs"}
            after["job %d" % job.id] = {"crawl": "interrupted"}
        named = "; ".join("job %d" % job.id for job in found)
        return Plan(
            action=self.name,
            objective="Pause the worker for at most %d s." % self.after,
            commands=tuple(tuple(argv) for argv in pause.pause_commands(self.after)),
            subjects=tuple(before),
            before=before,
            after=after,
            expected_impact="No job is taken up meanwhile. %s"
            % ("Interrupted: %s." % named if found else "It runs no job that this would interrupt."),
            rollback=_ROLLBACK % (self.after, WORKER),
            left_out={"job %d" % job.id: _elsewhere(job) for job in elsewhere},
            remarks=(*(job.sentence() for job in found), *hits.indexing(marked)),
        )

    def _resume(self, host: Host) -> Union[Plan, NothingToDo]:
        unit = worker_unit.show(host.context)
        held = pause.in_force(host.context)
        if held is None and not (unit.runs and pause.left_over(host.context)):
            if unit.runs:
                return NothingToDo("The worker runs, and no timer waits to start it.")
            return NothingToDo(
                "The worker does not run (%s), and no pause of this collection stopped it: it stays so. If it should run, see "
                "what stopped it (playbook recover_services)." % unit.described()
            )
        runs = "running" if held is None else "paused"
        return Plan(
            action=self.name,
            objective="Resume the worker." if held else "Take away what a pause of the worker has left behind.",
            commands=tuple(tuple(argv) for argv in pause.resume_commands()),
            subjects=(_UNIT,),
            before={_UNIT: {"state": runs}},
            after={_UNIT: {"state": "running"}},
            expected_impact="The worker takes up its queue again, and the timer that would have started it is gone.",
            rollback="Pause it again (state=paused).",
        )

    def act(self, host: Host, plan: Plan) -> None:
        if self.parameters["state"] == "resumed":
            pause.end(host.context)
            return
        pause.begin(host.context, self.name, host.incident, self.after, self._moved)

    def _moved(self) -> Any:
        """Why the frozen worker is let go: it runs something that the plan does not name. Quick, for it is frozen meanwhile."""
        return hits.refuse_more(self._directory, {WORKER}, self._named)

    def observe(self, host: Host, plan: Plan) -> Observation:
        unit, switch = worker_unit.show(host.context), pause.armed(host.context)
        state, held = unit.described(), pause.in_force(host.context)
        if self.parameters["state"] == "resumed":
            good = unit.runs and not switch
            states = {_UNIT: {"state": "running" if unit.runs else unit.active_state}}
            return Observation(
                "applied" if good else "failed", unit.runs, "%s, the timer is %s." % (state, _gone(switch)), states
            )
        good = held is not None
        states = {_UNIT: {"state": "paused" if good else unit.active_state}}
        if unit.runs:
            return Observation("failed", False, "%s, the timer is %s." % (state, _gone(switch)), states)
        said = "The worker is stopped, and starts by itself at %s." % held.resumes_at if held else "%s." % state
        return Observation("applied" if good else "unknown", True, said, states)

    def settle(self, host: Host, action: recorded.Action) -> Observation:
        unit = worker_unit.show(host.context)
        said = "It was cut off. %s, and the timer that starts it is %s." % (
            unit.described(),
            _gone(pause.armed(host.context)),
        )
        return Observation("unknown", None, said)


def _gone(switch: bool) -> str:
    return "armed" if switch else "gone"


def _elsewhere(job: hits.Job) -> str:
    return "It is run by %s, which goes on." % ", ".join(sorted(job.units or ()))
