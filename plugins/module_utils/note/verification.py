# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block ``verification``: the newest in full, the earlier ones by a line. Private to this collection."""

from __future__ import annotations

from typing import List, Optional, Sequence

from .. import markdown, verdict
from ..parse.text import one_line
from ..shapes import records, shown
from . import outcomes, shortened
from .history import Event, changed_after
from .wording import day_and_clock, said, size

_MOST_CHECKS = 60
_MOST_EARLIER = 100


def lines(events: Sequence[Event]) -> List[str]:
    """What was checked after the repair, and what it showed."""
    last = _newest(events)
    if last is None:
        return ["Not verified yet."]
    told = ["%s UTC: **%s**" % (day_and_clock(last.at), outcomes.of_verification(last.data))]
    if changed_after(events, last):
        told += ["", "**The host was changed after it, or may have been: verify again.**"]
    checks = records(last.data.get("checks"))
    rows = [
        [shown(check.get("check"), 80), outcomes.result_of(check), one_line(check.get("detail") or "", 200)]
        for check in sorted(checks, key=lambda check: outcomes.RESULTS.index(outcomes.result_of(check)))
    ]
    if rows:
        told += ["", *markdown.table(("Check", "Result", "Detail"), rows[:_MOST_CHECKS])]
    if len(rows) > _MOST_CHECKS:
        told += ["", "And %s more checks." % size(len(rows) - _MOST_CHECKS)]
    if last.data.get("verification_id"):
        told += ["", "Verification %s." % said(last.data["verification_id"], 80)]
    earlier = [event for event in events if event.kind == "verified" and event is not last]
    if earlier:
        told += ["", "Earlier:", ""]
        each = ["- %s UTC: %s" % (day_and_clock(event.at), outcomes.of_verification(event.data)) for event in earlier]
        told += shortened.newest(each, _MOST_EARLIER, "verification", "verifications")
    return told


def _newest(events: Sequence[Event]) -> Optional[Event]:
    """By when they looked, as the rules of closing have it."""
    found: Optional[Event] = None
    for event in events:
        if event.kind == "verified" and (found is None or verdict.stands_for(_look(event), _look(found))):
            found = event
    return found


def _look(event: Event) -> verdict.Look:
    return verdict.Look(event.at or "", event.recorded_at)
