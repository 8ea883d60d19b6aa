# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed blocks: the lines of a note that are written again, between two markers. Private to this collection.

A marker is a line of its own. One that is missing, doubled, crossed with another or around another leaves its block
alone: what a person did to it cannot be known, so it is reported and never repaired.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .lines import bare

_MARKER = re.compile(r"<!-- healtharchive\.remediation (begin|end): ([a-z_]{1,40}) -->")


class Problem(NamedTuple):
    """What keeps a block, or (``block`` None) the note, from being written as it should be."""

    code: str
    message: str
    block: Optional[str]


class Blocks(NamedTuple):
    """Where each sound block is: the numbers of its two marker lines, from 0."""

    places: Dict[str, Tuple[int, int]]
    problems: List[Problem]


class _Marker(NamedTuple):
    line: int
    begins: bool
    name: str


def begin(name: str) -> str:
    """The line before a block."""
    return "<!-- healtharchive.remediation begin: %s -->" % name


def end(name: str) -> str:
    """The line after it."""
    return "<!-- healtharchive.remediation end: %s -->" % name


def is_marker(line: str) -> bool:
    """Whether a line is a marker, of whatever block."""
    return _MARKER.fullmatch(bare(line)) is not None


def find(lines: Sequence[str], names: Sequence[str]) -> Blocks:
    """The blocks of these names, and what is wrong with the markers."""
    markers = []
    for number, line in enumerate(lines):
        match = _MARKER.fullmatch(bare(line))
        if match is not None:
            markers.append(_Marker(number, match.group(1) == "begin", match.group(2)))
    if not markers:
        message = "The note has none of the markers between which it is written. It is left as it is."
        return Blocks({}, [Problem("markers_missing", message, None)])
    whole = {name: place for name in {each.name for each in markers} for place in [_whole(name, markers)] if place}
    places: Dict[str, Tuple[int, int]] = {}
    problems = []
    for name in names:
        problem = _problem(name, markers, whole)
        if problem is None:
            places[name] = whole[name]
        else:
            problems.append(problem)
    for name in sorted({each.name for each in markers} - set(names)):
        problems.append(Problem("marker_unknown", "No block has the name %s. Its markers are left alone." % name, name))
    return Blocks(places, problems)


def _whole(name: str, markers: Sequence[_Marker]) -> Optional[Tuple[int, int]]:
    """The lines of the one beginning and the one end of a block, in that order."""
    found = [each for each in markers if each.name == name]
    return (found[0].line, found[1].line) if [each.begins for each in found] == [True, False] else None


def _problem(name: str, markers: Sequence[_Marker], whole: Dict[str, Tuple[int, int]]) -> Optional[Problem]:
    begins = [each.line for each in markers if each.name == name and each.begins]
    ends = [each.line for each in markers if each.name == name and not each.begins]
    for lines, word in ((begins, begin(name)), (ends, end(name))):
        if len(lines) > 1:
            where = " and ".join(str(line + 1) for line in lines[:3])
            return _left("marker_doubled", name, "The marker %s stands in lines %s" % (word, where))
    for lines, word in ((begins, begin(name)), (ends, end(name))):
        if not lines:
            return _left("marker_missing", name, "The marker %s is missing" % word)
    first, last = begins[0], ends[0]
    if last < first:
        return _left("marker_crossed", name, "The block ends in line %d before it begins in line %d" % (last + 1, first + 1))
    inside = [each for each in markers if first < each.line < last]
    if inside:
        other = inside[0]
        complete = [each.name for each in inside].count(other.name) == 2
        code, word = ("marker_nested", "around") if complete else ("marker_crossed", "crossed with")
        return _left(code, name, "The block is %s the block %s (line %d)" % (word, other.name, other.line + 1))
    for other_name, (start, stop) in sorted(whole.items()):
        if start < first and last < stop:
            return _left("marker_nested", name, "The block stands in the block %s" % other_name)
    return None


def _left(code: str, name: str, message: str) -> Problem:
    return Problem(code, message + ". The block is left as it is.", name)
