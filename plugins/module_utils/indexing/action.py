# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The indexing of a job in the frame of changes: begun, it goes on in a unit of its own; whoever asks next follows it, or records
its end. Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from .. import change, recorded, runtime
from ..budget import Budget
from ..change import Host, Observation
from ..deploy import unit as units
from ..parse import indexing as parse
from ..parse import times
from ..plan import NothingToDo, Plan, difference
from ..refusal import Refusal
from ..settings import BadInput
from ..shapes import duration
from . import decide, indexers, judge, query, survey, unit, warcs
from .facts import ACTION, NAME, Rows, Wish

# Beside those that all changing modules take.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "job_id": {"type": "int", "required": True},
    "reindex": {"type": "bool", "default": False},
    "verify_level": {"type": "int", "default": 1, "choices": [1, 2]},
    "timeout": {"type": "int", "default": 6 * 3600},
    "follow": {"type": "str"},
    "steps_seen": {"type": "int", "default": 0},
}
_LARGEST_ID = 2**31 - 1
_TIMEOUT_RANGE = (60, 48 * 3600)
# How long one question waits for an indexing to go on, and how often it looks meanwhile.
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.2
# systemd starts what it was told to start in some milliseconds, or not at all.
_START_SECONDS = 2.0


class Indexing(change.Action):
    """Index one job whose crawl ended well."""

    name = ACTION
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
        # What an indexing is told as when its end is recorded here, by the id of its action.
        self._told: Dict[str, Dict[str, Any]] = {}

    # Before anything else: what goes on.

    def resume(self, host: Host, check_mode: bool) -> Dict[str, Any]:
        wanted = self.parameters["follow"]
        begun = [each for each in change.unfinished_actions(host) if each.action == self.name]
        for action in begun:
            going = self._going(host, action, wanted)
            if going is not None:
                return going
        settled: List[Dict[str, Any]] = []
        if begun and not check_mode:
            try:
                settled = self._record_ends(host)
            except Refusal as refusal:
                if refusal.code != "busy":
                    raise
                if wanted is not None:
                    time.sleep(_POLL_SECONDS)
                    return {
                        **self._running(host, begun[-1], None),
                        "detail": "It has ended; what it left is looked at next. %s" % refusal,
                    }
        told = self._told_of(host, wanted or self.parameters["approve"], settled, wanted is not None)
        if told is not None:
            return {**told, "settled": [each for each in settled if each["action_id"] != told["action_id"]]}
        return {"settled": settled} if settled else {}

    def _going(self, host: Host, action: recorded.Action, wanted: Optional[str]) -> Optional[Dict[str, Any]]:
        """The result while it runs; None when it does not."""
        known = unit.state()
        if known.get("action_id") != action.action_id:
            return None
        if wanted is not None and wanted not in (action.action_id, known["plan_id"]):
            return None
        context = change.within(host, _WAIT_SECONDS + self.plan_seconds).context
        until = time.monotonic() + (_WAIT_SECONDS if wanted is not None else 0)
        while True:
            if unit.look(context).state != units.RUNNING:
                return None
            report = unit.report(context)
            news = report is not None and len(report.lines) > self.parameters["steps_seen"]
            if news or time.monotonic() >= until:
                break
            time.sleep(_POLL_SECONDS)
        if wanted is None and known["job_id"] != self.wish.job_id:
            raise Refusal(
                "indexing_running",
                "Job %d is indexed since %s, and one is indexed at a time." % (known["job_id"], action.begun_at),
                "To follow it, run this with job_id=%d. This one was not begun." % known["job_id"],
                job_id=known["job_id"],
                action_id=action.action_id,
                incident=action.incident,
            )
        return {**self._running(host, action, report), "begun_incident": action.incident}

    def _running(self, host: Host, action: recorded.Action, report: Optional[parse.Report]) -> Dict[str, Any]:
        known = unit.state()
        progress = _progress(host, known) if report is not None else {}
        return {
            **_of_state(known),
            "outcome": "running",
            "changed": True,
            "action_id": action.action_id,
            "steps": [{"name": step, "command": line} for step, line in (report.lines if report is not None else ())],
            "progress": progress,
            "detail": "Job %s is indexed in %s since %s. %s"
            % (known.get("job_id"), NAME, action.begun_at, _words(report, progress)),
            "unit": NAME,
        }

    def _record_ends(self, host: Host) -> List[Dict[str, Any]]:
        who = {"action": self.name, **{name: self.parameters[name] for name in ("incident", "operator", "run")}}
        with runtime.acting(who):
            settled = change.settle(host, self)
            if any(each["action_id"] == unit.state().get("action_id") for each in settled):
                unit.forget(change.within(host, self.seconds).context)
        return settled

    def _told_of(
        self, host: Host, wanted: Optional[str], settled: Sequence[Mapping[str, Any]], must: bool
    ) -> Optional[Dict[str, Any]]:
        """The result of the action or plan that is asked for, when it has just been settled, or (``must``) whenever it ended."""
        if wanted is None:
            return None
        for each in settled:
            told = self._told.get(each["action_id"], {})
            if wanted in (each["action_id"], told.get("plan_id")):
                return told
        if not must:
            return None
        events = change.actions_of(host.log)
        for event in reversed(events):
            data = event["data"]
            if event["kind"] == "action_begun" and wanted in (data["action_id"], data["plan_id"]):
                return _of_record(events, data)
        raise Refusal(
            "not_begun",
            "No indexing with the id %s was begun on this host." % wanted,
            "Nothing was done under it. Run it without approve to see the plan.",
        )

    # Plan, act, observe.

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
            "action_id": host.action_id,
            "incident": host.incident,
            "job_id": self.wish.job_id,
            "before": dict(plan.before[subject]),
            "table_bytes": now.size,
            "plan": plan.described(),
            "plan_id": str(host.action_id).split("-")[1],
            "begun_at": times.from_epoch(time.time()),
        }
        unit.start(host.context, plan.commands[0], known)

    def observe(self, host: Host, plan: Plan) -> Observation:
        until = time.monotonic() + _START_SECONDS
        while unit.look(host.context).state == units.GONE and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        return Observation("running", True, "It runs in %s, and goes on when the link is cut." % NAME)

    # Its end.

    def settle(self, host: Host, action: recorded.Action) -> Optional[Observation]:
        known = unit.state()
        ours = known.get("action_id") == action.action_id
        report, end = None, judge.End(judge.LOST)
        job_id = int(known["job_id"]) if ours else _job_of(action)
        if ours:
            found = unit.look(host.context)
            if found.state == units.RUNNING:
                return None
            report = unit.report(host.context)
            end = unit.end_of(found, report is not None)
        begun = judge.Begun(job_id, known["before"] if ours else {})
        verdict = judge.judge(begun, end, report, _rows(host, job_id))
        self._told[action.action_id] = _result(known if ours else {"action_id": action.action_id}, verdict, report)
        return Observation(
            verdict.outcome, verdict.changed, verdict.detail, verdict.states, verdict.code, verdict.next_step, {}
        )


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


def _of_state(known: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: known.get(name) for name in ("action_id", "plan_id", "plan", "job_id", "begun_at")}


def _result(known: Mapping[str, Any], verdict: judge.Verdict, report: Optional[parse.Report]) -> Dict[str, Any]:
    plan = known.get("plan") or {}
    result = {
        **_of_state(known),
        "diff": difference(plan.get("before") or {}, verdict.states),
        "outcome": verdict.outcome,
        "changed": verdict.changed is not False,
        "detail": verdict.detail,
        "states": dict(verdict.states),
    }
    if verdict.outcome == "applied":
        return result
    result["code"] = verdict.code or "outcome_unknown"
    result["next_step"] = verdict.next_step or "See what is true now (playbook triage) before anything else is done."
    result["evidence"] = {"printed": list(report.tail) if report is not None else []}
    return result


def _of_record(events: Sequence[Mapping[str, Any]], begun: Mapping[str, Any]) -> Dict[str, Any]:
    """The result of one of which only the record is left."""
    known = {"action_id": begun["action_id"], "plan_id": begun["plan_id"]}
    for event in events:
        data = event["data"]
        if event["kind"] == "action_finished" and data["action_id"] == begun["action_id"]:
            found = {
                **known,
                "outcome": data["outcome"],
                "changed": data["changed"] is not False,
                "detail": data["detail"],
            }
            if data["outcome"] not in ("applied", "nothing_to_do"):
                again = "Run it without approve to see what is to be done now."
                found.update(code="ended_before", next_step=again, evidence={})
            return found
    raise BadInput(
        "outcome_unrecorded",
        "The indexing %s was begun, and its end is not on record." % begun["action_id"],
        "Run it again without approve: it records how it ended.",
    )
