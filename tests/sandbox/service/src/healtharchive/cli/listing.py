# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""list-jobs, show-job, list-warcs (contract 2.4, 2.5)."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from healtharchive.cli.common import Commands, add, fail, find_job
from healtharchive.database import session_scope
from healtharchive.job_config import JobConfig, parse
from healtharchive.models import ArchiveJob, Source
from healtharchive.rescue import active_backend, operator_state, rescue_state
from healtharchive.warc_discovery import Discovery, discover

# One column wider than the rows from Source on, and without a heading for the name.
HEADER = (
    "ID  Source  Status       Backend          Rescue            Retries  "
    "Created_at           Started_at           Finished_at          Indexed"
)
NEWEST = 5


def register(commands: Commands) -> None:
    """Add the sub-commands."""
    jobs = add(commands, "list-jobs", list_jobs, "List jobs, newest first.")
    jobs.add_argument("--source")
    jobs.add_argument("--status", nargs="+")
    jobs.add_argument("--limit", type=int, default=20)
    show = add(commands, "show-job", show_job, "Show one job.")
    show.add_argument("--id", type=int, required=True)
    show.add_argument("--warc-details", action="store_true")
    warcs = add(commands, "list-warcs", list_warcs, "List a job's WARC files.")
    warcs.add_argument("--id", type=int, required=True)
    warcs.add_argument("--recent", type=int)
    warcs.add_argument("--json", action="store_true")


def list_jobs(arguments: argparse.Namespace) -> int:
    """The inner join hides jobs without a source; filters are not checked against anything."""
    query = select(ArchiveJob).join(ArchiveJob.source).order_by(ArchiveJob.created_at.desc()).limit(arguments.limit)
    if arguments.source:
        query = query.where(Source.code == arguments.source)
    if arguments.status:
        query = query.where(ArchiveJob.status.in_(arguments.status))
    with session_scope() as session:
        lines = [_row(job) for job in session.scalars(query)]
    print("\n".join([HEADER, *lines]) if lines else "No jobs found.")
    return 0


def _row(job: ArchiveJob) -> str:
    return (
        f"{job.id:<3} {job.source_code:<6} {job.status:<11} {active_backend(job):<16} {rescue_state(job):<17} "
        f"{job.retry_count:<7} {_moment(job.created_at):<19} {_moment(job.started_at):<19} "
        f"{_moment(job.finished_at):<19} {job.indexed_page_count} {job.name}"
    )


def _moment(moment: datetime | None) -> str:
    """In the zone of the database session, without saying which."""
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else "None"


def show_job(arguments: argparse.Namespace) -> int:
    """Discovering the WARC files rewrites the crawler's state file, running crawl or not."""
    with session_scope() as session:
        job = find_job(session, arguments.id)
        if job is None:
            return 1
        config = parse(job.config)
        found = _discover(job)
        lines = [*_fields(job), *_warcs(job, found, arguments.warc_details), *_rescue(job, config), *_config(job)]
    print("\n".join(lines))
    return 0


def _discover(job: ArchiveJob) -> Discovery | None:
    try:
        return discover(Path(job.output_dir))
    except OSError:
        return None


def _fields(job: ArchiveJob) -> list[str]:
    return [
        f"ID:              {job.id}",
        f"Source:          {job.source_code} ({job.source.name if job.source else '?'})",
        f"Name:            {job.name}",
        f"Status:          {job.status}",
        f"Retry count:     {job.retry_count}",
        f"Created at:      {job.created_at}",
        f"Queued at:       {job.queued_at}",
        f"Started at:      {job.started_at}",
        f"Finished at:     {job.finished_at}",
        f"Output dir:      {job.output_dir}",
        f"Crawler RC:      {job.crawler_exit_code}",
        f"Crawler status:  {job.crawler_status}",
        f"Crawler stage:   {job.crawler_stage}",
    ]


def _warcs(job: ArchiveJob, found: Discovery | None, details: bool) -> list[str]:
    lines = [
        f"WARC files:      {job.warc_file_count}",
        f"WARC files (discovered): {'(unknown)' if found is None else len(found.paths)}",
    ]
    if details and found is not None:
        sizes = {path: path.stat() for path in found.paths}
        newest = sorted(sizes, key=lambda path: sizes[path].st_mtime, reverse=True)[:NEWEST]
        lines += [
            f"WARC source:     {found.source}",
            f"Manifest valid:  {found.manifest_valid}",
            f"Total size:      {sum(facts.st_size for facts in sizes.values())} bytes",
            *(f"  {path} ({sizes[path].st_size} bytes)" for path in newest),
        ]
    return [*lines, f"Indexed pages:   {job.indexed_page_count}"]


def _rescue(job: ArchiveJob, config: JobConfig) -> list[str]:
    policy = config.policy
    return [
        "Rescue:",
        f"  Primary backend:      {policy.primary_backend or active_backend(job)}",
        f"  Fallback backend:     {policy.fallback_backend or '(none)'}",
        f"  Capture backend:      {policy.active_backend}",
        f"  Resume policy:        {policy.resume_policy}",
        f"  Rescue state:         {rescue_state(job)}",
        f"  Operator state:       {operator_state(job)}",
        f"  Attempts used:        {job.retry_count}",
        f"  Stage marker:         {job.crawler_stage or '(none)'}",
    ]


def _config(job: ArchiveJob) -> list[str]:
    config = job.config or {}
    return [
        "",
        "Config:",
        f"  Seeds:               {', '.join(config.get('seeds') or []) or '(none)'}",
        f"  Tool options:        {config.get('tool_options') or {}}",
        f"  Zimit passthrough:   {config.get('zimit_passthrough_args') or []}",
    ]


def list_warcs(arguments: argparse.Namespace) -> int:
    """Paths one a line, or JSON; nothing found is no error."""
    with session_scope() as session:
        job = find_job(session, arguments.id)
        if job is None:
            return 1
        output_dir = Path(job.output_dir)
    try:
        found = discover(output_dir)
        paths = list(found.paths)
        if arguments.recent is not None:
            paths = sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)[: arguments.recent]
    except OSError as error:
        return fail(f"Cannot discover WARC files of job {arguments.id}: {error}")
    if arguments.json:
        facts = {"job_id": arguments.id, "source": found.source, "manifest_valid": found.manifest_valid}
        print(json.dumps({**facts, "count": len(paths), "warcs": [str(path) for path in paths]}))
    elif paths:
        print("\n".join(map(str, paths)))
    return 0
