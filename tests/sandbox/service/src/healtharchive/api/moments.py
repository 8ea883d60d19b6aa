# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as the API writes them: UTC, with the zone."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC whatever zone the database session has."""
    return moment.astimezone(UTC).isoformat() if moment else None
