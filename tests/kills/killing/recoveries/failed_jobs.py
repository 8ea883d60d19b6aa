# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover_failed_jobs: a job has used up its attempts, beside a crawl that is well."""

from __future__ import annotations

from .recovery import BUSY, WORKER, Recovery, job_named, script

_FAILING = """
systemctl stop healtharchive-worker
id=$(new_job phac)
place_job "$id" phac-failing phac/failing '{"simulated_exit_code": 1, "simulated_seconds": 1}'
start_worker
# before its last attempt it is failed as well, for a moment
given_up() { row "id = $id AND status = 'failed' AND retry_count = 2"; }
wait_until 90 given_up
# so that nobody takes it up while it is looked at
occupy_worker
"""
_AGAIN = """
sql "UPDATE archive_jobs SET status = 'failed', crawler_status = 'failed', crawler_exit_code = 1, retry_count = 2
         WHERE name = 'phac-failing'"
"""
RECOVERY = Recovery(
    playbook="recover_failed_jobs",
    module="job",
    broken=script(_FAILING),
    again=script(_AGAIN),
    said=job_named("phac-failing"),
    completed=("row \"name = 'phac-failing' AND status = 'retryable'\"", WORKER),
    moves={"failed": ("failed", "retryable")},
    minutes=4,
    act_seconds=60,
    growing=BUSY,
)
