# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deploy in the frame of changes: begun, it goes on in a unit of its own; whoever asks next follows it, or records its end.

Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from .. import change, origin, recorded, runtime
from ..budget import Budget
from ..change import Host, Observation
from ..parse import deploy as parse
from ..parse import systemd, times
from ..plan import NothingToDo, Plan, difference
from ..probe import Context
from ..refusal import Refusal
from ..settings import BadInput
from . import command, decide, judge, survey, unit

# Beside those that all changing modules take.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "deploy_ref": {"type": "str", "required": True},
    "accept_interruption_of": {"type": "list", "elements": "int", "default": []},
    "timeout": {"type": "int", "default": 3600},
    **{
        name: {"type": "bool", "default": False}
        for name in ("install_units", "apply_alerting", "restart_replay", "skip_public_check")
    },
    "follow": {"type": "str"},
    "steps_seen": {"type": "int", "default": 0},
}

# How long one question waits for a deploy to go on, and how often it looks meanwhile.
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.2
# systemd starts what it was told to start in some milliseconds, or not at all.
_START_SECONDS = 2.0
# A start that is older is none of a loop.
_LASTS_SECONDS = systemd.RECENT_SECONDS + 1.0


class Deploy(change.Action):
    """Deploy one commit with the service's own script."""

    name = decide.ACTION
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
        # What a deploy is told as when its end is recorded here, by the id of its action.
        self._told: Dict[str, Dict[str, Any]] = {}
        self._worker: Optional[str] = None
        self._seen: Optional[survey.Seen] = None

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
                    return self._waiting(host, begun[-1], refusal)
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
            if unit.look(context).state != unit.RUNNING:
                return None
            report = _report(context, ended=False)
            news = report is not None and len(_shown(report)) > self.parameters["steps_seen"]
            if news or time.monotonic() >= until:
                break
            time.sleep(_POLL_SECONDS)
        if wanted is None and known["ref"] != self.wish.ref:
            raise Refusal(
                "deploy_running",
                "A deploy of another commit runs since %s: %s." % (action.begun_at, known["ref"]),
                "To follow it, run this with deploy_ref=%s. This one was not begun." % known["ref"],
                deploy_ref=known["ref"],
                action_id=action.action_id,
                incident=action.incident,
            )
        return {**_of_state(known), **_running(action, report), "begun_incident": action.incident}

    def _waiting(self, host: Host, action: recorded.Action, why: Refusal) -> Dict[str, Any]:
        found = {**_of_state(unit.state()), **_running(action, _report(host.context, ended=True))}
        return {**found, "detail": "It has ended; what it left is looked at next. %s" % why}

    def _record_ends(self, host: Host) -> List[Dict[str, Any]]:
        who = {"action": self.name, **{name: self.parameters[name] for name in ("incident", "operator", "run")}}
        with runtime.acting(who):
            # Not what was true when this run began: it is recorded with the end.
            settled = change.settle(_at_its_head(host, self.parameters), self)
            for each in settled:
                self._put_aside(host, each["action_id"])
        return settled

    def _put_aside(self, host: Host, action_id: str) -> None:
        told = self._told.get(action_id)
        if told is None:
            return
        ours = unit.state().get("action_id") == action_id
        unit.keep(action_id, told)
        if ours:
            unit.forget(change.within(host, self.seconds).context)

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
        for event in reversed(change.actions_of(host.log)):
            data = event["data"]
            if event["kind"] == "action_begun" and wanted in (data["action_id"], data["plan_id"]):
                return unit.kept_state(data["action_id"]) or _of_record(host, data)
        raise Refusal(
            "not_begun",
            "No deploy with the id %s was begun on this host." % wanted,
            "Nothing was done under it. Run it without approve to see the plan.",
        )

    # Plan, act, observe.

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
        state = {
            "action_id": host.action_id,
            "incident": host.incident,
            "ref": self.wish.ref,
            "head": head,
            "head_on_main": None if self._seen is None else self._seen.on_main,
            "worker": self._worker,
            "keeps_schema": self._keeps,
            "accepted": list(self.wish.accepted),
            "plan": plan.described(),
            "plan_id": str(host.action_id).split("-")[1],
            "begun_at": times.from_epoch(time.time()),
        }
        unit.start(host.context, plan.commands[0], state, self._worker == decide.RESTARTED_AFTER)

    def observe(self, host: Host, plan: Plan) -> Observation:
        until = time.monotonic() + _START_SECONDS
        while unit.look(host.context).state == unit.GONE and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        return Observation("running", True, "The deploy runs in %s, and goes on when the link is cut." % command.NAME)

    # Its end.

    def settle(self, host: Host, action: recorded.Action) -> Optional[Observation]:
        known = unit.state()
        ours = known.get("action_id") == action.action_id
        report = None
        if ours:
            found = unit.look(host.context)
            if found.state == unit.RUNNING:
                return None
            report = _report(host.context, ended=True)
            ended = _ended(found, report)
            begun = judge.Begun(
                known["ref"], known["head"], known["worker"], known["keeps_schema"], known["head_on_main"]
            )
        else:
            ended = judge.Ended(judge.LOST)
            begun = _begun_on_record(host, action)
            known = {"action_id": action.action_id, "ref": begun.ref, "head": begun.head, "begun_at": action.begun_at}
        verdict = judge.judge(begun, ended, report, _seen(host.context, ended))
        self._told[action.action_id] = _result(known, verdict, report, ours)
        evidence = {"step": verdict.step}
        return Observation(
            *(
                verdict.outcome,
                verdict.changed,
                _detail(verdict),
                verdict.states,
                verdict.code,
                verdict.next_step,
                evidence,
            )
        )


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


def _report(context: Context, ended: bool) -> Optional[parse.Report]:
    """Of what was printed, without secrets; None where the script was never started."""
    printed = unit.output()
    if printed is None:
        return None
    text = context.redactor.text(printed.decode("utf-8", "surrogateescape"), True)
    return parse.report(text.encode("utf-8", "surrogateescape"), ended)


def _ended(found: unit.Unit, report: Optional[parse.Report]) -> judge.Ended:
    if found.state == unit.GONE:
        # In the same boot: systemd keeps it until it is taken away, so without output it never was.
        return judge.Ended(judge.NEVER if report is None else judge.LOST)
    if found.state == unit.SUCCEEDED and found.code == 0:
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


def _at_its_head(host: Host, parameters: Mapping[str, Any]) -> Host:
    log = host.log
    head = origin.head(host.context.settings.checkout)
    return host._replace(log=type(log)(log.paths, log.origin._replace(head=head), log.redactor))


def _shown(report: parse.Report) -> List[Dict[str, Optional[str]]]:
    shown = [step._asdict() for step in report.steps]
    return shown + ([{"name": "worker", "command": report.ours}] if report.ours else [])


def _running(action: recorded.Action, report: Optional[parse.Report]) -> Dict[str, Any]:
    step = report.last if report is not None else None
    return {
        "outcome": "running",
        "changed": True,
        "action_id": action.action_id,
        "steps": _shown(report) if report is not None else [],
        "detail": "The deploy runs since %s; %s."
        % (action.begun_at, "step: %s" % step if step else "no step has begun yet"),
        "unit": command.NAME,
    }


def _of_state(known: Mapping[str, Any]) -> Dict[str, Any]:
    return {
        "action_id": known.get("action_id"),
        "plan_id": known.get("plan_id"),
        "plan": known.get("plan"),
        "commit": known.get("ref"),
        "commit_before": known.get("head"),
        "begun_at": known.get("begun_at"),
    }


def _result(
    known: Mapping[str, Any], verdict: judge.Verdict, report: Optional[parse.Report], output_kept: bool
) -> Dict[str, Any]:
    told = dict(verdict.told)
    plan = known.get("plan") or {}
    result = {
        **_of_state(known),
        "diff": difference(plan.get("before") or {}, verdict.states),
        "outcome": verdict.outcome,
        "changed": verdict.changed is not False,
        "detail": verdict.detail,
        "states": dict(verdict.states),
        "told": told,
        "steps": _shown(report) if report is not None else [],
    }
    if output_kept and report is not None:
        result["output"] = unit.path_of(str(known["action_id"]))
    if verdict.outcome == "applied":
        return result
    if "output" in result:
        told["printed"] = "all of it is on the host until its next boot: %s" % result["output"]
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


def _detail(verdict: judge.Verdict) -> str:
    """For the record: everything that is told, in one line."""
    told = " ".join("%s: %s." % (label.capitalize(), words.rstrip(".")) for label, words in verdict.told.items())
    return ("%s %s" % (verdict.detail, told)).strip()


def _of_record(host: Host, begun: Mapping[str, Any]) -> Dict[str, Any]:
    """The result of a deploy of which only the record is left."""
    known = {"action_id": begun["action_id"], "plan_id": begun["plan_id"]}
    for event in change.actions_of(host.log):
        if event["kind"] == "action_finished" and event["data"]["action_id"] == begun["action_id"]:
            data = event["data"]
            found = {
                **known,
                "outcome": data["outcome"],
                "changed": data["changed"] is not False,
                "detail": data["detail"],
            }
            if data["outcome"] not in ("applied", "nothing_to_do"):
                found.update(
                    code="ended_before", next_step="Run it without approve to see what is to be done now.", evidence={}
                )
            return found
    raise BadInput(
        "outcome_unrecorded",
        "The deploy %s was begun, and its end is not on record." % begun["action_id"],
        "Run it again without approve: it records how it ended.",
    )
