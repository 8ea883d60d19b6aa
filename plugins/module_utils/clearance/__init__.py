# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exclusive, expiring permit on the host without which nothing is changed (design 7). Private to this collection."""

from __future__ import annotations

from typing import NamedTuple, Optional

from ..probe import Context
from ..refusal import Refusal


class Permit(NamedTuple):
    """What was granted. Times as the record writes them, UTC; ``head`` is the full commit that was proved live."""

    clearance_id: str
    incident: str
    holder: str
    granted_at: str
    expires_at: str
    head: str


def check(context: Context, token: Optional[str], incident: str, seconds: int) -> Permit:
    """The permit, if it is this caller's, of this incident, lasts ``seconds`` more, and what it proved still holds.

    :class:`Refusal` otherwise.
    """
    raise Refusal(
        "clearance_missing",
        "There is no clearance.",
        "Run the playbook with approve=PLAN_ID: the precondition grants one.",
    )
