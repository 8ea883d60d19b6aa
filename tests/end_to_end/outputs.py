# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output directories of jobs, made and broken without the collection; and their recovery, asked without Ansible between."""

from __future__ import annotations

from typing import Any, Dict

from .storage import HELPERS, JOBS, asked

NAME = "hc-20240101"
DIRECTORY = JOBS + "/hc/20240101T000502Z__" + NAME
# As after a reboot: the directory of a waiting annual job is a plain one of the local disk.
EMPTY = HELPERS + "annual_job hc 2024 >/dev/null; runuser -u haadmin -- mkdir -p %s\n" % DIRECTORY
# Of a job that was once run as root.
OF_ROOT = (
    'id=$(new_job cihr); place_job "$id" of-root cihr/of-root; install -d -o root -m 0755 %s/cihr/of-root\n'
    "touch %s/cihr/of-root/made-by-root; sql \"UPDATE archive_jobs SET status = 'failed', retry_count = 2 WHERE id = $id\"\n"
) % (JOBS, JOBS)


class Outputs:
    """What the module's code says, or does, in this incident."""

    def __init__(self, host: Any, incident: str) -> None:
        self.host = host
        self.incident = incident

    def __call__(self, script: str = "true", **said: Any) -> Dict[str, Any]:
        return asked(self.host, self.incident, script, what=("outputs", "OutputDirectories"), **said)
