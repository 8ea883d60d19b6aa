# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a document as reports and notes show them: of the expected kind, or not known. Private to this collection."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, List, Optional

from .parse.text import one_line

NOT_KNOWN = "not known"


def mapping(value: Any) -> Mapping[str, Any]:
    """The mapping, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def records(value: Any) -> List[Mapping[str, Any]]:
    """The mappings of a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []


def number(value: Any) -> Optional[float]:
    """A number as float; None for what is none, a truth value included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300:
        return None
    return float(value) if math.isfinite(value) else None


def whole(value: Any) -> Optional[int]:
    """A whole number of a size that can be meant."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15 else None


def shown(value: Any, limit: int) -> str:
    """A text or number on one printable line; anything else is not known."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return NOT_KNOWN
    if isinstance(value, int) and whole(value) is None:
        return NOT_KNOWN
    return one_line(value, limit)


def words(value: Any) -> str:
    """A code as words: ``stale_state`` is "stale state"."""
    return shown(value, 80).replace("_", " ")


def counted(many: int, one_of: str, more_of: str) -> str:
    """``1 line``, ``1,200 lines``: a number and the word that goes with it."""
    return "%s %s" % (format(many, ","), one_of if many == 1 else more_of)


def duration(value: Any) -> str:
    """Seconds as people say them, in at most two units."""
    seconds = number(value)
    if seconds is None or seconds < 0:
        return NOT_KNOWN
    if seconds < 60:
        return "%d s" % seconds
    if seconds < 3600:
        return "%d min %d s" % (seconds // 60, seconds % 60)
    if seconds < 86400:
        return "%d h %d min" % (seconds // 3600, seconds % 3600 // 60)
    return "%d d %d h" % (seconds // 86400, seconds % 86400 // 3600)
