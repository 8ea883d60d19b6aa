# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be recorded next of an incident: no input, no output, no clock.

:func:`decide` is the rule of opening first and of closing only what is done (design 8, law 3; contract 4.1, 4.14).
Private to this collection.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Collection, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from . import events
from .events import Draft
from .parse import times
from .recorded import Action, Incident, Record, Verification
from .settings import BadInput

STATES = ("open", "closed", "contained")
_DAY_SECONDS = 24 * 3600
# Clocks differ a little.
_AHEAD_SECONDS = 300
_SLUG_LIMIT = 60
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SUFFIXES = "abcdefghijklmnopqrstuvwxyz"
# What summaries print where the operator's own words belong.
TRIGGER, UNDERLYING, REASON = "WHAT_SET_IT_OFF", "WHY_IT_COULD_HAPPEN", "WHY"
PLACEHOLDERS = (TRIGGER, UNDERLYING, REASON)
# What a caller may have recorded besides what follows from the wish.
CALLERS_KINDS = ("incident_opened", "remark", "triage_run", "verified", "action_finished")
# And besides those, of what was written down while the host could not be reached.
LATE_KINDS = ("severity_changed",)


class Wish(NamedTuple):
    """What the caller wants to be true. None: not said.

    Every value is as it may be recorded: checked, without secrets, the data of events with all fields of their kind.
    """

    state: str = "open"
    incident: Optional[str] = None
    title: Optional[str] = None
    severity: Optional[str] = None
    severity_reason: Optional[str] = None
    area: Optional[str] = None
    owner: Optional[str] = None
    environment: Optional[str] = None
    slug: Optional[str] = None
    started_at: Optional[str] = None
    reason: Optional[str] = None
    trigger: Optional[str] = None
    underlying: Optional[str] = None
    environment_found: Optional[str] = None  # what the host calls itself, where the caller does not say
    events: Sequence[Draft] = ()


class Decision(NamedTuple):
    """``drafts`` are to be recorded, in this order; ``record`` is what holds afterwards."""

    incident: str
    drafts: List[Draft]
    record: Record
    ignored: List[str]  # what the caller said that the record says otherwise, one line each


def decide(recorded: Iterable[Mapping[str, Any]], wish: Wish, now: str, taken: Collection[str] = ()) -> Decision:
    """What is to be recorded so that the wish holds; :class:`settings.BadInput` if it must not.

    ``now``: UTC, as the log writes it. ``taken``: ids that notes elsewhere have already.
    """
    record = Record(recorded)
    decision = Decision("", [], record, [])
    name, opening = _which(record, wish, now, taken)
    decision = decision._replace(incident=name)
    if opening is not None:
        _add(decision, opening, now)
    incident = record.incidents[name]
    _check_same(decision, incident, wish, opening is not None)
    _check_same_severity(decision, incident, wish)
    for draft in wish.events:
        if draft.kind != "incident_opened":
            _add_callers(decision, draft, now, wish.incident)
    _change_severity(decision, incident, wish, now)
    if wish.state == "open":
        _stay_open(incident, wish)
    elif wish.state == "contained":
        _contain(decision, incident, wish, now)
    else:
        _close(decision, incident, wish, now)
    return decision


def opening_id(incident: str, title: str) -> str:
    """The event_id of an opening. Another incident that has this id elsewhere has another title."""
    return events.event_id_of("incident_opened", incident, title)


def saying_id(incident: str, kind: str, at: Optional[str], data: Mapping[str, Any]) -> str:
    """The event_id of what a caller says without one: the same words are the same event, wherever they are recorded.
    ``at`` None: when it happened was not said."""
    return events.event_id_of("caller", incident, kind, at or "", json.dumps(dict(data), sort_keys=True))


def slug_of(title: str) -> str:
    """Words for an id from any text; ``incident`` when it holds none."""
    plain = unicodedata.normalize("NFKD", title[:1000]).encode("ascii", "ignore").decode("ascii").lower()
    slug = ""
    for word in re.findall(r"[a-z0-9]+", plain):
        longer = slug + "-" + word if slug else word[:_SLUG_LIMIT]
        if len(longer) > _SLUG_LIMIT:
            break
        slug = longer
    return slug or "incident"


def _which(record: Record, wish: Wish, now: str, taken: Collection[str]) -> Tuple[str, Optional[Draft]]:
    """The incident that is meant, and the event that opens it if it is new."""
    late = next((draft for draft in wish.events if draft.kind == "incident_opened"), None)
    if late is not None:
        return _joined(record, wish, late, now, taken)
    if wish.incident is not None:
        if not events.is_incident(wish.incident):
            raise BadInput(
                "bad_incident",
                "The incident must be an id like 2026-11-23-api-down: a date and words of a-z and 0-9 with dashes.",
                "Give the id as opening it returned it. incident_info lists all of them.",
            )
        if wish.incident not in record.incidents:
            raise BadInput(
                "incident_unknown",
                "There is no incident %s in the record of this host." % wish.incident,
                "Open it first, with a title and a severity. incident_info lists those that there are.",
            )
        return wish.incident, None
    if wish.state != "open":
        raise BadInput(
            "incident_missing", "It is not said which incident is to be %s." % wish.state,
            "Give its id as incident. incident_info lists all of them.",
        )  # fmt: skip
    return _opened(record, wish, now, taken)


def _opened(record: Record, wish: Wish, now: str, taken: Collection[str]) -> Tuple[str, Optional[Draft]]:
    if wish.title is None or not wish.title.strip():
        raise BadInput(
            "title_missing", "An incident needs a title to be opened.", "Give a title: what is wrong, in a few words."
        )
    slug = _slug(wish)
    same = _same(record, wish.title, {slug}, wish.started_at, now)
    if same is not None:
        return same.id, None
    if wish.severity is None:
        raise BadInput(
            "severity_missing",
            "An incident needs a severity to be opened.",
            "Give sev0, sev1, sev2 or sev3; triage suggests one. When unsure, go higher.",
        )
    started_at = now if wish.started_at is None else wish.started_at
    name = _free(record, "%s-%s" % (_date(started_at, now), slug), taken)
    data = {
        "title": wish.title,
        "severity": wish.severity,
        "severity_reason": wish.severity_reason,
        "area": wish.area,
        "owner": wish.owner,
        "started_at": started_at,
        "environment": wish.environment_found if wish.environment is None else wish.environment,
    }
    return name, Draft("incident_opened", data, name, opening_id(name, wish.title))


def _joined(record: Record, wish: Wish, late: Draft, now: str, taken: Collection[str]) -> Tuple[str, Optional[Draft]]:
    """An incident that was opened where the host could not be reached. Its id may have been given to another one since."""
    if late.event_id is None:
        raise BadInput(
            "bad_event", "An incident_opened among the events needs its event_id, so that it is recorded once.",
            "Give the event_id that the scratchpad has.",
        )  # fmt: skip
    title, started_at = late.data["title"], late.data["started_at"]
    at = now if late.at is None else late.at
    there = record.recorded(late.event_id)
    known = record.incidents.get(there[1] or "") if there is not None and there[0] == "incident_opened" else None
    if known is not None and not known.ended_before(at):
        return known.id, None
    slug = _slug(wish._replace(title=title))
    wanted = wish.incident if wish.incident is not None else "%s-%s" % (_date(started_at, now), slug)
    if not events.is_incident(wanted):
        raise BadInput("bad_incident", "The incident's id is not one.", "Give the id that the scratchpad has.")
    _date(started_at, now)
    # The host may have recorded it in a run whose link broke, or in somebody else's. A start that was not said is when it was
    # opened, so that the two differ.
    same = _same(record, title, _words(wanted), None if started_at == at else started_at, at)
    if same is not None:
        return same.id, None
    name = _free(record, wanted, taken)
    event_id = late.event_id if there is None else opening_id(name, title)
    return name, late._replace(incident=name, event_id=event_id)


def _slug(wish: Wish) -> str:
    slug = slug_of(wish.title or "") if wish.slug is None else wish.slug
    if len(slug) > _SLUG_LIMIT or _SLUG.fullmatch(slug) is None:
        raise BadInput(
            "bad_slug",
            "The slug must be words of a-z and 0-9 with single dashes, at most %d characters." % _SLUG_LIMIT,
            "Give another slug, or none: then it is made from the title.",
        )
    return slug


def _date(started_at: str, now: str) -> str:
    """Of the id: the UTC date of the start (contract 4.14)."""
    if times.to_epoch(started_at) > times.to_epoch(now) + _AHEAD_SECONDS:
        raise BadInput(
            "started_later", "The incident cannot have started at %s: it is %s now." % (started_at, now),
            "Correct started_at, or leave it out: then it started now. Look at the clocks if it is right.",
        )  # fmt: skip
    return started_at[:10]


def _same(record: Record, title: str, words: Collection[str], started_at: Optional[str], at: str) -> Optional[Incident]:
    """The incident that this would be again, opened at that time: one that was not over then, of the same title. It is of
    the same day or, so that midnight makes no second one, began within a day of it. ``words``: of the id, any of them."""
    found = None
    for incident in record.incidents.values():
        over = incident.ended_before(at) or incident.resolved_at == at
        if incident.title != title or over or not _words(incident.id).intersection(words):
            continue
        apart = abs(times.to_epoch(at) - times.to_epoch(incident.started_at))
        if incident.started_at == started_at or (started_at is None and apart <= _DAY_SECONDS):
            found = incident
    return found


def _words(incident: str) -> Set[str]:
    """The words of an id, and these without what may have been put behind them."""
    words = incident[11:]
    return {words, words[:-2]} if words[-2:-1] == "-" and words[-1] in _SUFFIXES else {words}


def _free(record: Record, wanted: str, taken: Collection[str]) -> str:
    """The id, with ``-a``, ``-b`` when it is taken (contract 4.14)."""
    for name in (wanted, *("%s-%s" % (wanted, suffix) for suffix in _SUFFIXES)):
        if name not in record.incidents and name not in taken:
            return name
    raise BadInput(
        "too_many_incidents",
        "There are %d incidents with the id %s already." % (len(_SUFFIXES) + 1, wanted),
        "Give another slug.",
    )


def _check_same(decision: Decision, incident: Incident, wish: Wish, new: bool) -> None:
    """What cannot be changed any more: another title is another incident, the rest is only said."""
    if new:
        return
    if wish.title is not None and wish.title != incident.title:
        raise BadInput(
            "incident_differs",
            "Incident %s has another title." % incident.id,
            "Leave the title out if this incident is meant, or leave the incident out to open a new one.",
        )
    for name in ("area", "owner", "environment", "started_at"):
        said = getattr(wish, name)
        if said is not None and said != getattr(incident, name):
            decision.ignored.append(
                "%s of incident %s stays what was recorded when it was opened." % (name, incident.id)
            )


def _check_same_severity(decision: Decision, incident: Incident, wish: Wish) -> None:
    """Of an opening that is not recorded, because the incident is there: its severity is only said."""
    late = next((draft for draft in wish.events if draft.kind == "incident_opened"), None)
    if late is None or late.event_id is None or decision.record.recorded(late.event_id) is not None:
        return
    if late.data["severity"] != incident.severity:
        decision.ignored.append(
            "Incident %s was opened elsewhere, too, as %s; its severity stays %s. Open it again with another if that is right."
            % (incident.id, late.data["severity"], incident.severity)
        )


def _add(decision: Decision, draft: Draft, now: str) -> None:
    decision.drafts.append(draft)
    decision.record.add(
        {
            "kind": draft.kind,
            "incident": draft.incident,
            "event_id": draft.event_id,
            "at": now if draft.at is None else draft.at,
            "late": draft.late,
            "data": draft.data,
        }
    )


def _add_callers(decision: Decision, draft: Draft, now: str, former: Optional[str]) -> None:
    """An event that the caller brings: once, by its id, or by what it says. ``former``: the id that the incident has where
    it was written down."""
    name = decision.incident
    if draft.kind not in CALLERS_KINDS and not (draft.late and draft.kind in LATE_KINDS):
        raise BadInput(
            "bad_event",
            "An event of the kind %s is not recorded on request." % draft.kind,
            "Kinds that are: %s." % ", ".join(CALLERS_KINDS),
        )
    event_id = _identity(decision.record, draft, name, former)
    there = decision.record.recorded(event_id)
    if there is not None:
        if there != (draft.kind, name):
            raise BadInput(
                "event_conflict",
                "The record has another event with the id %s." % event_id,
                "Leave the event_id out, or give every event one of its own.",
            )
        return
    if draft.kind == "action_finished":
        _check_settled(decision.record, draft, name)
    if draft.kind == "severity_changed":
        if draft.data["to"] == decision.record.incidents[name].severity:
            return
        draft = draft._replace(data={**draft.data, "from": decision.record.incidents[name].severity})
    _add(decision, draft._replace(incident=name, event_id=event_id), now)


def _identity(record: Record, draft: Draft, name: str, former: Optional[str]) -> str:
    """The event_id that an event has in the record, or will have. One that joins late may be there: recorded by a run that
    never heard of it, with its secrets left out, or under another id of its incident."""
    if draft.event_id is None:
        return saying_id(name, draft.kind, draft.at, draft.data)
    if not draft.late:
        return draft.event_id
    event_id = draft.event_id
    for at in (None, draft.at):
        own = saying_id(name, draft.kind, at, draft.data)
        if record.recorded(own) == (draft.kind, name):
            return own
        if former is not None and event_id == saying_id(former, draft.kind, at, draft.data):
            event_id = own
    there = record.recorded(event_id)
    # Of another incident, which has the id here that this one had where it was written down.
    return event_id if there in (None, (draft.kind, name)) else events.event_id_of("late", name, event_id)


def _check_settled(record: Record, draft: Draft, name: str) -> None:
    """A person may say of an action whose end nobody recorded that its outcome is not known, and nothing better."""
    action = record.unfinished.get(draft.data["action_id"])
    if action is None or action.incident != name:
        raise BadInput(
            "action_unknown",
            "No unfinished action of incident %s has that action_id." % name,
            "incident_info lists the unfinished actions.",
        )
    if draft.data["outcome"] != "unknown" or draft.data["changed"] is not None or not draft.data["detail"]:
        raise BadInput(
            "outcome_not_seen",
            "Of an action whose end was not recorded, only outcome unknown can be said, with a detail.",
            "Give outcome: unknown and what was looked at as detail, then verify the host.",
        )


def _change_severity(decision: Decision, incident: Incident, wish: Wish, now: str) -> None:
    if wish.severity is None or wish.severity == incident.severity:
        return
    if incident.state == "closed":
        decision.ignored.append("severity of incident %s stays what it was when it was closed." % incident.id)
        return
    reason = wish.severity_reason if wish.severity_reason is not None else wish.reason
    change = {"from": incident.severity, "to": wish.severity, "reason": reason}
    event_id = events.event_id_of("severity_changed", incident.id, str(incident.severity_changes), wish.severity)
    _add(decision, Draft("severity_changed", change, incident.id, event_id), now)


def _stay_open(incident: Incident, wish: Wish) -> None:
    if incident.state == "open":
        return
    # What was written down while the host could not be reached joins whatever became of the incident meanwhile.
    if wish.events and all(draft.late for draft in wish.events):
        return
    raise _ended(
        incident, "Open a new incident: give a title and no id. To add events to this one, give its state too."
    )


def _contain(decision: Decision, incident: Incident, wish: Wish, now: str) -> None:
    if incident.state == "contained" and wish.reason in (None, incident.reason):
        return
    if incident.state != "open":
        raise _ended(incident, "It stays as it is. Open a new incident if something is wrong again.")
    if not says_something(wish.reason):
        raise BadInput(
            "reason_missing",
            "Incident %s cannot be called contained without a reason." % incident.id,
            "Give a reason: what holds it, what is not known or not done, and who looks at it again.",
        )
    look = incident.verification
    data = {
        "resolved_at": now,
        "reason": wish.reason,
        "verification_id": None if look is None else look.verification_id,
    }
    event_id = events.event_id_of("incident_contained", incident.id)
    _add(decision, Draft("incident_contained", data, incident.id, event_id), now)


def _close(decision: Decision, incident: Incident, wish: Wish, now: str) -> None:
    if incident.state == "closed":
        if wish.trigger in (None, incident.trigger) and wish.underlying in (None, incident.underlying):
            return
        raise _ended(incident, "Its cause stays as recorded. Write what was learned since into the note.")
    if not says_something(wish.trigger) or not says_something(wish.underlying):
        raise BadInput(
            "cause_missing",
            "Incident %s cannot be closed without its cause." % incident.id,
            "Give trigger (what set it off) and underlying (why that could happen) in your own words, or state: contained with "
            "a reason.",
        )
    unfinished = [action for action in decision.record.unfinished.values() if action.incident == incident.id]
    if unfinished:
        raise BadInput(
            "action_unfinished",
            "Incident %s cannot be closed: %s was begun at %s and its end is not recorded."
            % (incident.id, unfinished[0].action, unfinished[0].begun_at),
            "Run that action's playbook again, which finds out how it ended. If nothing can, record an action_finished with "
            "outcome unknown for %s." % unfinished[0].action_id,
        )
    look = incident.verification
    verify = "Run the playbook verify with incident=%s, then close it again." % incident.id
    if look is None:
        raise BadInput("verification_missing", "Incident %s was never verified." % incident.id, verify)
    if look.passed is not True:
        said = "did not pass" if look.passed is False else "could not see everything"
        raise BadInput(
            "verification_failed",
            "The last verification of incident %s, at %s, %s." % (incident.id, look.at, said),
            "Look at what it found and mend it. " + verify,
        )
    if decision.record.changed_after(look):
        raise BadInput(
            "verification_outdated",
            "The host was changed after the last verification of incident %s, at %s." % (incident.id, look.at),
            verify,
        )
    running = [action for action in decision.record.unfinished.values() if action.incident is not None]
    if running:
        raise BadInput(
            "action_unfinished",
            "Incident %s cannot be closed: %s of incident %s was begun at %s and its end is not recorded, so it may be changing "
            "the host." % (incident.id, running[0].action, running[0].incident, running[0].begun_at),
            "Settle it in its own incident, verify again, then close this one.",
        )
    data = {
        # What was contained was over then: the public's 48 hours count from there.
        "resolved_at": now if incident.resolved_at is None else incident.resolved_at,
        "trigger": wish.trigger,
        "underlying": wish.underlying,
        "verification_id": look.verification_id,
    }
    _add(decision, Draft("incident_closed", data, incident.id, events.event_id_of("incident_closed", incident.id)), now)


def says_something(text: Optional[str]) -> bool:
    """Whether there are words in it, and not only the word that a summary puts in their place."""
    return text is not None and any(sign.isalnum() for sign in text) and text.strip(" \t\r\n'\".") not in PLACEHOLDERS


def _ended(incident: Incident, next_step: str) -> BadInput:
    return BadInput(
        "incident_closed",
        "Incident %s is %s since %s." % (incident.id, incident.state, incident.resolved_at),
        next_step,
    )


__all__ = ["Action", "Decision", "Incident", "Record", "Verification", "Wish", "decide", "slug_of"]
