# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit that verifies and indexes. Private to this collection."""

from __future__ import annotations

from ..transient_unit import shown
from ..transient_unit.unit import TransientUnit
from . import judge
from .command import OUTPUT
from .facts import NAME

UNIT = TransientUnit(NAME, "indexing", "indexing.json", OUTPUT, "not_started")


def end_of(found: shown.Shown, printed: bool) -> judge.End:
    """How it ended. Pure."""
    if found.state == shown.GONE:
        return judge.End(judge.LOST if printed else judge.NEVER)
    if found.result == "timeout":
        return judge.End(judge.TIMEOUT)
    if found.state == shown.SUCCEEDED and found.code == 0:
        return judge.End(judge.ENDED, 0)
    if found.result in ("exit-code", "success"):
        # Of what is run before the command, systemd keeps no code here.
        return judge.End(judge.ENDED, found.code if found.code else None)
    return judge.End(judge.KILLED)
