# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long lists of a note, shortened so that it stays one that can be read and written. Private to this collection.

The log has all of it; a note that grew without end could one day not be written any more.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

from ..shapes import counted


class Shortened(NamedTuple):
    """What is shown of a list: how many of its first and of its last items. ``left_out``: how many between them are not."""

    first: int
    left_out: int
    last: int


def middle_left_out(items: Sequence[Sequence[str]], first: int, most: int, most_characters: int) -> Shortened:
    """The ``first`` items and as many of the last as there is room for, ``most`` in all; always the very last one.

    An item is the lines that it takes.
    """
    if len(items) <= most and sum(map(_size, items)) <= most_characters:
        return Shortened(len(items), 0, 0)
    first = min(first, len(items) - 1)
    room = most_characters - sum(_size(item) for item in items[:first])
    last = 0
    for item in reversed(items[first:]):
        room -= _size(item)
        if last and (room < 0 or first + last >= most):
            break
        last += 1
    return Shortened(first, len(items) - first - last, last)


def newest(items: Sequence[str], most: int, one_of: str, more_of: str) -> List[str]:
    """The last lines of a list, and before them one that counts the others."""
    if len(items) <= most:
        return list(items)
    return ["- " + left_out(len(items) - most, "earlier " + one_of, "earlier " + more_of), *items[-most:]]


def left_out(number: int, one_of: str, more_of: str) -> str:
    """A sentence that says how many are not there."""
    is_and_it = ("is", "it") if number == 1 else ("are", "them")
    return "%s %s left out here; the log of the host has %s." % (counted(number, one_of, more_of), *is_and_it)


def _size(item: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in item)
