# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""replay-reconcile (contract 2.3): one pywb collection a job, its links and its index."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from healtharchive.cli.common import Commands, add, fail, heading
from healtharchive.database import session_scope
from healtharchive.job_config import CAMPAIGN_KEYS
from healtharchive.models import ArchiveJob, Source, utc_now
from healtharchive.settings import settings
from healtharchive.sources import SOURCE_CODES
from healtharchive.warc_discovery import discover

MARKER = "replay-index.meta.json"


def register(commands: Commands) -> None:
    """Add the sub-command."""
    parser = add(commands, "replay-reconcile", replay_reconcile, "Make replay collections match indexed jobs.")
    parser.add_argument("--apply", action="store_true")
    parser.add_argument("--max-jobs", type=int, default=1)
    parser.add_argument("--job-id", type=int, nargs="+")
    parser.add_argument("--sources", nargs="+")
    parser.add_argument("--campaign-year", type=int)
    parser.add_argument("--verify-warc-hash", action="store_true")
    parser.add_argument("--container", default="healtharchive-replay")
    parser.add_argument("--collections-dir", type=Path, default=settings().replay_collections_directory)
    parser.add_argument("--warcs-host-root", type=Path, default=settings().archive_root)
    parser.add_argument("--warcs-container-root", type=Path, default=Path("/warcs"))
    parser.add_argument(
        "--lock-file", type=Path, default=Path("/srv/healtharchive/replay/.locks/replay-reconcile.lock")
    )
    parser.add_argument("--previews", action="store_true")
    parser.add_argument("--max-previews", type=int, default=1)


def replay_reconcile(arguments: argparse.Namespace) -> int:
    """The dry run takes the lock too; a job whose indexing fails is only counted."""
    unknown = [source for source in arguments.sources or () if source not in SOURCE_CODES]
    if unknown:
        return fail(f"Unknown source(s): {', '.join(unknown)}.", 2)
    if arguments.max_jobs <= 0:
        return fail("--max-jobs must be > 0.", 2)
    arguments.lock_file.parent.mkdir(parents=True, exist_ok=True)
    with arguments.lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return fail(f"Replay reconcile lock is held: {arguments.lock_file}", 2)
        return _reconcile(arguments)


def _reconcile(arguments: argparse.Namespace) -> int:
    if arguments.previews and not settings().replay_preview_directory:
        raise ValueError("HEALTHARCHIVE_REPLAY_PREVIEW_DIR is not set")
    print(heading("Replay Reconcile"))
    print(f"Mode:            {'APPLY' if arguments.apply else 'DRY-RUN'}")
    done = failed = 0
    for job_id, name, output_dir in _jobs(arguments):
        collection = arguments.collections_dir / f"job-{job_id}"
        warcs = list(discover(output_dir).paths)
        if not warcs:
            print(f"BLOCKED: job_id={job_id} name={name} no WARC files discovered", file=sys.stderr)
            continue
        if _current(collection, warcs):
            continue
        if done + failed == arguments.max_jobs:
            break
        if not arguments.apply:
            done += 1
            print(f"WOULD INDEX job_id={job_id} name={name} warcs={len(warcs)}")
        elif _index(arguments, job_id, collection, warcs):
            done += 1
            print(f"INDEXED job_id={job_id} name={name} warcs={len(warcs)}")
        else:
            failed += 1
            print(f"FAILED job_id={job_id} name={name}")
    print(f"Summary: {'indexed' if arguments.apply else 'would_index'}={done} failed={failed}")
    return 0


def _jobs(arguments: argparse.Namespace) -> list[tuple[int, str, Path]]:
    query = select(ArchiveJob).join(ArchiveJob.source).where(ArchiveJob.status == "indexed").order_by(ArchiveJob.id)
    if arguments.job_id:
        query = query.where(ArchiveJob.id.in_(arguments.job_id))
    if arguments.sources:
        query = query.where(Source.code.in_(arguments.sources))
    with session_scope() as session:
        return [
            (job.id, job.name, Path(job.output_dir))
            for job in session.scalars(query)
            if arguments.campaign_year in (None, (job.config or {}).get(CAMPAIGN_KEYS[1]))
        ]


def _digest(warcs: list[Path]) -> str:
    return hashlib.sha256("\n".join(map(str, warcs)).encode()).hexdigest()


def _current(collection: Path, warcs: list[Path]) -> bool:
    if not (collection / "indexes" / "index.cdxj").exists():
        return False
    try:
        return json.loads((collection / MARKER).read_text())["warcListHash"] == _digest(warcs)
    except (FileNotFoundError, ValueError, KeyError):
        return False


def _index(arguments: argparse.Namespace, job_id: int, collection: Path, warcs: list[Path]) -> bool:
    archive = collection / "archive"
    archive.mkdir(parents=True, exist_ok=True)
    (collection / "indexes").mkdir(exist_ok=True)
    for number, path in enumerate(warcs, start=1):
        link = archive / f"warc-{number:06d}.warc.gz"
        link.unlink(missing_ok=True)
        # Points into the container, so it looks dangling on the host.
        link.symlink_to(arguments.warcs_container_root / os.path.relpath(path, arguments.warcs_host_root))
    command = ["docker", "exec", arguments.container, "wb-manager", "reindex", collection.name]
    try:
        if subprocess.run(command, check=False).returncode != 0:
            return False
    except FileNotFoundError:
        return False
    (collection / "indexes" / "index.cdxj").touch()
    meta = {
        "version": 1,
        "jobId": job_id,
        "collectionName": collection.name,
        "indexedAtUtc": utc_now().isoformat(),
        "warcCount": len(warcs),
        "warcListHash": _digest(warcs),
        "warcsHostRoot": str(arguments.warcs_host_root),
        "warcsContainerRoot": str(arguments.warcs_container_root),
    }
    (collection / MARKER).write_text(json.dumps(meta, indent=2))
    return True
