# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal entries, from ``journalctl --output=json --all``, and the signatures of known incidents in them."""

from __future__ import annotations

import re
from typing import Any, Optional, Pattern, Sequence

from . import times
from .errors import TRUNCATED, UNPARSABLE, ParseError
from .json_object import json_object
from .text import decode, encodable, one_line, strip_ansi

SAMPLE_LIMIT = 200
SUBJECT_LIMIT = 300
# A line is looked at up to here; what names a fault stands at its beginning, and an entry may be many megabytes long.
LINE_LIMIT = 4000

_MICROSECONDS = re.compile(r"[0-9]{1,17}")
_QUOTED_PATH = r"(?:[^'\"]{0,200}['\"](/[^'\"]{1,400})['\"])?"

# Code, a text that the line must contain, pattern. The first that matches names the line, and group 1, if it took part,
# is the subject. The text is looked for first because that is many times faster; gaps are bounded, so that no line can
# make the search slow.
_SIGNATURES = (
    # I10: the code was updated, its environment was not.
    ("missing_module", "ModuleNotFoundError", r"ModuleNotFoundError: No module named ['\"]([^'\"]{1,200})"),
    (
        "import_error",
        "ImportError",
        r"ImportError: cannot import name ['\"][^'\"]{1,200}['\"] from ['\"]([^'\"]{1,200})",
    ),
    ("import_error", "ImportError", r"\bImportError: ([^'\":( ]{1,200})"),
    # I8: the schema is behind the code. The driver names the class, SQLite has words of its own.
    ("undefined_column", "UndefinedColumn", r"UndefinedColumn[): ]{1,4}column \"?([A-Za-z0-9_.]{1,200})"),
    ("undefined_column", "UndefinedColumn", r"\bUndefinedColumn\b"),
    ("undefined_column", "no such column", r"no such column: ([A-Za-z0-9_.]{1,200})"),
    ("undefined_table", "UndefinedTable", r"UndefinedTable[): ]{1,4}relation \"([^\"]{1,200})\""),
    ("undefined_table", "UndefinedTable", r"\bUndefinedTable\b"),
    ("undefined_table", "no such table", r"no such table: ([A-Za-z0-9_.]{1,200})"),
    # Contract 2.7: wrong credentials, server down.
    ("database_authentication", "authentication failed", r"authentication failed for user \"([^\"]{1,100})\""),
    ("database_authentication", "does not exist", r"\brole \"([^\"]{1,100})\" does not exist"),
    ("database_authentication", "no password supplied", r"no password supplied"),
    ("database_authentication", "no pg_hba.conf entry", r"no pg_hba\.conf entry"),
    (
        "database_unreachable",
        "connection to server",
        r"to server (?:at|on socket) \"([^\"]{1,200})\"[^\"]{0,100} failed",
    ),
    ("database_unreachable", "the database system is", r"the database system is (?:starting up|shutting down)"),
    ("database_unreachable", "server closed the", r"server closed the connection unexpectedly"),
    ("database_unreachable", "terminating connection", r"terminating connection due to admin"),
    # I1: a hot path lost its sshfs.
    ("transport_endpoint", "[Errno 107]", r"\[Errno 107\]" + _QUOTED_PATH),
    ("transport_endpoint", "Transport endpoint", r"Transport endpoint is not connected" + _QUOTED_PATH),
    ("input_output_error", "[Errno 5]", r"\[Errno 5\]" + _QUOTED_PATH),
    ("input_output_error", "Input/output error", r"Input/output error" + _QUOTED_PATH),
    # I3: the mount belongs to another user than the worker. Both words stand in one line with errno 13.
    ("output_dir_not_writable", "Output dir", r"Output directory '?(/[^']{1,400}?)'? is invalid or not writable"),
    ("output_dir_not_writable", "/.writable_test_", r"\[Errno 13\][^'\"]{0,100}['\"](/[^'\"]{1,400})/\.writable_test_"),
    ("output_dir_not_writable", "/.writable_test_", r"/\.writable_test_"),
    ("output_dir_not_writable", "is invalid or not", r"is invalid or not writable"),
    ("permission_denied", "[Errno 13]", r"\[Errno 13\]" + _QUOTED_PATH),
    ("permission_denied", "[Errno 1]", r"\[Errno 1\]" + _QUOTED_PATH),
    ("permission_denied", "Permission denied", r"Permission denied" + _QUOTED_PATH),
    # Contract 2.2: the worker may not mount an annual job's directory, and picks that job again and again.
    ("annual_tiering_failed", "tiering", r"\btiering\b.{0,80}\b(?i:fail)"),
    # Contract 2.2: the worker starts nothing at 85 %. Its words are not known, so several are accepted.
    ("disk_threshold", "[Errno 28]", r"\[Errno 28\]"),
    ("disk_threshold", "No space left", r"No space left on device"),
    ("disk_threshold", "isk", r"\b[Dd]isk\b.{0,80}\b(?i:threshold|critical|too full|pressure|above|exceed)"),
    # I11: an option that the crawler does not know.
    ("unrecognized_arguments", "unrecognized arguments", r"unrecognized arguments: ([^ ]{1,200})"),
    ("unrecognized_arguments", "unknown option", r"\bunknown option:? ([^ ]{1,200})"),
    ("address_in_use", "[Errno 98]", r"\[Errno 98\]"),
    ("address_in_use", "ddress already in use", r"\b[Aa]ddress already in use"),
    ("traceback", "Traceback (", r"^Traceback \(most recent call last\):"),
)
_PATTERNS = tuple((code, needle, re.compile(pattern)) for code, needle, pattern in _SIGNATURES)
CLOCK_TOLERANCE_SECONDS = 60
CODES = tuple(dict.fromkeys(code for code, _needle, _pattern in _SIGNATURES))


class Reader:
    """Entries out of the output as it comes, so that nobody has to hold the whole of it.

    ``feed`` gives the entries that are complete with this piece, in the order of the output, each
    ``{"at", "unit", "priority", "message"}``. ``at`` float: seconds since 1970. ``unit`` str|None. ``priority``
    int|None: 0 to 7. ``message`` str|None: may have several lines, bytes that are no text are escaped; None: journalctl
    left it out for its size, as it does without ``--all``. Raises ParseError ``unparsable``.

    What is left in ``rest`` at the end is the beginning of an entry that was cut. No output is no entry: journalctl
    prints nothing then, so check its exit code first.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    @property
    def rest(self) -> bytes:
        return b"".join(self._pieces)

    def feed(self, piece: bytes) -> list[dict[str, Any]]:
        if b"\n" not in piece:
            self._pieces.append(piece)
            return []
        lines = (self.rest + piece).split(b"\n")
        self._pieces = [lines[-1]]
        return [_entry(line) for line in lines[:-1] if line]


def entries(stdout: bytes, *, truncated: bool = False) -> list[dict[str, Any]]:
    """All entries of an output, as :class:`Reader` gives them.

    ``truncated``: the output was cut at its end, a last line without its line end is torn and is left out; ask with
    ``--reverse``, and it is the oldest that is lost.

    Raises ParseError: ``unparsable``, ``truncated`` (a torn last line when ``truncated`` was not said).
    """
    reader = Reader()
    found = reader.feed(stdout)
    if reader.rest and not truncated:
        raise ParseError(TRUNCATED, "the end of the journal's output is missing")
    return found


def newest_at(found: list[dict[str, Any]]) -> Optional[str]:
    """Time of the newest entry as ``2026-11-23T15:44:08Z``; None without entries."""
    return times.from_epoch(max(entry["at"] for entry in found)) if found else None


def tail(found: list[dict[str, Any]], count: int = 10, limit: int = SAMPLE_LIMIT) -> list[str]:
    """The newest entries, oldest of them first, each one printable line. Redact them first: lines are cut here."""
    newest = sorted(found, key=lambda entry: entry["at"])[-count:] if count > 0 else []
    return [
        one_line("(too long)" if entry["message"] is None else strip_ansi(entry["message"]), limit) for entry in newest
    ]


def signatures(found: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """Signatures of known faults, in the order of ``CODES``, at most one record each.

    ``{"code", "count": lines, "last_seen_at": iso, "age_seconds": float|None, "subject": str|None, "sample": str}``; subject
    (module, column, table, user, server, path or option that is named) and sample (one printable line) are the newest.
    A line has one code, the most telling one. ``now`` is in seconds since 1970 on the host whose journal it is.

    Redact the entries first (``Redactor.value``): lines are cut here. Never raises for entries of ``entries``.
    """
    records: dict[str, dict[str, Any]] = {}
    for entry in found:
        message = strip_ansi(entry["message"] or "")
        # An entry may be a traceback of a thousand lines: what it does not contain, none of them does.
        possible = [known for known in _PATTERNS if known[1] in message]
        for line in message.split("\n") if possible else ():
            line = line[:LINE_LIMIT]
            matched = _signature(line, possible)
            if matched is None:
                continue
            code, subject = matched
            record = records.setdefault(code, {"code": code, "count": 0, "at": None})
            record["count"] += 1
            if record["at"] is None or entry["at"] >= record["at"]:
                record.update(at=entry["at"], line=line, subject=subject)
    return [
        {
            "code": code,
            "count": records[code]["count"],
            "last_seen_at": times.from_epoch(records[code]["at"]),
            "age_seconds": _age(records[code]["at"], now),
            "subject": records[code]["subject"],
            "sample": one_line(records[code]["line"].strip(), SAMPLE_LIMIT),
        }
        for code in CODES
        if code in records
    ]


def _age(at: float, now: float) -> Optional[float]:
    """None for a line from the future: the clock was set back since, and how old it is nobody knows."""
    age = round(now - at, 3)
    return None if age < -CLOCK_TOLERANCE_SECONDS else max(0.0, age)


def _signature(
    line: str, possible: Sequence[tuple[str, str, Pattern[str]]]
) -> Optional[tuple[str, Optional[str]]]:
    for code, needle, pattern in possible:
        match = pattern.search(line) if needle in line else None
        if match is not None:
            subject = match.group(1) if pattern.groups else None
            return code, None if subject is None else one_line(subject, SUBJECT_LIMIT)
    return None


def _entry(line: bytes) -> dict[str, Any]:
    fields = json_object(line, "a journal entry")
    stamp = fields.get("__REALTIME_TIMESTAMP")
    if not isinstance(stamp, str) or _MICROSECONDS.fullmatch(stamp) is None:
        raise ParseError(UNPARSABLE, "a journal entry has no time")
    priority = _value(fields.get("PRIORITY"))
    return {
        "at": int(stamp) / 1e6,
        "unit": _value(fields.get("_SYSTEMD_UNIT")),
        "priority": int(priority) if priority is not None and re.fullmatch("[0-7]", priority) else None,
        "message": _value(fields.get("MESSAGE", "")),
    }


def _value(value: Any) -> Optional[str]:
    """A field: text, bytes as a list of numbers, null when it was too long, or a list of those when it was repeated."""
    if value is None:
        return None
    if isinstance(value, str):
        return encodable(value)
    if not isinstance(value, list):
        raise ParseError(UNPARSABLE, "a field of a journal entry is neither text nor bytes")
    if set(map(type, value)) == {int}:
        try:
            return decode(bytes(value))
        except ValueError as error:
            raise ParseError(UNPARSABLE, "a field of a journal entry holds a number that is no byte") from error
    # A repeated field cannot hold repeated fields.
    if any(isinstance(item, list) and any(isinstance(inner, list) for inner in item) for item in value):
        raise ParseError(UNPARSABLE, "a field of a journal entry is nested")
    parts = [_value(item) for item in value]
    return "\n".join(part for part in parts if part is not None)
