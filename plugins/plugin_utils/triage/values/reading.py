# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How values are read from the evidence: one fact, a list of texts, a setting in its form. None: not said.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable, Iterator, List, Optional

from ..evidence import Evidence
from ..templates import Value
from ..unknown import Listing, kind, member

_SHOWN = 5
Look = Callable[[Evidence], Value]
Records = Callable[[Evidence], Iterator[Mapping[str, Any]]]


def sound_path(value: Any) -> Optional[str]:
    sound = isinstance(value, str) and value.startswith("/") and value.isprintable() and len(value) <= 1000
    return value if sound and not _surrogates(value) else None


def _surrogates(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def matching(pattern: "re.Pattern[str]") -> Callable[[Any], Optional[str]]:
    return lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None


def setting(name: str, check: Callable[[Any], Optional[str]]) -> Look:
    return lambda evidence: check(evidence.setting(name))


def found_at(evidence: Evidence, probe: str, *names: str) -> Any:
    value = evidence.data(probe)
    for name in names:
        value = member(value, name, True)
    return value


def mappings(listing: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(listing, Listing):
        yield from (item for item in listing.items if isinstance(item, Mapping))


def listed(probe: str, *names: str) -> Records:
    def items(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
        return mappings(found_at(evidence, probe, *names))

    return items


def scalar(probe: str, *names: str) -> Look:
    def scalar(evidence: Evidence) -> Value:
        value = found_at(evidence, probe, *names)
        return value if kind(value) in ("text", "number") else None

    return scalar


def strings(probe: str, *names: str) -> Look:
    def strings(evidence: Evidence) -> Value:
        listing = found_at(evidence, probe, *names)
        return (
            shortened([item for item in listing.items if isinstance(item, str)])
            if isinstance(listing, Listing)
            else None
        )

    return strings


def texts(items: Records, *keys: str, separator: str = " ") -> Look:
    def texts(evidence: Evidence) -> Value:
        parts = [[str(item[key]) for key in keys if kind(item.get(key)) is not None] for item in items(evidence)]
        return shortened([separator.join(part) for part in parts if part])

    return texts


def shortened(words: List[str]) -> Value:
    return words if len(words) <= _SHOWN else [*words[:_SHOWN], "and %d more" % (len(words) - _SHOWN)]
