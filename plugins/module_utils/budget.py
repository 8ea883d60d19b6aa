# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a kind of change may be tried: counted from the record of the host, so that no second laptop starts anew (law 11).

Pure. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Set

from .parse import times
from .refusal import Refusal

# What was begun and then refused or found done has used nothing up.
_FREE = ("refused", "nothing_to_do")


class Budget(NamedTuple):
    """At most ``per_host`` and, of one subject, ``per_subject`` acts of a kind within ``window_seconds``."""

    per_host: int
    per_subject: int
    window_seconds: int


class Spent(NamedTuple):
    """Acts of a kind within the window, and how many of them were on each subject."""

    acts: int
    subjects: Mapping[str, int]


def spent(events: Iterable[Mapping[str, Any]], action: str, now: float, budget: Budget) -> Spent:
    """``events``: of the record, any kinds. ``now``: seconds since 1970.

    Law 6 beside law 11: what was cut off before it had any effect is one act with what does it now, once for each subject.
    """
    begun: Dict[str, List[str]] = {}
    runs: Dict[str, Any] = {}
    cut_off: List[str] = []
    for event in events:
        data = event["data"]
        if event["kind"] == "action_begun" and data["action"] == action:
            # A clock that was put back must not forget: what is later than now counts as well.
            if times.to_epoch(event["recorded_at"]) > now - budget.window_seconds:
                begun[data["action_id"]] = list(data["subjects"])
                runs[data["action_id"]] = event["by"]["run"]
        elif event["kind"] == "action_finished" and data["action_id"] in begun:
            if data["outcome"] in _FREE:
                del begun[data["action_id"]]
            elif data["outcome"] == "failed" and data["changed"] is not True and event["by"]["run"] != runs[data["action_id"]]:
                # A failure that the run itself recorded was no cut, and counts.
                cut_off.append(data["action_id"])
    resumed: Set[str] = set()
    for action_id in cut_off:
        if resumed.isdisjoint(begun[action_id]):
            resumed.update(begun.pop(action_id))
    counts: Dict[str, int] = {}
    for subjects in begun.values():
        for subject in set(subjects):
            counts[subject] = counts.get(subject, 0) + 1
    return Spent(len(begun), counts)


def check(found: Spent, action: str, subjects: Iterable[str], budget: Budget, override: Optional[str]) -> None:
    """:class:`Refusal` (``budget_spent``) when one more would be too many and nobody gave a reason for it."""
    over = sorted(subject for subject in subjects if found.subjects.get(subject, 0) >= budget.per_subject)
    if override is not None or (found.acts < budget.per_host and not over):
        return
    hours = budget.window_seconds / 3600.0
    times, where = (found.subjects[over[0]], over[0]) if over else (found.acts, "this host")
    what = "%s was done %s on %s in the last %s" % (
        action,
        "once" if times == 1 else "%d times" % times,
        where,
        "hour" if hours == 1 else "%g hours" % hours,
    )
    raise Refusal(
        "budget_spent",
        "%s, and it is broken again: once more is a loop and no recovery." % what,
        "Stop here and call who is on the incident: the cause is elsewhere. Triage again, and see whether the fix belongs in "
        "the repository. To do it once more all the same, say why: -e budget_override_reason=...",
        acts=found.acts,
        per_host=budget.per_host,
        per_subject=budget.per_subject,
        window_seconds=budget.window_seconds,
        subjects={subject: found.subjects[subject] for subject in over},
    )
