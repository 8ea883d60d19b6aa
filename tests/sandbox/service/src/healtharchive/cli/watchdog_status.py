# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""watchdog-status (contract 2.3, 2.7): always coloured, exit code 0 unless a state file has an odd shape."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from healtharchive.cli.colour import green, red, yellow
from healtharchive.cli.common import Commands, add
from healtharchive.cli.host_facts import STORAGE_BOX, WATCHDOG_STATE, lists, sentinel, unit_state
from healtharchive.database import session_scope
from healtharchive.disk import disk_use
from healtharchive.models import RUNNABLE_STATUSES, ArchiveJob
from healtharchive.settings import settings

THRESHOLD_PERCENT, CRITICAL_PERCENT = 85, 92


def register(commands: Commands) -> None:
    """Add the sub-command."""
    add(commands, "watchdog-status", watchdog_status, "What the watchdogs see.")


def watchdog_status(_arguments: argparse.Namespace) -> int:
    """Print the report."""
    recommendations: list[str] = []
    print("\n".join(_lines(recommendations)))
    print("Recommendations:")
    print("\n".join(f"  - {line}" for line in recommendations or ["none"]))
    return 0


def _lines(recommendations: list[str]) -> Iterator[str]:
    worker = unit_state("healtharchive-worker.service")
    yield "[Worker]"
    yield f"  Worker active: {green('yes') if worker == 'active' else red('no')}"
    yield from _pending(worker, recommendations)
    yield "[Storage]"
    # "OK" means that a directory lists: an ordinary empty one in place of the mount passes.
    readable = lists(STORAGE_BOX)
    yield f"  Base sshfs: {green('OK') if readable else red('UNREADABLE')}"
    if not readable:
        recommendations.append(f"Repair the storage box mount at {STORAGE_BOX}.")
    # What the watchdog last wrote down, not what is true now.
    stale = _state("storage-hotpath-auto-recover.json").get("observations", {})
    yield f"  Stale mounts: {red(len(stale)) if stale else green(0)}"
    yield from (f"    {observation['path']}" for observation in stale.values())
    if stale:
        recommendations.append("Follow the stale mount runbook.")
    yield "[Disk]"
    yield _disk(settings().archive_root, recommendations)
    yield "[Automation]"
    for label, name in (
        ("Worker auto-start", "worker-auto-start-enabled"),
        ("Hot-path recovery", "storage-hotpath-auto-recover-enabled"),
    ):
        yield f"  {label}: {green('enabled') if sentinel(name) else yellow('disabled')}"


def _pending(worker: str, recommendations: list[str]) -> Iterator[str]:
    try:
        with session_scope() as session:
            query = select(func.count()).select_from(ArchiveJob).where(ArchiveJob.status.in_(RUNNABLE_STATUSES))
            pending = session.scalar(query) or 0
    except SQLAlchemyError as error:
        yield f"  {red('Database error')}: {str(error).splitlines()[0]}"
        return
    yield f"  Pending jobs: {pending}"
    if pending and worker != "active":
        recommendations.append("Jobs are pending while the worker is down: start the worker.")


def _disk(path: Path, recommendations: list[str]) -> str:
    try:
        percent = disk_use(path).used_percent
    except OSError as error:
        return f"  {path}: {red(error.strerror)}"
    if percent < THRESHOLD_PERCENT:
        return f"  {path}: {percent:.0f}% {green('OK')}"
    recommendations.append(f"Free space at {path}: crawls do not start at {THRESHOLD_PERCENT}% or more.")
    label = yellow("ABOVE THRESHOLD") if percent < CRITICAL_PERCENT else red("CRITICAL")
    return f"  {path}: {percent:.0f}% {label}"


def _state(name: str) -> dict:
    try:
        return json.loads((WATCHDOG_STATE / name).read_text())
    except (OSError, ValueError):
        return {}
