# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit as systemd has it now. Private to this collection."""

from __future__ import annotations

from typing import NamedTuple, Optional

from ..parse import systemd
from ..parse.errors import ParseError
from ..probe import Context, complaint
from ..probes.units import WORKER
from ..refusal import Refusal

SYSTEMCTL = "/usr/bin/systemctl"
_SECONDS = 10.0
_PROPERTIES = (*systemd.PROPERTIES, "InvocationID", "Transient", "CanStart")


class Unit(NamedTuple):
    """``run`` is systemd's id of this run of it, or of its last one; a start makes a new one. ``condition_met``: whether the
    conditions of its last start were; an unmet one skips a start without a word (contract 1.4)."""

    name: str
    load_state: str
    active_state: str
    sub_state: str
    result: str
    unit_file_state: str
    main_pid: Optional[int]
    restarts: Optional[int]
    run: str
    transient: bool
    condition_met: Optional[bool]

    @property
    def runs(self) -> bool:
        return self.active_state == "active"

    @property
    def stopped(self) -> bool:
        """Whether nothing of it runs and nothing is about to."""
        return self.active_state in ("inactive", "failed")

    def described(self) -> str:
        return "%s is %s (%s)" % (self.name, self.active_state, self.sub_state)


def show(context: Context, name: str = WORKER) -> Unit:
    """:class:`Refusal` (``unit_unreadable``) where systemd does not say."""
    argv = [SYSTEMCTL, "show", name, "--no-pager", "--timestamp=unix", "--property=" + ",".join(_PROPERTIES)]
    result = context.run(argv, _SECONDS)
    try:
        if result.rc != 0:
            raise _unreadable(name, complaint(result.stderr) or str(result.failure or result.rc))
        shown = systemd.show(result.stdout)
        if len(shown) != 1:
            raise _unreadable(name, "it names %d units" % len(shown))
        ((found, properties),) = shown.items()
        state = systemd.unit_state(properties)
    except ParseError as error:
        raise _unreadable(name, str(error)) from error
    return Unit(
        found,
        state["load_state"],
        state["active_state"],
        state["sub_state"],
        state["result"],
        state["unit_file_state"],
        state["main_pid"],
        state["restarts"],
        properties.get("InvocationID", ""),
        properties.get("Transient") == "yes",
        state["condition_met"],
    )


def _unreadable(name: str, why: str) -> Refusal:
    return Refusal(
        "unit_unreadable",
        "systemd does not say what state %s is in: %s." % (name, why.rstrip(".")),
        "See for yourself: systemctl status %s" % name,
    )
