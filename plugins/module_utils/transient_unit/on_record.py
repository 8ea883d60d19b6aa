# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the record tells of a change of which nothing else is left. Pure. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

from ..settings import BadInput


def begun(events: Sequence[Mapping[str, Any]], wanted: str) -> Optional[Mapping[str, Any]]:
    """What was begun last under the id of an action or of a plan."""
    for event in reversed(events):
        data: Mapping[str, Any] = event["data"]
        if event["kind"] == "action_begun" and wanted in (data["action_id"], data["plan_id"]):
            return data
    return None


def told(events: Sequence[Mapping[str, Any]], begun: Mapping[str, Any], what: str) -> Dict[str, Any]:
    """The result of one that was begun; :class:`BadInput` where its end is not on record."""
    for event in events:
        data = event["data"]
        if event["kind"] == "action_finished" and data["action_id"] == begun["action_id"]:
            found = {
                "action_id": begun["action_id"],
                "plan_id": begun["plan_id"],
                "outcome": data["outcome"],
                "changed": data["changed"] is not False,
                "detail": data["detail"],
            }
            if data["outcome"] not in ("applied", "nothing_to_do"):
                again = "Run it without approve to see what is to be done now."
                found.update(code="ended_before", next_step=again, evidence={})
            return found
    raise BadInput(
        "outcome_unrecorded",
        "The %s %s was begun, and its end is not on record." % (what, begun["action_id"]),
        "Run it again without approve: it records how it ended.",
    )
