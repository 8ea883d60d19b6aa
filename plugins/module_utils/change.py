# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every change: plan, approval, clearance, begin record, act, observe, outcome record (laws 1 to 5, 11).

An :class:`Action` fills in what is its own: plan, act, observe. In which order, and what is demanded before, is decided here
and nowhere else. Private to this collection.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Union

from . import budget, clearance, events, identity, origin, recorded, runtime
from .audit import AuditLog, Paths
from .plan import NothingToDo, Plan, difference, plan_id
from .probe import Context
from .refusal import Refusal
from .settings import BadInput

# Beside those of `settings`: what every changing module takes.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "incident": {"type": "str", "required": True},
    "clearance": {"type": "str", "no_log": True},
    "approve": {"type": "str"},
    "budget_override_reason": {"type": "str"},
    **{name: {"type": "str"} for name in ("operator", "controller", "run")},
}


class Observation(NamedTuple):
    """What was seen after the act, by another way than what acted. ``outcome``: applied, failed, unknown or nothing_to_do;
    ``changed`` None: not known; ``states`` as ``before`` and ``after`` of the plan."""

    outcome: str
    changed: Optional[bool]
    detail: str
    states: Mapping[str, Any] = {}


class ActFailed(Exception):
    """The act, or a part of it, did not go as it should; one line says which. What it left is observed all the same."""


class Host(NamedTuple):
    """What an action may use: the settings, the environment and the only way to run a command are in ``context``."""

    context: Context
    log: AuditLog
    incident: str


class Action:
    """One kind of change. Nothing of it is asked before the frame has seen that it may be."""

    name = ""
    budget = budget.Budget(per_host=6, per_subject=3, window_seconds=24 * 3600)
    # How long the act may take at most, in seconds: the clearance must last that long.
    seconds = 120

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        """What would be done now; reads only. :class:`Refusal`."""
        raise NotImplementedError

    def act(self, host: Host, plan: Plan) -> None:
        """Do it, once. :class:`ActFailed`."""
        raise NotImplementedError

    def observe(self, host: Host, plan: Plan) -> Observation:
        """See what is true now."""
        raise NotImplementedError

    def settle(self, host: Host, action: recorded.Action) -> Observation:
        """See what became of an act of this kind whose end nobody recorded; nothing of it runs any more."""
        return Observation("unknown", None, "Its end was not recorded: whoever did it was cut off.")


def run(context: Context, parameters: Mapping[str, Any], action: Action, check_mode: bool) -> Dict[str, Any]:
    """Plan it or, when the plan is approved, do it. The result has ``outcome`` and ``changed``; :class:`BadInput` where nothing
    was done."""
    said = [parameters[name] for name in ("operator", "controller", "run")]
    where = context.settings
    log = AuditLog(Paths(where.ops_directory), origin.find(where.checkout, *said), context.redactor)
    host = Host(context, log, parameters["incident"])
    _check_incident(log, host.incident)
    if check_mode or parameters["approve"] is None:
        return _planned(host, action)
    who = {"action": action.name, "incident": host.incident, **{name: parameters[name] for name in ("operator", "run")}}
    with runtime.acting(who):
        settled = _settle(host, action)
        return {**_approved(host, action, parameters), "settled": settled}


def _planned(host: Host, action: Action) -> Dict[str, Any]:
    plan = action.plan(host)
    if isinstance(plan, NothingToDo):
        return _nothing(host, plan)
    return {
        "outcome": "planned",
        "changed": False,
        "plan": plan.described(),
        "plan_id": _plan_id(host, plan),
        "incident": host.incident,
        "diff": difference(plan.before, plan.after),
    }


def _approved(host: Host, action: Action, parameters: Mapping[str, Any]) -> Dict[str, Any]:
    token = parameters["clearance"]
    permit = clearance.check(host.context, token, host.incident, action.seconds)
    plan = action.plan(host)
    if isinstance(plan, NothingToDo):
        return _nothing(host, plan)
    now_id = _plan_id(host, plan)
    if parameters["approve"] != now_id:
        raise Refusal(
            "plan_changed",
            "The plan that was approved (%s) is not what would be done now (%s)." % (parameters["approve"], now_id),
            "Read the plan of now, and approve that one if it is right: -e approve=%s" % now_id,
            plan=plan.described(),
            plan_id=now_id,
        )
    override = parameters["budget_override_reason"]
    _check_budget(host, action, plan, override)
    action_id = "%s-%s-%s" % (action.name, now_id, secrets.token_hex(4))
    host.log.begin(
        host.incident,
        action_id,
        action.name,
        objective=plan.objective,
        argv=[list(argv) for argv in plan.commands],
        subjects=list(plan.subjects),
        expected_impact=plan.expected_impact,
        rollback=plan.rollback,
        plan_id=now_id,
        clearance_id=permit.clearance_id,
        override_reason=override,
    )
    observation, failure = _act(host, action, plan, token)
    detail = observation.detail if failure is None else "%s %s" % (failure, observation.detail)
    result = {
        "outcome": observation.outcome,
        "changed": observation.changed is not False,
        "plan": plan.described(),
        "plan_id": now_id,
        "incident": host.incident,
        "action_id": action_id,
        "detail": detail,
        "states": dict(observation.states),
        "diff": difference(plan.before, observation.states or plan.before),
    }
    try:
        host.log.finish(host.incident, action_id, observation.outcome, observation.changed, detail)
    except BadInput as error:
        # What was done is done: the next run, or triage, finds a beginning without an end.
        result.update(outcome="unknown", detail="%s It is not on record how it ended: %s" % (detail, error))
    return result


def _act(host: Host, action: Action, plan: Plan, token: Optional[str]) -> Any:
    """The observation, and what went wrong, or None."""
    failure: Optional[str] = None
    try:
        # HEAD, once more: since the plan, the begin record was written.
        clearance.check(host.context, token, host.incident, 1)
    except BadInput as error:
        return Observation("refused", False, "Nothing was done: %s" % error), None
    try:
        action.act(host, plan)
    except ActFailed as error:
        failure = str(error)
    except Exception as error:  # a fault of ours: what it left must be seen and recorded all the same
        failure = "%s: %s." % (type(error).__name__, error)
    try:
        observation = action.observe(host, plan)
    except Exception as error:
        observation = Observation("unknown", None, "What it left could not be seen: %s." % error)
    if failure is not None and observation.outcome == "applied":
        # Whatever was seen, somebody said that it went wrong.
        observation = observation._replace(outcome="unknown")
    return observation, failure


def _nothing(host: Host, found: NothingToDo) -> Dict[str, Any]:
    return {
        "outcome": "nothing_to_do",
        "changed": False,
        "detail": found.detail,
        "left_out": dict(found.left_out),
        "incident": host.incident,
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


def _check_incident(log: AuditLog, name: str) -> None:
    """Law 3."""
    if not events.is_incident(name):
        raise Refusal(
            "bad_incident",
            "The incident must be an id like 2026-11-23-api-down: a date and words of a-z and 0-9 with dashes.",
            "Open one (playbook open_incident), and give the id that it prints: -e incident=ID",
        )
    with log.reading() as snapshot:
        found = recorded.Record(snapshot.events_of(name)).incidents.get(name)
    if found is None:
        raise Refusal(
            "incident_unknown",
            "There is no incident %s in the record of this host." % name,
            "Open one first (playbook open_incident): nothing is changed without a note.",
        )
    if found.state != "open":
        raise Refusal(
            "incident_closed",
            "Incident %s is %s since %s." % (name, found.state, found.resolved_at),
            "Open a new one: nothing is changed in the name of one that is over.",
        )


def _check_budget(host: Host, action: Action, plan: Plan, override: Optional[str]) -> None:
    with host.log.reading() as snapshot:
        marks = (b'"kind":"action_begun"', b'"kind":"action_finished"')
        known = [event for event in snapshot.marked(marks, 0, snapshot.size) if event is not None]
    found = budget.spent(known, action.name, time.time(), action.budget)
    budget.check(found, action.name, plan.subjects, action.budget, override)


def _settle(host: Host, action: Action) -> List[Dict[str, Any]]:
    """Record the ends of acts of this kind that were cut off: nobody acts now, for we have the lock."""
    with host.log.reading() as snapshot:
        unfinished = recorded.Record(snapshot.events_of(host.incident)).unfinished.values()
    settled = []
    for each in unfinished:
        if each.action != action.name:
            continue
        seen = action.settle(host, each)
        host.log.finish(host.incident, each.action_id, seen.outcome, seen.changed, seen.detail)
        settled.append({**each.described(), "outcome": seen.outcome, "detail": seen.detail})
    return settled
