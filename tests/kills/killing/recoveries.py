# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recoveries: how the host is broken for each, and how it is seen, without the collection, that one was completed."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, NamedTuple, Tuple

from driving.guest import Guest

from .steps import Step

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

_HOT = (
    "/srv/healtharchive/jobs/hc/20260101T000512Z__hc-20260101",
    "/srv/healtharchive/jobs/imports/cihr-2020",
    "/srv/healtharchive/jobs/imports/hc-2019",
)
_BOX = "/home/storagebox"
# Timers with the names of the service's own, one that runs and one that somebody has stopped; a job that failed on a path that
# dies, and whose next crawl goes on for an hour; and what puts its row and its files back.
_STORAGE = (
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
_STORAGE_AGAIN = """
systemctl stop healtharchive-worker
sql "UPDATE archive_jobs AS job SET status = old.status, crawler_status = old.crawler_status, config = old.config,
         crawler_exit_code = old.crawler_exit_code, retry_count = old.retry_count, started_at = old.started_at,
         finished_at = old.finished_at FROM kept.jobs AS old WHERE job.id = old.id"
find %s/jobs/hc/20260101T000512Z__hc-20260101 -mindepth 1 -delete
tar -C %s -xpf /var/tmp/box.tar
start_worker
""" % (_BOX, _BOX)


# What it did is undone: the same job is failed or stale again, and nobody takes it up meanwhile.
_FAILED_AGAIN = """
sql "UPDATE archive_jobs SET status = 'failed', crawler_status = 'failed', crawler_exit_code = 1, retry_count = 2
         WHERE name = 'phac-failing'"
"""
_STALE_AGAIN = """
id=$(sql "SELECT id FROM archive_jobs WHERE name = 'phac-killed-beside'")
sql "UPDATE archive_jobs SET status = 'running' WHERE id = $id"
age_job "$id" 5
"""
_DRIFTED_AGAIN = """
sql "UPDATE archive_jobs SET config = jsonb_set(config::jsonb, '{tool_options,initial_workers}', '1')::json
         WHERE name = 'phac-20250101'"
"""
_STALLED_AGAIN = """
systemctl stop healtharchive-worker
forget_jobs hc-stalled
"""


class Recovery(NamedTuple):
    """``broken`` breaks a guest as new, ``again`` one on which it was completed. ``said``: what the playbook is told beside the
    incident. ``completed`` are scripts that all end well when it was completed; ``moves``: the statuses that a row may have
    afterwards, by the one that it had. ``minutes``: how long the clearance lasts, which is as short as the act lets it be;
    ``act_seconds``: how long the act may go on; ``resumes_after_seconds``: after how long the worker starts by itself.
    ``switches``: what does that and more of the kind; ``given_back``: scripts that all end well when it is done. ``steps``: of
    the act, at each of which it is killed as well. ``files`` prints the checksums of all files that must stay; ``rewritten``:
    what the path of a file looks like that somebody else may write when the recovery has let him."""

    playbook: str
    module: str
    broken: Callable[[Guest], None]
    again: Callable[[Guest], None]
    said: Callable[[Guest], Dict[str, Any]]
    completed: Tuple[str, ...]
    moves: Mapping[str, Tuple[str, ...]]
    minutes: int
    act_seconds: int
    resumes_after_seconds: int = 0
    switches: Tuple[str, ...] = ()
    given_back: Tuple[str, ...] = ()
    steps: Tuple[Step, ...] = ()
    files: str = ""
    rewritten: str = ""


def _fault(name: str) -> Callable[[Guest], None]:
    return lambda guest: guest.fault(name, "break_it")


def _script(text: str) -> Callable[[Guest], None]:
    def run(guest: Guest) -> None:
        guest.root(text)

    return run


def _says(**said: Any) -> Callable[[Guest], Dict[str, Any]]:
    return lambda _guest: dict(said)


def _storage(text: str) -> Callable[[Guest], None]:
    def run(guest: Guest) -> None:
        guest.root(text)
        guest.fault("hot_path_stale", "break_it")

    return run


def _failed_job(guest: Guest) -> Dict[str, Any]:
    return {"job_id": next(number for number, job in guest.jobs().items() if job["name"] == "phac-failing")}


# Of the worker that recover_stalled_crawl stops, in seconds.
_RESUMES_AFTER = 90
# The least that recover_storage takes.
_STORAGE_RESUMES_AFTER = 960
_SWITCHES = ("worker-resume", "watchdogs-return")
_THREE = "mounted(%s)" % ", ".join(map(repr, _HOT))
_GONE = "not runs('start-worker')"
# Between the pause and the resume; and around them.
_STORAGE_STEPS = (
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
_WORKER = "systemctl is-active --quiet healtharchive-worker"
RECOVERIES: Dict[str, Recovery] = {
    "recover_stale_jobs": Recovery(
        playbook="recover_stale_jobs",
        module="stale_jobs",
        broken=_fault("stale_beside_healthy"),
        again=_script(_STALE_AGAIN),
        said=_says(),
        completed=("row \"name = 'phac-killed-beside' AND status = 'retryable'\"", _WORKER),
        moves={"running": ("running", "retryable")},
        minutes=6,
        act_seconds=60,
    ),
    "recover_stalled_crawl": Recovery(
        playbook="recover_stalled_crawl",
        module="stalled_crawl",
        broken=_script(_STALLED),
        again=_script(_STALLED_AGAIN + _STALLED),
        said=_says(recover_stalled_crawl_resume_after=_RESUMES_AFTER),
        completed=("row \"name = 'hc-stalled' AND started_at > now() - interval '1 hour'\"", _WORKER),
        moves={"running": ("running", "retryable")},
        minutes=11,
        act_seconds=180,
        resumes_after_seconds=_RESUMES_AFTER,
    ),
    "recover_services": Recovery(
        playbook="recover_services",
        module="service",
        broken=_fault("postgresql_down"),
        again=_fault("postgresql_down"),
        said=_says(),
        completed=("systemctl is-active --quiet postgresql healtharchive-api", _WORKER, "answers 200 /api/health"),
        moves={},
        minutes=6,
        act_seconds=90,
    ),
    "recover_failed_jobs": Recovery(
        playbook="recover_failed_jobs",
        module="job",
        broken=_script(_FAILING),
        again=_script(_FAILED_AGAIN),
        said=_failed_job,
        completed=("row \"name = 'phac-failing' AND status = 'retryable'\"", _WORKER),
        moves={"failed": ("failed", "retryable")},
        minutes=4,
        act_seconds=60,
    ),
    "reconcile_config": Recovery(
        playbook="reconcile_config",
        module="annual_tool_options",
        broken=_fault("annual_options_drifted"),
        again=_script(_DRIFTED_AGAIN),
        said=_says(),
        completed=("row \"name = 'phac-20250101' AND config -> 'tool_options' ->> 'initial_workers' = '2'\"", _WORKER),
        moves={},
        minutes=7,
        act_seconds=60,
    ),
    "recover_storage": Recovery(
        playbook="recover_storage",
        module="storage",
        broken=_storage(_STORAGE),
        again=_storage(_STORAGE_AGAIN),
        said=_says(recover_storage_resume_after=_STORAGE_RESUMES_AFTER),
        completed=(
            _WORKER,
            *("[ $(findmnt --noheadings --output TARGET %s | wc -l) = 1 ] && ls %s" % (path, path) for path in _HOT),
            "row \"name = 'hc-20260101' AND status IN ('retryable', 'running')\"",
            "systemctl is-active --quiet healtharchive-warc-tiering",
            "replay_answers 200 1 && replay_answers 200 3",
        ),
        # The worker takes up what it is given back.
        moves={"failed": ("failed", "retryable", "running")},
        minutes=20,
        act_seconds=120,
        resumes_after_seconds=_STORAGE_RESUMES_AFTER,
        switches=_SWITCHES,
        given_back=(
            "systemctl is-active --quiet healtharchive-storage-hotpath-auto-recover.timer",
            "! systemctl is-active --quiet healtharchive-worker-auto-start.timer",
        ),
        steps=_STORAGE_STEPS,
        files="{ find %s /srv/healtharchive/jobs -xdev -type f -exec sha256sum {} + 2>/dev/null || true; } | sort"
        % _BOX,
        rewritten="^%s/jobs/hc/20260101T000512Z__hc-20260101/" % _BOX,
    ),
}
