# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics that the service's own smoke check of replay writes (contract 1.8): ``healtharchive_replay_smoke_ok``."""

from __future__ import annotations

import re
from typing import List, NamedTuple

from .text import decode, one_line

_SAMPLE = re.compile(r"healtharchive_replay_smoke_(ok|canary_ok|metrics_ok)(?:\{([^{}]*)\})? +([0-9.eE+-]+)")


class Smoke(NamedTuple):
    """``seen``: how many samples say whether something is served; ``failing``: those that say no, with their labels."""

    seen: int
    failing: List[str]


def smoke(content: bytes) -> Smoke:
    """Of a textfile of node exporter; what is no such sample is passed over."""
    found = [
        match for match in map(_SAMPLE.fullmatch, map(str.strip, decode(content).splitlines())) if match is not None
    ]
    failing = [
        one_line("%s %s" % (match.group(1), match.group(2) or ""), 120).strip() for match in found if not _well(match)
    ]
    return Smoke(len(found), failing)


def _well(match: "re.Match[str]") -> bool:
    try:
        return float(match.group(3)) == 1
    except ValueError:
        return False
