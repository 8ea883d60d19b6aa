# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a clearance, in the record: once, by whoever notices first. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, Optional

from .. import events, origin
from ..audit import AuditLog, Paths
from ..events import Draft
from ..probe import Context
from ..settings import BadInput
from . import permit


def expired(context: Context, found: permit.Stored) -> Optional[str]:
    """Record that it expired; why it could not be recorded, or None."""
    where = context.settings
    log = AuditLog(Paths(where.ops_directory), origin.find(where.checkout, None, None, None), context.redactor)
    try:
        record(log, "clearance_expired", found, None)
    except (BadInput, events.BadEvent) as error:
        return str(error)
    return None


def record(log: AuditLog, kind: str, found: permit.Stored, reason: Optional[str], forced: bool = False) -> None:
    """``kind``: clearance_released or clearance_expired. :class:`BadInput`, :class:`events.BadEvent`."""
    data: Dict[str, Any] = {
        "clearance_id": found.clearance_id,
        "holder": found.holder,
        "until": found.expires_at,
        "reason": reason,
    }
    if forced:
        data["forced"] = True
    log.append(Draft(kind, data, found.incident, end_id(found.clearance_id)), once=True)


def end_id(clearance_id: str) -> str:
    """A clearance ends once, in whatever way."""
    return events.event_id_of("clearance_ended", clearance_id)
