# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one job's crawl in the foreground, under its lock, and record how it ended (contract 2.2)."""

from __future__ import annotations

import logging
import re
import subprocess
from pathlib import Path

from sqlalchemy.orm import Session

from healtharchive.crawler.files import combined_logs, statistics, tail
from healtharchive.database import session_scope
from healtharchive.job_config import JobConfig, parse, started
from healtharchive.locks import job_lock
from healtharchive.models import RUNNABLE_STATUSES, ArchiveJob, utc_now
from healtharchive.settings import settings
from healtharchive.storage_errors import PERMISSION_ERRNOS, STORAGE_ERRNOS
from healtharchive.storage_scan import scan_storage

logger = logging.getLogger("healtharchive.jobs")

_INFRA = re.compile(
    r"permission denied|transport endpoint is not connected|\[errno (107|13|1)\]|is invalid or not writable", re.I
)
_CONFIG = re.compile(r"unrecognized arguments|unknown option", re.I)


class JobNotRunnableError(Exception):
    """The job does not exist, has no seeds, or is in the wrong status; the message says which."""


def run_job(job_id: int) -> int:
    """Crawl the job and return the crawler's exit code.

    Raises ``LockHeldError``, ``JobNotRunnableError``, or ``OSError`` from the output directory (recorded in the row).
    """
    with session_scope() as session:
        _runnable(session, job_id)
    with job_lock(job_id):
        # Read again under the lock: the row may have been taken between the two looks.
        with session_scope() as session:
            job = _runnable(session, job_id)
            job.config = started(job.config)
            job.status, job.started_at, job.finished_at = "running", utc_now(), None
            job.crawler_exit_code = job.crawler_status = None
            config, name, output_dir = parse(job.config), job.name, Path(job.output_dir)
        logger.info("Starting crawl for job %s in %s", job_id, output_dir)
        try:
            output_dir.mkdir(parents=True, exist_ok=True)
            code = subprocess.run(archive_tool_command(name, output_dir, config), check=False).returncode
        except OSError as error:
            _finish(job_id, output_dir, None, _status_of(error, output_dir))
            raise
        _finish(job_id, output_dir, code, _status_of_exit(code, output_dir))
        return code


def archive_tool_command(name: str, output_dir: Path, config: JobConfig, *extra: str) -> list[str]:
    """The crawler's command line for a job."""
    command = [settings().tool_command, "--name", name, "--output-dir", str(output_dir), *extra]
    for option, value in vars(config.tool_options).items():
        command += [f"--{option.replace('_', '-')}", str(value)]
    command += ["--seeds", *config.seeds]
    return command + (["--", *config.passthrough] if config.passthrough else [])


def _runnable(session: Session, job_id: int) -> ArchiveJob:
    job = session.get(ArchiveJob, job_id)
    if job is None:
        raise JobNotRunnableError(f"Job {job_id} not found.")
    if job.status not in RUNNABLE_STATUSES:
        raise JobNotRunnableError(f"Job {job_id} has status {job.status!r} and is not runnable.")
    if not parse(job.config).seeds:
        raise JobNotRunnableError(f"Job {job_id} has no seeds configured.")
    return job


def _status_of(error: OSError, output_dir: Path) -> str:
    inside = str(error.filename or "").startswith(str(output_dir))
    if error.errno in STORAGE_ERRNOS or (inside and error.errno in PERMISSION_ERRNOS):
        return "infra_error"
    return "failed"


def _status_of_exit(code: int, output_dir: Path) -> str:
    if code == 0:
        return "success"
    try:
        logs = combined_logs(output_dir)
        text = tail(logs[-1]) if logs else ""
    except OSError as error:
        return _status_of(error, output_dir)
    if _CONFIG.search(text):
        return "infra_error_config"
    return "infra_error" if _INFRA.search(text) else "failed"


def _finish(job_id: int, output_dir: Path, code: int | None, crawler_status: str) -> None:
    with session_scope() as session:
        job = session.get_one(ArchiveJob, job_id)
        job.finished_at = utc_now()
        job.crawler_exit_code, job.crawler_status = code, crawler_status
        job.status = "completed" if code == 0 else "failed"
        try:
            logs = combined_logs(output_dir)
            if logs:
                job.combined_log_path = str(logs[-1])
                if counters := statistics(tail(logs[-1])):
                    job.last_stats_json = vars(counters[-1])
                    job.pages_crawled = counters[-1].crawled
                    job.pages_total = counters[-1].total
                    job.pages_failed = counters[-1].failed
            scan_storage(job)
        except OSError as error:
            logger.error("Cannot read the results of job %s: %s", job_id, error)
    logger.info("Crawl for job %s ended: rc=%s crawler_status=%s", job_id, code, crawler_status)
