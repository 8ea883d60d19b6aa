# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents as the events of the audit log tell them: no input, no output, no clock. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Tuple

from . import verdict
from .parse import times

# Severities whose end the public is told of, and within how many seconds of the resolution (contract 4.14).
_TOLD = ("sev0", "sev1")
_TOLD_WITHIN_SECONDS = 48 * 3600


class Action(NamedTuple):
    """An action that was begun and of which no end is recorded."""

    action_id: str
    incident: Optional[str]
    action: str
    begun_at: str
    subjects: Tuple[str, ...]

    def described(self) -> Dict[str, Any]:
        return {**self._asdict(), "subjects": list(self.subjects)}


class Verification(NamedTuple):
    """``position`` is its place in the log; ``at`` is when the look ended. ``passed``: what its checks show."""

    verification_id: str
    passed: Optional[bool]
    position: int
    at: str
    look: verdict.Look


class Incident:
    """One incident as its events tell it."""

    def __init__(self, incident: str, opened: Mapping[str, Any], opened_at: str) -> None:
        self.id = incident
        self.title: str = opened["title"]
        self.severity: str = opened["severity"]
        self.severity_reason: Optional[str] = opened["severity_reason"]
        self.area: Optional[str] = opened["area"]
        self.owner: Optional[str] = opened["owner"]
        self.environment: Optional[str] = opened["environment"]
        self.started_at: str = opened["started_at"]
        self.state = "open"
        self.resolved_at: Optional[str] = None
        self.reason: Optional[str] = None
        self.trigger: Optional[str] = None
        self.underlying: Optional[str] = None
        self.verification: Optional[Verification] = None
        self.severity_changes = 0
        self._severity_at = opened_at

    @property
    def communication_deadline(self) -> Optional[str]:
        """Until when the public is to be told: only after the end, and only of the gravest (contract 4.14)."""
        if self.resolved_at is None or self.severity not in _TOLD:
            return None
        return times.from_epoch(times.to_epoch(self.resolved_at) + _TOLD_WITHIN_SECONDS)

    def change_severity(self, to: str, reason: Optional[str], at: str) -> None:
        """What joins late may be older than what is there."""
        self.severity_changes += 1
        if at >= self._severity_at:
            self.severity, self.severity_reason, self._severity_at = to, reason, at

    def ended_before(self, moment: str) -> bool:
        """Whether it was over before that moment."""
        return self.resolved_at is not None and self.resolved_at < moment

    def described(self) -> Dict[str, Any]:
        """The incident as modules return it and as its note is made from."""
        names = (
            *("id", "title", "severity", "severity_reason", "area", "owner", "environment", "started_at", "state"),
            *("resolved_at", "reason", "trigger", "underlying", "communication_deadline"),
        )
        return {name: getattr(self, name) for name in names}


class Record:
    """All that the events say, of which only what decisions need is kept."""

    def __init__(self, recorded: Iterable[Mapping[str, Any]] = ()) -> None:
        self.incidents: Dict[str, Incident] = {}
        self.unfinished: Dict[str, Action] = {}
        self._ids: Dict[str, Tuple[str, Optional[str]]] = {}
        self._position = 0
        self._last_change: Optional[Tuple[int, str]] = None
        self._begun: Dict[str, int] = {}
        for event in recorded:
            self.add(event)

    def recorded(self, event_id: str) -> Optional[Tuple[str, Optional[str]]]:
        """Kind and incident of the event of that id, None if there is none."""
        return self._ids.get(event_id)

    def changed_after(self, verification: Verification) -> bool:
        """Whether the host was changed, or may have been, after that look at it, in whatever incident."""
        if any(position > verification.position for position in self._begun.values()):
            return True
        if self._last_change is None:
            return False
        position, at = self._last_change
        # Recorded after it, or made while it looked or later: a look may be recorded long after it was made.
        return position > verification.position or at >= verification.at

    def add(self, event: Mapping[str, Any]) -> None:
        """Take the next event. One of an unknown kind says nothing here."""
        self._position += 1
        kind, name, data = event["kind"], event["incident"], event["data"]
        self._ids.setdefault(event["event_id"], (kind, name))
        if kind == "action_begun":
            self._begin(event)
        elif kind == "action_finished":
            self._finish(event)
        if kind == "incident_opened" and name is not None and name not in self.incidents:
            self.incidents[name] = Incident(name, data, event["at"])
            return
        incident = self.incidents.get(name)
        if incident is None:
            return
        if kind == "severity_changed":
            incident.change_severity(data["to"], data["reason"], event["at"])
        elif kind == "verified":
            look = verdict.Look(event["at"], event.get("recorded_at"))
            if incident.verification is None or verdict.stands_for(look, incident.verification.look):
                known = (data["verification_id"], verdict.of(data), self._position, look.ended)
                incident.verification = Verification(*known, look)
        elif kind == "incident_contained":
            incident.state, incident.reason, incident.resolved_at = "contained", data["reason"], data["resolved_at"]
        elif kind == "incident_closed":
            incident.state, incident.resolved_at = "closed", data["resolved_at"]
            incident.trigger, incident.underlying = data["trigger"], data["underlying"]

    def _begin(self, event: Mapping[str, Any]) -> None:
        data = event["data"]
        action = (data["action_id"], event["incident"], data["action"], event["at"], tuple(data["subjects"]))
        self.unfinished[data["action_id"]] = Action(*action)
        self._begun[data["action_id"]] = self._position

    def _finish(self, event: Mapping[str, Any]) -> None:
        data = event["data"]
        self.unfinished.pop(data["action_id"], None)
        self._begun.pop(data["action_id"], None)
        left_alone = data["changed"] is None and data["outcome"] in ("nothing_to_do", "refused")
        if data["changed"] is not False and not left_alone:
            self._last_change = (self._position, event["at"])
