# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recoveries: how the host is broken for each, and how it is seen, without the collection, that one was completed."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, NamedTuple, Tuple

from driving.guest import Guest

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
    ``act_seconds``: how long the act may go on; ``resumes_after_seconds``: after how long the worker starts by itself."""

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


def _fault(name: str) -> Callable[[Guest], None]:
    return lambda guest: guest.fault(name, "break_it")


def _script(text: str) -> Callable[[Guest], None]:
    def run(guest: Guest) -> None:
        guest.root(text)

    return run


def _says(**said: Any) -> Callable[[Guest], Dict[str, Any]]:
    return lambda _guest: dict(said)


def _failed_job(guest: Guest) -> Dict[str, Any]:
    return {"job_id": next(number for number, job in guest.jobs().items() if job["name"] == "phac-failing")}


# Of the worker that recover_stalled_crawl stops, in seconds.
_RESUMES_AFTER = 90
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
}
