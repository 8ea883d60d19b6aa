# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was begun on the host and never finished: the first thing that reports say. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, List

from ...module_utils.shapes import duration, mapping, records, shown, whole, words

_TORN = (
    "The last line of the record was cut short, perhaps one that said that an action began. See on the host whether something "
    "was changed."
)
_MOST = 5
_MOST_SUBJECTS = 5


def statements(evidence: Mapping[str, Any]) -> List[str]:
    """One for each action, the newest first, one that counts the rest, and one of a record whose last line was cut short."""
    record = mapping(mapping(mapping(evidence.get("probes")).get("record")).get("data"))
    actions = records(record.get("unfinished_actions"))[::-1]
    said = [_statement(action) for action in actions[:_MOST]]
    left_out = max(whole(record.get("unfinished_count")) or 0, len(actions)) - len(said)
    said += ["and %d more: see evidence.json" % left_out] if left_out > 0 else []
    return [*said, _TORN] if record.get("torn_end") is True else said


def _statement(action: Mapping[str, Any]) -> str:
    incident = action.get("incident")
    said = "%s of %s" % (
        words(action.get("action")),
        "no incident" if incident is None else "incident " + shown(incident, 80),
    )
    said += " was begun %s before this (%s), and its end is not on record" % (
        duration(action.get("age_seconds")), shown(action.get("begun_at"), 40),
    )  # fmt: skip
    given = action.get("subjects")
    subjects = [shown(subject, 80) for subject in given] if isinstance(given, (list, tuple)) else []
    if subjects:
        more = ["and %d more" % (len(subjects) - _MOST_SUBJECTS)] if len(subjects) > _MOST_SUBJECTS else []
        said += ": " + ", ".join([*subjects[:_MOST_SUBJECTS], *more])
    return said + ". It may be running now, or have been cut short."
