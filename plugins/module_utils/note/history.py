# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of an incident as the note reads them, whatever is missing from them. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from ..parse import times
from ..shapes import mapping, records, whole, words


class Event(NamedTuple):
    """One event of the audit log. Moments are ``2026-11-23T17:50:00Z``, or None when they are none."""

    kind: str
    at: Optional[str]
    recorded_at: Optional[str]
    late: bool
    operator: Optional[str]
    joiner: Optional[str]  # who recorded what somebody else wrote down
    head: Optional[str]
    sequence: Optional[int]
    data: Mapping[str, Any]


class Action(NamedTuple):
    """What changed the host, or was to; ``finished`` is None when no outcome is on record."""

    begun: Event
    finished: Optional[Event]


def read(events: Sequence[Any]) -> List[Event]:
    """The events in the order of the log. What is no event is left out."""
    return [_event(event) for event in records(events) if isinstance(event.get("kind"), str)]


def _event(event: Mapping[str, Any]) -> Event:
    head = event.get("head")
    return Event(
        event["kind"],
        moment(event.get("at")),
        moment(event.get("recorded_at")),
        event.get("late") is True,
        _operator(event.get("by")),
        _operator(event.get("joined_by")),
        head if isinstance(head, str) and head else None,
        whole(event.get("sequence")),
        mapping(event.get("data")),
    )


def _operator(by: Any) -> Optional[str]:
    operator = mapping(by).get("operator")
    return operator if isinstance(operator, str) and operator.strip() else None


def moment(value: Any) -> Optional[str]:
    """A time of an event; None for anything else."""
    try:
        return times.from_zoned(value) if isinstance(value, str) else None
    except ValueError:
        return None


def actions(events: Sequence[Event]) -> List[Action]:
    """Every action that was begun, in the order of the log, with the first outcome of it that follows."""
    begun: Dict[str, int] = {}
    found: List[Action] = []
    for event in events:
        identity = str(event.data.get("action_id"))
        if event.kind == "action_begun":
            begun[identity] = len(found)
            found.append(Action(event, None))
        elif event.kind == "action_finished" and identity in begun:
            place = begun.pop(identity)
            found[place] = Action(found[place].begun, event)
    return found


def newest(events: Sequence[Event], *kinds: str) -> Optional[Event]:
    """The last event of these kinds in the log; None when there is none."""
    return next((event for event in reversed(events) if event.kind in kinds), None)


def objective(action: Action) -> str:
    """What an action was for; its name where that was not said."""
    data = action.begun.data
    return data["objective"] if data.get("objective") else words(data.get("action"))


def changed_after(events: Sequence[Event], event: Event) -> bool:
    """Whether the host was changed after that event, or may have been."""
    later = events[next(number for number, each in enumerate(events) if each is event) + 1 :]
    if any(action.finished is None for action in actions(later)):
        return True
    return any(each.kind == "action_finished" and _changed(each.data) for each in later)


def _changed(data: Mapping[str, Any]) -> bool:
    """Whether an action that ended so changed the host, or may have."""
    changed = data.get("changed")
    return changed is not False and not (changed is None and data.get("outcome") in ("nothing_to_do", "refused"))
