# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an event of the audit log may say: an allow-list of kinds, of their fields and of what a field can hold.

What is not listed here cannot be recorded, so nothing gets into the log by being passed along. Private to this collection.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from .parse import times
from .parse.text import encodable, one_line
from .redact import Redactor

SEVERITIES = ("sev0", "sev1", "sev2", "sev3")
AREAS = ("crawl", "indexing", "storage", "api", "replay", "search", "infra")
# What became of an action (design: outcome); one that was only planned is not begun.
OUTCOMES = ("applied", "nothing_to_do", "refused", "failed", "unknown")
CHECK_RESULTS = ("passed", "failed", "unknown")

# Of one text, in bytes of UTF-8.
TEXT_LIMIT_BYTES = 128 * 1024
_MOST_ITEMS = 1000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}")
_EVENT_ID = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_INCIDENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[a-z0-9]+)+")
_INCIDENT_LIMIT = 80


class BadEvent(Exception):
    """The event may not be recorded; one printable line says why, without quoting what it holds."""


@functools.lru_cache(maxsize=1024)
def _is_recorded_time(value: str) -> bool:
    """Whether it is a time as the log writes it. Most events have the same two or a neighbour's, and half of the time that
    a log takes to read would go into them."""
    try:
        return times.from_zoned(value) == value
    except ValueError:
        return False


class _Nothing(Redactor):
    """Changes nothing: what is read was redacted before it was written, and is compared with itself."""

    def text(self, value: str, truncated: bool = False) -> str:
        return value

    def words(self, command: Sequence[str]) -> List[str]:
        return list(command)


_UNCHANGED = _Nothing()


class Kept(NamedTuple):
    """How one field is written: its value as it goes into the log, or :class:`BadEvent`."""

    keep: Callable[[Any, Redactor], Any]
    required: bool


def _text(value: Any, redactor: Redactor) -> str:
    """Any text, without secrets; characters that no UTF-8 can hold are written as escapes."""
    if not isinstance(value, str):
        raise BadEvent("must be a text")
    kept = redactor.text(encodable(value)) if len(value) <= TEXT_LIMIT_BYTES else value
    if len(kept.encode("utf-8", "surrogatepass")) > TEXT_LIMIT_BYTES:
        raise BadEvent("is longer than %d bytes" % TEXT_LIMIT_BYTES)
    return kept


def _said(value: Any, redactor: Redactor) -> str:
    kept = _text(value, redactor)
    if not kept.strip():
        raise BadEvent("is empty")
    return kept


def _matching(pattern: "re.Pattern[str]", what: str) -> Callable[[Any, Redactor], str]:
    def keep(value: Any, redactor: Redactor) -> str:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise BadEvent("must be %s" % what)
        if redactor.text(value) != value:
            raise BadEvent("holds a secret of the host")
        return value

    return keep


def _one_of(words: Tuple[str, ...]) -> Callable[[Any, Redactor], str]:
    def keep(value: Any, redactor: Redactor) -> str:
        if value not in words or not isinstance(value, str):
            raise BadEvent("must be one of %s" % ", ".join(words))
        return value

    return keep


def _time(value: Any, redactor: Redactor) -> str:
    try:
        return times.from_zoned(value)
    except (TypeError, ValueError) as error:
        raise BadEvent("must be a time with a zone, like 2026-11-23T17:50:00Z") from error


def _boolean(value: Any, redactor: Redactor) -> bool:
    if not isinstance(value, bool):
        raise BadEvent("must be true or false")
    return value


def _list_of(keep_item: Callable[[Any, Redactor], Any]) -> Callable[[Any, Redactor], List[Any]]:
    def keep(value: Any, redactor: Redactor) -> List[Any]:
        if not isinstance(value, (list, tuple)) or len(value) > _MOST_ITEMS:
            raise BadEvent("must be a list of at most %d items" % _MOST_ITEMS)
        return [keep_item(item, redactor) for item in value]

    return keep


def _command(value: Any, redactor: Redactor) -> List[str]:
    """The words of a command; what only the word before tells to be a secret is hidden too."""
    return redactor.words(_list_of(_text)(value, redactor))


def _mapping_of(fields: Mapping[str, Kept]) -> Callable[[Any, Redactor], Dict[str, Any]]:
    def keep(value: Any, redactor: Redactor) -> Dict[str, Any]:
        if not isinstance(value, Mapping):
            raise BadEvent("must be a mapping")
        for name in value:
            if name not in fields:
                raise BadEvent("has a field %s, which is not one of %s" % (one_line(name, 40), ", ".join(fields)))
        kept: Dict[str, Any] = {}
        for name, field in fields.items():
            given = value.get(name)
            if given is None:
                if field.required:
                    raise BadEvent("%s is missing" % name)
                kept[name] = None
                continue
            try:
                kept[name] = field.keep(given, redactor)
            except BadEvent as error:
                raise BadEvent("%s %s" % (name, error)) from error
        return kept

    return keep


def _needs(keep: Callable[[Any, Redactor], Any]) -> Kept:
    return Kept(keep, True)


def _may(keep: Callable[[Any, Redactor], Any]) -> Kept:
    return Kept(keep, False)


_name = _matching(_NAME, "a name of at most 80 letters, digits, dots, colons and dashes")
_event_id = _matching(_EVENT_ID, "16 hexadecimal digits")
_sha256 = _matching(_SHA256, "64 hexadecimal digits")
_commit = _matching(_COMMIT, "a full commit id")
_severity = _one_of(SEVERITIES)

_CLASS = {"class": _needs(_text), "confidence": _may(_text), "summary": _may(_text)}
_CHECK = {"check": _needs(_text), "result": _needs(_one_of(CHECK_RESULTS)), "detail": _may(_text)}
_CLEARANCE = {
    "clearance_id": _needs(_name),
    "holder": _may(_text),
    "until": _may(_time),
    "reason": _may(_text),
}
_GRANTED = {**_CLEARANCE, "required_commits": _may(_list_of(_commit))}

KINDS: Dict[str, Dict[str, Kept]] = {
    "incident_opened": {
        "title": _needs(_said),
        "severity": _needs(_severity),
        "severity_reason": _may(_text),
        "area": _may(_one_of(AREAS)),
        "owner": _may(_text),
        "started_at": _needs(_time),
        "environment": _may(_text),
    },
    "severity_changed": {"from": _needs(_severity), "to": _needs(_severity), "reason": _may(_text)},
    "triage_run": {
        "evidence_digest": _may(_sha256),
        "classes": _needs(_list_of(_mapping_of(_CLASS))),
        "severity": _may(_severity),
        "summary": _may(_text),
    },
    "remark": {"text": _needs(_said)},
    "action_begun": {
        "action_id": _needs(_name),
        "action": _needs(_name),
        "objective": _may(_text),
        "argv": _needs(_list_of(_command)),
        "subjects": _needs(_list_of(_text)),
        "expected_impact": _may(_text),
        "rollback": _may(_text),
        "symptom": _may(_text),
        "plan_id": _may(_name),
        "clearance_id": _may(_name),
        "override_reason": _may(_text),
        "approval": _may(_one_of(("automatic",))),
    },
    "action_finished": {
        "action_id": _needs(_name),
        "outcome": _needs(_one_of(OUTCOMES)),
        "changed": _may(_boolean),
        "detail": _may(_text),
    },
    "verified": {
        "verification_id": _needs(_name),
        "passed": _may(_boolean),
        "checks": _needs(_list_of(_mapping_of(_CHECK))),
    },
    "clearance_granted": _GRANTED,
    "clearance_renewed": _CLEARANCE,
    "clearance_released": {**_CLEARANCE, "forced": _may(_boolean)},
    "clearance_expired": _CLEARANCE,
    "incident_closed": {
        "resolved_at": _needs(_time),
        "trigger": _needs(_said),
        "underlying": _needs(_said),
        "verification_id": _needs(_name),
    },
    "incident_contained": {"resolved_at": _needs(_time), "reason": _needs(_said), "verification_id": _may(_name)},
}

_DATA = {kind: _mapping_of(fields) for kind, fields in KINDS.items()}
_BY = _mapping_of({"account": _may(_text), "operator": _may(_text), "controller": _may(_text), "run": _may(_text)})


class Draft(NamedTuple):
    """An event that somebody wants to record. ``event_id`` None: any; ``at`` None: now.

    ``by``: who wrote it down elsewhere (``operator``, ``controller``, ``run``), only of what is ``late``; else who records.
    """

    kind: str
    data: Mapping[str, Any]
    incident: Optional[str] = None
    event_id: Optional[str] = None
    at: Optional[str] = None
    late: bool = False
    by: Optional[Mapping[str, Any]] = None


class Origin(NamedTuple):
    """Who records: the account on the host, what the caller says of itself, and the commit of the checkout there."""

    account: Optional[str] = None
    operator: Optional[str] = None
    controller: Optional[str] = None
    run: Optional[str] = None
    head: Optional[str] = None


def event_id_of(*words: str) -> str:
    """The id of an event that must not be recorded twice, made from what it is about."""
    return hashlib.sha256(json.dumps(words).encode("ascii")).hexdigest()[:16]


def is_incident(value: Any) -> bool:
    """Whether it is the id of an incident: a date and words, so that no path can be built from it."""
    if not isinstance(value, str) or len(value) > _INCIDENT_LIMIT or _INCIDENT.fullmatch(value) is None:
        return False
    try:
        times.from_zoned(value[:10] + "T00:00:00Z")
    except ValueError:
        return False
    return True


def kept_text(value: Any, redactor: Redactor) -> str:
    """A text as it may be recorded; :class:`BadEvent`."""
    return _text(value, redactor)


def kept_data(kind: Any, data: Any, redactor: Redactor) -> Dict[str, Any]:
    """The data of an event as it may be recorded, every field of its kind in it; :class:`BadEvent`."""
    if not isinstance(kind, str) or kind not in _DATA:
        raise BadEvent("There is no such kind of event.")
    try:
        return _DATA[kind](data, redactor)
    except BadEvent as error:
        raise BadEvent("%s: %s" % (kind, error)) from error


def kept_origin(origin: Origin, redactor: Redactor) -> Dict[str, Any]:
    """``by`` and ``head`` of an event; :class:`BadEvent`."""
    fields = origin._asdict()
    head = fields.pop("head")
    return {"by": _BY(fields, redactor), "head": None if head is None else _commit(head, redactor)}


def kept_claim(value: Any, redactor: Redactor) -> Dict[str, Any]:
    """``by`` of an event that was written down elsewhere: what its writer said of itself; :class:`BadEvent`.

    No account: nobody logged in on the host for it.
    """
    try:
        by = _BY(value, redactor)
    except BadEvent as error:
        raise BadEvent("by %s" % error) from error
    if by["account"] is not None:
        raise BadEvent("by has an account, which is not for the caller to say")
    return by


def kept_event_id(value: Any, redactor: Redactor) -> str:
    """The id of an event; :class:`BadEvent`."""
    try:
        return _event_id(value, redactor)
    except BadEvent as error:
        raise BadEvent("event_id %s" % error) from error


def kept_time(value: Any) -> str:
    """A time as the log writes it; :class:`BadEvent`."""
    return _time(value, _UNCHANGED)


_FRAME = {
    "version",
    "sequence",
    "previous",
    "event_id",
    "kind",
    "incident",
    "at",
    "recorded_at",
    "late",
    "by",
    "head",
    "data",
}
# Only where it is so: behind a line that was cut short; recorded by somebody else than who wrote it down.
_RARE = {"after_torn_line", "joined_by"}
_KIND = re.compile(r"[a-z][a-z_]{0,39}")


def check_recorded(event: Mapping[str, Any]) -> None:
    """That an event which was read has the form of one that may be written; :class:`BadEvent`.

    A kind that this version does not know may come from a newer one: then only the frame is looked at.
    """
    if set(event) - _RARE - {"digest"} != _FRAME or event.get("after_torn_line", True) is not True:
        raise BadEvent("it has other fields than an event")
    sequence = event["sequence"]
    if isinstance(sequence, bool) or not isinstance(sequence, int) or sequence < 1:
        raise BadEvent("its sequence is no number")
    _sha256(event["previous"], _UNCHANGED)
    _event_id(event["event_id"], _UNCHANGED)
    if event["incident"] is not None and not is_incident(event["incident"]):
        raise BadEvent("its incident is no id")
    for name in ("at", "recorded_at"):
        if not isinstance(event[name], str) or not _is_recorded_time(event[name]):
            raise BadEvent("%s has another form" % name)
    _boolean(event["late"], _UNCHANGED)
    if _BY(event["by"], _UNCHANGED) != event["by"]:
        raise BadEvent("by has other fields")
    if "joined_by" in event and (_BY(event["joined_by"], _UNCHANGED) != event["joined_by"] or not event["late"]):
        raise BadEvent("joined_by has other fields, or the event is not late")
    if event["head"] is not None:
        _commit(event["head"], _UNCHANGED)
    kind = event["kind"]
    if not isinstance(kind, str) or _KIND.fullmatch(kind) is None:
        raise BadEvent("its kind is no word")
    if not isinstance(event["data"], dict):
        raise BadEvent("data must be a mapping")
    # A field that came to a kind later is missing in what was written before.
    if kind in _DATA and kept_data(kind, event["data"], _UNCHANGED) != {**dict.fromkeys(KINDS[kind]), **event["data"]}:
        raise BadEvent("%s has another form" % kind)
