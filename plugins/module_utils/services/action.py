# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the units that the decision names, once, and see by other ways whether the service works again.

Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union

from .. import change, probe, recorded
from ..budget import Budget
from ..change import ActFailed, Host, Observation
from ..evidence import PROBES
from ..parse import systemd
from ..parse.errors import ParseError
from ..plan import NothingToDo, Plan
from ..probe import Context
from ..probes import api, database
from ..refusal import Refusal
from . import decide, ends, facts
from .seen import API

# Beside those that all changing modules take.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "start_worker": {"type": "bool", "default": False},
    "accept_interruption_of": {"type": "list", "elements": "int", "default": []},
}

_SYSTEMCTL_SECONDS = 60.0
_SHOW_SECONDS = 10.0
# A unit has come up when it was active for so long without another process: systemd restarts the API and the worker after 5 s,
# and a module that is missing shows within two.
_HELD_SECONDS = 8.0
# How long a started unit and what depends on it may take to be well, in seconds: PostgreSQL may have to replay its log.
_WELL_SECONDS = 60.0
_POLL_SECONDS = 0.5
_REACHED: Dict[Optional[bool], str] = {
    True: "check-db reaches PostgreSQL.",
    False: "check-db does not reach PostgreSQL.",
}


class State(NamedTuple):
    """A unit as systemd shows it. ``run``: systemd's id of this run of it, which a restart changes."""

    active: str
    result: str
    started_at: Optional[str]
    run: str

    def described(self) -> Dict[str, str]:
        return {"state": self.active, "result": self.result}


class Services(change.Action):
    """Start or restart API, worker and PostgreSQL where the evidence says that this is the answer."""

    name = decide.ACTION
    # One start of a unit every two hours: what dies again within that time did not die of chance (law 11).
    budget = Budget(per_host=3, per_subject=1, window_seconds=2 * 3600)
    plan_seconds = 60
    # At most three units, and what resets their counters.
    seconds = 240
    observe_seconds = 120

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        seen = self._facts(host.context)
        wish = decide.Wish(
            host.incident, self.parameters["start_worker"], frozenset(self.parameters["accept_interruption_of"])
        )
        decision = decide.decide(seen, wish, host.context.settings)
        if isinstance(decision, Refusal):
            raise decision
        return decision

    def _facts(self, context: Context) -> facts.Facts:
        probes = probe.run_all(context, {name: PROBES[name] for name in facts.PROBES})
        # Before any text is cut.
        found: Mapping[str, Any] = context.redactor.value(probes)
        return facts.from_evidence(found, ends.look(context, facts.names_schema(found)))

    def act(self, host: Host, plan: Plan) -> None:
        for argv in plan.commands:
            result = host.context.run(argv, _SYSTEMCTL_SECONDS)
            if result.rc != 0:
                said = probe.complaint(result.stderr) or result.failure or "rc %d" % result.rc
                raise ActFailed("%s did not go well: %s" % (" ".join(argv[1:]), said.rstrip(".") + "."))

    def observe(self, host: Host, plan: Plan) -> Observation:
        units = [subject.partition(" ")[2] for subject in plan.subjects]
        # Where the API waits for something else, its health is not what this was about.
        return _observe(host.context, units, plan, _subject(API) not in plan.left_out)

    def settle(self, host: Host, action: recorded.Action) -> Optional[Observation]:
        """Nothing of a start outlives its command but the unit itself, and that shows how it is."""
        units = [subject.partition(" ")[2] for subject in action.subjects]
        seen = _observe(host.context, units, None, API in units)
        return seen._replace(changed=None, detail="It was cut off; this is how it is now. %s" % seen.detail)


def _observe(context: Context, units: Sequence[str], plan: Optional[Plan], with_api: bool) -> Observation:
    before, states = _until_held(context, units)
    described = {_subject(unit): each.described() for unit, each in states.items()}
    changed = _changed(states, plan)
    if before is None or len(states) < len(units):
        return Observation("unknown", changed, "The states of the units could not be seen.", described)
    died = [unit for unit in units if states[unit].active != "active" or states[unit].run != before[unit].run]
    if died:
        words = ", ".join("%s is %s (result %s)" % (unit, states[unit].active, states[unit].result) for unit in died)
        return Observation(
            "failed",
            changed,
            "Started, and not well: %s. It is not tried again." % words,
            described,
            "died_again",
            "Read why: sudo journalctl -u %s -n 200 --no-pager. Then triage: another start is a loop and no recovery."
            % died[0],
            {"units": died},
        )
    well, words = _service_is_well(context, with_api)
    detail = "%s %s active for %d s. %s" % (", ".join(units), "is" if len(units) == 1 else "are", _HELD_SECONDS, words)
    if well is None:
        return Observation("unknown", changed, detail, described)
    if not well:
        return Observation("failed", changed, detail, described, "service_not_well")
    return Observation("applied", changed, detail, described)


def _changed(states: Mapping[str, State], plan: Optional[Plan]) -> Optional[bool]:
    """Whether a unit is in another state than the plan found it in; None where that was not seen."""
    if plan is None or any(subject.partition(" ")[2] not in states for subject in plan.subjects):
        return None
    for subject, before in plan.before.items():
        now = states[subject.partition(" ")[2]]
        if now.active != before["state"] or before.get("started_at", now.started_at) != now.started_at:
            return True
    return False


def _until_held(context: Context, units: Sequence[str]) -> "tuple[Optional[Mapping[str, State]], Mapping[str, State]]":
    """The units when all were active at last, and as they are after the time that they must hold; the first is None where
    systemd did not say."""
    end = time.monotonic() + context.seconds(_WELL_SECONDS)
    first = _states(context, units)
    while first is not None and _on_the_way(first) and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
        first = _states(context, units)
    if first is None:
        return None, {}
    now: Optional[Mapping[str, State]] = first
    end = time.monotonic() + context.seconds(_HELD_SECONDS)
    # One that has died is not waited for: it is seen as it is.
    while now is not None and _same(first, now) and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
        now = _states(context, units)
    return (None, {}) if now is None else (first, now)


def _on_the_way(states: Mapping[str, State]) -> bool:
    return any(each.active in ("activating", "reloading", "deactivating") for each in states.values())


def _same(first: Mapping[str, State], now: Mapping[str, State]) -> bool:
    return all(each.active == "active" and each.run == first[unit].run for unit, each in now.items())


def _states(context: Context, units: Sequence[str]) -> Optional[Dict[str, State]]:
    argv = ["/usr/bin/systemctl", "show", *units, "--no-pager", "--timestamp=unix"]
    result = context.run([*argv, "--property=" + ",".join((*systemd.PROPERTIES, "InvocationID"))], _SHOW_SECONDS)
    found: Dict[str, State] = {}
    try:
        shown = systemd.show(result.stdout) if result.rc == 0 else {}
        for unit in units:
            state = systemd.unit_state(shown[unit])
            known = (state["active_state"], state["result"], state["started_at"])
            found[unit] = State(*known, shown[unit].get("InvocationID", ""))
    except (ParseError, KeyError):
        return None
    return found


def _service_is_well(context: Context, with_api: bool) -> "tuple[Optional[bool], str]":
    """The other way: what the service itself answers. None where it could not be asked."""
    words: List[str] = []
    healthy = True
    if with_api:
        health = _health(context)
        healthy = health.get("status") == 200 and health.get("database_check") == "ok"
        words.append("/api/health answers %s." % (health.get("status") or health.get("failure") or "nothing"))
    reached = (database.probe(context).data or {}).get("reachable")
    words.append(_REACHED.get(reached, "Whether check-db reaches PostgreSQL is not known."))
    if healthy and reached is None:
        return None, " ".join(words)
    return bool(healthy and reached), " ".join(words)


def _health(context: Context) -> Dict[str, Any]:
    """What the API answers at last: it takes some seconds to start, and to find its database again."""
    end = time.monotonic() + context.seconds(_WELL_SECONDS)
    while True:
        health = api.probe(context).data or {}
        if health.get("database_check") == "ok" or time.monotonic() >= end:
            return health
        time.sleep(_POLL_SECONDS)


def _subject(unit: str) -> str:
    return "unit %s" % unit


__all__ = ("API", "ARGUMENT_SPEC", "Services")
