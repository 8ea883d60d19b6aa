# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The third truth value: what was not seen is neither true nor false. Private to this collection."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional


class Unknown:
    """The value of a fact that was not established. It has no truth value of its own, so that none is taken by
    mistake."""

    def __bool__(self) -> bool:
        raise TypeError("an unknown fact is neither true nor false")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


class Listing(NamedTuple):
    """A list from the evidence. ``complete`` is False where the probe did not see all of it: what is not in it may
    exist."""

    items: Sequence[Any]
    complete: bool


def truth(value: Any) -> Optional[bool]:
    """``value`` as a truth value; None for unknown and for what is no truth value at all."""
    return value if isinstance(value, bool) else None


def negation(value: Optional[bool]) -> Optional[bool]:
    """Not; unknown stays unknown."""
    return None if value is None else not value


def conjunction(values: Iterable[Optional[bool]]) -> Optional[bool]:
    """And: false as soon as one is false, else unknown if one is unknown."""
    seen = list(values)
    if False in seen:
        return False
    return None if None in seen else True


def disjunction(values: Iterable[Optional[bool]]) -> Optional[bool]:
    """Or: true as soon as one is true, else unknown if one is unknown."""
    seen = list(values)
    if True in seen:
        return True
    return None if None in seen else False


def value_of(raw: Any, complete: bool) -> Any:
    """A value of the evidence document as conditions see it: null, and numbers that are none, are unknown."""
    if raw is None or (isinstance(raw, float) and not math.isfinite(raw)):
        return UNKNOWN
    if isinstance(raw, (list, tuple)):
        return Listing(raw, complete)
    return raw


def member(container: Any, key: Any, complete: bool) -> Any:
    """One member of a mapping of the evidence; unknown where there is none."""
    if isinstance(container, Mapping) and isinstance(key, str):
        return value_of(container.get(key), complete)
    return UNKNOWN


def kind(value: Any) -> Optional[str]:
    """Which values can be compared with each other: a truth value is no number. None: with nothing."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else None
