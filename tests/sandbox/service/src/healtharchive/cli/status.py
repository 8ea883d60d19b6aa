# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""status (contract 2.7): always coloured, always exit code 0."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from healtharchive.cli.colour import cyan, green, red, yellow
from healtharchive.cli.common import Commands, add
from healtharchive.cli.host_facts import STORAGE_BOX, sentinel, unit_state
from healtharchive.database import session_scope
from healtharchive.disk import disk_use
from healtharchive.models import ArchiveJob, status_counts
from healtharchive.settings import settings

SHOWN = (
    ("running", "Running", cyan),
    ("queued", "Queued", cyan),
    ("retryable", "Retryable", yellow),
    ("completed", "Completed", cyan),
    ("failed", "Failed", red),
    ("index_failed", "Index failed", red),
    ("indexed", "Indexed", green),
)
RECENT = 5


def register(commands: Commands) -> None:
    """Add the sub-command."""
    add(commands, "status", status, "One screen about the whole service.")


def status(_arguments: argparse.Namespace) -> int:
    """Print the report."""
    print("\n".join(_lines()))
    return 0


def _lines() -> Iterator[str]:
    state = unit_state("healtharchive-worker.service")
    yield "[Worker]"
    yield f"  Worker service: {green(state) if state == 'active' else yellow(state)}"
    yield "[Disk]"
    yield from (_disk(path) for path in (Path("/"), settings().archive_root))
    yield "[Storage Box]"
    # os.path.ismount takes a stale mount for none; Path.is_mount would raise.
    yield f"  {STORAGE_BOX}: {green('mounted') if os.path.ismount(STORAGE_BOX) else red('not mounted')}"
    try:
        yield from _jobs()
    except SQLAlchemyError as error:
        yield f"  {red('Database error')}: {str(error).splitlines()[0]}"
    yield "[Automation]"
    for label, name in (
        ("Worker auto-start", "worker-auto-start-enabled"),
        ("Mount recovery", "storage-hotpath-auto-recover-enabled"),
    ):
        yield f"  {label}: {green('enabled') if sentinel(name) else yellow('disabled')}"


def _disk(path: Path) -> str:
    try:
        use = disk_use(path)
    except OSError as error:
        return f"  {path}: {red(error.strerror)}"
    paint = green if use.used_percent < 80 else yellow if use.used_percent < 90 else red
    return f"  {path}: {paint(f'{use.used_percent:.0f}%')} used ({use.free_bytes / 1024**3:.1f}GB free)"


def _jobs() -> Iterator[str]:
    yield "[Jobs]"
    with session_scope() as session:
        counts = status_counts(session)
        failed = list(
            session.scalars(
                select(ArchiveJob)
                .where(ArchiveJob.status.in_(("failed", "index_failed")))
                .order_by(ArchiveJob.updated_at.desc())
                .limit(RECENT)
            )
        )
    yield f"  Total: {sum(counts.values())}"
    for name, label, paint in SHOWN:
        if counts.get(name) or name == "indexed":
            yield f"  {label}: {paint(counts.get(name, 0))}"
    yield "[Recent Failures]"
    for job in failed:
        outcome = f"crawler_status={job.crawler_status}, rc={job.crawler_exit_code}"
        yield f"  Job {job.id} ({job.source_code}): {job.status}, {outcome}"
    if not failed:
        yield f"  {green('none')}"
