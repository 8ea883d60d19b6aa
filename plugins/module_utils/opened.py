# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is changed without an open incident (law 3). Private to this collection."""

from __future__ import annotations

from . import events, recorded
from .audit import AuditLog
from .refusal import Refusal


def check(log: AuditLog, name: str) -> None:
    """:class:`Refusal` unless the record has an open incident of that name."""
    if not events.is_incident(name):
        raise Refusal(
            "bad_incident",
            "The incident must be an id like 2026-11-23-api-down: a date and words of a-z and 0-9 with dashes.",
            "Open one (playbook open_incident), and give the id that it prints: -e incident=ID",
        )
    with log.reading() as snapshot:
        found = recorded.Record(snapshot.events_of(name)).incidents.get(name)
    if found is None:
        raise Refusal(
            "incident_unknown",
            "There is no incident %s in the record of this host." % name,
            "Open one first (playbook open_incident): nothing is changed without a note.",
        )
    if found.state != "open":
        raise Refusal(
            "incident_closed",
            "Incident %s is %s since %s." % (name, found.state, found.resolved_at),
            "Open a new one: nothing is changed in the name of one that is over.",
        )
