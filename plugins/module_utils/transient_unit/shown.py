# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a transient unit, of what ``systemctl show`` says. Pure. Private to this collection.

It is of oneshot type, and systemd keeps it when it has ended, so that its end can be read later.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple, Optional

from ..parse.errors import ParseError

# What `of_properties` reads.
PROPERTIES = "Id,LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,ExecMainExitTimestamp"

RUNNING, SUCCEEDED, FAILED, GONE = "running", "succeeded", "failed", "gone"


class Shown(NamedTuple):
    """``state``: RUNNING, SUCCEEDED, FAILED or GONE: nothing of that name is there. ``main_ended``: the command itself has
    ended, with ``code``, None if it was killed. ``result``: systemd's word for a failure."""

    state: str
    main_ended: bool
    code: Optional[int]
    result: str


def of_properties(properties: Mapping[str, str]) -> Shown:
    """:class:`ParseError`."""
    try:
        load, active = properties["LoadState"], properties["ActiveState"]
        main = int(properties["ExecMainCode"])
        status = int(properties["ExecMainStatus"])
    except (KeyError, ValueError) as error:
        raise ParseError("unparsable", "systemctl show did not say %s" % error) from error
    # 1: it ended by itself; 2 and 3: by a signal; 0: it has not ended.
    code = status if main == 1 else None
    if active in ("activating", "deactivating", "reloading"):
        return Shown(RUNNING, main != 0, code, properties.get("Result", ""))
    if active == "active":
        return Shown(SUCCEEDED, True, code, properties.get("Result", ""))
    if active == "failed":
        return Shown(FAILED, True, code, properties.get("Result", ""))
    if active == "inactive" and load == "not-found":
        return Shown(GONE, True, None, "")
    if active == "inactive":
        # Somebody stopped it after its end, and has it loaded for another reason: what it ended with is still said.
        return Shown(SUCCEEDED if code == 0 else FAILED, True, code, properties.get("Result", ""))
    raise ParseError("unparsable", "systemctl show said an unknown state: " + active)
