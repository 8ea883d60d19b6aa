# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover_output_directories: the directory of an annual job is an empty one of the local disk, and another job has used up its
attempts on a directory of root's that was given back since."""

from __future__ import annotations

from ..steps import Step
from .recovery import WORKER, Recovery, says, script

_PLACE = "hc/20240101T000502Z__hc-20240101"
_ANNUAL = "/srv/healtharchive/jobs/" + _PLACE
_OF_ROOT = "/srv/healtharchive/jobs/cihr/of-root"
_BOX = "/home/storagebox/jobs/" + _PLACE
_BROKEN = """
systemctl stop healtharchive-worker
id=$(new_job cihr)
place_job "$id" of-root cihr/of-root '{"simulated_seconds": 3600}'
install -d -o root -m 0755 %s
start_worker
given_up() { row "id = $id AND status = 'failed' AND retry_count = 2"; }
wait_until 90 given_up
chown haadmin: %s
sql 'CREATE SCHEMA kept; CREATE TABLE kept.jobs AS SELECT * FROM archive_jobs'
""" % (_OF_ROOT, _OF_ROOT)
# The worker has taken up what it was given back, or is about to.
_AGAIN = """
systemctl stop healtharchive-worker
if mountpoint --quiet %s; then umount %s; fi
rm -rf %s %s
forget_jobs hc-20240101
find %s -mindepth 1 -delete
sql "UPDATE archive_jobs AS job SET status = old.status, crawler_status = old.crawler_status, config = old.config,
         crawler_exit_code = old.crawler_exit_code, retry_count = old.retry_count, started_at = old.started_at,
         finished_at = old.finished_at FROM kept.jobs AS old WHERE job.id = old.id"
start_worker
""" % (_ANNUAL, _ANNUAL, _ANNUAL, _BOX, _OF_ROOT)
# The worker, which gets it when it is bound, crawls for an hour.
_LONG = """
sql "UPDATE archive_jobs SET config = jsonb_set(config::jsonb, '{tool_options,simulated_seconds}', '3600')::json
         WHERE name = 'hc-20240101'"
"""
RECOVERY = Recovery(
    playbook="recover_output_directories",
    module="output_directories",
    broken=script(_BROKEN, "output_dir_on_root_disk", then=_LONG),
    again=script(_AGAIN, "output_dir_on_root_disk", then=_LONG),
    said=says(),
    completed=(
        "[ \"$(findmnt --noheadings --output FSTYPE,FSROOT %s | tr -s ' ')\" = 'fuse.sshfs /jobs/%s' ]"
        % (_ANNUAL, _PLACE),
        "runuser -u haadmin -- test -w %s" % _ANNUAL,
        # The worker may be at work on it already, and be told to go on at its next start.
        "row \"name = 'of-root' AND status IN ('retryable', 'running') AND retry_count = 0\"",
        "row \"name = 'hc-20240101' AND status IN ('queued', 'running')\"",
        WORKER,
    ),
    moves={"failed": ("failed", "retryable", "running"), "queued": ("queued", "running")},
    minutes=8,
    act_seconds=120,
    steps=(
        Step("the annual tiering at work", ("runs('--sources', 'hc', '--apply')",)),
        Step("the directory bound", ("mounted('%s') == 1" % _ANNUAL,)),
        Step("the attempts being given back", ("runs('reset-retry-count')",)),
        Step("the job being retried", ("runs('retry-job')",)),
    ),
    # The worker crawls both then; a file by which we try whether it can write is none of its.
    rewritten="^(%s|%s)/(?!.*healtharchive-remediation)" % (_BOX, _OF_ROOT),
)
