#!/usr/bin/env python3
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bind-mount the output directories of a year's annual jobs from the storage box (contract 3.5). Needs the venv."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from healtharchive.database import session_scope
from healtharchive.models import ArchiveJob, Source
from healtharchive.settings import settings
from healtharchive.sources import SOURCE_CODES


@dataclass
class Counts:
    """What the last line says."""

    planned: int = 0
    mounted_now: int = 0
    warnings: int = 0
    failures: int = 0


@dataclass(frozen=True)
class Job:
    """One annual job."""

    id: int
    source: str
    status: str
    hot: Path


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--year", type=int, default=datetime.now(UTC).year)
    parser.add_argument("--sources", nargs="+", default=["hc", "phac", "cihr"], choices=SOURCE_CODES)
    parser.add_argument("--apply", action="store_true")
    parser.add_argument("--repair-stale-mounts", action="store_true")
    parser.add_argument("--repair-unexpected-mounts", action="store_true")
    parser.add_argument("--allow-repair-running-jobs", action="store_true")
    parser.add_argument("--archive-root", type=Path, default=settings().archive_root)
    parser.add_argument("--campaign-archive-root", type=Path, default=Path("/srv/healtharchive/storagebox/jobs"))
    parser.add_argument("--created-after", type=datetime.fromisoformat)
    parser.add_argument("--created-before", type=datetime.fromisoformat)
    return parser.parse_args()


def annual_jobs(options: argparse.Namespace) -> list[Job]:
    """Only rows created in the window that still carry campaign metadata; a first run drops that."""
    after = options.created_after or datetime(options.year, 1, 1, tzinfo=UTC)
    before = options.created_before or datetime(options.year, 1, 3, tzinfo=UTC)
    query = (
        select(ArchiveJob)
        .join(ArchiveJob.source)
        .where(Source.code.in_(options.sources), ArchiveJob.created_at >= after, ArchiveJob.created_at < before)
        .order_by(ArchiveJob.id)
    )
    with session_scope() as session:
        return [
            Job(job.id, job.source_code, job.status, Path(job.output_dir))
            for job in session.scalars(query)
            if (job.config or {}).get("campaign_kind") == "annual"
        ]


def is_mounted(path: Path) -> bool:
    """From the mount table: a stat would fail on a stale mount."""
    command = ["findmnt", "--noheadings", "--mountpoint", str(path)]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def mount_options(path: Path) -> str:
    """The options the kernel lists, which never say "bind"."""
    command = ["findmnt", "--noheadings", "--output", "OPTIONS", "--mountpoint", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def listing_errno(path: Path) -> int:
    """0 when the directory lists."""
    try:
        os.listdir(path)
    except OSError as error:
        return error.errno or -1
    return 0


def bind(job: Job, options: argparse.Namespace, counts: Counts) -> None:
    """Mount one directory that is not a mount."""
    cold = options.campaign_archive_root / job.hot.relative_to(options.archive_root)
    counts.planned += 1
    print(f"MOUNT {job.hot} <= {cold}")
    if not options.apply:
        counts.mounted_now += 1
        return
    cold.mkdir(parents=True, exist_ok=True)
    job.hot.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "--bind", str(cold), str(job.hot)], check=False).returncode == 0:
        counts.mounted_now += 1
    else:
        counts.failures += 1
        print(f"ERROR: cannot mount job_id={job.id} path={job.hot}", file=sys.stderr)


def unhealthy(job: Job, number: int, counts: Counts) -> None:
    """Say so, and make the exit code 1."""
    counts.failures += 1
    print(f"UNHEALTHY job_id={job.id} source={job.source} path={job.hot} errno={number}")


def tier(job: Job, options: argparse.Namespace, counts: Counts) -> None:
    """Bring one job's directory to the cold tier."""
    if not is_mounted(job.hot):
        bind(job, options, counts)
        return
    may_repair = options.apply and (job.status != "running" or options.allow_repair_running_jobs)
    if number := listing_errno(job.hot):
        if not (options.repair_stale_mounts and may_repair):
            unhealthy(job, number, counts)
            return
        subprocess.run(["umount", "-l", str(job.hot)], check=False)
        bind(job, options, counts)
    elif "bind" not in mount_options(job.hot):
        counts.warnings += 1
        print(f"WARN job_id={job.id} source={job.source} path={job.hot} reason=unexpected_mount_type")
        if options.repair_unexpected_mounts and may_repair:
            # Taken away and not put back: the job is left on the local disk until the next plain --apply.
            subprocess.run(["umount", str(job.hot)], check=False)
            unhealthy(job, -1, counts)


def main() -> int:
    """Tier all of them."""
    options = arguments()
    try:
        jobs = annual_jobs(options)
    except SQLAlchemyError as error:
        print(f"ERROR: Cannot read annual jobs: {error}", file=sys.stderr)
        print("Hint: set -a; source /etc/healtharchive/database.env; set +a", file=sys.stderr)
        return 1
    if not jobs:
        print("No annual jobs found in the expected window; nothing to do.")
        return 0
    counts = Counts()
    for job in jobs:
        tier(job, options, counts)
    print(f"planned={counts.planned} mounted_now={counts.mounted_now} warnings={counts.warnings}")
    return 1 if counts.failures else 0


if __name__ == "__main__":
    sys.exit(main())
