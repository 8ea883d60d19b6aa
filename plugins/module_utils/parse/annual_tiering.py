# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``vps-annual-output-tiering.py`` prints (contract 3.5): which directories it knows, and which it would bind.

Its exit code is 0 when it knows none, and "nothing to do" is no success (surprise 24): whoever asks looks at the paths.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, List, NamedTuple, Tuple

from .errors import UNPARSABLE, ParseError
from .text import decode

_MOUNT = re.compile(r"MOUNT (/.*) <= (/.*)")
_KNOWN = re.compile(r"(?:UNHEALTHY|WARN) job_id=[0-9]+ source=\S+ path=(/.*) (?:errno|reason)=\S+")
_NOTHING = "No annual jobs found in the expected window; nothing to do."
_LAST = re.compile(r"planned=[0-9]+ mounted_now=[0-9]+ warnings=[0-9]+")


class Tiering(NamedTuple):
    """``binds``: hot path -> cold path of what it binds, or would. ``known``: all paths that it names."""

    binds: Dict[str, str]
    known: FrozenSet[str]


def tiering(stdout: bytes) -> Tiering:
    """Raises ParseError (``unparsable``) where its last line is none that it ends with: it has not run to its end."""
    binds: List[Tuple[str, str]] = []
    known: List[str] = []
    lines = decode(stdout).splitlines()
    if not lines or not (lines[-1] == _NOTHING or _LAST.fullmatch(lines[-1])):
        raise ParseError(UNPARSABLE, "the annual tiering did not say how it ended")
    for line in lines:
        match = _MOUNT.fullmatch(line)
        if match is not None:
            binds.append((match.group(1), match.group(2)))
            continue
        match = _KNOWN.fullmatch(line)
        if match is not None:
            known.append(match.group(1))
    found = dict(binds)
    return Tiering(found, frozenset([*found, *known]))
