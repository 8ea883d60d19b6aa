# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bind empty directories to the storage box, and give jobs their attempts back.

Nothing of the archive is copied, moved or deleted. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .. import change, recorded, service
from ..budget import Budget
from ..change import ActFailed, Host, Observation
from ..plan import NothingToDo, Plan
from ..probe import Context, complaint, failed
from ..refusal import Refusal
from ..stuck import applying, holders, lock_directories, rows
from ..stuck import survey as stuck_survey
from ..tiers import survey as tiers_survey
from ..tiers import writing
from . import decide, survey
from .decide import Decision, Nothing

# Beside those of `settings` and `change`: none.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {}
ACTION = "output_directories"
_COMMAND_SECONDS = 45.0
_AGAIN = "Plan again: what is left is planned then, and what needs a person is named with its commands."


class OutputDirectories(change.Action):
    """What a program may do about output directories; the rest is told with exact commands."""

    name = ACTION
    budget = Budget(per_host=6, per_subject=2, window_seconds=24 * 3600)
    plan_seconds = 150
    seconds = 300
    observe_seconds = 90

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self._decision: Any = None
        self._lock_directory = ""
        self._written: Dict[str, str] = {}
        self._said: List[str] = []
        self._code = ""

    # What would be done.

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        context = host.context
        self._lock_directory = lock_directories.agreed(context)
        seen = survey.look_at(context, self._lock_directory, change.actions_of(host.log), host.log.origin.head)
        decided = decide.decide(seen)
        if isinstance(decided, Refusal):
            raise decided
        if isinstance(decided, Nothing):
            return NothingToDo(decided.detail)
        self._decision = decided
        known = rows.states(context, [each.job for each in decided.resets])
        missing = [each.job for each in decided.resets if each.job not in known]
        if missing:
            raise Refusal(
                "jobs_unreadable", "Job %d cannot be seen." % missing[0], "Run triage, which says why; then plan again."
            )
        before, after = _states(decided, known)
        return Plan(
            action=self.name,
            objective=_objective(decided),
            commands=tuple(tuple(argv) for argv in _commands(context, decided)),
            subjects=tuple(before),
            before=before,
            after=after,
            expected_impact=_impact(decided),
            rollback=_rollback(decided),
            left_out={stuck_survey.subject(job): found.sentence() for job, found in sorted(decided.persons.items())},
            symptom="output directories cannot be written, or are on the wrong disk",
            by_hand=tuple(
                found.by_hand(stuck_survey.subject(job))
                for job, found in sorted(decided.persons.items())
                if found.steps
            ),
        )

    # Doing it.

    def act(self, host: Host, plan: Plan) -> None:
        context = host.context
        for call in self._decision.calls:
            self._bind(context, call)
        if self._decision.calls:
            self._judge(context)
        for each in self._decision.resets:
            if holders.states(self._lock_directory, [each.job])[each.job] not in ("free", "absent"):
                self._said.append("Something holds the lock of job %d by now, which was left alone." % each.job)
                continue
            if each.retry_count:
                self._run(context, service.reset_retry_count(context.settings, each.job))
            if each.status == "failed":
                self._run(context, service.retry_job(context.settings, each.job))

    def _bind(self, context: Context, call: decide.Call) -> None:
        """Only if the script would bind just what is planned, and that is empty still."""
        settings = context.settings
        locks = holders.states(self._lock_directory, call.jobs)
        held = sorted(job for job, state in locks.items() if state not in ("free", "absent"))
        if held:
            # A crawl that has begun writes to what it has opened, which a mount would hide.
            self._code = "job_locked"
            raise ActFailed("Something holds the lock of job %d by now. Its directory was left alone." % held[0])
        filled = survey.still_empty(context, sorted(call.binds))
        if filled:
            self._code = "not_empty_any_more"
            raise ActFailed("%s is no empty directory of the local disk any more. It was left alone." % filled[0])
        now = survey.ask(context, call.year, call.source)
        if now.problem is not None or dict(now.binds) != call.binds:
            self._code = "tiering_moved"
            raise ActFailed(
                "The annual tiering would do something else by now (%s)." % (now.problem or sorted(now.binds))
            )
        try:
            tiers_survey.ask_tiering(context, service.annual_tiering_applied(settings, call.year, [call.source]))
        except tiers_survey.NotSaid as error:
            # What it has done is seen at the mounts.
            self._said.append("The annual tiering of %d did not end as it should: %s." % (call.year, error))

    def _judge(self, context: Context) -> None:
        binds = _binds(self._decision)
        seen = tiers_survey.states(context, sorted(binds), binds)
        wrong = ["%s is %s" % (path, state) for path, state in sorted(seen.items()) if state != "ok"]
        if wrong:
            raise ActFailed("After all that, %s." % ", ".join(wrong))
        who = tiers_survey.account(context)
        self._written = writing.test(sorted(binds), who, context.seconds(writing.SECONDS))
        wrong = ["%s: %s" % (path, said) for path, said in sorted(self._written.items()) if said != "written"]
        if wrong:
            self._code = "not_writable"
            raise ActFailed("%s cannot write in %s." % (who.name, ", ".join(wrong)))

    def _run(self, context: Context, argv: Sequence[str]) -> None:
        """What it did is seen in the row: both end with 0 when they changed nothing, or with 1 (contract 2.7)."""
        result = context.run_service(argv, _COMMAND_SECONDS, production=True)
        if result.failure is not None:
            self._said.append(failed(result, argv[1]).message)
        elif result.rc != 0:
            self._said.append("%s ended with %d: %s." % (argv[1], result.rc, complaint(result.stderr).rstrip(".")))

    # Seeing what became of it.

    def observe(self, host: Host, plan: Plan) -> Observation:
        context, binds = host.context, _binds(self._decision)
        states: Dict[str, Any] = {}
        wrong: List[str] = []
        for path, state in tiers_survey.states(context, sorted(binds), binds).items() if binds else ():
            name = "mount " + path
            good = state == "ok" and self._written.get(path) == "written"
            states[name] = plan.after[name] if good else {"state": state, "written": self._written.get(path)}
            if not good:
                wrong.append("%s is %s, and a file there is %s" % (path, state, self._written.get(path, "not tried")))
        wanted = {each.job for each in self._decision.resets}
        now = rows.states(context, wanted) if wanted else {}
        for job in sorted(wanted):
            name = stuck_survey.subject(job)
            row = now.get(job)
            if row is None:
                wrong.append("%s cannot be seen" % name)
                continue
            states[name] = stuck_survey.state(row)
            # The worker may have been faster than the look.
            begun = row["started_at"] != plan.before[name]["started_at"]
            if not begun and (row["status"], row["retry_count"]) != (plan.after[name]["status"], 0):
                wrong.append("%s is %s, its retry count %s" % (name, row["status"], row["retry_count"]))
        changed = any(states.get(name) != state for name, state in plan.before.items())
        words = [
            "Not as planned: %s." % "; ".join(wrong) if wrong else "As planned: %s." % ", ".join(plan.subjects),
            *self._said,
        ]
        evidence = {"write_test": dict(self._written), "said": list(self._said)}
        if not wrong:
            return Observation("applied", True, " ".join(words), states, None, None, evidence)
        return Observation("failed", changed, " ".join(words), states, self._code or "not_mended", _AGAIN, evidence)

    def settle(self, host: Host, action: recorded.Action) -> Observation:
        """What its subjects are now: it holds nothing off that would have to be given back."""
        paths = [name[len("mount ") :] for name in action.subjects if name.startswith("mount ")]
        mounts = tiers_survey.states(host.context, paths, {}) if paths else {}
        jobs = len(action.subjects) - len(paths)
        seen, told = applying.seen(host.context, action.subjects)
        words = ["%s is %s." % (path, state or "not seen") for path, state in sorted(mounts.items())]
        outcome, changed = settled(list(mounts.values()), seen if jobs else (), jobs, action.begun_at)
        return Observation(outcome, changed, " ".join(["It was cut off.", *words, *([told] if jobs else [])]))


def settled(
    mounts: Sequence[Optional[str]], rows_now: Sequence[Mapping[str, Any]], jobs: int, begun_at: str
) -> Tuple[str, Optional[bool]]:
    """Outcome, and whether something was changed, by the states of its mounts and the rows of its ``jobs`` as they are now. Pure.

    Jobs are given back after every mount was seen to be written: where there is none, nobody knows whether one was.
    """
    if len(rows_now) == jobs:
        if all(state == "not_mounted" for state in mounts) and all(_untouched(row, begun_at) for row in rows_now):
            return "failed", False
        if jobs and all(state == "ok" for state in mounts) and all(_given_back(row) for row in rows_now):
            return "applied", None
    return "unknown", None


def _untouched(row: Mapping[str, Any], begun_at: str) -> bool:
    """Of a row without spent attempts nobody can say whether they were given back."""
    ran_since = row["started_at"] is None or row["started_at"] >= begun_at
    return row["status"] == "failed" and not ran_since and (row["retry_count"] or 0) > 0


def _given_back(row: Mapping[str, Any]) -> bool:
    return row["status"] in ("queued", "retryable", "running") and row["retry_count"] == 0


def _binds(decided: Decision) -> Dict[str, str]:
    return {hot: cold for call in decided.calls for hot, cold in call.binds.items()}


def _states(decided: Decision, known: Mapping[int, Mapping[str, Any]]) -> "tuple[Dict[str, Any], Dict[str, Any]]":
    before: Dict[str, Any] = {}
    after: Dict[str, Any] = {}
    for path, cold in sorted(_binds(decided).items()):
        before["mount " + path] = {"state": "not_mounted", "entries": 0}
        after["mount " + path] = {"state": "ok", "shows": cold}
    for each in decided.resets:
        name = stuck_survey.subject(each.job)
        before[name] = stuck_survey.state(known[each.job])
        after[name] = {**before[name], "retry_count": 0, "status": "retryable"}
    return before, after


def _commands(context: Context, decided: Decision) -> List[List[str]]:
    settings = context.settings
    commands: List[List[str]] = []
    for call in decided.calls:
        commands.append(service.annual_tiering(settings, call.year, [call.source]))
        commands.append(service.annual_tiering_applied(settings, call.year, [call.source]))
    for each in decided.resets:
        if each.retry_count:
            commands.append(service.reset_retry_count(settings, each.job))
        if each.status == "failed":
            commands.append(service.retry_job(settings, each.job))
    return commands


def _objective(decided: Decision) -> str:
    parts = []
    binds = _binds(decided)
    if binds:
        parts.append(
            "bind %s, empty on the local disk, to %s place on the storage box"
            % (", ".join(sorted(binds)), "its" if len(binds) == 1 else "their")
        )
    if decided.resets:
        named = ", ".join(str(each.job) for each in decided.resets)
        parts.append("give job %s its attempts back, whose directory can be written again" % named)
    text = ", and ".join(parts)
    return text[0].upper() + text[1:] + "."


def _impact(decided: Decision) -> str:
    words = []
    if decided.calls:
        words.append(
            "The script makes the directory on the box if it is not there. One small file is written and taken away in each path "
            "as the worker's user. The worker, which failed on it at every poll, can take the job and those behind it."
        )
    if decided.resets:
        words.append("The worker crawls these jobs when their turn comes, the oldest first; each has all its attempts.")
    return " ".join([*words, "No file of the archive is copied, moved or deleted, no crawl is stopped."])


def _rollback(decided: Decision) -> str:
    words = [
        "umount %s, as long as no crawl writes there: it is the empty directory again." % path
        for path in sorted(_binds(decided))
    ]
    words += [
        "reset-retry-count --id %d --min-retry-count 0 --new-count %s --apply gives the count back, before the job runs."
        % (each.job, each.retry_count)
        for each in decided.resets
    ]
    return " ".join(words)
