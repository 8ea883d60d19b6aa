# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deploy in the frame of changes. Private to this collection."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .. import origin, recorded
from ..budget import Budget
from ..change import Host, Observation
from ..parse import deploy as parse
from ..parse import systemd
from ..plan import NothingToDo, Plan
from ..probe import Context
from ..refusal import Refusal
from ..transient_unit import action as transient
from ..transient_unit import shown
from . import decide, judge, survey, unit, worker
from .command import GUARD

# Beside those that all changing modules take.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "deploy_ref": {"type": "str", "required": True},
    "accept_interruption_of": {"type": "list", "elements": "int", "default": []},
    "timeout": {"type": "int", "default": 3600},
    **{
        name: {"type": "bool", "default": False}
        for name in ("install_units", "apply_alerting", "restart_replay", "skip_public_check")
    },
    **transient.ARGUMENT_SPEC,
}

# A start that is older is none of a loop.
_LASTS_SECONDS = systemd.RECENT_SECONDS + 1.0


class Deploy(transient.HandedOver):
    """Deploy one commit with the service's own script."""

    name = decide.ACTION
    unit = unit.UNIT
    # The same commit again and again is a loop; to go back and forth must stay possible.
    budget = Budget(per_host=10, per_subject=3, window_seconds=24 * 3600)
    # It brings the host to the commit that a clearance is about. Against others it is held apart by the service's deploy lock,
    # which its script takes as well.
    needs_clearance = False
    plan_seconds = 90
    seconds = 60
    observe_seconds = 90

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        self.wish = decide.wish(parameters)
        self._worker: Optional[str] = None
        self._seen: Optional[survey.Seen] = None

    # While it runs.

    def demand_wished(self, known: Mapping[str, Any], action: recorded.Action) -> None:
        if known["ref"] == self.wish.ref:
            return
        raise Refusal(
            "deploy_running",
            "A deploy of another commit runs since %s: %s." % (action.begun_at, known["ref"]),
            "To follow it, run this with deploy_ref=%s. This one was not begun." % known["ref"],
            deploy_ref=known["ref"],
            action_id=action.action_id,
            incident=action.incident,
        )

    def read(self, printed: bytes, ended: bool) -> parse.Report:
        return parse.report(printed, ended)

    def steps(self, report: parse.Report) -> List[Dict[str, Optional[str]]]:
        shown_steps = [step._asdict() for step in report.steps]
        return shown_steps + ([{"name": "worker", "command": report.ours}] if report.ours else [])

    def subject(self, known: Mapping[str, Any]) -> Dict[str, Any]:
        return {"commit": known.get("ref"), "commit_before": known.get("head")}

    def progress(
        self, host: Host, known: Mapping[str, Any], action: recorded.Action, report: Optional[parse.Report]
    ) -> Dict[str, Any]:
        step = report.last if report is not None else None
        words = "step: %s" % step if step else "no step has begun yet"
        return {"detail": "The deploy runs since %s; %s." % (action.begun_at, words)}

    # Plan, act.

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        facts = survey.facts(host.context, self.wish.ref)
        found = decide.decide(facts, self.wish, host.context.settings)
        self._worker, self._seen = decide.worker_of(facts, self.wish), facts.seen
        self._keeps = decide.keeps_schema(facts)
        return found

    def counted(self, plan: Plan) -> Sequence[str]:
        return plan.subjects[:1]

    def act(self, host: Host, plan: Plan) -> None:
        head = origin.head(host.context.settings.checkout)
        if head != host.log.origin.head:
            raise Refusal(
                "head_moved",
                "The checkout was moved to %s a moment ago." % head,
                "See who did. Then run it again without approve, and read the new plan.",
            )
        known = {
            **self.begun(host, plan),
            "ref": self.wish.ref,
            "head": head,
            "head_on_main": None if self._seen is None else self._seen.on_main,
            "worker": self._worker,
            "keeps_schema": self._keeps,
            "accepted": list(self.wish.accepted),
        }
        beside = {}
        if self._worker == decide.RESTARTED_AFTER:
            beside[GUARD] = worker.guard(host.context.settings, self.wish.accepted).encode("ascii")
        self.unit.start(host.context, plan.commands[0], known, beside)

    # Its end.

    def at_its_end(self, host: Host) -> Host:
        """It has moved the checkout."""
        log = host.log
        head = origin.head(host.context.settings.checkout)
        return host._replace(log=type(log)(log.paths, log.origin._replace(head=head), log.redactor))

    def ended(
        self, host: Host, known: Mapping[str, Any], found: shown.Shown, report: Optional[parse.Report]
    ) -> Tuple[Observation, Dict[str, Any]]:
        begun = judge.Begun(known["ref"], known["head"], known["worker"], known["keeps_schema"], known["head_on_main"])
        ended = _ended(found, report)
        verdict = judge.judge(begun, ended, report, _seen(host.context, ended))
        told = self._result(known, verdict, report)
        if report is not None:
            told["output"] = unit.path_of(str(known["action_id"]))
            if verdict.outcome != "applied":
                told["told"]["printed"] = "all of it is on the host until its next boot: %s" % told["output"]
        return _observation(verdict), told

    def ended_on_record(self, host: Host, action: recorded.Action) -> Tuple[Observation, Dict[str, Any]]:
        begun, ended = _begun_on_record(host, action), judge.Ended(judge.LOST)
        verdict = judge.judge(begun, ended, None, _seen(host.context, ended))
        known = {"action_id": action.action_id, "ref": begun.ref, "head": begun.head, "begun_at": action.begun_at}
        return _observation(verdict), self._result(known, verdict, None)

    def put_aside(self, action_id: str, told: Mapping[str, Any]) -> None:
        unit.keep(action_id, told)

    def kept(self, action_id: str) -> Dict[str, Any]:
        return unit.kept(action_id)

    def _result(
        self, known: Mapping[str, Any], verdict: judge.Verdict, report: Optional[parse.Report]
    ) -> Dict[str, Any]:
        result = self.result(known, verdict.outcome, verdict.changed, verdict.detail, verdict.states)
        result.update(told=dict(verdict.told), steps=self.steps(report) if report is not None else [])
        if verdict.outcome == "applied":
            return result
        # Ansible prints the whole result of what failed; the plan was read before, and is in the record.
        for name in ("plan", "states"):
            del result[name]
        result.update(code=verdict.code, next_step=verdict.next_step)
        result["evidence"] = {
            "step": verdict.step,
            "commit_before": known.get("head"),
            "printed": list(report.tail) if report is not None else [],
        }
        if verdict.back is not None:
            result["next_command"] = {"playbook": decide.PLAYBOOK, "variables": dict(verdict.back)}
        return result


def _seen(context: Context, ended: judge.Ended) -> survey.Seen:
    """What is true now; where the script ended well, once it is known of each start whether it lasts.

    systemd keeps its count of restarts when somebody restarts a unit that waits for the next one. Where its messages cannot be
    read, the first good start out of a loop looks like one more of it.
    """
    seen = survey.seen(context)
    if ended.how == judge.OK and "restarting" in [each.state for each in (seen.api, seen.worker) if each is not None]:
        time.sleep(context.seconds(_LASTS_SECONDS))
        seen = survey.seen(context)
    return seen


def _ended(found: shown.Shown, report: Optional[parse.Report]) -> judge.Ended:
    if found.state == shown.GONE:
        # In the same boot: systemd keeps it until it is taken away, so without output it never was.
        return judge.Ended(judge.NEVER if report is None else judge.LOST)
    if found.state == shown.SUCCEEDED and found.code == 0:
        return judge.Ended(judge.OK, 0)
    if found.result == "timeout":
        return judge.Ended(judge.TIMEOUT)
    if found.code == 0:
        return judge.Ended(judge.OK, 0, worker_restart_failed=True)
    return judge.Ended(judge.KILLED) if found.code is None else judge.Ended(judge.CODE, found.code)


def _begun_on_record(host: Host, action: recorded.Action) -> judge.Begun:
    """What a deploy was begun for, when nothing but the record knows."""
    with host.log.reading() as snapshot:
        begun = next(event for event in snapshot.of_action(action.action_id) if event["kind"] == "action_begun")
    words = [word for argv in begun["data"]["argv"] for word in argv]
    ref = words[words.index("--ref") + 1] if "--ref" in words[:-1] else "of an unknown id"
    worker = None if "--skip-worker-restart" in words else decide.RESTARTED
    return judge.Begun(ref, begun["head"], worker, "--skip-migrations" in words)


def _observation(verdict: judge.Verdict) -> Observation:
    """For the record, with everything that is told in one line."""
    told = " ".join("%s: %s." % (label.capitalize(), words.rstrip(".")) for label, words in verdict.told.items())
    detail = ("%s %s" % (verdict.detail, told)).strip()
    evidence = {"step": verdict.step}
    return Observation(
        verdict.outcome, verdict.changed, detail, verdict.states, verdict.code, verdict.next_step, evidence
    )
