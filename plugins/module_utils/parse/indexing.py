# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``verify-warcs`` and then ``index-job`` print, standard output and error in one (contract 2.3, 2.7)."""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Tuple

from .text import decode, one_line, strip_ansi

_SUMMARY = re.compile(r"Summary: total=([0-9]{1,9}) checked=([0-9]{1,9}) ok=([0-9]{1,9}) failed=([0-9]{1,9})")
_FAILURE = re.compile(r"- path=(\S.*?) kind=([a-z_]{1,40}) error=(.*)")
_LINE_LIMIT = 300
_MOST_LINES = 400
_TAIL = 20
VERIFY, INDEX = "verify", "index"


class Summary(NamedTuple):
    """Of ``verify-warcs``: how many WARC files there are, were read, are whole and are not."""

    total: int
    checked: int
    ok: int
    failed: int

    @property
    def whole(self) -> bool:
        """Whether every file was read and is whole."""
        return self.total > 0 and self.total == self.checked == self.ok and self.failed == 0


class Report(NamedTuple):
    """``summary`` None: verification has not said how it ended. ``failures``: path, kind and error of a file. ``lines``: (step,
    what was printed), the first ones; ``tail``: the last ones."""

    summary: Optional[Summary]
    failures: Tuple[Tuple[str, str, str], ...]
    lines: Tuple[Tuple[str, str], ...]
    tail: Tuple[str, ...]


def report(output: bytes) -> Report:
    """Whatever it is; what is no line of theirs is told as it is. A last line that is not whole yet is left out."""
    whole = output.rpartition(b"\n")[0]
    summary: Optional[Summary] = None
    failures: List[Tuple[str, str, str]] = []
    lines: List[Tuple[str, str]] = []
    step = VERIFY
    for line in (strip_ansi(each).rstrip() for each in decode(whole).split("\n")):
        if not line.strip():
            continue
        found = _SUMMARY.fullmatch(line)
        failure = _FAILURE.fullmatch(line)
        if found is not None and summary is None:
            summary = Summary(*(int(number) for number in found.groups()))
        elif failure is not None and step == VERIFY:
            failures.append((failure.group(1), failure.group(2), one_line(failure.group(3), _LINE_LIMIT)))
        lines.append((step, one_line(line, _LINE_LIMIT)))
        if line.startswith("JSON report: ") and summary is not None and summary.whole:
            step = INDEX
    return Report(summary, tuple(failures), tuple(lines[:_MOST_LINES]), tuple(text for _step, text in lines[-_TAIL:]))
