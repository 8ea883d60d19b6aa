# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules ``incident`` and ``incident_info`` do on the host. Private to this collection.

The rules are in :mod:`.incident`, the log in :mod:`.audit`, the note in :mod:`.note`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Set, Tuple

from . import audit, envfile, events, files, incident, known_secrets, note_file, origin, settings
from .audit import AuditLog, Paths, Snapshot
from .events import BadEvent, Draft
from .note import lines as note_lines
from .note.render import render
from .note_file import NoteFile, Unwritten
from .parse import audit as chains
from .parse import times
from .parse.errors import ParseError
from .parse.text import encodable
from .probes import units
from .redact import Redactor
from .settings import BadInput, Settings

TEMPLATE = "docs/_templates/incident-template.md"
NOTES = "docs/operations/incidents"
# More than a log of some hundred megabytes takes: whatever blocks this process is ended with it.
_SECONDS = 300

_TEXTS = ("title", "severity_reason", "owner", "environment", "reason", "trigger", "underlying")
INFO_ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {**settings.ARGUMENT_SPEC, "incident": {"type": "str"}}
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    **INFO_ARGUMENT_SPEC,
    "state": {"type": "str", "choices": list(incident.STATES), "default": "open"},
    "severity": {"type": "str", "choices": list(events.SEVERITIES)},
    "area": {"type": "str", "choices": list(events.AREAS)},
    **{name: {"type": "str"} for name in (*_TEXTS, "slug", "started_at", "operator", "controller", "run")},
    "events": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "kind": {"type": "str", "choices": [*incident.CALLERS_KINDS, *incident.LATE_KINDS], "required": True},
            "data": {"type": "dict", "required": True},
            "event_id": {"type": "str"},
            "at": {"type": "str"},
            "late": {"type": "bool", "default": False},
            "by": {"type": "dict"},
        },
    },
}


# What a caller may have typed, or pasted.
_TYPED = (*_TEXTS, "incident", "slug", "started_at", "operator", "controller", "run", "events")
NOT_SHOWN = "NOT SHOWN: A TEXT MAY HOLD A SECRET. THE RESULT HAS WHAT WAS RECORDED."


class Outcome(NamedTuple):
    """What a module returns; ``notices`` are for a person, one line each, ``before`` and ``after`` are the note's text."""

    result: Dict[str, Any]
    notices: List[str]
    before: str
    after: str


class _Host(NamedTuple):
    settings: Settings
    redactor: Redactor
    secrets_known: bool


def shown(parameters: Mapping[str, Any]) -> Dict[str, Any]:
    """What Ansible may show of a call with -vvv: without the texts, in which only the record has the secrets left out."""
    return {name: NOT_SHOWN if name in _TYPED and value else value for name, value in parameters.items()}


def look(parameters: Mapping[str, Any]) -> Dict[str, Any]:
    """What the record says, of one incident or of all. :class:`BadInput`."""
    here = _host(parameters)
    wanted = parameters["incident"]
    if wanted is not None and not events.is_incident(wanted):
        raise BadInput(
            "bad_incident",
            "The incident must be an id like 2026-11-23-api-down: a date and words of a-z and 0-9 with dashes.",
            "Leave it out to see all of them.",
        )
    log = AuditLog(Paths(here.settings.ops_directory), events.Origin(), here.redactor)
    chain = chains.Chain()
    with log.reading() as snapshot:
        record = incident.Record(snapshot.events(chain))
        if wanted is not None and wanted not in record.incidents:
            raise BadInput(
                "incident_unknown",
                "There is no incident %s in the record of this host." % wanted,
                "Leave it out to see all of them.",
            )
        result = {
            "incidents": [
                each.described() for each in record.incidents.values() if wanted is None or each.id == wanted
            ],
            "unfinished_actions": _unfinished(record, wanted),
            "events": [] if wanted is None else list(snapshot.events_of(wanted)),
            "record": _told(log, snapshot, chain),
        }
    return here.redactor.value(result)


def change(parameters: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Make the wish true, or say what would be done. :class:`BadInput`."""
    here = _host(parameters)
    try:
        wish = _wish(parameters, here)
        said = [_kept(parameters, name, here.redactor) for name in ("operator", "controller", "run")]
    except BadEvent as error:
        raise _bad_event(error, here.redactor) from error
    log = AuditLog(
        Paths(here.settings.ops_directory), origin.find(here.settings.checkout, *said), here.redactor
    )  # fmt: skip
    now = time.time()
    if check_mode:
        log.check_writable()
        with log.directory(create=False) as directory, log.reading() as snapshot:
            return _changed(here, log, directory, snapshot, wish, now, None)
    # What is refused creates nothing either.
    with log.reading() as snapshot:
        if snapshot.size == 0:
            _decided(here, snapshot, chains.Chain(), wish, now)
    with log.directory(create=True) as directory, log.writing() as writer:
        return _changed(here, log, directory, writer, wish, now, writer)


def _changed(
    here: _Host,
    log: AuditLog,
    directory: Optional[int],
    snapshot: Snapshot,
    wish: incident.Wish,
    now: float,
    writer: Optional[audit.Writer],
) -> Outcome:
    """``writer`` None: nothing is written."""
    chain = chains.Chain()
    decision = _decided(here, snapshot, chain, wish, now)
    torn = chain.torn[-1] if chain.torn_end else None
    if not chain.verified and any(draft.kind == "incident_closed" for draft in decision.drafts):
        raise BadInput(
            "record_broken",
            "Incident %s cannot be closed: the record %s is not whole, so it proves no verification."
            % (decision.incident, log.paths.log),
            "incident_info names the first broken line. Until it is explained, state: contained with a reason is the honest end.",
        )
    planned = _planned(log, snapshot, decision.drafts, now, here.redactor)
    recorded = list(snapshot.events_of(decision.incident))
    if writer is None:
        recorded += planned
    else:
        for draft in decision.drafts:
            event = writer.append(draft).event
            chain.follow(chains.encode(event))
            recorded.append(event)
    found = decision.record.incidents[decision.incident].described()
    template, template_problem = _template(here)
    note = NoteFile(directory, log.paths.directory, decision.incident)
    before, after, problems = _note(note, template, found, recorded, writer is not None)
    told = _told(log, snapshot, chain)
    result = {
        "changed": bool(decision.drafts) or before != after,
        "incident": found,
        "events": recorded,
        "confirmed": [draft.event_id for draft in wish.events if draft.event_id is not None],
        "head_digest": told["head_digest"],
        "record": told,
        "unfinished_actions": _unfinished(decision.record, decision.incident),
        "template": {"path": TEMPLATE, "text": template, "problem": template_problem},
        "notes": note.path,
        "note": {"changed": before != after, "problems": problems},
    }
    notices = list(decision.ignored)
    if torn is not None:
        # Perhaps that an action began: what was begun is on the disk before it does anything, so it did not, unless the line
        # was damaged later.
        notices.append(
            "Line %d of %s, its last, is no event: its writer was cut short, or it was damaged. What it said is lost, perhaps "
            "that an action began. See on the host whether something was changed at that time." % (torn, log.paths.log)
        )
    notices += [problem["message"] for problem in problems]
    if not told["verified"]:
        first = told["problems"][0]
        notices.append("The record is not whole: line %d of %s: %s." % (first["line"], log.paths.log, first["message"]))
    if not here.secrets_known:
        notices.append(
            "The host's secrets could not be read: only what looks like a secret was left out of the record."
        )
    return Outcome(
        here.redactor.value(result),
        notices,
        here.redactor.text(encodable(before)),
        here.redactor.text(encodable(after)),
    )


def _host(parameters: Mapping[str, Any]) -> _Host:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_SECONDS)
    where = settings.from_parameters(parameters)
    secrets = known_secrets.collect(where.env_file, [units.API, units.WORKER])
    return _Host(where, Redactor(secrets), bool(secrets))


def _wish(parameters: Mapping[str, Any], here: _Host) -> incident.Wish:
    redactor = here.redactor
    for name in ("incident", "slug"):
        if parameters[name] is not None and redactor.text(parameters[name]) != parameters[name]:
            raise BadInput(
                "secret_in_id", "The %s holds a secret of the host." % name, "Give another one: it becomes a file name."
            )
    drafts = []
    for number, event in enumerate(parameters["events"], start=1):
        try:
            drafts.append(
                Draft(
                    event["kind"],
                    events.kept_data(event["kind"], event["data"], redactor),
                    None,
                    None if event.get("event_id") is None else events.kept_event_id(event["event_id"], redactor),
                    None if event.get("at") is None else events.kept_time(event["at"]),
                    bool(event.get("late")),
                    None if event.get("by") is None else events.kept_claim(event["by"], redactor),
                )
            )
        except BadEvent as error:
            raise BadEvent("event %d: %s" % (number, error)) from error
    started_at = parameters["started_at"]
    try:
        started_at = None if started_at is None else events.kept_time(started_at)
    except BadEvent as error:
        raise BadEvent("started_at %s" % error) from error
    return incident.Wish(
        state=parameters["state"],
        incident=parameters["incident"],
        severity=parameters["severity"],
        area=parameters["area"],
        slug=parameters["slug"],
        started_at=started_at,
        environment_found=_environment_name(here),
        events=drafts,
        **{name: _kept(parameters, name, redactor) for name in _TEXTS},
    )


def _kept(parameters: Mapping[str, Any], name: str, redactor: Redactor) -> Optional[str]:
    if parameters[name] is None:
        return None
    try:
        return events.kept_text(parameters[name], redactor)
    except BadEvent as error:
        raise BadEvent("%s %s" % (name, error)) from error


def _bad_event(error: BadEvent, redactor: Redactor) -> BadInput:
    return BadInput(
        "bad_event",
        redactor.line("This cannot be recorded: %s." % str(error).rstrip("."), 400),
        "Correct it and run it again: nothing was recorded. docs/incident-record.md lists what an event can hold.",
    )


def _environment_name(here: _Host) -> Optional[str]:
    """What the environment file calls this environment."""
    try:
        found = envfile.parse(files.read_regular(here.settings.env_file)).services.get("HEALTHARCHIVE_ENV")
        return None if not found else events.kept_text(found, here.redactor)
    except (OSError, BadEvent):
        return None


def _decided(
    here: _Host, snapshot: Snapshot, chain: chains.Chain, wish: incident.Wish, now: float
) -> incident.Decision:
    decision = incident.decide(snapshot.events(chain), wish, times.from_epoch(now), _taken(here))
    if here.redactor.text(decision.incident) != decision.incident:
        raise BadInput(
            "secret_in_id", "The incident's id would hold a secret of the host.", "Give another title, or a slug."
        )
    return decision


def _taken(here: _Host) -> Set[str]:
    """The ids of notes that are there already: in the service's repository, and on this host of a log that was moved aside."""
    places = [
        os.path.join(here.settings.checkout, NOTES),
        os.path.join(Paths(here.settings.ops_directory).directory, note_file.DIRECTORY),
    ]
    taken: Set[str] = set()
    for place in places:
        with contextlib.suppress(OSError):
            taken.update(name[:-3] for name in os.listdir(place) if name.endswith(".md"))
    return taken


def _planned(
    log: AuditLog, snapshot: Snapshot, drafts: List[Draft], now: float, redactor: Redactor
) -> List[Dict[str, Any]]:
    """The events as they will be, so that all are known to be recordable before the first is written."""
    planned: List[Dict[str, Any]] = []
    try:
        end = snapshot.tail()
        for draft in drafts:
            event = audit.compose(draft, log.origin, log.redactor, end, now)
            end = chains.after(audit.line_of(event), event)
            planned.append(event)
    except BadEvent as error:
        raise _bad_event(error, redactor) from error
    except ParseError as error:
        if drafts:
            raise log.cannot_continue(error) from error
    return planned


def _template(here: _Host) -> Tuple[Optional[str], Optional[str]]:
    """The host's own template, without secrets, and why there is none."""
    try:
        content = files.read_below(here.settings.checkout, TEMPLATE)
        return here.redactor.text(content.decode("utf-8")), None
    except UnicodeDecodeError:
        return None, "It is not UTF-8."
    except OSError as error:
        return None, "It cannot be read: %s." % (error.strerror or error)


def _note(
    note: NoteFile, template: Optional[str], found: Dict[str, Any], recorded: List[Dict[str, Any]], write: bool
) -> Tuple[str, str, List[Dict[str, Any]]]:
    """The text before and after, and what keeps it from being as it should be."""
    before = ""
    try:
        content = note.read()
        before = "" if content is None else note_lines.decode(content)
        rendered = render(before or None, template, found, recorded)
        if write and rendered.text != before:
            note.write(note_lines.encode(rendered.text))
    except Unwritten as error:
        return before, before, [{"code": error.code, "message": str(error), "block": None}]
    return before, rendered.text, [problem._asdict() for problem in rendered.problems]


def _unfinished(record: incident.Record, wanted: Optional[str]) -> List[Dict[str, Any]]:
    return [
        action.described()
        for action in record.unfinished.values()
        if wanted is None or action.incident in (wanted, None)
    ]


def _told(log: AuditLog, snapshot: Snapshot, chain: chains.Chain) -> Dict[str, Any]:
    return {
        "path": log.paths.log,
        "size_bytes": snapshot.size,
        "verified": chain.verified,
        "lines": chain.lines,
        "first_broken_line": chain.first_broken_line,
        "broken_lines": chain.broken,
        "problems": [problem._asdict() for problem in chain.problems],
        "torn_lines": list(chain.torn),
        "torn_end": chain.torn_end,
        "head_digest": chain.head_digest,
    }
