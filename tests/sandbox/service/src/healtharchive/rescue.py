# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator is told about a job's backend and rescue state (contract 2.4, 2.8)."""

from __future__ import annotations

from healtharchive.job_config import BACKENDS, parse
from healtharchive.models import ArchiveJob

WAITING = {
    "normal": "waiting-retry",
    "fresh-failed": "waiting-fresh-retry",
    "fallback-active": "waiting-fallback",
    "fallback-retry": "waiting-fallback-retry",
}
PLAIN = {
    "queued": "queued",
    "completed": "awaiting-index",
    "indexing": "indexing",
    "indexed": "search-ready",
    "index_failed": "index-failed",
}


def active_backend(job: ArchiveJob) -> str:
    """The backend of the last statistics if they name one, else the configured one."""
    configured = parse(job.config).policy.active_backend
    return (job.last_stats_json or {}).get("backend") or configured


def rescue_state(job: ArchiveJob) -> str:
    """normal, fresh-failed, fallback-active, fallback-retry or fallback-exhausted."""
    stage = job.crawler_stage or ""
    if stage == "fallback_exhausted":
        return "fallback-exhausted"
    if stage == "fresh_failed":
        return "fresh-failed"
    if stage in tuple(f"{backend}_retry" for backend in BACKENDS):
        return "fallback-retry"
    # A promoted job stays "active" whatever became of it.
    if stage.startswith("promoted_to_") or active_backend(job) != BACKENDS[0]:
        return "fallback-active"
    return "normal"


def operator_state(job: ArchiveJob) -> str:
    """One word for what the job waits for."""
    rescue = rescue_state(job)
    if job.status == "running":
        return {"normal": "running-primary", "fresh-failed": "running-rescue"}.get(rescue, "running-fallback")
    if job.status == "retryable":
        return WAITING.get(rescue, "waiting-retry")
    if job.status == "failed":
        return "failed-fallback-exhausted" if rescue == "fallback-exhausted" else "failed"
    return PLAIN.get(job.status, job.status)
