# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A note without what the note rules exclude: secrets, ping URLs, private addresses and hosts, full logs (contract 4.14).

Private to this collection.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .. import secret_forms, written
from ..secret_forms import MASK
from . import exclusions
from .exclusions import Stretch
from .lines import ending, split
from .markers import is_marker

MOST_CODE_LINES = 50
LOG = "lines of a long log"
_FENCE = re.compile(r"[ \t]*(?:(?:[-*+>]|[0-9]{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)")
_INDENTED = re.compile(r"(?: {4}|\t)[ \t]*\S")


class Removed(NamedTuple):
    """What was left out, and of which line of the note (from 1)."""

    line: int
    what: str


class Publishable(NamedTuple):
    """The text that may be published."""

    text: str
    removed: List[Removed]


def publishable(text: str, leave_out: Sequence[str] = ()) -> Publishable:
    """The text with a word in place of everything that must stay inside; all the rest of it as it was.

    ``leave_out``: see :func:`.exclusions.find`. Secrets are found by their form: what looks like none stays.
    """
    removed: List[Removed] = []
    kept: List[str] = []
    hidden = secret_forms.key_lines(split(text))
    cut = _cut_lines(split(text))
    for number, line in enumerate(split(text)):
        newline = line[len(line.rstrip("\r\n")) :]
        if number in cut:
            left_out = cut[number]
            if left_out is not None:
                removed.append(Removed(number + 1, LOG))
                kept.append("(%d more lines left out)%s" % (left_out, ending(line)))
            continue
        if number in hidden:
            removed.append(Removed(number + 1, exclusions.SECRET))
            kept.append(MASK + newline)
            continue
        without, found = _without(line[: len(line) - len(newline)], leave_out)
        removed += [Removed(number + 1, what) for what in found]
        kept.append(without + newline)
    return Publishable("".join(kept), removed)


def _without(line: str, leave_out: Sequence[str]) -> Tuple[str, List[str]]:
    """The line, looked at as it is written and as Markdown shows it: an escaped address is an address."""
    shown = written.markdown(line)
    found = [
        Stretch(shown.written(each.start), shown.written(each.end), each.what)
        for each in exclusions.find(shown.text, leave_out)
    ]
    for each in exclusions.find(line, leave_out):
        # A backslash stays with the character that it escapes, or what follows would become Markdown.
        begin, end = (shown.written(shown.read(place)) for place in (each.start, each.end))
        found += [Stretch(begin, end, each.what)] if begin < end and line[begin:end] != MASK else []
    pieces: List[str] = []
    what: List[str] = []
    position = 0
    for stretch in _merged(found):
        pieces += [line[position : stretch.start], MASK if stretch.what == exclusions.SECRET else "(%s)" % stretch.what]
        what.append(stretch.what)
        position = stretch.end
    return "".join([*pieces, line[position:]]), what


def _merged(stretches: Sequence[Stretch]) -> List[Stretch]:
    """In order, and without overlaps; where a secret is part of it the whole is one."""
    merged: List[Stretch] = []
    for stretch in sorted(stretches):
        if merged and stretch.start < merged[-1].end:
            last = merged[-1]
            what = exclusions.SECRET if exclusions.SECRET in (last.what, stretch.what) else last.what
            merged[-1] = Stretch(last.start, max(last.end, stretch.end), what)
        else:
            merged.append(stretch)
    return merged


def _cut_lines(lines: Sequence[str]) -> Dict[int, Optional[int]]:
    """The lines that are too many in a block of code: at the first of them how many they are, at the others None."""
    cut: Dict[int, Optional[int]] = {}
    for first, last in _code_blocks(lines):
        if last - first > MOST_CODE_LINES:
            # One line says that there were more.
            begin = first + MOST_CODE_LINES - 1
            cut.update((number, None) for number in range(begin, last))
            cut[begin] = last - begin
    return cut


def _code_blocks(lines: Sequence[str]) -> List[Tuple[int, int]]:
    """From which line to before which one each block of code goes, fences not counted.

    A block that nobody ended ends at the next marker: a forgotten fence must not take the rest of the note along.
    """
    found: List[Tuple[int, int]] = []
    fence: Optional[str] = None
    begin = 0
    indented: List[int] = []
    for number, line in enumerate(lines):
        match = _FENCE.fullmatch(line.rstrip("\r\n"))
        if fence is not None:
            ends = match is not None and match.group(1).startswith(fence) and not match.group(2).strip()
            if ends or is_marker(line):
                found.append((begin, number))
                fence = None
        elif match is not None:
            fence, begin = match.group(1), number + 1
        if fence is None and _INDENTED.match(line):
            indented.append(number)
        elif indented and (line.strip() or fence is not None):
            found.append((indented[0], indented[-1] + 1))
            indented = []
    if fence is not None:
        found.append((begin, len(lines)))
    if indented:
        found.append((indented[0], indented[-1] + 1))
    return found
