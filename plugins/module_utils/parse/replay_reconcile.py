# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``replay-reconcile`` prints (contract 2.3): which jobs it takes, which it cannot, and how it ended.

Its exit code is 0 when some of its indexing failed, too (surprise 14): whoever asks looks at the collections.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, NamedTuple

from .errors import UNPARSABLE, ParseError
from .text import decode, one_line

_LAST = re.compile(r"Summary: .*")
_MODE = re.compile(r"Mode: +(APPLY|DRY-RUN)")
_COUNT = re.compile(r"\bfailed=([0-9]+)")
_JOB = re.compile(r"(WOULD INDEX|INDEXED|FAILED)\b.*?\bjob_id=([0-9]{1,15})\b.*")
_BLOCKED = re.compile(r"BLOCKED:.*?\bjob_id=([0-9]{1,15})\b(.*)")


class Report(NamedTuple):
    """``taken``: the jobs whose index it writes, or would. ``blocked``: what it says of those that it cannot. ``failed``: whether
    it says that an index was not written."""

    applied: bool
    taken: FrozenSet[int]
    blocked: Dict[int, str]
    failed: bool


def report(stdout: bytes, stderr: bytes) -> Report:
    """Raises ParseError (``unparsable``) where its mode or its last line is missing: it has not run to its end."""
    lines = decode(stdout).splitlines()
    modes = [match.group(1) for match in map(_MODE.fullmatch, lines) if match is not None]
    if len(modes) != 1 or not _LAST.fullmatch(lines[-1]):
        raise ParseError(UNPARSABLE, "replay-reconcile did not say how it ended")
    jobs = [match for match in map(_JOB.fullmatch, lines) if match is not None]
    counted = any(int(count) for count in _COUNT.findall(lines[-1]))
    blocked = [match for match in map(_BLOCKED.fullmatch, decode(stderr).splitlines()) if match is not None]
    return Report(
        modes[0] == "APPLY",
        frozenset(int(match.group(2)) for match in jobs),
        {int(match.group(1)): one_line(match.group(2).strip(), 200) for match in blocked},
        counted or any(match.group(1) == "FAILED" for match in jobs),
    )
