# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A crawl that lives and stands still: stopped, made retryable, taken up again, seen to get on (contract 4.3, incident I2).

One act for the whole of it, so that one plan is approved and nothing lies between its steps that could be left out. Before the
worker is stopped, the switch is armed that starts it again: whoever is killed in between leaves a worker that comes back by
itself, and a row that it heals by itself. Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

from . import change, recorded, service
from .budget import Budget
from .change import ActFailed, Host, Observation
from .parse.stale_jobs import Report
from .plan import NothingToDo, Plan
from .probe import Context, complaint, failed
from .probes.job_facts import STALLED_SECONDS
from .probes.units import UNITS, WORKER
from .refusal import Refusal
from .settings import BadInput
from .stuck import (
    applying,
    decision,
    hits,
    holders,
    lock_directories,
    pause,
    pickup,
    progress,
    recovery,
    rows,
    survey,
    worker_unit,
)
from .worker import check_resume_after

# Beside those of `settings` and `change`.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "jobs": {"type": "list", "elements": "int", "default": []},
    "accept_interruption_of": {"type": "list", "elements": "int", "default": []},
    "resume_after": {"type": "int", "default": 600},
    "pickup_seconds": {"type": "int", "default": 45},
    "progress_seconds": {"type": "int", "default": 90},
}
# Contract 4.3.
_OLDER_THAN_MINUTES = 5
_FREED_SECONDS = 15.0
_POLL_SECONDS = 0.5
_RESUME_SECONDS = 100.0

_UNIT = "unit " + WORKER
_LOOSE = "Nothing runs it any more: that is for recover_stale_jobs."
_MOVES = "It is crawled, and made progress less than %d seconds ago." % STALLED_SECONDS
_UNCLEAR = "Something runs it, and whether it gets on cannot be told from its log."
_NOT_ASKED = "It stands still, and is not among the jobs that were asked for."
_FOREIGN = (
    "It stands still and is run by %s, which is nothing that can be stopped for it: end that by hand, then plan again."
)


class Seen(NamedTuple):
    """``stalled`` stand still and are held; ``loose`` are run by nothing and quiet for as long; ``left_out`` says why of the
    others. ``marked``: the rows that say running or completed."""

    directory: str
    marked: rows.Rows
    running: rows.Rows
    jobs: Tuple[hits.Job, ...]
    stalled: Tuple[hits.Job, ...]
    loose: FrozenSet[int]
    left_out: Mapping[int, str]
    report: Report
    locks: Mapping[int, str]


class StalledCrawl(change.Action):
    """Stop, recover, start again."""

    name = "stalled-crawl"
    # One controlled restart for each deployed change: what stands still again needs one (contract 4.3).
    budget = Budget(per_host=4, per_subject=1, window_seconds=24 * 3600)
    plan_seconds = 150
    # Stop, wait, two commands, and what is kept for the start of the worker.
    seconds = 480

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self.after = check_resume_after(parameters["resume_after"])
        for name in ("pickup_seconds", "progress_seconds"):
            if not 0 <= parameters[name] <= 600:
                raise BadInput(
                    "out_of_range",
                    "%s must be from 0 to 600, not %d." % (name, parameters[name]),
                    "Give a value in that range, or leave it out.",
                )
        self.wanted: Optional[FrozenSet[int]] = frozenset(parameters["jobs"]) or None
        self.observe_seconds = parameters["pickup_seconds"] + parameters["progress_seconds"] + 90
        self._began = time.time()
        self._seen: Any = None
        self._decision: Any = None
        self._units: Tuple[str, ...] = ()
        self._hit: Tuple[hits.Job, ...] = ()
        self._resumes = False
        self._recovery: Any = None

    def counted(self, plan: Plan) -> Sequence[str]:
        """The jobs that stood still; a crawl that was interrupted beside them is accounted for by who accepted it."""
        return [survey.subject(row["id"]) for row in self._decision.planned]

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        context = host.context
        seen = self._seen = _look(context, self.wanted)
        # Our own, of an act that was cut off: then this one goes on where that one ended.
        paused = pause.in_force(context)
        paused = paused if paused is not None and paused.action == self.name else None
        targets = {job.id for job in seen.stalled} | (seen.loose if paused else frozenset())
        if not targets and paused is None:
            return self._nothing(seen)
        self._units = tuple(sorted({unit for job in seen.stalled for unit in job.units or ()}))
        self._resumes = WORKER in self._units or paused is not None
        struck = hits.hit_by(seen.jobs, set(self._units))
        self._hit = tuple(hits.with_facts(context, struck))
        beside = [job for job in self._hit if job.id not in targets]
        refusal = hits.refuse_unaccepted(
            beside, self.parameters["accept_interruption_of"], (), "Stopping %s" % " and ".join(self._units)
        )
        if refusal is not None:
            raise refusal
        self._decision = self._decide(seen, targets, struck)
        return self._planned(context, seen, beside)

    def _decide(self, seen: Seen, targets: Set[int], struck: Sequence[hits.Job]) -> decision.Decision:
        """As it will be when they are stopped: nothing of what is hit holds a lock any more."""
        freed = dict.fromkeys((job.id for job in struck), "free")
        wish = decision.Wish(_OLDER_THAN_MINUTES, STALLED_SECONDS, True, frozenset(targets))
        try:
            decided = decision.decide(
                seen.report, list(seen.running.jobs.values()), {**seen.locks, **freed}, wish, seen.running.whole
            )
        except decision.Contradiction as error:
            raise Refusal(
                "evidence_contradictory",
                "What the service says of its running jobs does not fit together: %s" % error,
                "Look at that job (playbook triage), then plan again.",
            ) from error
        missing = sorted(targets - {row["id"] for row in decided.planned})
        if missing:
            raise Refusal(
                "cannot_be_separated" if missing[0] in decided.shadowed else "not_recoverable",
                "Job %d stands still, but cannot be recovered: %s" % (missing[0], decided.left_out[missing[0]]),
                "Name the jobs that can be: -e jobs=...; or make that one recoverable first.",
            )
        return decided

    def _nothing(self, seen: Seen) -> NothingToDo:
        left_out = {survey.subject(job): why for job, why in sorted(seen.left_out.items())}
        unclear = [job for job, why in seen.left_out.items() if why == _UNCLEAR]
        foreign = [job for job, why in seen.left_out.items() if why.startswith(_FOREIGN.split("%s", maxsplit=1)[0])]
        if foreign:
            raise Refusal(
                "holder_not_stoppable",
                "Job %d: %s" % (foreign[0], seen.left_out[foreign[0]]),
                "See which process it is (fuser -v %s), and who began it." % holders.path(seen.directory, foreign[0]),
                left_out=left_out,
            )
        if unclear:
            raise Refusal(
                "progress_unknown",
                "Whether job %d gets on cannot be told from its log, so it is not said that nothing stands still."
                % unclear[0],
                "Look at its newest combined log by hand; triage names it.",
                left_out=left_out,
            )
        return NothingToDo("No crawl stands still: each that is held made progress in the last hour.", left_out)

    def _planned(self, context: Context, seen: Seen, beside: Sequence[hits.Job]) -> Plan:
        settings = context.settings
        decided = self._decision
        before: Dict[str, Any] = {}
        after: Dict[str, Any] = {}
        for row in decided.planned:
            state = survey.state(row)
            before[survey.subject(row["id"])] = state
            after[survey.subject(row["id"])] = {**state, "status": "retryable"}
        for job in beside:
            before[survey.subject(job.id)] = {"crawl": "runs"}
            after[survey.subject(job.id)] = {"crawl": "interrupted"}
        commands: List[List[str]] = []
        for unit in self._units:
            commands += pause.pause_commands(self.after) if unit == WORKER else [_stop(unit)]
        for selection in decided.selections:
            commands.append(service.recover_stale_jobs(settings, selection))
            commands.append(service.recover_stale_jobs_applied(settings, selection))
        if self._resumes:
            commands += pause.resume_commands()
            before[_UNIT] = {"state": "running" if WORKER in self._units else "paused"}
            after[_UNIT] = {"state": "running"}
        names = ", ".join(survey.subject(row["id"]) for row in decided.planned)
        remarks = [job.sentence() for job in self._hit] + (hits.indexing(seen.marked) if WORKER in self._units else [])
        hindered = None if self._resumes else pickup.hindrance(context)
        return Plan(
            action=self.name,
            objective=_objective(names, bool(self._units)),
            commands=tuple(tuple(argv) for argv in commands),
            subjects=tuple(before),
            before=before,
            after=after,
            expected_impact=self._impact(beside),
            rollback=_rollback(self._resumes, self.after),
            left_out={
                survey.subject(job): why
                for job, why in sorted(seen.left_out.items())
                if survey.subject(job) not in before
            },
            symptom="stands still while something runs it",
            remarks=(*remarks, *([hindered[1]] if hindered else [])),
        )

    def _impact(self, beside: Sequence[hits.Job]) -> str:
        if not self._units:
            words = "The worker is paused already, and nothing else is stopped."
        elif self._units == (WORKER,):
            words = "The worker is stopped for about a minute, and with it the crawl that stands still."
        elif WORKER in self._units:
            words = "The worker and %s are stopped, and the crawls that they run." % " and ".join(
                set(self._units) - {WORKER}
            )
        else:
            words = "%s is stopped; the worker goes on." % " and ".join(self._units)
        if beside:
            words += (
                " INTERRUPTED as well: %s. It goes on when the worker takes it up again, which it does by itself once its log "
                "has been quiet for 5 minutes." % ", ".join(survey.subject(job.id) for job in beside)
            )
        else:
            words += " No other crawl is interrupted."
        return words + " The crawl begins again with a new log; its files and retry count stay."

    def act(self, host: Host, plan: Plan) -> None:
        seen = self._seen
        # Whatever takes too long: the start of the worker has its time.
        context = host.context._replace(deadline=host.context.deadline - _RESUME_SECONDS)
        planned = {row["id"]: row for row in self._decision.planned}
        self._recovery = applying.Recovery(context, seen.directory, planned)
        units = set(self._units)
        self._stop_nothing_else(host, context, units)
        try:
            for unit in sorted(units - {WORKER}):
                _run(context, _stop(unit), pause.STOP_SECONDS)
            _wait_until_free(context, seen.directory, planned)
            self._recovery.run(self._decision.selections, untouched=False)
        except Refusal as error:
            # By now something was stopped: it is no refusal any more.
            raise ActFailed(str(error)) from error
        finally:
            if self._resumes:
                pause.end(host.context)

    def _stop_nothing_else(self, host: Host, context: Context, units: Set[str]) -> None:
        """Stop the worker, if it is among them. :class:`Refusal` when they run a job by now that the plan does not name."""
        named = {job.id for job in self._hit}

        def more() -> Optional[Refusal]:
            return hits.refuse_more(self._seen.directory, units, named)

        if WORKER in units:
            pause.begin(context, self.name, host.incident, self.after, more)
            return
        refusal = more()
        if refusal is not None:
            raise refusal

    def observe(self, host: Host, plan: Plan) -> Observation:
        context, done = host.context, self._recovery
        outcome, changed, sentence, states, evidence = done.effect(context)
        if self._units and changed is False:
            changed = True  # what ran them was stopped
        code = "changed_otherwise" if outcome == "unknown" and changed is True else None
        if self._resumes:
            unit, switch = worker_unit.show(context), pause.armed(context)
            sentence += " %s." % unit.described()
            if not unit.runs or switch:
                outcome = "unknown" if outcome == "applied" else outcome
                code = "worker_not_back"
                sentence += " The timer that starts it is %s." % ("armed" if switch else "gone")
        if outcome == "applied":
            taken = pickup.watch(context, done.directory, done.planned, self.parameters["pickup_seconds"], self._began)
            sentence = "%s %s" % (sentence, taken.described())
            evidence["pickup"] = taken.evidence()
            if taken.taken:
                moves = progress.watch(context, taken.taken, self.parameters["progress_seconds"])
                sentence = "%s %s" % (sentence, moves.described())
                evidence["progress"] = moves.evidence()
        return Observation(outcome, changed, sentence, states, code, None, evidence)

    def settle(self, host: Host, action: recorded.Action) -> Observation:
        """``failed`` where no row was recovered: each says still that it runs since before."""
        unit, switch = worker_unit.show(host.context), pause.armed(host.context)
        found, said = applying.seen(host.context, action.subjects)
        untouched = bool(found) and all(
            row["status"] == "running" and row["started_at"] is not None and row["started_at"] < action.begun_at
            for row in found
        )
        return Observation(
            "failed" if untouched else "unknown",
            None,
            "It was cut off%s. %s %s, and the timer that starts it is %s."
            % (
                " before it had recovered anything" if untouched else "",
                said,
                unit.described(),
                "armed" if switch else "gone",
            ),
        )


def _look(context: Context, wanted: Optional[FrozenSet[int]]) -> Seen:
    directory = lock_directories.agreed(context)
    report = recovery.candidates(context, service.StaleSelection(_OLDER_THAN_MINUTES, STALLED_SECONDS, True))
    found = rows.of_statuses(context, ("running", "completed"))
    for row in found.jobs.values():
        row["name"] = context.redactor.text(row["name"])
    running = found._replace(jobs={job: row for job, row in found.jobs.items() if row["status"] == "running"})
    jobs = hits.with_facts(context, hits.running(context, directory, running))
    locks = holders.states(directory, running.jobs)
    stalled, loose, left_out = _sort(jobs, report, running, locks, wanted, lambda unit: _stoppable(context, unit))
    return Seen(directory, found, running, tuple(jobs), stalled, loose, left_out, report, locks)


def _sort(
    jobs: Sequence[hits.Job],
    report: Report,
    running: rows.Rows,
    locks: Mapping[int, str],
    wanted: Optional[FrozenSet[int]],
    stoppable: Any,
) -> Tuple[Tuple[hits.Job, ...], FrozenSet[int], Dict[int, str]]:
    """Those that stand still and can be stopped; those that nothing runs and the command would take; why not the others."""
    quiet = {candidate.id: candidate.progress_age_seconds for candidate in report.candidates}
    held = {job.id: job for job in jobs}
    stalled: List[hits.Job] = []
    loose: Set[int] = set()
    left_out: Dict[int, str] = {}
    for number in sorted({*held, *running.jobs}):
        job = held.get(number)
        if job is None:
            left_out[number] = _LOOSE
            if locks.get(number) in ("free", "absent") and number in quiet:
                loose.add(number)
            continue
        stands_still = _stands_still(job, number in quiet, quiet.get(number))
        if stands_still is None:
            left_out[number] = _UNCLEAR
        elif not stands_still:
            left_out[number] = _MOVES
        elif wanted is not None and number not in wanted:
            left_out[number] = _NOT_ASKED
        elif not job.units or not all(stoppable(unit) for unit in job.units):
            left_out[number] = _FOREIGN % (", ".join(sorted(job.units)) if job.units else "something that is not known")
        else:
            stalled.append(job)
    if wanted is not None:
        loose &= wanted
    return tuple(stalled), frozenset(loose), left_out


def _stands_still(job: hits.Job, candidate: bool, progress_age: Optional[int]) -> Optional[bool]:
    """By the service's own measure, its last progress; where its log tells of none, by how long the log has been quiet."""
    if job.row is None or job.row["status"] != "running":
        return None
    if not candidate:
        return False
    if progress_age is not None:
        return True
    verdict: Optional[bool] = job.facts.get("stalled")
    return verdict


def _stoppable(context: Context, unit: str) -> bool:
    """The worker, or a service that was made for a crawl of its own; no session of a person, and no part of the service."""
    if unit == WORKER:
        return True
    return unit.endswith(".service") and unit not in UNITS and worker_unit.show(context, unit).transient


def _stop(unit: str) -> List[str]:
    return [worker_unit.SYSTEMCTL, "stop", unit]


def _objective(names: str, stops: bool) -> str:
    if not names:
        return "Start the worker again, which an act that was cut off has left stopped."
    if not stops:
        return "Have %s crawled again, which an act that was cut off has stopped." % names
    return "Stop %s, which stands still, and have it crawled again." % names


def _rollback(resumes: bool, after: int) -> str:
    words = "A crawl that was stopped does not go on where it was; it waits in the queue and is crawled again."
    if resumes:
        words += (
            " Whatever happens, the worker starts by itself %d s after it was stopped; by hand: systemctl start %s."
            % (
                after,
                WORKER,
            )
        )
    return words


def _run(context: Context, argv: List[str], seconds: float) -> None:
    result = context.run(argv, seconds)
    if result.failure is not None:
        raise ActFailed(failed(result, " ".join(argv)).message)
    if result.rc != 0:
        raise ActFailed("%s ended with %d: %s." % (" ".join(argv), result.rc, complaint(result.stderr).rstrip(".")))


def _wait_until_free(context: Context, directory: str, planned: Mapping[int, Any]) -> None:
    """What was stopped gives its locks back when its last process has ended."""
    until = time.monotonic() + context.seconds(_FREED_SECONDS)
    while True:
        held = sorted(
            job for job, state in holders.states(directory, planned).items() if state not in ("free", "absent")
        )
        if not held:
            return
        if time.monotonic() >= until:
            raise ActFailed(
                "What ran %s was stopped, and its lock is still held." % ", ".join("job %d" % job for job in held)
            )
        time.sleep(_POLL_SECONDS)
