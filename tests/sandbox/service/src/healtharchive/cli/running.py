# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""create-job, run-db-job, index-job, validate-job-config, start-worker."""

from __future__ import annotations

import argparse
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from healtharchive.cli.common import Commands, add, fail, find_job
from healtharchive.crawl_run import JobNotRunnableError, archive_tool_command, run_job
from healtharchive.database import session_scope
from healtharchive.indexing import JobNotIndexableError, index_job
from healtharchive.job_config import parse
from healtharchive.locks import LockHeldError
from healtharchive.models import ArchiveJob, Source, utc_now
from healtharchive.settings import settings
from healtharchive.worker import run_worker


def register(commands: Commands) -> None:
    """Add the sub-commands."""
    create = add(commands, "create-job", create_job_command, "Queue a new job.")
    create.add_argument("--source", required=True)
    create.add_argument("--page-limit", type=int)
    create.add_argument("--depth", type=int)
    run = add(commands, "run-db-job", run_db_job, "Crawl one job in the foreground.")
    run.add_argument("--id", type=int, required=True)
    index = add(commands, "index-job", index_job_command, "Index one job.")
    index.add_argument("--id", type=int, required=True)
    validate = add(commands, "validate-job-config", validate_job_config, "Let the crawler check a job's options.")
    validate.add_argument("--id", type=int, required=True)
    worker = add(commands, "start-worker", start_worker, "Crawl and index queued jobs.")
    worker.add_argument("--poll-interval", type=int, default=30)
    worker.add_argument("--once", action="store_true")


def create_job_command(arguments: argparse.Namespace) -> int:
    """No look for duplicates; the output directory is only named."""
    now = datetime.now(UTC)
    with session_scope() as session:
        source = session.scalars(select(Source).where(Source.code == arguments.source)).one_or_none()
        if source is None:
            raise ValueError(f"Unknown source: {arguments.source!r}")
        name = f"{source.code}-{now:%Y%m%d}"
        options = {"initial_workers": 1}
        if arguments.page_limit is not None:
            options["page_limit"] = arguments.page_limit
        if arguments.depth is not None:
            options["depth"] = arguments.depth
        job = ArchiveJob(
            source=source,
            name=name,
            output_dir=str(settings().archive_root / source.code / f"{now:%Y%m%dT%H%M%SZ}__{name}"),
            queued_at=utc_now(),
            config={
                "seeds": [source.base_url],
                "zimit_passthrough_args": [],
                "tool_options": options,
                "execution_policy": {},
            },
        )
        session.add(job)
        session.flush()
        lines = [
            "Created job:",
            f"  ID:         {job.id}",
            f"  Source:     {source.code}",
            f"  Name:       {job.name}",
            f"  Output dir: {job.output_dir}",
            f"  Status:     {job.status}",
        ]
    print("\n".join(lines))
    return 0


def run_db_job(arguments: argparse.Namespace) -> int:
    """The crawler's exit code; neither retries nor indexing follow."""
    try:
        return run_job(arguments.id)
    except LockHeldError as held:
        return fail(f"Job {arguments.id} appears to already be running (lock held): {held.path}")
    except JobNotRunnableError as refusal:
        return fail(str(refusal))


def index_job_command(arguments: argparse.Namespace) -> int:
    """Everything it says is on standard error."""
    try:
        return index_job(arguments.id)
    except JobNotIndexableError as refusal:
        return fail(str(refusal))


def validate_job_config(arguments: argparse.Namespace) -> int:
    """Creates the output directory; the crawler's dry run needs Docker."""
    with session_scope() as session:
        job = find_job(session, arguments.id)
        if job is None:
            return 1
        config, name, output_dir = parse(job.config), job.name, Path(job.output_dir)
    if not config.seeds:
        return fail(f"Job {arguments.id} has no seeds configured.")
    output_dir.mkdir(parents=True, exist_ok=True)
    return subprocess.run(archive_tool_command(name, output_dir, config, "--dry-run"), check=False).returncode


def start_worker(arguments: argparse.Namespace) -> int:
    """0 even when the iteration failed."""
    run_worker(arguments.poll_interval, arguments.once)
    return 0
