# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a crawl's pages searchable: one snapshot row a page (contract 2.2, 2.3)."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.orm import Session

from healtharchive.database import session_scope
from healtharchive.models import INDEXABLE_STATUSES, ArchiveJob, Snapshot
from healtharchive.settings import settings
from healtharchive.storage_scan import scan_storage
from healtharchive.verification import verify_file
from healtharchive.warc import Record, records
from healtharchive.warc_discovery import discover

logger = logging.getLogger("healtharchive.indexing")

_TITLE = re.compile(r"<title>(.*?)</title>", re.I | re.S)
_TAG = re.compile(r"<[^>]+>")


class JobNotIndexableError(Exception):
    """The job does not exist or is in the wrong status; nothing was changed."""


def index_job(job_id: int) -> int:
    """Index the job anew; 0, or 1 after setting it to ``index_failed``. Progress goes to the log only."""
    with session_scope() as session:
        job = session.get(ArchiveJob, job_id)
        if job is None:
            raise JobNotIndexableError(f"Job {job_id} not found.")
        if job.status not in INDEXABLE_STATUSES:
            raise JobNotIndexableError(
                f"ArchiveJob {job_id} is in status {job.status!r}, "
                "expected one of 'completed', 'index_failed', or 'indexed'."
            )
    logger.info("Indexing job %s", job_id)
    try:
        with session_scope() as session:
            count = _index(session, session.get_one(ArchiveJob, job_id))
    except (OSError, zlib.error, ValueError) as error:
        logger.error("Indexing of job %s failed: %s", job_id, error)
        count = None
    if count is None:
        with session_scope() as session:
            session.get_one(ArchiveJob, job_id).status = "index_failed"
        return 1
    logger.info("Indexed %s page(s) of job %s", count, job_id)
    return 0


def _index(session: Session, job: ArchiveJob) -> int | None:
    job.status = "indexing"
    paths = discover(Path(job.output_dir)).paths
    if not paths:
        logger.warning("No WARC files discovered for job %s in %s", job.id, job.output_dir)
        return None
    for path in paths:
        if problem := verify_file(path, settings().index_warc_verify_level):
            raise ValueError(f"{path}: {problem.error}")
    session.execute(delete(Snapshot).where(Snapshot.job_id == job.id))
    count = 0
    for path in paths:
        logger.info("Reading %s", path)
        count += sum(_add(session, job, path, record) for record in _readable(path))
    job.indexed_page_count, job.status = count, "indexed"
    scan_storage(job)
    return count


def _readable(path: Path) -> Iterator[Record]:
    """The records up to the first damage: a truncated file is indexed as far as it goes, without a word."""
    try:
        yield from records(path)
    except (EOFError, zlib.error):
        return


def _add(session: Session, job: ArchiveJob, path: Path, record: Record) -> bool:
    if record.kind != "response":
        return False
    status, mime_type, body = record.http()
    text = body.decode("utf-8", "replace")
    title = _TITLE.search(text)
    session.add(
        Snapshot(
            job_id=job.id,
            source_id=job.source_id,
            url=record.url,
            title=title.group(1).strip() if title else record.url,
            text=" ".join(_TAG.sub(" ", text).split()),
            status_code=status,
            mime_type=mime_type.partition(";")[0],
            captured_at=record.captured_at,
            warc_path=str(path),
            warc_offset=record.offset,
        )
    )
    return True
