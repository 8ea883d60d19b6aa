# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every change: plan, approval, clearance, begin record, act, observe, outcome record (laws 1 to 5, 11).

An :class:`Action` fills in what is its own: plan, act, observe. In which order, and what is demanded before, is decided here
and nowhere else. Private to this collection.
"""

from __future__ import annotations

import secrets
import time
import traceback
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import approval, budget, clearance, events, identity, opened, origin, recorded, runtime
from .audit import AuditLog, Paths
from .budget import Budget
from .incident import says_something
from .parse.text import one_line
from .plan import NothingToDo, Plan, difference, plan_id
from .probe import Context
from .refusal import Refusal
from .settings import BadInput

# Beside those of `settings`: what every changing module takes.
CALLER = ("operator", "controller", "run")
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "incident": {"type": "str", "required": True},
    # No `no_log`: it would blank out in every message what happens to be equal to it. It is not shown, see `changing`.
    "clearance": {"type": "str"},
    "approve": {"type": "str"},
    "budget_override_reason": {"type": "str"},
    **{name: {"type": "str"} for name in CALLER},
}

_DETAIL_LIMIT = 2000
_AFTERWARDS = "See what is true now (playbook triage) before anything else is done."


class Observation(NamedTuple):
    """What was seen after the act, by another way than what acted. ``outcome``: applied, failed, unknown or nothing_to_do, or
    ``running`` when the act was handed to the host's systemd and goes on there: then its end is recorded when it is settled.
    ``changed`` None: not known; ``states`` as ``before`` and ``after`` of the plan. ``code`` and ``next_step`` say more where it
    did not go as it should. ``evidence``: what else was seen; it is in the result, and not on record."""

    outcome: str
    changed: Optional[bool]
    detail: str
    states: Mapping[str, Any] = {}
    code: Optional[str] = None
    next_step: Optional[str] = None
    evidence: Mapping[str, Any] = {}


class ActFailed(Exception):
    """The act, or a part of it, did not go as it should; one line says which. What it left is observed all the same."""


class Host(NamedTuple):
    """What an action may use: the settings, the environment and the only way to run a command are in ``context``, whose deadline
    is that of the step that it is for."""

    context: Context
    log: AuditLog
    incident: str
    # Of the act, from when it begins.
    action_id: Optional[str] = None


class Action:
    """One kind of change, with what was said about it. Nothing of it is asked before the frame has seen that it may be.

    :meth:`__init__` may refuse what was said (:class:`BadInput`), and looks at nothing.
    """

    # What others are told while it acts. The record and the budget count it by `action` of its plan: letters, digits, dots,
    # colons, underscores and dashes, at most 50. `names` are those that its plans may have, by default the one.
    name = ""
    names: Tuple[str, ...] = ()
    budget = Budget(per_host=6, per_subject=3, window_seconds=24 * 3600)
    # False only for what brings the host to the commit that a clearance is about.
    needs_clearance = True
    # How long each step may take at most. The clearance must last until the act has ended.
    plan_seconds = 60
    seconds = 120
    observe_seconds = 60

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters

    def resume(self, host: Host, check_mode: bool) -> Dict[str, Any]:
        """Asked first: what goes on already, or has ended without a record of its end, and is to be told instead of a plan. With
        an ``outcome`` this is the result, and nothing is planned; without one, it becomes part of the result."""
        return {}

    def counted(self, plan: Plan) -> Sequence[str]:
        """The subjects by which its budget counts it."""
        return plan.subjects

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        """What would be done now; reads only. :class:`Refusal`."""
        raise NotImplementedError

    def act(self, host: Host, plan: Plan) -> None:
        """Do it, once. :class:`ActFailed`. :class:`Refusal` only as long as nothing has been done."""
        raise NotImplementedError

    def observe(self, host: Host, plan: Plan) -> Observation:
        """See what is true now."""
        raise NotImplementedError

    def settle(self, host: Host, action: recorded.Action) -> Optional[Observation]:
        """See what became of an act of this kind whose end nobody recorded. No process of ours runs any more; what it handed
        to the host's systemd may. None: it still goes on, and nothing is recorded."""
        return Observation("unknown", None, "Its end was not recorded: whoever did it was cut off.")


def refused(error: BadInput) -> Dict[str, Any]:
    """The result where nothing was done."""
    return {
        "outcome": "refused",
        "changed": False,
        "code": error.code,
        "detail": str(error),
        "next_step": error.next_step,
        "evidence": dict(getattr(error, "evidence", {})),
    }


def actions_of(log: AuditLog) -> List[Dict[str, Any]]:
    """The beginnings and ends of actions that are on record, of all incidents, in the order of the log."""
    marks = (b'"kind":"action_begun"', b'"kind":"action_finished"')
    with log.reading() as snapshot:
        # A line that is no event is what a killed writer leaves: what it would have said was not begun.
        return [event for event in snapshot.marked(marks, 0, snapshot.size) if event is not None]


def run(context: Context, parameters: Mapping[str, Any], action: Action, check_mode: bool) -> Dict[str, Any]:
    """Plan it or, when the plan is approved, do it. Raises nothing: the result has ``outcome`` and ``changed``, and where it is
    neither planned, applied nor nothing_to_do, ``code``, ``detail``, ``next_step`` and ``evidence``."""
    said: Dict[str, Any] = {"incident": parameters["incident"]}
    try:
        host = _host(context, parameters)
        said["head"] = host.log.origin.head
        approved = approval.given(parameters["approve"], context)
        said.update(action.resume(host, check_mode))
        if "outcome" in said:
            return said
        if check_mode or approved is None:
            # What a check is asked is whether something would be changed; Ansible shows a difference only where it would.
            return {**said, **_planned(host, action, check_mode)}
        who = {"action": action.name, **{name: parameters[name] for name in ("incident", "operator", "run")}}
        with runtime.acting(who):
            said["settled"] = [*said.get("settled", []), *settle(host, action)]
            return {**said, **_approved(host, action, approved, parameters)}
    except BadInput as error:
        return {**said, **refused(error)}
    except Exception as error:  # a fault of ours; what begins to act answers for itself
        return {**said, **refused(_fault(error))}


def _host(context: Context, parameters: Mapping[str, Any]) -> Host:
    where = context.settings
    caller = [parameters[name] for name in CALLER]
    log = AuditLog(Paths(where.ops_directory), origin.find(where.checkout, *caller), context.redactor)
    try:
        events.kept_origin(log.origin, context.redactor)
    except events.BadEvent as error:
        raise _bad_event(error) from error
    opened.check(log, parameters["incident"])
    return Host(context, log, parameters["incident"])


def within(host: Host, seconds: float) -> Host:
    """The same with a deadline of its own."""
    return host._replace(context=host.context._replace(deadline=time.monotonic() + seconds))


def _planned(host: Host, action: Action, changed: bool) -> Dict[str, Any]:
    unfinished = [each.described() for each in unfinished_actions(host)]
    plan = action.plan(within(host, action.plan_seconds))
    if isinstance(plan, NothingToDo):
        return {**_nothing(plan), "unfinished_actions": unfinished}
    return {
        "outcome": "planned",
        "changed": changed,
        "plan": plan.described(),
        "plan_id": _plan_id(host, plan),
        "needs_clearance": action.needs_clearance,
        "diff": difference(plan.before, plan.after),
        "unfinished_actions": unfinished,
    }


def _approved(host: Host, action: Action, approved: str, parameters: Mapping[str, Any]) -> Dict[str, Any]:
    token = parameters["clearance"]
    permit = _permit(host, action, token, action.plan_seconds + action.seconds)
    plan = action.plan(within(host, action.plan_seconds))
    if isinstance(plan, NothingToDo):
        return _nothing(plan)
    now_id = _plan_id(host, plan)
    if approved not in (now_id, approval.AUTOMATIC):
        raise Refusal(
            "plan_changed",
            "The plan that was approved (%s) is not what would be done now (%s)." % (approved, now_id),
            "Read the plan of now, and approve that one if it is right: -e approve=%s" % now_id,
            plan=plan.described(),
            plan_id=now_id,
            needs_clearance=action.needs_clearance,
        )
    override = _override(parameters)
    spent = budget.spent(actions_of(host.log), plan.action, time.time(), action.budget)
    budget.check(spent, plan.action, action.counted(plan), action.budget, override)
    action_id = "%s-%s-%s" % (plan.action, now_id, secrets.token_hex(4))
    try:
        host.log.begin(
            host.incident,
            action_id,
            plan.action,
            objective=plan.objective,
            argv=[list(argv) for argv in plan.commands],
            subjects=list(plan.subjects),
            expected_impact=plan.expected_impact,
            rollback=plan.rollback,
            symptom=plan.symptom,
            plan_id=now_id,
            clearance_id=None if permit is None else permit.clearance_id,
            override_reason=override,
            approval="automatic" if approved == approval.AUTOMATIC else None,
        )
    except events.BadEvent as error:
        raise _bad_event(error) from error
    # From here on nothing is raised: it is on record that it began, and how it ended must get there.
    seen = _act(host._replace(action_id=action_id), action, plan, token)
    result: Dict[str, Any] = {
        "outcome": seen.outcome,
        "changed": seen.changed is not False,
        "plan": plan.described(),
        "plan_id": now_id,
        "action_id": action_id,
        "detail": seen.detail,
        "states": dict(seen.states),
        "diff": difference(plan.before, seen.states or plan.before),
    }
    if seen.evidence:
        result["evidence"] = dict(seen.evidence)
    if seen.outcome == "running":
        return result
    problem = _finish(host, host.incident, action_id, seen)
    if problem is not None:
        # What was done is done: the next run, or triage, finds a beginning without an end.
        result.update(outcome="unknown", detail="%s It is not on record how it ended: %s" % (seen.detail, problem))
        result.update(code="outcome_unrecorded", next_step=_AFTERWARDS, evidence=dict(seen.evidence))
    elif seen.outcome not in ("applied", "nothing_to_do"):
        result["code"] = seen.code or ("act_failed" if seen.outcome == "failed" else "outcome_unknown")
        result.update(next_step=seen.next_step or _AFTERWARDS, evidence=dict(seen.evidence))
    return result


def _act(host: Host, action: Action, plan: Plan, token: Optional[str]) -> Observation:
    failure: Optional[str] = None
    try:
        # Once more: since the plan was made, the begin record was written.
        _permit(host, action, token, action.seconds)
        action.act(within(host, action.seconds), plan)
    except BadInput as error:
        evidence = getattr(error, "evidence", {})
        said = "Nothing was done: %s" % error
        return Observation("refused", False, said, plan.before, error.code, error.next_step, evidence)
    except ActFailed as error:
        failure = str(error)
    except Exception as error:  # a fault of ours: what it left must be seen and recorded all the same
        failure = _named(error)
    try:
        seen = action.observe(within(host, action.observe_seconds), plan)
    except Exception as error:
        seen = Observation("unknown", None, "What it left could not be seen: %s" % _named(error))
    if failure is None:
        return seen
    # Whatever was seen, somebody said that it went wrong.
    outcome = "unknown" if seen.outcome == "applied" else seen.outcome
    return seen._replace(outcome=outcome, detail="%s %s" % (failure, seen.detail))


def _finish(host: Host, incident: Optional[str], action_id: str, seen: Observation) -> Optional[str]:
    """Record how it ended; why that could not be done, or None."""
    detail = host.log.redactor.line(seen.detail, _DETAIL_LIMIT)
    try:
        host.log.finish(incident, action_id, seen.outcome, seen.changed, detail)
    except BadInput as error:
        return str(error)
    except Exception as error:
        return _named(error)
    return None


def settle(host: Host, action: Action) -> List[Dict[str, Any]]:
    """Record the ends of acts of this kind that were cut off: nobody else acts now."""
    settled = []
    for each in unfinished_actions(host):
        if each.action not in (action.names or (action.name,)):
            continue
        seen = action.settle(within(host, action.observe_seconds), each)
        if seen is None:
            continue
        host.log.finish(
            each.incident,
            each.action_id,
            seen.outcome,
            seen.changed,
            host.log.redactor.line(seen.detail, _DETAIL_LIMIT),
        )
        settled.append({**each.described(), "outcome": seen.outcome, "detail": seen.detail})
    return settled


def unfinished_actions(host: Host) -> Tuple[recorded.Action, ...]:
    """Of all incidents, in the order in which they began."""
    return tuple(recorded.Record(actions_of(host.log)).unfinished.values())


def _nothing(found: NothingToDo) -> Dict[str, Any]:
    return {
        "outcome": "nothing_to_do",
        "changed": False,
        "detail": found.detail,
        "left_out": dict(found.left_out),
    }


def _plan_id(host: Host, plan: Plan) -> str:
    head = host.log.origin.head
    if head is None:
        raise Refusal(
            "git_unreadable",
            "git does not say at which commit %s is." % host.context.settings.checkout,
            "See why: git -C %s status, as the checkout's owner. A plan belongs to a commit."
            % host.context.settings.checkout,
        )
    return plan_id(plan, identity.machine_id(), host.incident, head)


def _override(parameters: Mapping[str, Any]) -> Optional[str]:
    reason = parameters["budget_override_reason"]
    if reason is None or says_something(reason):
        return reason
    raise Refusal(
        "bad_override",
        "budget_override_reason says nothing.",
        "Say in your own words why it is right to do it once more, or leave it out.",
    )


def _permit(host: Host, action: Action, token: Optional[str], seconds: int) -> Optional[clearance.Permit]:
    """What lets it act for so long, None where nothing is needed. Law 1: asked on the host, of the host."""
    if not action.needs_clearance:
        return None
    permit = clearance.check(within(host, action.plan_seconds).context, token, host.incident, seconds)
    if host.log.origin.head == permit.head:
        return permit
    raise Refusal(
        "head_moved",
        "The clearance is for commit %s, and the checkout is at %s." % (permit.head, host.log.origin.head),
        "See who moved it. Then run the playbook again without approve, and read the new plan.",
    )


def _bad_event(error: events.BadEvent) -> Refusal:
    return Refusal(
        "bad_event",
        "This cannot be recorded, and so is not done: %s." % str(error).rstrip("."),
        "Correct it and run it again. docs/incident-record.md lists what an event can hold.",
    )


def _fault(error: Exception) -> Refusal:
    return Refusal(
        "internal_error",
        "%s Nothing was changed." % _named(error),
        "This is a fault of the collection: report it with the evidence. Do by hand what cannot wait, and write that down.",
        traceback=traceback.format_exc(),
    )


def _named(error: Exception) -> str:
    return one_line("%s: %s." % (type(error).__name__, str(error).rstrip(".")), 500)
