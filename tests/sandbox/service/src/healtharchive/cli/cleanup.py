# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cleanup-job (contract 2.3): live by default, and its default mode deletes WARC files that are still temporary."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from sqlalchemy import update

from healtharchive.cli.common import Commands, add, fail, find_job
from healtharchive.crawler.files import temporary_directories
from healtharchive.database import session_scope
from healtharchive.models import Snapshot, utc_now
from healtharchive.settings import settings
from healtharchive.storage_scan import scan_storage
from healtharchive.warc_discovery import consolidate, discover

CLEANABLE_STATUSES = ("indexed", "index_failed")
RESULT = {"temp": "temp_cleaned", "temp-nonwarc": "temp_nonwarc_cleaned"}


def register(commands: Commands) -> None:
    """Add the sub-command."""
    parser = add(commands, "cleanup-job", cleanup_job, "Delete a finished job's temporary files.")
    parser.add_argument("--id", type=int, required=True)
    parser.add_argument("--mode", choices=tuple(RESULT), default="temp")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--dry-run", action="store_true")


def cleanup_job(arguments: argparse.Namespace) -> int:
    """Prints nothing when it has cleaned."""
    if arguments.mode == "temp" and settings().replay_base_url and not arguments.force:
        print(
            "Refusing to run cleanup-job --mode temp because replay is enabled "
            "(HEALTHARCHIVE_REPLAY_BASE_URL is set); use --mode temp-nonwarc or --force.",
            file=sys.stderr,
        )
        return 1
    with session_scope() as session:
        job = find_job(session, arguments.id)
        if job is None:
            return 1
        if job.status not in CLEANABLE_STATUSES:
            return fail(f"Job {job.id} has status {job.status!r}; only indexed or index_failed jobs can be cleaned.")
        output_dir = Path(job.output_dir)
        if arguments.dry_run:
            discover(output_dir)
        directories = temporary_directories(output_dir)
        if not directories:
            print(f"Job {job.id} has no temporary directories; nothing to clean.", file=sys.stderr)
            return 0
        if arguments.dry_run:
            print("\n".join(f"Would delete {path}" for path in directories))
            return 0
        if arguments.mode == "temp-nonwarc":
            for old, new in consolidate(output_dir).items():
                session.execute(update(Snapshot).where(Snapshot.warc_path == str(old)).values(warc_path=str(new)))
        for path in directories:
            shutil.rmtree(path)
        job.cleanup_status, job.cleaned_at = RESULT[arguments.mode], utc_now()
        scan_storage(job)
    return 0
