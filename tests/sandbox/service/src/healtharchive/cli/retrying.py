# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""retry-job, reset-retry-count (contract 2.3, 2.7)."""

from __future__ import annotations

import argparse
import sys

from sqlalchemy import select
from sqlalchemy.orm import Session

from healtharchive.cli.common import Commands, add, fail, find_job, heading
from healtharchive.database import session_scope
from healtharchive.locks import held_reason
from healtharchive.models import PATCHABLE_STATUSES, ArchiveJob, Source


def register(commands: Commands) -> None:
    """Add the sub-commands."""
    retry = add(commands, "retry-job", retry_job, "Make a failed job run again.")
    retry.add_argument("--id", type=int, required=True)
    reset = add(commands, "reset-retry-count", reset_retry_count, "Give jobs their attempts back.")
    reset.add_argument("--id", type=int, nargs="+")
    reset.add_argument("--source")
    reset.add_argument("--status", nargs="+")
    reset.add_argument("--limit", type=int)
    reset.add_argument("--min-retry-count", type=int, default=1)
    reset.add_argument("--new-count", type=int, default=0)
    reset.add_argument("--reason")
    reset.add_argument("--apply", action="store_true")


def retry_job(arguments: argparse.Namespace) -> int:
    """0 even when there was nothing to change; that is said on standard error."""
    with session_scope() as session:
        job = find_job(session, arguments.id)
        if job is None:
            return 1
        if job.status == "failed":
            job.status = "retryable"
            print(f"Job {job.id} marked as retryable for crawl.")
        elif job.status == "index_failed":
            job.status = "completed"
            print(f"Job {job.id} marked for re-indexing (status set to completed).")
        else:
            print(f"Job {job.id} is in status {job.status!r}; nothing to retry.", file=sys.stderr)
    return 0


def reset_retry_count(arguments: argparse.Namespace) -> int:
    """A job whose count is below the minimum counts as not found, so a second run of the same command fails."""
    if problem := _usage_problem(arguments):
        return fail(problem, 2)
    print(heading("Reset Retry Count"))
    print(f"Mode:            {'APPLY' if arguments.apply else 'DRY-RUN'}")
    print(f"New count:       {arguments.new_count}")
    print(f"Reason:          {arguments.reason or '(none)'}")
    print()
    with session_scope() as session:
        jobs = _selected(session, arguments)
        missing = sorted(set(arguments.id or ()) - {job.id for job in jobs})
        if missing:
            return fail(f"job(s) not found: {', '.join(map(str, missing))}")
        eligible = _eligible(jobs)
        if not eligible:
            print("No eligible jobs matched safety checks.")
            return 0
        for job in eligible:
            change = f"retry_count {job.retry_count} -> {arguments.new_count}"
            print(f"job_id={job.id} source={job.source_code} status={job.status} {change}")
            if arguments.apply:
                job.retry_count = arguments.new_count
    if arguments.apply:
        print(f"Applied: updated retry_count for {len(eligible)} job(s).")
    else:
        print("Dry-run only; re-run with --apply to update these jobs.")
    return 0


def _usage_problem(arguments: argparse.Namespace) -> str | None:
    bulk = arguments.source or arguments.status or arguments.limit
    if bool(arguments.id) == bool(bulk):
        return "Pass either --id or a bulk selection (--source, --status, --limit)."
    unknown = sorted(set(arguments.status or ()) - set(PATCHABLE_STATUSES))
    if unknown:
        return f"--status must be one of {', '.join(PATCHABLE_STATUSES)}."
    if arguments.new_count < 0 or arguments.min_retry_count < 0:
        return "--new-count and --min-retry-count must be >= 0."
    if arguments.limit is not None and arguments.limit <= 0:
        return "--limit must be > 0."
    if arguments.apply and len(arguments.id or ()) != 1 and not arguments.reason:
        return "--reason is required when applying to more than one job."
    return None


def _selected(session: Session, arguments: argparse.Namespace) -> list[ArchiveJob]:
    query = select(ArchiveJob).where(ArchiveJob.retry_count >= arguments.min_retry_count).order_by(ArchiveJob.id)
    if arguments.id:
        query = query.where(ArchiveJob.id.in_(arguments.id))
    else:
        query = query.where(ArchiveJob.status.in_(arguments.status or PATCHABLE_STATUSES))
    if arguments.source:
        query = query.join(ArchiveJob.source).where(Source.code == arguments.source)
    return list(session.scalars(query.limit(arguments.limit)))


def _eligible(jobs: list[ArchiveJob]) -> list[ArchiveJob]:
    unsafe = {job.id: f"status={job.status}" for job in jobs if job.status not in PATCHABLE_STATUSES}
    unsafe |= {job.id: reason for job in jobs if job.id not in unsafe and (reason := held_reason(job.id))}
    if unsafe:
        print("Skipping jobs that are not safe to modify:")
        for job in jobs:
            if job.id in unsafe:
                print(f"- job_id={job.id} source={job.source_code} ({unsafe[job.id]})")
    return [job for job in jobs if job.id not in unsafe]
