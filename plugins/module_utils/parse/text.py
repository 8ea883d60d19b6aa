# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that is safe to show: decoding without loss of control, and one printable line out of anything.

These functions make text fit for a terminal, a log line or a report. They do not hide secrets: redact first
(``module_utils/redact.py``), then shorten, because a secret that is cut in half is no longer recognised.
"""

from __future__ import annotations

import re

ELLIPSIS = "\u2026"

_NAMED_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# Every alternative stops at the next escape character, so the work is linear in the length of the text.
_ANSI = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor movement
    "|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"  # operating system commands: window title, links
    "|\x1b[ -/]*[0-Z\\\\^-~]"  # two-character escapes
)


def decode(value: bytes) -> str:
    """Bytes as text: UTF-8, and bytes that are not UTF-8 as ``\\xNN``. Never fails, control characters stay."""
    return value.decode("utf-8", "backslashreplace")


def encodable(value: str) -> str:
    """The same text with lone surrogates (possible in JSON) written as ``\\udNNN``, so that it can be printed."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def strip_ansi(value: str) -> str:
    """Remove terminal escape sequences (contract 2.1: ``status`` colours its output even into a pipe)."""
    if "\x1b" not in value and "\x9b" not in value and "\x9d" not in value:
        return value
    return _ANSI.sub("", value)


def one_line(value: object, limit: int = 200) -> str:
    """One printable line of at most ``limit`` characters.

    Everything that is not printable is written as an escape: line ends, ESC, C1, NUL, bidirectional controls,
    zero-width characters, U+2028/2029, exotic spaces, lone surrogates. A longer text ends in an ellipsis; no escape
    is cut in half. The result is for people: a backslash that was in the text looks like one that was put there.

    Raises ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    pieces = []
    # No character becomes shorter, so limit + 1 characters say everything about the result.
    for character in str(value)[: limit + 1]:
        pieces.append(character if character.isprintable() else _escape(character))
    if sum(len(piece) for piece in pieces) <= limit:
        return "".join(pieces)
    kept = []
    room = limit - len(ELLIPSIS)
    for piece in pieces:
        if len(piece) > room:
            break
        kept.append(piece)
        room -= len(piece)
    return "".join(kept) + ELLIPSIS


def _escape(character: str) -> str:
    named = _NAMED_ESCAPES.get(character)
    if named is not None:
        return named
    code = ord(character)
    if code <= 0xFF:
        return "\\x%02x" % code
    if code <= 0xFFFF:
        return "\\u%04x" % code
    return "\\U%08x" % code
