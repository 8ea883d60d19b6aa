# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of the audit log: how an event becomes one, and whether a row of them is a whole, unchanged chain.

A line is ASCII: ``{"digest":"...",`` and the rest of the event with its keys sorted. ``digest`` is the SHA-256 of the
line without that member, so that an edit shows in the line itself. ``previous`` is the SHA-256 of everything from the
beginning of the event before up to the end of the line before, without its newline: as a rule just the line before.

A line that is no JSON object is what a power cut or a killed writer leaves behind (a torn line). It stays. The next
event says ``"after_torn_line": true`` and has it in its ``previous``, so that a torn line cannot be changed or taken
away later either.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, List, NamedTuple, Optional

from .. import events
from .errors import BAD_EVIDENCE, UNPARSABLE, ParseError
from .json_object import json_object

VERSION = 1
# `previous` of the first event.
START = "0" * 64
# The longest line that an event makes, in bytes.
LINE_LIMIT_BYTES = 4 * 1024 * 1024
_OPENING = b'{"digest":"'
_BODY = len(_OPENING) + 64 + 2
_MOST_PROBLEMS = 20


def encode(event: Dict[str, Any]) -> bytes:
    """The line of an event, without its newline."""
    body = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")
    return _OPENING + hashlib.sha256(body).hexdigest().encode("ascii") + b'",' + body[1:]


def decode(line: bytes) -> Dict[str, Any]:
    """The event of a line, without its ``digest``.

    Raises ParseError: ``unparsable`` for what is no JSON object (a torn line), ``bad_evidence`` for an object that
    is not an event as it was written.
    """
    event = json_object(line, "the line")
    body = b"{" + line[_BODY:]
    whole = line[: len(_OPENING)] == _OPENING and line[_BODY - 2 : _BODY] == b'",'
    if not whole or hashlib.sha256(body).hexdigest().encode("ascii") != line[len(_OPENING) : _BODY - 2]:
        raise ParseError(BAD_EVIDENCE, "its own digest does not fit it: it was changed after it was written")
    del event["digest"]
    version = event.get("version")
    if isinstance(version, bool) or version != VERSION:
        raise ParseError(BAD_EVIDENCE, "it is not of version %d of the log" % VERSION)
    try:
        events.check_recorded(event)
    except events.BadEvent as error:
        raise ParseError(BAD_EVIDENCE, "it is no event as this collection writes them: %s" % error) from error
    return event


class Broken(NamedTuple):
    """A line where the chain is broken: its number from 1, and one printable line that says why."""

    line: int
    message: str


class Chain:
    """Follows a log line by line; needs as much memory as its longest line.

    ``from_start``: the first line that comes is the log's first. Otherwise what the first event continues is not known
    and not judged.
    """

    def __init__(self, from_start: bool = True) -> None:
        self.lines = 0
        self.events = 0
        self.problems: List[Broken] = []
        self.broken = 0  # how many lines; `problems` holds the first of them
        self.torn: List[int] = []  # numbers of the torn lines
        self.sequence: Optional[int] = 0 if from_start else None
        self._pending: List[int] = []  # torn lines since the last event
        self._judged = from_start  # whether it is known what the next event must continue
        # Of everything since the beginning of the last event; None: nothing has come yet.
        self._stretch: Optional[Any] = None

    @property
    def verified(self) -> bool:
        """Every event is as it was written and continues the one before. A torn line at the end is no contradiction."""
        return self.broken == 0

    @property
    def first_broken_line(self) -> Optional[int]:
        """Its number from 1."""
        return self.problems[0].line if self.problems else None

    @property
    def torn_end(self) -> bool:
        """Whether the last line is a torn one, so that an event may have been lost there."""
        return bool(self._pending)

    @property
    def head_digest(self) -> str:
        """What the next event would have as its ``previous``."""
        return START if self._stretch is None else self._stretch.hexdigest()

    def follow(self, line: bytes) -> Optional[Dict[str, Any]]:
        """Take the next line, without its newline; its event, or None if it holds none that can be believed."""
        self.lines += 1
        try:
            event = decode(line)
        except ParseError as error:
            if error.code == BAD_EVIDENCE:
                self._break(self.lines, str(error))
                self._begin(line, None)
            else:
                self._tear(line)
            return None
        if self._judged:
            self._compare(event)
        self._begin(line, event["sequence"])
        self._judged = True
        self.events += 1
        return event

    def give_up(self, message: str) -> None:
        """The next line cannot be read at all, nor what comes after it."""
        self.lines += 1
        self._break(self.lines, message)

    def _tear(self, line: bytes) -> None:
        self.torn.append(self.lines)
        self._pending.append(self.lines)
        if self._stretch is None:
            self._stretch = hashlib.sha256(line)
        else:
            self._stretch.update(b"\n" + line)

    def _begin(self, line: bytes, sequence: Optional[int]) -> None:
        self._stretch = hashlib.sha256(line)
        self._pending = []
        self.sequence = sequence
        # After a line that cannot be believed the next one is not judged by it: the break has been named.
        self._judged = sequence is not None

    def _compare(self, event: Dict[str, Any]) -> None:
        torn = bool(self._pending)
        if torn and event.get("after_torn_line") is not True:
            self._break(self._pending[0], "it is no event, and the event after it does not say that it was torn")
        elif event["previous"] != self.head_digest:
            self._break(
                self.lines,
                "it does not continue the line before it: that one was changed, or lines were taken out or put in",
            )
        elif event["sequence"] != (self.sequence or 0) + 1:
            self._break(self.lines, "its sequence is %d, not %d" % (event["sequence"], (self.sequence or 0) + 1))
        elif not torn and "after_torn_line" in event:
            self._break(self.lines, "it follows a torn line that is not there any more")

    def _break(self, line: int, message: str) -> None:
        self.broken += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Broken(line, message))


class Tail(NamedTuple):
    """What the next event continues: ``previous`` and ``sequence`` for it, and whether a torn line comes before it."""

    previous: str
    sequence: int
    torn: bool


def after(line: bytes, event: Dict[str, Any]) -> Tail:
    """What follows an event whose line is the last one."""
    return Tail(hashlib.sha256(line).hexdigest(), event["sequence"] + 1, False)


def tail(content: bytes, from_start: bool) -> Optional[Tail]:
    """What follows the end of a log. ``content``: its last bytes; None if they do not reach back to a whole event.

    Raises ParseError ``bad_evidence`` when the last event was changed: nothing can be put after it.
    """
    if not content:
        return Tail(START, 1, False) if from_start else None
    lines = content[:-1].split(b"\n") if content.endswith(b"\n") else content.split(b"\n")
    for index in range(len(lines) - 1, -1 if from_start else 0, -1):
        try:
            event = decode(lines[index])
        except ParseError as error:
            if error.code == BAD_EVIDENCE:
                raise
            continue
        stretch = b"\n".join(lines[index:])
        return Tail(hashlib.sha256(stretch).hexdigest(), event["sequence"] + 1, index < len(lines) - 1)
    return Tail(hashlib.sha256(b"\n".join(lines)).hexdigest(), 1, True) if from_start else None


__all__ = ["BAD_EVIDENCE", "UNPARSABLE", "Broken", "Chain", "Tail", "decode", "encode", "tail"]
