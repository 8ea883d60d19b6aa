# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log on the host: what is in it stays, and what is begun is on the disk before it begins (design 8, law 4).

``remediation/audit.jsonl`` below the service's ops directory, owned and moded as that is (contract 1.1). Writers take turns by a
lock on the file itself. What cannot be written for certain is refused, so that nothing is done without its record.
The form of a line is described in :mod:`.parse.audit`, what it may say in :mod:`.events`. Private to this collection.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import time
from typing import Any, Dict, Iterator, NamedTuple, Optional, Sequence, Tuple

from . import directories, events
from .events import Draft, Origin
from .parse import audit as lines
from .parse import times
from .parse.errors import ParseError
from .redact import Redactor
from .settings import BadInput

DIRECTORY = "remediation"
LOG = "audit.jsonl"

# A writer holds the lock for some milliseconds; one that is stopped in the middle must not hold up everybody for ever.
LOCK_SECONDS = 20.0
READ_LOCK_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.01
_BLOCK_BYTES = 64 * 1024
_CHUNK_BYTES = 1024 * 1024
# Without a whole event in so many bytes at its end the file is not a log of ours.
_LONGEST_TAIL_BYTES = 64 * 1024 * 1024


class AuditUnavailable(BadInput):
    """The log cannot be written, or not be read: ``audit_disk_full``, ``audit_read_only``, ``audit_unwritable``,
    ``audit_unreadable``, ``audit_unsafe`` (it is not what it must be), ``audit_locked``, ``audit_broken`` (its last event
    was changed)."""


class Paths(NamedTuple):
    """Where the record lies: ``operations`` is the service's ops directory (contract 1.7), which must exist."""

    operations: str

    @property
    def directory(self) -> str:
        return os.path.join(self.operations, DIRECTORY)

    @property
    def log(self) -> str:
        return os.path.join(self.directory, LOG)


class Written(NamedTuple):
    """What became of a draft: its event, and whether it was appended (false: an event of that id was there before)."""

    event: Dict[str, Any]
    appended: bool


def compose(draft: Draft, origin: Origin, redactor: Redactor, end: lines.Tail, now: float) -> Dict[str, Any]:
    """The event that a draft becomes at the end of a log; :class:`events.BadEvent`. ``now``: seconds since 1970."""
    recorded_at = times.from_epoch(now)
    if draft.incident is not None and not events.is_incident(draft.incident):
        raise events.BadEvent("the incident is no id")
    event: Dict[str, Any] = {
        "version": lines.VERSION,
        "sequence": end.sequence,
        "previous": end.previous,
        "event_id": secrets.token_hex(8) if draft.event_id is None else events.kept_event_id(draft.event_id, redactor),
        "kind": draft.kind,
        "incident": draft.incident,
        "at": recorded_at if draft.at is None else events.kept_time(draft.at),
        "recorded_at": recorded_at,
        "late": bool(draft.late),
        "data": events.kept_data(draft.kind, draft.data, redactor),
        **events.kept_origin(origin, redactor),
    }
    if draft.by is not None:
        if not draft.late:
            raise events.BadEvent("who wrote it down elsewhere can be said only of a late event")
        event["by"], event["joined_by"] = events.kept_claim(draft.by, redactor), event["by"]
    if end.torn:
        event["after_torn_line"] = True
    return event


def line_of(event: Dict[str, Any]) -> bytes:
    """The line that an event will be; :class:`events.BadEvent` if it is too long."""
    line = lines.encode(event)
    if len(line) > lines.LINE_LIMIT_BYTES:
        raise events.BadEvent("the event is longer than %d bytes" % lines.LINE_LIMIT_BYTES)
    return line


class Snapshot:
    """The log as it was at one moment, between two events; nothing that comes later changes it."""

    def __init__(self, descriptor: Optional[int], size: int) -> None:
        self._descriptor = descriptor
        self.size = size

    def events(self, chain: lines.Chain, start: int = 0) -> Iterator[Dict[str, Any]]:
        """Every event in order from the line that begins at ``start`` (see :meth:`cut`), the chain following. OSError."""
        for line in self._lines(start, chain):
            event = chain.follow(line)
            if event is not None:
                yield event

    def marked(self, marks: Sequence[bytes], start: int, end: int) -> Iterator[Optional[Dict[str, Any]]]:
        """The events of a part of the log whose lines hold one of the marks, None for one that cannot be believed.

        Many times faster than following the chain, which is not looked at. OSError.
        """
        for line in self._lines(start, lines.Chain(), end):
            if any(mark in line for mark in marks):
                try:
                    yield lines.decode(line)
                except ParseError:
                    yield None

    def cut(self, most_bytes: int) -> int:
        """Where the first line begins that lies whole in the last ``most_bytes``; 0 if all of them do."""
        start = self.size - most_bytes
        if start <= 0:
            return 0
        while start < self.size and self._descriptor is not None:
            # From the byte before: a line that begins just there is whole.
            part = os.pread(self._descriptor, _BLOCK_BYTES, start - 1)
            if b"\n" in part:
                return start + part.index(b"\n")
            start += max(len(part), 1)
        return self.size

    def events_of(self, incident: str) -> Iterator[Dict[str, Any]]:
        """The events of one incident; whether the chain holds is not looked at."""
        mark = b'"incident":"%s"' % incident.encode("ascii")
        for line in self._lines(0, lines.Chain()):
            if mark in line:
                with contextlib.suppress(ParseError):
                    event = lines.decode(line)
                    if event["incident"] == incident:
                        yield event

    def find(self, event_id: str) -> Optional[Dict[str, Any]]:
        """The event of that id, or None. A line that cannot be believed does not count: it may have been cut short."""
        mark = b'"event_id":"%s"' % event_id.encode("ascii")
        return next((event for event in self._holding(mark) if event["event_id"] == event_id), None)

    def of_action(self, action_id: str) -> Iterator[Dict[str, Any]]:
        """The events of an action, in the order of the log. Lines that cannot be believed do not count."""
        for event in self._holding(b'"action_id":"%s"' % action_id.encode("ascii")):
            if event["data"].get("action_id") == action_id:
                yield event

    def _holding(self, mark: bytes) -> Iterator[Dict[str, Any]]:
        """The events whose lines hold the mark. The bytes are searched, not the events: a thousand times faster than to
        follow the chain."""
        start, overlap = 0, b""
        while self._descriptor is not None and start < self.size:
            part = os.pread(self._descriptor, min(self.size - start, _CHUNK_BYTES), start)
            if not part:
                break
            content = overlap + part
            place = content.find(mark)
            if place != -1:
                position = start - len(overlap) + place
                with contextlib.suppress(ParseError):
                    yield lines.decode(self._line_around(position))
                start, overlap = position + len(mark), b""
                continue
            start += len(part)
            overlap = content[-len(mark) :]

    def _line_around(self, position: int) -> bytes:
        """The line that holds the byte at that position."""
        before, after = b"", b""
        start, end = position, position
        while self._descriptor is not None and start > 0 and b"\n" not in before:
            block = min(start, _BLOCK_BYTES)
            start -= block
            before = os.pread(self._descriptor, block, start) + before
        while self._descriptor is not None and end < self.size and b"\n" not in after:
            part = os.pread(self._descriptor, min(self.size - end, _BLOCK_BYTES), end)
            if not part:
                break
            end += len(part)
            after += part
        return before.rpartition(b"\n")[2] + after.partition(b"\n")[0]

    def tail(self) -> lines.Tail:
        """What the next event continues; ParseError when the last one was changed."""
        wanted = _BLOCK_BYTES
        while True:
            start = max(self.size - wanted, 0)
            found = lines.tail(self._bytes(start), start == 0)
            if found is not None:
                return found
            if wanted > _LONGEST_TAIL_BYTES:
                raise ParseError(lines.BAD_EVIDENCE, "it ends in %d bytes that are no event" % wanted)
            wanted *= 4

    @property
    def ends_in_newline(self) -> bool:
        return self.size == 0 or self._bytes(self.size - 1) == b"\n"

    def _bytes(self, start: int) -> bytes:
        parts = []
        while self._descriptor is not None and start < self.size:
            part = os.pread(self._descriptor, min(self.size - start, _CHUNK_BYTES), start)
            if not part:
                break
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def _lines(self, start: int, chain: lines.Chain, end: Optional[int] = None) -> Iterator[bytes]:
        """Each line without its newline. One that is longer than any event ends the reading, and the chain says so."""
        pending = b""
        end = self.size if end is None else end
        while self._descriptor is not None and start < end:
            part = os.pread(self._descriptor, min(end - start, _CHUNK_BYTES), start)
            if not part:
                break
            start += len(part)
            *whole, pending = (pending + part).split(b"\n")
            yield from whole
            if len(pending) > lines.LINE_LIMIT_BYTES + _CHUNK_BYTES:
                chain.give_up("it is longer than any event; nothing from here on was read")
                return
        if pending:
            yield pending


class Writer(Snapshot):
    """The log while its lock is held: what is read is what will be continued. Made by :meth:`AuditLog.writing`."""

    def __init__(self, descriptor: int, size: int, log: "AuditLog") -> None:
        super().__init__(descriptor, size)
        self._file = descriptor
        self._log = log

    def append(self, draft: Draft, once: bool = False) -> Written:
        """Write one event, and return when it is on the disk.

        ``once``: not if an event of its id is there already. :class:`events.BadEvent`, :class:`AuditUnavailable`.
        """
        if once and draft.event_id is not None:
            there = self.find(draft.event_id)
            if there is not None:
                return Written(there, False)
        try:
            end = self.tail()
        except ParseError as error:
            raise self._log.cannot_continue(error) from error
        event = compose(draft, self._log.origin, self._log.redactor, end, time.time())
        self._write((b"" if self.ends_in_newline else b"\n") + line_of(event) + b"\n")
        return Written(event, True)

    def _write(self, content: bytes) -> None:
        """All of it or nothing. Killed in the middle, it leaves a torn line, which the next event continues."""
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as error:
            # What cannot be taken back is a torn line.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
                os.fsync(self._file)
            raise self._log.failed(error) from error
        self.size += len(content)


class AuditLog:
    """The log of one host: where it is, who writes, and what must never be in it."""

    def __init__(self, paths: Paths, origin: Origin, redactor: Redactor) -> None:
        self.paths = paths
        self.origin = origin
        self.redactor = redactor

    def append(self, draft: Draft, once: bool = False) -> Written:
        """One event, as :meth:`Writer.append`."""
        with self.writing() as writer:
            return writer.append(draft, once)

    def begin(self, incident: Optional[str], action_id: str, action: str, **said: Any) -> Written:
        """Record that an action begins, before it does. ``said``: the other fields of ``action_begun``.

        Only when this has returned may the action begin. An ``action_id`` that is in the log already is refused
        (``action_exists``): what is begun under it would not be on record. Only the same run may say the same again, as
        long as its end is not recorded; then ``appended`` is false. :class:`AuditUnavailable`, :class:`BadInput`.
        """
        data = {"argv": [], "subjects": [], **said, "action_id": action_id, "action": action}
        data = events.kept_data("action_begun", data, self.redactor)
        draft = Draft("action_begun", data, incident, events.event_id_of("begun", action_id))
        by = events.kept_origin(self.origin, self.redactor)["by"]
        with self.writing() as writer:
            there = list(writer.of_action(action_id))
            shadow = writer.find(draft.event_id or "")
            if not there and shadow is None:
                return writer.append(draft)
            first = there[0] if there else shadow or {}
            said_before = (first["kind"], first["incident"], first["by"], first["data"])
            # Who does not say in which run cannot be known again.
            if len(there) == 1 and by["run"] is not None and said_before == (draft.kind, incident, by, data):
                return Written(first, False)
        raise BadInput(
            "action_exists",
            "The record has an action with the id %s already: %s, begun at %s."
            % (action_id, first["data"].get("action", first["kind"]), first["at"]),
            "Nothing was done. See how that one ended (incident_info); begin the new one under an id of its own.",
        )

    def finish(
        self,
        incident: Optional[str],
        action_id: str,
        outcome: str,
        changed: Optional[bool],
        detail: Optional[str] = None,
    ) -> Written:
        """Record what became of it; ``changed`` None: not known."""
        data = {"action_id": action_id, "outcome": outcome, "changed": changed, "detail": detail}
        return self.append(
            Draft("action_finished", data, incident, events.event_id_of("finished", action_id)), once=True
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """The log as it is now; an empty one if there is none. Creates nothing, and stands in nobody's way: the lock is
        held for as long as it takes to ask for the size. :class:`AuditUnavailable`, :class:`BadInput`."""
        with self.directory(create=False) as directory:
            descriptor = None if directory is None else self._open(directory)
            if descriptor is None:
                yield Snapshot(None, 0)
                return
            try:
                # A writer that is stopped in the middle leaves a torn end, and no more: better read than not.
                held = self._lock(descriptor, fcntl.LOCK_SH, READ_LOCK_SECONDS)
                size = os.fstat(descriptor).st_size
                if held:
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
                yield Snapshot(descriptor, size)
            except OSError as error:
                raise self.refusal(
                    "audit_unreadable", "%s cannot be read: %s." % (self.paths.log, error.strerror)
                ) from error
            finally:
                os.close(descriptor)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writer]:
        """The log under its lock, created if need be. :class:`AuditUnavailable`, :class:`BadInput`."""
        with self.directory(create=True) as directory:
            if directory is None:
                raise self.refusal("audit_unwritable", "%s could not be created." % self.paths.directory)
            with self._refusing():
                flags = os.O_RDWR | os.O_APPEND
                descriptor = directories.created_file(directory, LOG, self.paths.log, flags)
            try:
                if not self._in_turn(directory, descriptor):
                    message = "Somebody has held the lock of %s for %.0f seconds." % (self.paths.log, LOCK_SECONDS)
                    raise self.refusal("audit_locked", message)
                self._still_there(directory, descriptor)
                yield Writer(descriptor, os.fstat(descriptor).st_size, self)
            finally:
                os.close(descriptor)

    def check_writable(self) -> None:
        """What can be said without writing: for check mode. :class:`AuditUnavailable`, :class:`BadInput`."""
        with self.directory(create=False) as directory:
            descriptor = None if directory is None else self._open(directory)
            if descriptor is not None:
                os.close(descriptor)
            if os.statvfs(self.paths.operations if directory is None else directory).f_flag & os.ST_RDONLY:
                raise self.failed(OSError(errno.EROFS, os.strerror(errno.EROFS)))

    @contextlib.contextmanager
    def directory(self, create: bool) -> Iterator[Optional[int]]:
        """The directory of the record, open; None if there is none and none is to be created.

        :class:`AuditUnavailable`, :class:`BadInput`.
        """
        try:
            operations = os.open(self.paths.operations, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BadInput(
                "ops_directory_missing",
                "There is no directory %s on this host that could be read (%s): it should be the service's directory for "
                "operators." % (self.paths.operations, error.strerror),
                "Set healtharchive_ops_directory for this host in the inventory, or check that this is the right host.",
            ) from error
        try:
            with self._refusing():
                descriptor = directories.directory(operations, DIRECTORY, self.paths.directory, create)
        finally:
            os.close(operations)
        try:
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _open(self, directory: int) -> Optional[int]:
        """The file for reading; None if there is none."""
        with self._refusing():
            descriptor = directories.file(directory, LOG, self.paths.log, os.O_RDONLY)
            if descriptor is not None:
                try:
                    directories.check_owner(os.fstat(descriptor), self.paths.log)
                except directories.Unsafe:
                    os.close(descriptor)
                    raise
            return descriptor

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turns what goes wrong with a file into a refusal."""
        try:
            yield
        except directories.Unsafe as error:
            raise self.refusal("audit_unsafe", str(error)) from error
        except OSError as error:
            raise self.failed(error) from error

    def _in_turn(self, directory: int, descriptor: int) -> bool:
        """Whether the file's lock was got. Who waits for it holds the directory's, so that a writer who goes on writing does
        not take the file's again and again before the one who waits has looked."""
        deadline = time.monotonic() + LOCK_SECONDS
        if not self._lock(directory, fcntl.LOCK_EX, LOCK_SECONDS):
            return False
        got = self._lock(descriptor, fcntl.LOCK_EX, deadline - time.monotonic())
        fcntl.flock(directory, fcntl.LOCK_UN)
        return got

    @staticmethod
    def _lock(descriptor: int, kind: int, seconds: float) -> bool:
        """Whether the lock was got within so many seconds."""
        deadline = time.monotonic() + seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _still_there(self, directory: int, descriptor: int) -> None:
        """Whoever waits for a file must not write to it after it was moved away."""
        try:
            named: Tuple[int, int] = _identity(os.stat(LOG, dir_fd=directory, follow_symlinks=False))
        except OSError as error:
            raise self.failed(error) from error
        if named != _identity(os.fstat(descriptor)):
            raise self.refusal("audit_unwritable", "%s was replaced while it was opened." % self.paths.log)

    def failed(self, error: OSError) -> AuditUnavailable:
        """The refusal for an error of the file system."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return self.refusal("audit_disk_full", "%s cannot be written: the disk is full." % self.paths.log)
        if error.errno == errno.EROFS:
            message = "%s cannot be written: its file system is read-only." % self.paths.log
            return self.refusal("audit_read_only", message)
        message = "%s cannot be written: %s." % (self.paths.log, error.strerror)
        return self.refusal("audit_unwritable", message)

    def cannot_continue(self, error: ParseError) -> AuditUnavailable:
        """The refusal for a log whose last event was changed."""
        return self.refusal("audit_broken", "The last event of %s cannot be continued: %s." % (self.paths.log, error))

    @staticmethod
    def refusal(code: str, message: str) -> AuditUnavailable:
        """A refusal of one line, with its next step."""
        return AuditUnavailable(code, message, _NEXT_STEPS[code])


_NEXT_STEPS = {
    "audit_disk_full": "Nothing was done. Make room on that file system, then run it again.",
    "audit_read_only": "Nothing was done. Look why (dmesg, findmnt) and mount it writable, then run it again.",
    "audit_unwritable": "Nothing was done. Look at the file and its directory as root (ls -la, lsattr), then run it again.",
    "audit_unreadable": "Look at the file and its directory as root (ls -la), then run it again.",
    "audit_unsafe": "Nothing was done. Move it aside if it is not the collection's, or give it back to root; keep its content.",
    "audit_locked": "Nothing was done. See who holds it (fuser -v), and whether that process is still at work.",
    "audit_broken": "Nothing was done. incident_info says which line. Keep the file as evidence under another name, then run it "
    "again: a new log begins.",
}


def _identity(status: os.stat_result) -> Tuple[int, int]:
    return status.st_dev, status.st_ino
