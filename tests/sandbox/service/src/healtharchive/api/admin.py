# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin endpoints: jobs as JSON, without touching a job directory (contract 1.11)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from healtharchive.api.authorization import admin_only
from healtharchive.api.limits import default_limit
from healtharchive.api.moments import utc_text
from healtharchive.api.parameters import integer
from healtharchive.database import session_scope
from healtharchive.models import ArchiveJob, Snapshot, Source, status_counts


def _item(job: ArchiveJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "sourceCode": job.source.code if job.source else None,
        "sourceName": job.source.name if job.source else None,
        "name": job.name,
        "status": job.status,
        "retryCount": job.retry_count,
        "createdAt": utc_text(job.created_at),
        "queuedAt": utc_text(job.queued_at),
        "startedAt": utc_text(job.started_at),
        "finishedAt": utc_text(job.finished_at),
        "cleanupStatus": job.cleanup_status,
        "cleanedAt": utc_text(job.cleaned_at),
        "crawlerExitCode": job.crawler_exit_code,
        "crawlerStatus": job.crawler_status,
        "warcFileCount": job.warc_file_count,
        "warcBytesTotal": job.warc_bytes_total,
        "indexedPageCount": job.indexed_page_count,
        "storageScannedAt": utc_text(job.storage_scanned_at),
    }


def _detail(job: ArchiveJob) -> dict[str, Any]:
    return {
        **_item(job),
        "outputDir": job.output_dir,
        "crawlerStage": job.crawler_stage,
        "pagesCrawled": job.pages_crawled,
        "pagesTotal": job.pages_total,
        "pagesFailed": job.pages_failed,
        "outputBytesTotal": job.output_bytes_total,
        "tmpBytesTotal": job.tmp_bytes_total,
        "tmpNonWarcBytesTotal": job.tmp_non_warc_bytes_total,
        "finalZimPath": job.final_zim_path,
        "combinedLogPath": job.combined_log_path,
        "stateFilePath": job.state_file_path,
        "config": job.config,
        "lastStats": job.last_stats_json,
    }


@default_limit
@admin_only
def jobs(request: Request) -> Response:
    """All jobs, those without a source too; the configuration is not parsed, so a bad row hurts no one."""
    limit = integer(request, "limit", 50, 1, 500)
    offset = integer(request, "offset", 0, 0, 2**31)
    query = select(ArchiveJob)
    if source := request.query_params.get("source"):
        query = query.join(ArchiveJob.source).where(Source.code == source)
    if status := request.query_params.get("status"):
        query = query.where(ArchiveJob.status == status)
    with session_scope() as session:
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        ordered = query.order_by(ArchiveJob.created_at.desc(), ArchiveJob.id.desc()).limit(limit).offset(offset)
        items = [_item(job) for job in session.scalars(ordered)]
    return JSONResponse({"items": items, "total": total, "limit": limit, "offset": offset})


@default_limit
@admin_only
def job_status_counts(request: Request) -> Response:
    """How many jobs in each status."""
    with session_scope() as session:
        return JSONResponse({"counts": status_counts(session)})


@default_limit
@admin_only
def job_detail(request: Request) -> Response:
    """One job."""
    with session_scope() as session:
        return JSONResponse(_detail(_job(session, request)))


@default_limit
@admin_only
def job_snapshots(request: Request) -> Response:
    """The snapshots of one job."""
    limit = integer(request, "limit", 50, 1, 500)
    with session_scope() as session:
        job = _job(session, request)
        query = select(Snapshot).where(Snapshot.job_id == job.id).order_by(Snapshot.id)
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        items = [{"id": row.id, "url": row.url, "title": row.title} for row in session.scalars(query.limit(limit))]
    return JSONResponse({"items": items, "total": total})


def _job(session: Session, request: Request) -> ArchiveJob:
    job = session.get(ArchiveJob, request.path_params["job_id"])
    if job is None:
        raise HTTPException(404, "Job not found")
    return job


@default_limit
@admin_only
def reports(request: Request) -> Response:
    """Problem reports: none is ever kept."""
    return JSONResponse({"items": [], "total": 0})
