# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that is handed to the host's systemd, in the frame of changes: begun, it goes on in a unit of its own; whoever asks
next follows it, or records its end. Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .. import change, recorded, runtime
from ..change import Host, Observation
from ..parse import times
from ..plan import Plan, difference
from ..probe import Context
from ..refusal import Refusal
from . import on_record, shown
from .unit import TransientUnit

# Beside those that all changing modules take: the id of an action or a plan, and how many of its steps are known already.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {"follow": {"type": "str"}, "steps_seen": {"type": "int", "default": 0}}

# How long one question waits for it to go on, and how often it looks meanwhile.
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.2
# systemd starts what it was told to start in some milliseconds, or not at all.
_START_SECONDS = 2.0


class HandedOver(change.Action):
    """Its ``act`` starts ``unit`` for what :meth:`begun` says, and adds what its own end needs. A report is whatever
    :meth:`read` makes of what the unit printed; None where it was never started."""

    unit: TransientUnit

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        # What each is told as whose end is recorded here, by the id of its action.
        self._told: Dict[str, Dict[str, Any]] = {}

    # What is its owner's.

    def demand_wished(self, known: Mapping[str, Any], action: recorded.Action) -> None:
        """:class:`Refusal` when what runs was begun for something else than what is asked for now."""
        raise NotImplementedError

    def read(self, printed: bytes, ended: bool) -> Any:
        """The report of what was printed so far or, when it has ``ended``, of all of it."""
        raise NotImplementedError

    def steps(self, report: Any) -> List[Dict[str, Optional[str]]]:
        """Each with ``name`` and ``command``, as far as it has come."""
        raise NotImplementedError

    def subject(self, known: Mapping[str, Any]) -> Dict[str, Any]:
        """What it was begun for, as a part of each result."""
        raise NotImplementedError

    def progress(self, host: Host, known: Mapping[str, Any], action: recorded.Action, report: Any) -> Dict[str, Any]:
        """How far it is: ``detail``, and what else the result is to have while it runs."""
        raise NotImplementedError

    def ended(
        self, host: Host, known: Mapping[str, Any], found: shown.Shown, report: Any
    ) -> Tuple[Observation, Dict[str, Any]]:
        """What became of it, and what that is told as."""
        raise NotImplementedError

    def ended_on_record(self, host: Host, action: recorded.Action) -> Tuple[Observation, Dict[str, Any]]:
        """The same where only the record knows what it was begun for: it was never started, or a boot came between."""
        raise NotImplementedError

    def at_its_end(self, host: Host) -> Host:
        """The host as the end of it is recorded, where that is not as it was when this run began."""
        return host

    def put_aside(self, action_id: str, told: Mapping[str, Any]) -> None:
        """Its end is on record; what is left of it may go."""

    def kept(self, action_id: str) -> Dict[str, Any]:
        """What was put aside of one whose end was recorded earlier; empty where nothing was."""
        return {}

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
                    waiting = self._running(host, begun[-1], self._report(host.context, ended=True))
                    return {**waiting, "detail": "It has ended; what it left is looked at next. %s" % refusal}
        told = self._told_of(host, wanted or self.parameters["approve"], settled, wanted is not None)
        if told is not None:
            return {**told, "settled": [each for each in settled if each["action_id"] != told["action_id"]]}
        return {"settled": settled} if settled else {}

    def _going(self, host: Host, action: recorded.Action, wanted: Optional[str]) -> Optional[Dict[str, Any]]:
        """The result while it runs; None when it does not."""
        known = self.unit.state()
        if known.get("action_id") != action.action_id:
            return None
        if wanted is not None and wanted not in (action.action_id, known["plan_id"]):
            return None
        context = change.within(host, _WAIT_SECONDS + self.plan_seconds).context
        until = time.monotonic() + (_WAIT_SECONDS if wanted is not None else 0)
        while True:
            if self.unit.look(context).state != shown.RUNNING:
                return None
            report = self._report(context, ended=False)
            news = report is not None and len(self.steps(report)) > self.parameters["steps_seen"]
            if news or time.monotonic() >= until:
                break
            time.sleep(_POLL_SECONDS)
        if wanted is None:
            self.demand_wished(known, action)
        return {**self._running(host, action, report), "begun_incident": action.incident}

    def _running(self, host: Host, action: recorded.Action, report: Any) -> Dict[str, Any]:
        known = self.unit.state()
        return {
            **self._begun_for(known),
            "outcome": "running",
            "changed": True,
            "action_id": action.action_id,
            "steps": [] if report is None else self.steps(report),
            "unit": self.unit.name,
            **self.progress(host, known, action, report),
        }

    def _report(self, context: Context, ended: bool) -> Any:
        printed = self.unit.output(context)
        return None if printed is None else self.read(printed, ended)

    def _record_ends(self, host: Host) -> List[Dict[str, Any]]:
        who = {"action": self.name, **{name: self.parameters[name] for name in ("incident", "operator", "run")}}
        with runtime.acting(who):
            settled = change.settle(self.at_its_end(host), self)
            for action_id in (each["action_id"] for each in settled):
                ours = self.unit.state().get("action_id") == action_id
                self.put_aside(action_id, self._told[action_id])
                if ours:
                    self.unit.forget(change.within(host, self.seconds).context)
        return settled

    def _told_of(
        self, host: Host, wanted: Optional[str], settled: Sequence[Mapping[str, Any]], must: bool
    ) -> Optional[Dict[str, Any]]:
        """The result of the action or plan that is asked for, when it has just been settled, or (``must``) whenever it ended."""
        if wanted is None:
            return None
        for each in settled:
            told = self._told[each["action_id"]]
            if wanted in (each["action_id"], told.get("plan_id")):
                return told
        if not must:
            return None
        events = change.actions_of(host.log)
        begun = on_record.begun(events, wanted)
        if begun is None:
            raise Refusal(
                "not_begun",
                "No %s with the id %s was begun on this host." % (self.unit.what, wanted),
                "Nothing was done under it. Run it without approve to see the plan.",
            )
        return self.kept(begun["action_id"]) or on_record.told(events, begun, self.unit.what)

    # Begun.

    def begun(self, host: Host, plan: Plan) -> Dict[str, Any]:
        """What must be known of it by whoever asks next."""
        return {
            "action_id": host.action_id,
            "incident": host.incident,
            "plan": plan.described(),
            "plan_id": str(host.action_id).split("-")[1],
            "begun_at": times.from_epoch(time.time()),
        }

    def observe(self, host: Host, plan: Plan) -> Observation:
        until = time.monotonic() + _START_SECONDS
        while self.unit.look(host.context).state == shown.GONE and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        words = "The %s runs in %s, and goes on when the link is cut." % (self.unit.what, self.unit.name)
        return Observation("running", True, words)

    # Its end.

    def settle(self, host: Host, action: recorded.Action) -> Optional[Observation]:
        known = self.unit.state()
        if known.get("action_id") != action.action_id:
            seen, told = self.ended_on_record(host, action)
        else:
            found = self.unit.look(host.context)
            if found.state == shown.RUNNING:
                return None
            seen, told = self.ended(host, known, found, self._report(host.context, ended=True))
        self._told[action.action_id] = told
        return seen

    def result(
        self, known: Mapping[str, Any], outcome: str, changed: Optional[bool], detail: str, states: Mapping[str, Any]
    ) -> Dict[str, Any]:
        """What one is told as that has ended, as far as it is the same for all."""
        plan = known.get("plan") or {}
        return {
            **self._begun_for(known),
            "diff": difference(plan.get("before") or {}, states),
            "outcome": outcome,
            "changed": changed is not False,
            "detail": detail,
            "states": dict(states),
        }

    def _begun_for(self, known: Mapping[str, Any]) -> Dict[str, Any]:
        named = {name: known.get(name) for name in ("action_id", "plan_id", "plan", "begun_at")}
        return {**named, **self.subject(known)}
