# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The indexing of a job in the frame of changes. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from .. import change, recorded
from ..budget import Budget
from ..change import Host, Observation
from ..parse import indexing as parse
from ..plan import NothingToDo, Plan
from ..refusal import Refusal
from ..settings import BadInput
from ..shapes import duration
from ..transient_unit import action as transient
from ..transient_unit import shown
from . import decide, indexers, judge, query, survey, unit, warcs
from .facts import ACTION, NAME, Rows, Wish

# Beside those that all changing modules take.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "job_id": {"type": "int", "required": True},
    "reindex": {"type": "bool", "default": False},
    "verify_level": {"type": "int", "default": 1, "choices": [1, 2]},
    "timeout": {"type": "int", "default": 6 * 3600},
    **transient.ARGUMENT_SPEC,
}
_LARGEST_ID = 2**31 - 1
_TIMEOUT_RANGE = (60, 48 * 3600)


class Indexing(transient.HandedOver):
    """Index one job whose crawl ended well."""

    name = ACTION
    unit = unit.UNIT
    # What does not get indexed by itself twice a day has a cause; a job that fails again and again is a person's.
    budget = Budget(per_host=10, per_subject=1, window_seconds=24 * 3600)
    plan_seconds = 200
    seconds = 60
    observe_seconds = 90

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        number, seconds = parameters["job_id"], parameters["timeout"]
        if not 1 <= number <= _LARGEST_ID:
            raise BadInput(
                "bad_job_id",
                "job_id must be the number of a job, and not %d." % number,
                "Triage lists jobs with their numbers.",
            )
        low, high = _TIMEOUT_RANGE
        if not low <= seconds <= high:
            raise BadInput(
                "out_of_range",
                "timeout must be from %d to %d seconds, not %d." % (low, high, seconds),
                "Give a value in that range, or leave it out.",
            )
        self.wish = Wish(number, parameters["reindex"], parameters["verify_level"], seconds)

    # While it runs.

    def demand_wished(self, known: Mapping[str, Any], action: recorded.Action) -> None:
        if known["job_id"] == self.wish.job_id:
            return
        raise Refusal(
            "indexing_running",
            "Job %d is indexed since %s, and one is indexed at a time." % (known["job_id"], action.begun_at),
            "To follow it, run this with job_id=%d. This one was not begun." % known["job_id"],
            job_id=known["job_id"],
            action_id=action.action_id,
            incident=action.incident,
        )

    def read(self, printed: bytes, ended: bool) -> parse.Report:
        return parse.report(printed)

    def steps(self, report: parse.Report) -> List[Dict[str, Optional[str]]]:
        return [{"name": step, "command": line} for step, line in report.lines]

    def subject(self, known: Mapping[str, Any]) -> Dict[str, Any]:
        return {"job_id": known.get("job_id")}

    def progress(
        self, host: Host, known: Mapping[str, Any], action: recorded.Action, report: Optional[parse.Report]
    ) -> Dict[str, Any]:
        progress = _progress(host, known) if report is not None else {}
        words = _words(report, progress)
        detail = "Job %s is indexed in %s since %s. %s" % (known.get("job_id"), NAME, action.begun_at, words)
        return {"progress": progress, "detail": detail}

    # Plan, act.

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        context = host.context
        facts = survey.survey(context, self.wish.job_id)
        before = decide.indexed_in(host.incident, self.wish.job_id, change.actions_of(host.log))
        done = decide.check_row(facts, self.wish, before)
        if done is not None:
            return done
        # Before any file is read: what is missing needs no reading.
        found = decide.check_files(facts, context.settings)
        facts = facts._replace(warcs=warcs.read(context, found))
        found = decide.check_files(facts, context.settings)
        return decide.plan(facts, found, self.wish, context.settings)

    def act(self, host: Host, plan: Plan) -> None:
        subject = decide.subject_of(self.wish.job_id)
        now = survey.rows(host.context, self.wish.job_id)
        state = None if now.job is None else decide.state_of(now.job, now.snapshots)
        others = [
            each for each in indexers.processes(host.context.settings.cli) if each.job_id in (self.wish.job_id, None)
        ]
        if others or state is None or any(plan.before[subject][name] != value for name, value in state.items()):
            raise Refusal(
                "world_moved",
                "In the last moment job %d was not as planned: %s."
                % (self.wish.job_id, "somebody indexes it" if others else state),
                "Run it again without approve, and read the plan of now.",
            )
        known = {
            **self.begun(host, plan),
            "job_id": self.wish.job_id,
            "before": dict(plan.before[subject]),
            "table_bytes": now.size,
        }
        self.unit.start(host.context, plan.commands[0], known)

    # Its end.

    def ended(
        self, host: Host, known: Mapping[str, Any], found: shown.Shown, report: Optional[parse.Report]
    ) -> Tuple[Observation, Dict[str, Any]]:
        begun = judge.Begun(int(known["job_id"]), known["before"])
        return self._judged(host, known, begun, unit.end_of(found, report is not None), report)

    def ended_on_record(self, host: Host, action: recorded.Action) -> Tuple[Observation, Dict[str, Any]]:
        known = {"action_id": action.action_id}
        return self._judged(host, known, judge.Begun(_job_of(action), {}), judge.End(judge.LOST), None)

    def _judged(
        self, host: Host, known: Mapping[str, Any], begun: judge.Begun, end: judge.End, report: Optional[parse.Report]
    ) -> Tuple[Observation, Dict[str, Any]]:
        found = judge.judge(begun, end, report, _rows(host, begun.job_id))
        told = self.result(known, found.outcome, found.changed, found.detail, found.states)
        if found.outcome != "applied":
            told["code"] = found.code or "outcome_unknown"
            told["next_step"] = (
                found.next_step or "See what is true now (playbook triage) before anything else is done."
            )
            told["evidence"] = {"printed": list(report.tail) if report is not None else []}
        # Its first fields are those of an observation.
        return Observation(*found), told


def _rows(host: Host, job_id: int) -> Optional[Rows]:
    try:
        return survey.rows(host.context, job_id)
    except Refusal:
        return None


def _job_of(action: recorded.Action) -> int:
    return next(int(subject[4:]) for subject in action.subjects if subject.startswith("job "))


def _progress(host: Host, known: Mapping[str, Any]) -> Dict[str, Any]:
    """From a second connection; empty where it cannot be asked."""
    rows = _rows(host, int(known["job_id"])) if "job_id" in known else None
    if rows is None:
        return {}
    seen = query.shown(rows)
    return {**seen, "grown_bytes": max(rows.size - int(known.get("table_bytes") or rows.size), 0)}


def _words(report: Optional[parse.Report], progress: Mapping[str, Any]) -> str:
    if report is None or report.summary is None:
        return "verify-warcs reads its WARC files."
    words = ["%d WARC files are whole; index-job is at work." % report.summary.ok]
    if progress.get("transactions"):
        words.append(
            "In the database %s, open for %s%s; the table of snapshots has grown by %d KiB since it began."
            % (
                "its transaction is"
                if progress["transactions"] == 1
                else "%d transactions are" % progress["transactions"],
                duration(progress["open_seconds"]),
                ", and waiting for a lock" if progress["waits"] else "",
                progress["grown_bytes"] // 1024,
            )
        )
    return " ".join(words)
