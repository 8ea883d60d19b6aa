# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of a host that could not be reached, kept on the controller until its log has them. Private to this collection.

``.pending/HOST/ID.jsonl`` below the directory of the notes: one event a line. A file is replaced as a whole, so it holds
what it held before or what it shall hold; it is removed when the host has confirmed every event in it. One that can never
join is put aside under another name, where it stands in nobody's way.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from typing import Any, Collection, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from ...module_utils import events as allowed
from ...module_utils import incident as rules
from ...module_utils.events import BadEvent, Draft
from ...module_utils.parse import times
from ...module_utils.parse.text import one_line
from ...module_utils.redact import Redactor
from ...module_utils.settings import BadInput
from .. import whole_file
from . import notes
from .refusal import Refused, checked

PENDING = ".pending"
# What can be noted without the host.
KINDS = ("remark", "triage_run")
# And what follows from opening an incident here.
_WAITING = (*KINDS, "incident_opened", "severity_changed")
# Refusals of the host that are about what it was given, and will be the same tomorrow.
_OF_THE_EVENTS = (
    *("bad_event", "bad_incident", "bad_slug", "event_conflict", "incident_closed", "incident_unknown", "secret_in_id"),
    *("started_later", "too_many_incidents"),
)
_LARGEST_BYTES = 16 * 1024 * 1024
_TEXTS = ("title", "severity_reason", "owner", "environment")
_CLAIMED = ("operator", "controller", "run")


class Recorded(NamedTuple):
    """What the scratchpad holds of an incident, or in check mode would; ``incident`` is None if it was not opened here."""

    id: str
    incident: Optional[Dict[str, Any]]
    events: List[Dict[str, Any]]
    changed: bool


class Spoiled(Refused):
    """What waits is no scratchpad's any more: it will never join."""


class Aside(NamedTuple):
    """What was put aside: of which incident, where it is kept, and why it could not join."""

    incident: str
    path: str
    code: str
    reason: str
    next_step: str

    @property
    def sentence(self) -> str:
        """For a person: what, why, and what to do."""
        return (
            "What was written down of incident %s while the host could not be reached is in no record and was put aside: %s %s "
            "It is kept in %s. Say it again with open_incident, or give the file its name without what follows .jsonl to have it "
            "tried again." % (self.incident, one_line(self.reason, 400), one_line(self.next_step, 200), self.path)
        )


class Scratchpad:
    """The events that wait for one host. Every method raises :class:`.BadInput`."""

    def __init__(self, output_directory: str, host: str) -> None:
        self._notes = notes.directory_of(output_directory, host)
        base, name = os.path.split(self._notes)
        self.directory = os.path.join(base, PENDING, name)
        self._redactor = Redactor()

    def pending(self) -> List[Dict[str, Any]]:
        """Every incident with what waits: ``[{"incident", "events": [{event_id, kind, at, late, by, data}]}]``."""
        return [self.offered(name) for name in self.names()]

    def offered(self, name: str) -> Dict[str, Any]:
        """What waits of one of :meth:`names`; :class:`Spoiled` if it is no scratchpad's."""
        return offered(name, self._read(name))

    def put_aside(self, name: str, why: BadInput, check_mode: bool) -> Aside:
        """Keep what can never join under another name, so that it is not offered again."""
        path = self._path(name)
        number = 1
        with self._writing(not check_mode):
            while os.path.lexists(_aside(path, number)):
                number += 1
            if not check_mode:
                try:
                    os.rename(path, _aside(path, number))
                    whole_file.sync_directory(self.directory)
                except OSError as error:
                    raise _unwritable(error) from error
        return Aside(name, _aside(path, number), why.code, str(why), why.next_step)

    def record(self, wish: Mapping[str, Any], now: float, check_mode: bool) -> Recorded:
        """Open an incident, or note more about one. ``now``: seconds since 1970."""
        with self._writing(not check_mode):
            known = [event for name in self.names() for event in self._read(name)]
            wanted = self._wish(wish)
            moment = times.from_epoch(now)
            opened = [event["incident"] for event in known if event["kind"] == "incident_opened"]
            if wanted.incident is not None and wanted.incident not in opened:
                name, drafts, about = self._of_the_host(wanted), list(wanted.events), None
            else:
                decision = rules.decide(known, wanted, moment, self._taken(known))
                name, drafts = decision.incident, decision.drafts
                about = decision.record.incidents[name].described()
            there = [event for event in known if event["incident"] == name]
            added = self._added(there, name, drafts, wish, moment)
            if added and not check_mode:
                self._write(name, there + added)
            return Recorded(name, about, there + added, bool(added))

    def remove(self, incident: str, confirmed: Collection[str], check_mode: bool) -> bool:
        """Forget what the host has. ``confirmed``: the ids of the events that it has of those that it was given.

        Whether there is nothing left of that incident now, or would be.
        """
        name = checked(incident)
        if name not in self.names():
            return False
        with self._writing(not check_mode):
            if any(event["event_id"] not in confirmed for event in self._read(name)):
                return False
            if not check_mode:
                whole_file.remove(self._path(name))
            return True

    @contextlib.contextmanager
    def _writing(self, create: bool) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            if create:
                try:
                    whole_file.make_directory(self.directory)
                    stack.enter_context(whole_file.locked(self.directory))
                except OSError as error:
                    raise _unwritable(error) from error
            yield

    def names(self) -> List[str]:
        """The incidents of which something waits."""
        try:
            found = sorted(os.listdir(self.directory))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(str(error)) from error
        return [name[:-6] for name in found if name.endswith(".jsonl") and allowed.is_incident(name[:-6])]

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name + ".jsonl")

    def _read(self, name: str) -> List[Dict[str, Any]]:
        path = self._path(name)
        try:
            content = whole_file.read(path, _LARGEST_BYTES) or b""
        except OSError as error:
            # Of these the disk and the rights are innocent: it is too large, no file, or a link.
            spoiled = error.errno in (None, errno.EISDIR, errno.ELOOP, errno.ENXIO)
            raise _spoiled(str(error)) if spoiled else _unreadable(str(error)) from error
        events = []
        for number, line in enumerate(content.split(b"\n"), 1):
            if line:
                try:
                    events.append(self._event(json.loads(line), name))
                except (ValueError, KeyError, TypeError, RecursionError, BadEvent) as error:
                    raise _spoiled("line %d of %s is no event: %s" % (number, path, error)) from error
        return events

    def _event(self, event: Any, name: str) -> Dict[str, Any]:
        if event["kind"] not in _WAITING:
            raise ValueError("its kind is none that can be noted without the host")
        if event["incident"] != name or set(event) != {"event_id", "kind", "incident", "at", "by", "data"}:
            raise ValueError("it has other fields, or is of another incident")
        return {
            "event_id": allowed.kept_event_id(event["event_id"], self._redactor),
            "kind": event["kind"],
            "incident": name,
            "at": allowed.kept_time(event["at"]),
            "late": False,
            "by": {key: event["by"].get(key) for key in _CLAIMED},
            "data": allowed.kept_data(event["kind"], event["data"], self._redactor),
        }

    def _write(self, name: str, events: Sequence[Mapping[str, Any]]) -> None:
        fields = ("event_id", "kind", "incident", "at", "by", "data")
        lines = [json.dumps({field: event[field] for field in fields}, sort_keys=True) for event in events]
        content = ("\n".join(lines) + "\n").encode("ascii")
        if len(content) > _LARGEST_BYTES:
            raise Refused(
                "scratchpad_full",
                "More than %d MiB would wait of incident %s." % (_LARGEST_BYTES // (1024 * 1024), name),
                "Write it into the note, or keep it in a file and say in a remark where it is.",
            )
        try:
            whole_file.write(self._path(name), content)
        except OSError as error:
            raise _unwritable(error) from error

    def _wish(self, wish: Mapping[str, Any]) -> rules.Wish:
        try:
            said = {name: wish.get(name) for name in _TEXTS}
            started_at = wish.get("started_at")
            texts = {name: None if text is None else allowed.kept_text(text, self._redactor) for name, text in said.items()}
            return rules.Wish(
                incident=wish.get("incident"),
                severity=wish.get("severity"),
                area=wish.get("area"),
                slug=wish.get("slug"),
                started_at=None if started_at is None else allowed.kept_time(started_at),
                events=[self._draft(event) for event in wish.get("events") or ()],
                **texts,
            )
        except BadEvent as error:
            raise _bad_event(error) from error

    def _draft(self, event: Mapping[str, Any]) -> Draft:
        identity, moment = event.get("event_id"), event.get("at")
        if event.get("kind") not in KINDS:
            raise BadEvent("an event is %s" % " or ".join(KINDS))
        return Draft(
            event["kind"],
            allowed.kept_data(event["kind"], event.get("data"), self._redactor),
            None,
            None if identity is None else allowed.kept_event_id(identity, self._redactor),
            None if moment is None else allowed.kept_time(moment),
        )

    def _of_the_host(self, wanted: rules.Wish) -> str:
        """An incident that was opened on the host: more can be noted about it, as long as its note is here."""
        name = checked(wanted.incident)
        if not os.path.exists(os.path.join(self._notes, name + ".md")):
            raise Refused(
                "incident_unknown",
                "There is no incident %s on this controller, and the host cannot be asked." % name,
                "Leave the id out and give a title, to open one here.",
            )
        if wanted.title is not None or wanted.severity is not None:
            raise Refused(
                "host_needed",
                "Incident %s was opened on the host, which cannot be asked: its title and severity stay." % name,
                "Give events only, and the rest when the host can be reached.",
            )
        return name

    def _taken(self, known: Sequence[Mapping[str, Any]]) -> Collection[str]:
        """Ids of the notes that are here already, those of incidents in the scratchpad of this host left out."""
        try:
            names = {name[:-3] for name in os.listdir(self._notes) if name.endswith(".md")}
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise _unreadable(str(error)) from error
        return names - {event["incident"] for event in known}

    def _added(
        self, there: Sequence[Mapping[str, Any]], name: str, drafts: Sequence[Draft], wish: Mapping[str, Any], now: str
    ) -> List[Dict[str, Any]]:
        ids = {event["event_id"] for event in there}
        added = []
        try:
            said = {key: wish.get(key) for key in _CLAIMED}
            by = {key: None if text is None else allowed.kept_text(text, self._redactor) for key, text in said.items()}
        except BadEvent as error:
            raise _bad_event(error) from error
        for draft in drafts:
            # The one that the host gives to the same words: it may have recorded them in a run whose link broke.
            identity = draft.event_id or rules.saying_id(name, draft.kind, draft.at, draft.data)
            if identity not in ids:
                ids.add(identity)
                event = {"event_id": identity, "kind": draft.kind, "incident": name, "at": draft.at or now}
                added.append({**event, "late": False, "by": by, "data": dict(draft.data)})
        return added


def offered(incident: str, events: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """What waits of an incident, as the module ``incident`` takes it."""
    fields = ("event_id", "kind", "at", "by", "data")
    return {"incident": incident, "events": [{**{key: event[key] for key in fields}, "late": True} for event in events]}


def _aside(path: str, number: int) -> str:
    """A name that is none of what waits."""
    return path + (".aside" if number == 1 else ".aside-%d" % number)


def _bad_event(error: BadEvent) -> BadInput:
    return BadInput(
        "bad_event",
        "This cannot be recorded: %s." % str(error).rstrip("."),
        "Correct it and run it again: nothing was recorded.",
    )


def never_joins(code: Any) -> bool:
    """Whether a refusal of the host is about what it was given, and not about the host."""
    return code in _OF_THE_EVENTS


def _spoiled(why: str) -> BadInput:
    return Spoiled(
        "scratchpad_unreadable",
        "What waits for the host cannot be used: %s." % why,
        "See what was written down there.",
    )


def _unreadable(why: str) -> BadInput:
    return Refused(
        "scratchpad_unreadable",
        "What waits for the host cannot be read: %s." % why,
        "Mend the file or put it aside: it holds events that no log has yet.",
    )


def _unwritable(error: OSError) -> BadInput:
    return Refused(
        "scratchpad_not_written",
        "What happened could not be written down on the controller: %s." % error,
        "Set the output directory to one that you may write, with room on its disk, and run it again.",
    )
