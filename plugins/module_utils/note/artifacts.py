# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block ``artifacts``: where the evidence is. Private to this collection."""

from __future__ import annotations

from typing import List, Sequence

from ..shapes import counted
from . import shortened
from .history import Event
from .wording import comma, day_and_clock, said

_MOST = 100


def lines(events: Sequence[Event]) -> List[str]:
    """What proves the rest of the note."""
    told = []
    numbers = sorted(event.sequence for event in events if event.sequence is not None)
    if numbers:
        span = "event %d" % numbers[0] if len(numbers) == 1 else "events %d to %d" % (numbers[0], numbers[-1])
        told.append("- Audit log of the host, `ops/remediation/audit.jsonl`: %s" % span)
    told += _commits(events)
    runs = [event for event in events if event.kind == "triage_run" and event.data.get("evidence_digest")]
    found = [
        "- Evidence of the triage of %s UTC: %s" % (day_and_clock(event.at), said(event.data["evidence_digest"], 90))
        for event in runs
    ]
    told += shortened.newest(found, _MOST, "triage", "triages")
    return told or ["Nothing is on record yet."]


def _commits(events: Sequence[Event]) -> List[str]:
    """Which commit was checked out on the host, and from when."""
    seen: List[str] = []
    last = None
    for event in events:
        if event.head is not None and event.head != last:
            seen.append("%s (%s UTC)" % (said(event.head, 40), day_and_clock(event.at)))
            last = event.head
    more = ["and %s before these" % counted(len(seen) - _MOST, "other", "others")] if len(seen) > _MOST else []
    return ["- Checked out on the host: %s" % comma(seen[-_MOST:] + more)] if seen else []
