# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mini change request: what would be done, and the digest by which it is approved (design 3, law 2; contract 4.13).

A pure function of what was seen: the same world gives the same plan, and another world another digest. Private to this
collection.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

# Of the digest, in hexadecimal digits: enough that no two plans of an incident share it, few enough to be typed.
ID_LENGTH = 12


class Plan(NamedTuple):
    """``action`` is the kind of change, by which the record and the budget count it. ``commands`` are argvs, in order, as they
    will be run. ``subjects`` name what is changed: ``job 12``, ``unit healtharchive-worker.service``, ``mount /srv/...``.
    ``before`` and ``after`` say for each subject what it is and what it shall be, and hold nothing that changes by itself
    (an age, a counter). ``left_out`` are subjects that were looked at and are not touched, each with the reason, for which the
    same is true.
    """

    action: str
    objective: str
    commands: Tuple[Tuple[str, ...], ...]
    subjects: Tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    expected_impact: str
    rollback: str
    left_out: Mapping[str, str] = {}
    # What is to be mended, in words that are the same whenever it is the same: how it is known again.
    symptom: Optional[str] = None
    # For people only: what makes no other plan of it, such as ages and progress; and of what is left out for a person, what they
    # do, as :meth:`.by_hand.ByHand.described` gives it (`left_out` has the same in a sentence).
    remarks: Tuple[str, ...] = ()
    by_hand: Tuple[Mapping[str, Any], ...] = ()

    def described(self) -> Dict[str, Any]:
        """As a module returns it."""
        return {
            **self._asdict(),
            "commands": [list(argv) for argv in self.commands],
            "subjects": list(self.subjects),
            "before": dict(self.before),
            "after": dict(self.after),
            "left_out": dict(self.left_out),
            "remarks": list(self.remarks),
            "by_hand": [dict(each) for each in self.by_hand],
        }


class NothingToDo(NamedTuple):
    """The wish holds already; ``detail`` says how that was seen, ``left_out`` as in :class:`Plan`."""

    detail: str
    left_out: Mapping[str, str] = {}


def plan_id(plan: Plan, machine_id: str, incident: str, head: str) -> str:
    """The digest of a plan on this host, in this incident, at this commit of the service."""
    said = {name: value for name, value in plan.described().items() if name not in ("remarks", "by_hand")}
    text = json.dumps([said, machine_id, incident, head], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:ID_LENGTH]


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Dict[str, str]:
    """What ``--diff`` shows: one line for each subject."""
    return {"before": _lines(before), "after": _lines(after)}


def _lines(states: Mapping[str, Any]) -> str:
    return "".join("%s: %s\n" % (subject, json.dumps(states[subject], sort_keys=True)) for subject in sorted(states))


__all__: Sequence[str] = ("ID_LENGTH", "NothingToDo", "Plan", "difference", "plan_id")
