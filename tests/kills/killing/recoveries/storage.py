# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover_storage: hot paths are stale, and a job failed on one of them."""

from __future__ import annotations

from ..steps import Step
from .recovery import WORKER, Recovery, says, script

_HOT = (
    "/srv/healtharchive/jobs/hc/20260101T000512Z__hc-20260101",
    "/srv/healtharchive/jobs/imports/cihr-2020",
    "/srv/healtharchive/jobs/imports/hc-2019",
)
_BOX = "/home/storagebox"
# Timers with the names of the service's own, one that runs and one that somebody has stopped; a job that failed on a path that
# dies, and whose next crawl goes on for an hour; and what puts its row and its files back.
_BROKEN = (
    """
for name in storage-hotpath-auto-recover worker-auto-start; do
    printf '[Service]\nType=oneshot\nExecStart=/bin/true\n' >/run/systemd/system/healtharchive-$name.service
    printf '[Timer]\nOnActiveSec=1d\n' >/run/systemd/system/healtharchive-$name.timer
done
systemctl daemon-reload
systemctl start healtharchive-storage-hotpath-auto-recover.timer
sql "UPDATE archive_jobs SET status = 'failed', crawler_status = 'failed', crawler_exit_code = 1,
         config = jsonb_set(config::jsonb, '{tool_options,simulated_seconds}', '3600')::json WHERE name = 'hc-20260101';
     CREATE SCHEMA kept;
     CREATE TABLE kept.jobs AS SELECT * FROM archive_jobs"
tar -C %s -cf /var/tmp/box.tar .
"""
    % _BOX
)
_AGAIN = """
systemctl stop healtharchive-worker
sql "UPDATE archive_jobs AS job SET status = old.status, crawler_status = old.crawler_status, config = old.config,
         crawler_exit_code = old.crawler_exit_code, retry_count = old.retry_count, started_at = old.started_at,
         finished_at = old.finished_at FROM kept.jobs AS old WHERE job.id = old.id"
find %s/jobs/hc/20260101T000512Z__hc-20260101 -mindepth 1 -delete
tar -C %s -xpf /var/tmp/box.tar
start_worker
""" % (_BOX, _BOX)
# The least that recover_storage takes.
_RESUMES_AFTER = 960
_SWITCHES = ("worker-resume", "watchdogs-return")
_THREE = "mounted(%s)" % ", ".join(map(repr, _HOT))
_GONE = "not runs('start-worker')"
# Between the pause and the resume; and around them.
_STEPS = (
    Step("the switch of the watchdogs armed", ("armed('watchdogs-return')",)),
    Step("the switch of the worker armed", ("armed('worker-resume')",)),
    Step("the worker frozen", ("frozen('start-worker')",)),
    Step("the worker stopped", ("armed('worker-resume')", _GONE)),
    Step("the paths noted", ("noted('storage-unmounted.json')",)),
    Step("one path unmounted", (_THREE + " == 2",)),
    Step("two paths unmounted", (_THREE + " == 1",)),
    Step("all paths unmounted", (_THREE + " == 0",)),
    Step("paths bound again", (_THREE + " == 0", _THREE + " > 0")),
    Step("all paths bound again", (_THREE + " == 0", _THREE + " == 3")),
    Step("the tiering unit being started", ("runs('start', 'healtharchive-warc-tiering.service')",)),
    Step("the job being retried", ("runs('retry-job')",)),
    Step("replay being restarted", ("runs('restart', 'healtharchive-replay.service')",)),
    Step("the worker being started", (_GONE, "runs('start-worker')")),
    Step("the switch of the worker gone", ("armed('worker-resume')", "not armed('worker-resume')")),
    Step("the switch of the watchdogs gone", ("armed('watchdogs-return')", "not armed('watchdogs-return')")),
)
RECOVERY = Recovery(
    playbook="recover_storage",
    module="storage",
    broken=script(_BROKEN, "hot_path_stale"),
    again=script(_AGAIN, "hot_path_stale"),
    said=says(recover_storage_resume_after=_RESUMES_AFTER),
    completed=(
        WORKER,
        *("[ $(findmnt --noheadings --output TARGET %s | wc -l) = 1 ] && ls %s" % (path, path) for path in _HOT),
        "row \"name = 'hc-20260101' AND status IN ('retryable', 'running')\"",
        "systemctl is-active --quiet healtharchive-warc-tiering",
        "replay_answers 200 1 && replay_answers 200 3",
    ),
    # The worker takes up what it is given back.
    moves={"failed": ("failed", "retryable", "running")},
    minutes=20,
    act_seconds=120,
    resumes_after_seconds=_RESUMES_AFTER,
    switches=_SWITCHES,
    given_back=(
        "systemctl is-active --quiet healtharchive-storage-hotpath-auto-recover.timer",
        "! systemctl is-active --quiet healtharchive-worker-auto-start.timer",
    ),
    steps=_STEPS,
    rewritten="^%s/jobs/hc/20260101T000512Z__hc-20260101/" % _BOX,
)
