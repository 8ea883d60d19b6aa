# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments of the evidence document. Private to this collection."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Optional


def moment(value: Any) -> Optional[datetime]:
    """``2026-11-23T17:50:00Z`` as an aware time; None for anything that is no time. Without an offset it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value[:-1] + "+00:00" if value.endswith("Z") else value)
        return found.replace(tzinfo=timezone.utc) if found.tzinfo is None else found.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
