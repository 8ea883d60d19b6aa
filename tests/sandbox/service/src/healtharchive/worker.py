# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker: heal stale rows, pick a job, crawl it, index it, apply the failure policy (contract 2.2)."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import or_, select

from healtharchive.annual import is_annual
from healtharchive.crawl_run import run_job
from healtharchive.database import session_scope
from healtharchive.disk import disk_use
from healtharchive.indexing import index_job
from healtharchive.job_config import BACKENDS, parse
from healtharchive.locks import LockHeldError, held_reason
from healtharchive.models import RUNNABLE_STATUSES, ArchiveJob, utc_now
from healtharchive.progress import progress_age_seconds
from healtharchive.settings import CHECKOUT, settings

logger = logging.getLogger("healtharchive.worker")

STALE_AFTER = timedelta(minutes=10)
QUIET_SECONDS = 300
INFRA_COOLDOWN = timedelta(minutes=10)
DISK_LIMIT_PERCENT = 85
DEFAULT_RETRIES = 2
BACKEND_ATTEMPTS = 2


@dataclass(frozen=True)
class _Picked:
    id: int
    name: str
    output_dir: Path
    annual: bool
    source: str
    year: int


def run_worker(poll_interval: int, once: bool) -> None:
    """Iterate for ever, or once; an iteration that raises is logged and followed by the next."""
    logger.info("Worker started (poll interval %s s)", poll_interval)
    while True:
        worked = False
        try:
            worked = iterate()
        except Exception as error:
            logger.exception("Unexpected error in worker iteration: %s", error)
        if once:
            return
        if not worked:
            time.sleep(poll_interval)


def iterate() -> bool:
    """One iteration; whether a job was worked on (then the next iteration follows at once)."""
    heal_stale_rows()
    job = None if _disk_full() else _pick()
    if job is None:
        logger.info("No queued jobs found")
        return False
    # A directory that cannot be stat'ed counts as absent here: a stale mount is the crawl's infra_error, not tiering's.
    if job.annual and os.path.exists(job.output_dir) and not os.path.ismount(job.output_dir):
        _tier(job)
    logger.info("Picked job %s (%s)", job.id, job.name)
    try:
        code: int | None = run_job(job.id)
    except LockHeldError as held:
        logger.warning("Job %s is locked (%s) although its row says otherwise; marking it running", job.id, held)
        with session_scope() as session:
            session.get_one(ArchiveJob, job.id).status = "running"
        return True
    except OSError as error:
        logger.error("Crawl for job %s failed: %s", job.id, error)
        code = None
    if code == 0:
        index_job(job.id)
    else:
        apply_failure_policy(job.id)
    return True


def heal_stale_rows() -> None:
    """Make ``running`` rows retryable that are old or never started, unlocked and without progress."""
    with session_scope() as session:
        old = or_(ArchiveJob.started_at.is_(None), ArchiveJob.started_at < utc_now() - STALE_AFTER)
        for job in session.scalars(select(ArchiveJob).where(ArchiveJob.status == "running", old)):
            age = progress_age_seconds(job.output_dir)
            if held_reason(job.id) or (age is not None and age < QUIET_SECONDS):
                continue
            job.status, job.crawler_stage = "retryable", "recovered_stale_running"
            logger.warning("Recovered stale running job %s (%s)", job.id, job.name)


def _disk_full() -> bool:
    use = disk_use(settings().archive_root)
    if use.used_percent < DISK_LIMIT_PERCENT:
        return False
    logger.warning(
        "Disk usage %.0f%% at %s is at or above %s%%; not starting crawls",
        use.used_percent, settings().archive_root, DISK_LIMIT_PERCENT,
    )  # fmt: skip
    return True


def _pick() -> _Picked | None:
    cooling = (ArchiveJob.crawler_status == "infra_error") & (ArchiveJob.updated_at > utc_now() - INFRA_COOLDOWN)
    query = (
        select(ArchiveJob)
        .where(ArchiveJob.status.in_(RUNNABLE_STATUSES), ArchiveJob.source_id.is_not(None))
        .where(or_(ArchiveJob.crawler_status.is_(None), ~cooling))
        .order_by(ArchiveJob.queued_at.asc().nulls_first(), ArchiveJob.id)
        .limit(1)
    )
    with session_scope() as session:
        job = session.scalars(query).first()
        if job is None:
            return None
        year = int((job.config or {}).get("campaign_year") or utc_now().year)
        return _Picked(job.id, job.name, Path(job.output_dir), is_annual(job), job.source_code, year)


def _tier(job: _Picked) -> None:
    """Bind the annual job's directory to the cold tier; failure raises, and the same job is picked again."""
    script = CHECKOUT / "scripts" / "vps-annual-output-tiering.py"
    command = [sys.executable, str(script), "--apply", "--year", str(job.year), "--sources", job.source]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0 or not os.path.ismount(job.output_dir):
        detail = (finished.stderr or finished.stdout).strip()[-500:]
        raise RuntimeError(f"Annual output tiering failed for job {job.id} (rc={finished.returncode}): {detail}")


def apply_failure_policy(job_id: int) -> None:
    """Decide what a failed crawl becomes."""
    with session_scope() as session:
        job = session.get_one(ArchiveJob, job_id)
        policy = parse(job.config).policy
        if job.crawler_status == "infra_error":
            job.status = "retryable"
        elif job.crawler_status == "infra_error_config":
            job.status = "failed"
        elif policy.active_backend != BACKENDS[0]:
            _count(job, BACKEND_ATTEMPTS - 1, f"{policy.active_backend}_retry", "fallback_exhausted")
        elif policy.resume_policy == "fresh_only" and policy.fallback_backend:
            _fresh_failed(job, policy.fallback_backend)
        else:
            _count(job, DEFAULT_RETRIES, job.crawler_stage, job.crawler_stage)
        logger.warning(
            "Crawl for job %s failed (RC=%s). Marking as %s (retry_count=%s).",
            job.id, job.crawler_exit_code, job.status, job.retry_count,
        )  # fmt: skip


def _count(job: ArchiveJob, retries: int, retry_stage: str | None, final_stage: str | None) -> None:
    if job.retry_count < retries:
        job.retry_count += 1
        job.status, job.crawler_stage = "retryable", retry_stage
    else:
        job.status, job.crawler_stage = "failed", final_stage


def _fresh_failed(job: ArchiveJob, fallback: str) -> None:
    job.status = "retryable"
    if job.retry_count + 1 < BACKEND_ATTEMPTS:
        job.retry_count += 1
        job.crawler_stage = "fresh_failed"
        return
    config = dict(job.config or {})
    config["execution_policy"] = {**config.get("execution_policy", {}), "capture_backend": fallback}
    job.config, job.retry_count, job.crawler_stage = config, 0, f"promoted_to_{fallback}"
