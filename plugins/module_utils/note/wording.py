# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts and moments of events as they stand in a note: escaped, and shortened where they are long.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional

from .. import markdown
from ..parse import times
from ..parse.text import ELLIPSIS, one_line
from ..shapes import NOT_KNOWN, counted

_LONGEST_TEXT = 400
_MOST_LINES = 12


def said(value: Any, limit: int = _LONGEST_TEXT) -> str:
    """A text within a line of Markdown; a longer one is cut, and its size stands after it."""
    return _said(value, limit, markdown.text)


def said_in_lines(value: Any) -> List[str]:
    """A text of several lines, the empty ones left out; of a long one the first lines, and how much follows.

    The first stands within a line of Markdown, the others at the beginning of one.
    """
    text = value if isinstance(value, str) else ""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return [said(value)]
    shown = [said(lines[0])] + [_said(line, _LONGEST_TEXT, markdown.line) for line in lines[1:_MOST_LINES]]
    left_out = len(lines) - len(shown)
    if left_out:
        more = counted(left_out, "more line", "more lines")
        shown.append("and %s (%s characters in all)" % (more, size(len(text))))
    return shown


def _said(value: Any, limit: int, escape: Callable[[str], str]) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or not str(value).strip():
        return NOT_KNOWN
    text = str(value).strip()
    shown = one_line(text, limit)
    cut = shown.endswith(ELLIPSIS) and shown != text
    return escape(shown) + (" (%s characters in all)" % size(len(text)) if cut else "")


def size(number: int) -> str:
    """102400 as 102,400."""
    return format(number, ",")


def day(moment: Optional[str]) -> str:
    """``2026-11-23``."""
    return moment[:10] if moment else NOT_KNOWN


def clock(moment: Optional[str]) -> str:
    """``17:50``, UTC."""
    return moment[11:16] if moment else "--:--"


def day_and_clock(moment: Optional[str]) -> str:
    """``2026-11-23 17:50``, UTC."""
    return "%s %s" % (day(moment), clock(moment)) if moment else NOT_KNOWN


def span(first: Optional[str], last: Optional[str]) -> str:
    """``2026-11-23 17:50 to 18:02``; the day stands there once where it is one."""
    return "%s to %s" % (day_and_clock(first), clock(last) if last and day(first) == day(last) else day_and_clock(last))


def between(first: Optional[str], last: Optional[str]) -> Optional[str]:
    """``1 h 22 min``; None when that is not known or less than nothing."""
    if first is None or last is None:
        return None
    minutes = int(times.to_epoch(last) - times.to_epoch(first)) // 60
    if minutes < 0:
        return None
    return "%d h %d min" % divmod(minutes, 60) if minutes >= 60 else "%d min" % minutes


def comma(texts: List[str]) -> str:
    """``a, b, c``."""
    return ", ".join(texts)
