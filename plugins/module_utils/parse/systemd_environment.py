# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment file as systemd reads it for ``EnvironmentFile=``."""

from __future__ import annotations

from dataclasses import dataclass

_BLANK = " \t\n\r"


@dataclass(frozen=True)
class Reading:
    """An assignment, valid or not, and the stretch of the file that it was read from."""

    key: str
    value: str
    start: int
    end: int


def read(text: str) -> tuple[list[Reading], list[int]]:
    """Assignments in the manner of systemd.exec(5) (systemd 252), and where lines begin that are none.

    One character at a time, as systemd does it: quotes may open only where a value begins or after another quoted part,
    a carriage return ends a line, and a comment that ends in a backslash goes on in the next line (until systemd 254).
    """
    readings: list[Reading] = []
    no_assignments: list[int] = []
    state = "before_key"
    key: list[str] = []
    value: list[str] = []
    start = 0
    kept = 0  # length of the value without the unquoted white space at its end

    def push(end: int) -> None:
        content = value if state != "value" else value[:kept]
        readings.append(Reading("".join(key).rstrip(_BLANK), "".join(content), start, end))

    for position, character in enumerate(text):
        if state == "before_key":
            if character in "#;":
                state = "comment"
            elif character not in _BLANK:
                state, key, value, start, kept = "key", [character], [], position, 0
        elif state == "key":
            if character in "\r\n":
                no_assignments.append(start)
                state = "before_key"
            elif character == "=":
                state = "before_value"
            else:
                key.append(character)
        elif state in ("before_value", "value"):
            if character in "\r\n":
                push(position)
                state = "before_key"
            elif state == "before_value" and character == "'":
                state = "single_quoted"
            elif state == "before_value" and character == '"':
                state = "double_quoted"
            elif character == "\\":
                state = "escaped"
            elif character not in _BLANK:
                value.append(character)
                state, kept = "value", len(value)
            elif state == "value":
                value.append(character)
        elif state == "escaped":
            if character not in "\r\n":
                value.append(character)
            state, kept = "value", len(value)
        elif state == "single_quoted":
            if character == "'":
                state = "before_value"
            else:
                value.append(character)
        elif state == "double_quoted":
            if character == '"':
                state = "before_value"
            elif character == "\\":
                state = "double_quoted_escaped"
            else:
                value.append(character)
        elif state == "double_quoted_escaped":
            if character in '"\\`$':
                value.append(character)
            elif character != "\n":
                value.extend(("\\", character))
            state = "double_quoted"
        elif state == "comment":
            if character == "\\":
                state = "comment_escaped"
            elif character in "\r\n":
                state = "before_key"
        else:
            state = "comment"
    if state == "key":
        no_assignments.append(start)
    elif state not in ("before_key", "comment", "comment_escaped"):
        push(len(text))
    return readings, no_assignments


def is_valid(text: str) -> bool:
    """Valid UTF-8 without the code points that are set aside as no characters."""
    for character in text:
        code = ord(character)
        if 0xD800 <= code <= 0xDFFF or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE:
            return False
    return True
