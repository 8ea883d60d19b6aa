# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recorded verification shows, not more than its checks do, and which of two is the newer. Private to this collection."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional

from .shapes import records


def of(data: Mapping[str, Any]) -> Optional[bool]:
    """True: it passed, and every check in it did; False: it says that it did not, or a check failed; None: nobody knows.

    ``data`` is that of an event ``verified``, whoever wrote it. One without checks looked at nothing.
    """
    results = [check.get("result") for check in records(data.get("checks"))]
    if data.get("passed") is False or "failed" in results:
        return False
    return True if data.get("passed") is True and results and set(results) == {"passed"} else None


class Look(NamedTuple):
    """When a verification looked, and when that was recorded (None: not yet)."""

    at: str
    recorded_at: Optional[str]

    @property
    def ended(self) -> str:
        """When it looked. Nobody has looked later than it was recorded: then a clock was wrong."""
        return self.at if self.recorded_at is None else min(self.at, self.recorded_at)


def stands_for(later: Look, earlier: Look) -> bool:
    """Whether a look takes the place of one that is recorded before it: by when they looked. One that is recorded late may be
    the older one."""
    if None not in (later.recorded_at, earlier.recorded_at) and (later.recorded_at or "") < (earlier.recorded_at or ""):
        # The host's clock was put back in between, so that its times say nothing about the order.
        return True
    return later.ended >= earlier.ended
