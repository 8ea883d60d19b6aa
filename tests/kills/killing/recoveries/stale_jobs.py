# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover_stale_jobs: a row says running and nobody crawls it, beside a crawl that is well."""

from __future__ import annotations

from .recovery import BUSY, WORKER, Recovery, faults, says, script

_AGAIN = """
id=$(sql "SELECT id FROM archive_jobs WHERE name = 'phac-killed-beside'")
sql "UPDATE archive_jobs SET status = 'running' WHERE id = $id"
age_job "$id" 5
"""
RECOVERY = Recovery(
    playbook="recover_stale_jobs",
    module="stale_jobs",
    broken=faults("stale_beside_healthy"),
    again=script(_AGAIN),
    said=says(),
    completed=("row \"name = 'phac-killed-beside' AND status = 'retryable'\"", WORKER),
    moves={"running": ("running", "retryable")},
    minutes=6,
    act_seconds=60,
    growing=BUSY,
)
