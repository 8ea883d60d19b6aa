# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover-stale-jobs, reset-crawl-state (contract 2.6, 2.3)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, or_, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from healtharchive.cli.common import Commands, add, fail, find_job, heading
from healtharchive.crawler.files import RESUME_FILE, temporary_directories
from healtharchive.crawler.state import FILE_NAME, CrawlState
from healtharchive.database import session_scope
from healtharchive.locks import held_reason
from healtharchive.models import ArchiveJob, Source, utc_now
from healtharchive.progress import progress_age_seconds

HINT = "Hint: stop the worker or wait for the running crawl(s) before recovering."


def register(commands: Commands) -> None:
    """Add the sub-commands."""
    stale = add(commands, "recover-stale-jobs", recover_stale_jobs, "Make stale running jobs retryable.")
    stale.add_argument("--older-than-minutes", type=int, required=True)
    stale.add_argument("--require-no-progress-seconds", type=int)
    stale.add_argument("--include-missing-started-at", action="store_true")
    stale.add_argument("--source")
    stale.add_argument("--limit", type=int)
    stale.add_argument("--apply", action="store_true")
    reset = add(commands, "reset-crawl-state", reset_crawl_state, "Forget how far a crawl got.")
    reset.add_argument("--id", type=int, required=True)
    reset.add_argument("--apply", action="store_true")


@dataclass(frozen=True)
class _Candidate:
    job: ArchiveJob
    progress_age: int | None

    def line(self) -> str:
        """The candidate as the report prints it."""
        job = self.job
        minutes = int((utc_now() - job.started_at).total_seconds() // 60) if job.started_at else None
        started = job.started_at.astimezone(UTC).isoformat(timespec="seconds") if job.started_at else None
        age = "-" if self.progress_age is None else self.progress_age
        return (
            f"job_id={job.id} source={job.source_code} status={job.status} started_at={started} age_min={minutes} "
            f"last_progress_age_seconds={age} name={job.name}"
        )


def recover_stale_jobs(arguments: argparse.Namespace) -> int:
    """The limit cuts before the filters do; probing a lock creates its file, dry-run or not."""
    for option in ("older_than_minutes", "require_no_progress_seconds", "limit"):
        value = getattr(arguments, option)
        if value is not None and value <= 0:
            return fail(f"--{option.replace('_', '-')} must be > 0.", 2)
    cutoff = utc_now() - timedelta(minutes=arguments.older_than_minutes)
    _print_header(arguments, cutoff)
    try:
        with session_scope() as session:
            return _recover(arguments, list(session.scalars(_query(arguments, cutoff))))
    except (OperationalError, ProgrammingError) as error:
        if "no such table" in str(error) or "UndefinedTable" in str(error):
            return fail("The archive_jobs table does not exist; is HEALTHARCHIVE_DATABASE_URL set?")
        raise


def _print_header(arguments: argparse.Namespace, cutoff: datetime) -> None:
    print(heading("Recover Stale Jobs"))
    print(f"Mode:            {'APPLY' if arguments.apply else 'DRY-RUN'}")
    print(f"Older than:      {arguments.older_than_minutes} minute(s)")
    print(f"Cutoff (UTC):    {cutoff.isoformat(timespec='seconds')}")
    print(f"Source filter:   {arguments.source or '(none)'}")
    print(f"Limit:           {arguments.limit or '(none)'}")
    if arguments.require_no_progress_seconds:
        print(f"Require progress: no progress for ≥{arguments.require_no_progress_seconds}s")
    print()


def _query(arguments: argparse.Namespace, cutoff: datetime) -> Select[ArchiveJob]:
    old = ArchiveJob.started_at < cutoff
    if arguments.include_missing_started_at:
        old = or_(old, ArchiveJob.started_at.is_(None))
    query = select(ArchiveJob).where(ArchiveJob.status == "running", old).order_by(ArchiveJob.id)
    if arguments.source:
        query = query.join(ArchiveJob.source).where(Source.code == arguments.source)
    return query.limit(arguments.limit)


def _recover(arguments: argparse.Namespace, jobs: list[ArchiveJob]) -> int:
    if not jobs:
        print("No stale running jobs found.")
        return 0
    candidates = [_Candidate(job, progress_age_seconds(job.output_dir)) for job in jobs]
    if quiet := arguments.require_no_progress_seconds:
        recent = [item for item in candidates if item.progress_age is not None and item.progress_age < quiet]
        _print_skipped(
            "Skipping jobs with recent progress:",
            [f"job_id={item.job.id} (progress_age_seconds={item.progress_age} < {quiet})" for item in recent],
        )
        candidates = [item for item in candidates if item not in recent]
        if not candidates:
            print("No stale running jobs matched the progress requirement.")
            return 0
    held = {item.job.id: reason for item in candidates if (reason := held_reason(item.job.id))}
    _print_skipped(
        "Skipping jobs that appear to still be running (job lock held):",
        [f"job_id={job_id} ({reason})" for job_id, reason in held.items()],
    )
    candidates = [item for item in candidates if item.job.id not in held]
    if not candidates:
        print(f"No stale running jobs matched the safety checks. {HINT}")
        return 0
    for item in candidates:
        print(item.line())
    print()
    if not arguments.apply:
        print("Dry-run only; re-run with --apply to mark these jobs as retryable.")
        return 0
    for item in candidates:
        item.job.status, item.job.crawler_stage = "retryable", "recovered_stale_running"
    print(f"Recovered {len(candidates)} job(s) (set status=retryable).")
    return 0


def _print_skipped(title: str, lines: Sequence[str]) -> None:
    if lines:
        print("\n".join([title, *(f"- {line}" for line in lines), ""]))


def reset_crawl_state(arguments: argparse.Namespace) -> int:
    """Opening the state to look at it creates it, so even a dry run finds one state file."""
    with session_scope() as session:
        job = find_job(session, arguments.id)
        if job is None:
            return 1
        if job.status == "running":
            return fail(f"Job {job.id} is running; refusing to reset its crawl state.")
        output_dir = Path(job.output_dir)
        if not output_dir.is_dir():
            return fail(f"Output directory does not exist: {output_dir}")
        if reason := held_reason(job.id):
            return fail(f"Job {job.id} appears to still be running ({reason}).")
        CrawlState(output_dir, initial_workers=1)
        found = {
            "State file": [path for path in [output_dir / FILE_NAME] if path.exists()],
            "Resume file": [path for path in [output_dir / RESUME_FILE] if path.exists()],
        }
        print(heading("Reset Crawl State"))
        print(f"Job:         {job.id} ({job.name})")
        for label, paths in found.items():
            print(f"{label}: {len(paths)}")
        print(f"Temp dirs:   {len(temporary_directories(output_dir))} (kept)")
        if not any(found.values()):
            print("Nothing to reset.")
        elif not arguments.apply:
            print("Dry-run only; re-run with --apply to remove these files.")
        else:
            for paths in found.values():
                for path in paths:
                    path.unlink()
            job.crawler_stage = "state_reset"
            print("Crawl state reset.")
    return 0
