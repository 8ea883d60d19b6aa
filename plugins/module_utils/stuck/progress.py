# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a crawl that was taken up again gets on: its counter is seen to move, or it is said that it was not.

Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, Iterable, NamedTuple, Optional, Tuple

from ..probe import Context
from ..probes import job_facts
from . import rows

_POLL_SECONDS = 4.0
_ENDED = ("completed", "indexed", "indexing", "index_failed")


class Progress(NamedTuple):
    """``moving``: jobs whose counter rose or that have crawled all, with a sentence; ``still``: those of which neither was
    seen."""

    moving: Tuple[Tuple[int, str], ...]
    still: Tuple[int, ...]
    seconds: float

    def evidence(self) -> Dict[str, Any]:
        return {"moving": {"job %d" % job: what for job, what in self.moving}, "still": list(self.still)}

    def described(self) -> str:
        words = ["Job %d gets on: %s." % each for each in self.moving]
        if self.still:
            words.append(
                "Of job %s no progress was seen within %.0f s: see its newest combined log before it is called recovered."
                % (", ".join(map(str, self.still)), self.seconds)
            )
        return " ".join(words)


def watch(context: Context, jobs: Iterable[int], seconds: float) -> Progress:
    """Look until each of them was seen to get on, or ``seconds`` have passed."""
    waiting = sorted(jobs)[: rows.DETAILS]
    first: Dict[int, Optional[int]] = {}
    moving: Dict[int, str] = {}
    end = time.monotonic() + seconds
    while True:
        now = rows.states(context, waiting)
        rows.detailed(context, now)
        for row in now.values():
            row["details"] = True
        job_facts.add(context, list(now.values()))
        for job, row in now.items():
            said = _moves(row, first.setdefault(job, row["crawled"]))
            if said is not None:
                moving[job] = said
        waiting = [job for job in waiting if job not in moving]
        left = end - time.monotonic()
        if not waiting or left <= 0:
            return Progress(tuple(sorted(moving.items())), tuple(waiting), seconds)
        time.sleep(min(_POLL_SECONDS, max(left, 0.1)))


def _moves(row: Dict[str, Any], at_first: Optional[int]) -> Optional[str]:
    """None: not seen. What its log says at first may be of the crawl before."""
    if row["status"] in _ENDED:
        return "it is %s" % row["status"]
    if row["status"] == "running" and row["crawled"] is not None and at_first is not None and row["crawled"] > at_first:
        return "%d pages crawled, %d a moment before" % (row["crawled"], at_first)
    return None
