# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line as it reads when its escapes are undone, with the way back to what was written. Private to this collection.

A secret that is escaped is a secret: whoever looks for one looks at both, and hides what was written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Callable, Dict, List, Pattern

_MARKDOWN = re.compile(r"\\([!-/:-@\[-`{-~])")
# What escapes a double quote goes with it.
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})|\\{0,64}\"")
_JSON = re.compile(r"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|.)|\"")
_JSON_LETTERS: Dict[str, str] = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Reading:
    """``text`` is what is read; places in it and places in the line that was written can be told from each other."""

    def __init__(self, line: str, escape: Pattern[str], character: "Callable[[re.Match[str]], str]") -> None:
        pieces: List[str] = []
        # Behind each escape: where that is in the text, and how much further on in the line.
        self._behind: List[int] = [0]
        self._further: List[int] = [0]
        position = read = 0
        for match in escape.finditer(line):
            pieces += [line[position : match.start()], character(match)]
            read += match.start() - position + 1
            position = match.end()
            self._behind.append(read)
            self._further.append(position - read)
        pieces.append(line[position:])
        self.text = "".join(pieces)

    def written(self, place: int) -> int:
        """Where in the line the character stands that is at ``place`` of the text; its end for the end."""
        return place + self._further[bisect_right(self._behind, place) - 1]

    def read(self, place: int) -> int:
        """Where in the text the character stands that is written at ``place`` of the line, or around it."""
        low, high = 0, len(self.text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.written(middle) <= place else (low, middle - 1)
        return low


def markdown(line: str) -> Reading:
    """Without the backslashes of Markdown: an escaped address is an address."""
    return Reading(line, _MARKDOWN, lambda match: match.group(1))


def percent(line: str) -> Reading:
    """As a URL is read. In place of a double quote stands NUL, so that nothing reaches across."""
    return Reading(line, _PERCENT, lambda match: "\0" if match.group(1) is None else chr(int(match.group(1), 16)))


def json_text(line: str) -> Reading:
    """As a text in JSON, or in a program's quotes, is read. In place of each such quote stands NUL."""
    return Reading(line, _JSON, _json_character)


def _json_character(match: "re.Match[str]") -> str:
    escaped = match.group(1)
    if escaped is None:
        return "\0"
    if len(escaped) > 1:
        return chr(int(escaped[1:], 16))
    return _JSON_LETTERS.get(escaped, escaped)
