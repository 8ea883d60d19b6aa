# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the service's systemd units (contract 1.4)."""

from __future__ import annotations

import time
from typing import Optional

from ..parse import systemd, unit_ends
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, complaint, failed

SECONDS = 10.0
# Of a unit: a run's end and the restart after it, of the run before and of the one that is looked at.
_MESSAGES = 8
API = "healtharchive-api.service"
WORKER = "healtharchive-worker.service"
UNITS = (
    API,
    WORKER,
    "healtharchive-replay.service",
    "healtharchive-storagebox-sshfs.service",
    "healtharchive-warc-tiering.service",
    "postgresql.service",
    "caddy.service",
    "docker.service",
)


def probe(context: Context) -> Finding:
    """One ``systemctl show`` for all of them; a unit that does not exist is ``not-found``, which is an answer."""
    argv = [
        "/usr/bin/systemctl",
        "show",
        *UNITS,
        "--no-pager",
        "--timestamp=unix",
        "--property=" + ",".join((*systemd.PROPERTIES, "InvocationID")),
    ]
    result = context.run(argv, SECONDS)
    if result.failure is not None:
        return Finding(None, [failed(result, "systemctl show")])
    if result.rc != 0:
        return Finding(
            None,
            [Problem("command_failed", "systemctl show ended with %d: %s" % (result.rc, complaint(result.stderr)))],
        )
    try:
        shown = systemd.show(result.stdout)
        units = {name: systemd.unit_state(shown[name], time.time()) for name in UNITS if name in shown}
    except ParseError as error:
        return Finding(None, [Problem(error.code, "systemctl show: %s" % error)])
    for name, state in units.items():
        # Its count and its age say that it is one more of a loop, and would after a restart by hand, too.
        if state["restarting"] and state["active_state"] == "active":
            by_systemd = _begun_by_systemd(context, name, shown[name].get("InvocationID", ""))
            state["restarting"] = by_systemd is not False
    missing = [name for name in UNITS if name not in units]
    return Finding(
        {"units": units}, [Problem("unparsable", "systemctl show said nothing of %s." % name) for name in missing]
    )


def _begun_by_systemd(context: Context, name: str, invocation: str) -> Optional[bool]:
    """Whether that run was begun by systemd itself; None where its messages do not tell or cannot be read."""
    argv = [
        "/usr/bin/journalctl",
        "--boot",
        "--reverse",
        "--lines=%d" % _MESSAGES,
        "--output=json",
        "--no-pager",
        "--quiet",
    ]
    argv += ["--output-fields=" + ",".join(unit_ends.FIELDS), "_PID=1", "UNIT=" + name]
    argv += ["MESSAGE_ID=" + message for message in unit_ends.BETWEEN]
    result = context.run(argv, SECONDS)
    if result.failure is not None or result.rc != 0:
        return None
    try:
        return unit_ends.begun_by_systemd(invocation, unit_ends.messages(result.stdout))
    except ParseError:
        return None
