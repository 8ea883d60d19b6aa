# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why something was not done. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict

from ...module_utils.events import is_incident
from ...module_utils.settings import BadInput


class Refused(BadInput):
    """``code`` is stable, ``next_step`` says what to do. The rules of the record refuse with its parent class."""


def result(refusal: BadInput) -> Dict[str, Any]:
    """What an action returns that was refused."""
    return {
        "failed": True,
        "msg": "%s %s" % (refusal, refusal.next_step),
        "code": refusal.code,
        "next_step": refusal.next_step,
    }


def checked(incident: Any) -> str:
    """The id of an incident, before a path or a branch is made from it. Raises :class:`Refused`."""
    if is_incident(incident):
        return str(incident)
    raise Refused(
        "bad_incident",
        "The id of an incident is a date and words of a-z and 0-9 with dashes, like 2026-11-23-api-down.",
        "Give the id as it was returned when the incident was opened.",
    )
