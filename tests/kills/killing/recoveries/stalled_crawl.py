# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover_stalled_crawl: a crawl stands still, and its worker is stopped and started."""

from __future__ import annotations

from .recovery import WORKER, Recovery, says, script

_STALLED = """
systemctl stop healtharchive-worker
id=$(new_job hc)
place_job "$id" hc-stalled hc/stalled '{"simulated_seconds": 36000, "simulated_stall_after_pages": 2}'
start_worker
wait_until 60 job_is running "$id"
silent_often() { [ "$(grep -c 'Navigation timeout' "$JOBS"/hc/stalled/*.combined.log)" -ge 5 ]; }
wait_until 60 silent_often
log_earlier "$JOBS"/hc/stalled/*.combined.log 2
sql "UPDATE archive_jobs SET started_at = now() - interval '2 hours',
         config = (config::jsonb || '{\\"tool_options\\": {\\"simulated_seconds\\": 3600}}')::json WHERE id = $id"
"""
_AGAIN = """
systemctl stop healtharchive-worker
forget_jobs hc-stalled
"""
# Of the worker that it stops, in seconds.
_RESUMES_AFTER = 90
_DIRECTORY = "^/srv/healtharchive/jobs/hc/stalled/"
RECOVERY = Recovery(
    playbook="recover_stalled_crawl",
    module="stalled_crawl",
    broken=script(_STALLED),
    again=script(_AGAIN + _STALLED),
    said=says(recover_stalled_crawl_resume_after=_RESUMES_AFTER),
    completed=("row \"name = 'hc-stalled' AND started_at > now() - interval '1 hour'\"", WORKER),
    moves={"running": ("running", "retryable")},
    minutes=11,
    act_seconds=180,
    resumes_after_seconds=_RESUMES_AFTER,
    # The crawl goes on until it is stopped, and its next attempt writes its state anew.
    growing=_DIRECTORY,
    rewritten=_DIRECTORY,
)
