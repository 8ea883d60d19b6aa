# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids of incidents and names of hosts, before a path is built from them. Private to this collection."""

from __future__ import annotations

import re
from typing import Any

from .refusal import Refused

_INCIDENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[a-z0-9]+)+")
_LONGEST = 80


def checked(incident: Any) -> str:
    """The id, if it is one; :class:`.refusal.Refused` otherwise."""
    if isinstance(incident, str) and len(incident) <= _LONGEST and _INCIDENT.fullmatch(incident):
        return incident
    raise Refused(
        "bad_incident",
        "The id of an incident is a date and words of a-z and 0-9 with dashes, like 2026-11-23-api-down.",
        "Give the id as it was returned when the incident was opened.",
    )
