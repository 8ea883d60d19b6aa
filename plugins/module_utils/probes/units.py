# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the service's systemd units (contract 1.4)."""

from __future__ import annotations

import time

from ..parse import systemd
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, complaint, failed

SECONDS = 10.0
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
        "--property=" + ",".join(systemd.PROPERTIES),
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
    missing = [name for name in UNITS if name not in units]
    return Finding(
        {"units": units}, [Problem("unparsable", "systemctl show said nothing of %s." % name) for name in missing]
    )
