# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The annual campaign: which job is a source's annual one, how it stands, what its options should be (contract 2.8)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from healtharchive.job_config import CAMPAIGN_KEYS
from healtharchive.models import ArchiveJob, Source
from healtharchive.rescue import active_backend, operator_state, rescue_state

SCHEDULER_VERSION = 1
BLOCKING_STATUSES = ("queued", "retryable", "running", "completed", "indexing", "index_failed")
IN_PROGRESS_STATUSES = ("queued", "retryable", "running", "completed", "indexing")
FAILED_STATUSES = ("failed", "index_failed")

# What every annual job of a source should be told; the restart budgets are those of contract 4.7.
CANONICAL_TOOL_OPTIONS: dict[str, dict[str, int]] = {
    "hc": {"initial_workers": 2, "max_container_restarts": 24},
    "phac": {"initial_workers": 2, "max_container_restarts": 30},
    "cihr": {"initial_workers": 1, "max_container_restarts": 20},
}


def expected_name(source: str, year: int) -> str:
    """The name an annual job has."""
    return f"{source}-{year}0101"


def campaign(year: int) -> dict[str, Any]:
    """The metadata of a year's campaign."""
    values = ("annual", year, f"{year}-01-01", SCHEDULER_VERSION)
    return dict(zip(CAMPAIGN_KEYS, values, strict=True))


def is_annual(job: ArchiveJob) -> bool:
    """By metadata, or, once a first run has dropped that, by name."""
    by_name = job.name.startswith(f"{job.source_code}-") and job.name.endswith("0101")
    return (job.config or {}).get("campaign_kind") == "annual" or by_name


def find_annual_job(session: Session, source: str, year: int) -> ArchiveJob | None:
    """The source's annual job: campaign metadata first, else the name."""
    query = select(ArchiveJob).join(ArchiveJob.source).where(Source.code == source).order_by(ArchiveJob.id.desc())
    jobs = list(session.scalars(query))
    by_metadata = [
        job
        for job in jobs
        if (job.config or {}).get("campaign_kind") == "annual" and (job.config or {}).get("campaign_year") == year
    ]
    by_name = [job for job in jobs if job.name == expected_name(source, year)]
    return next(iter(by_metadata + by_name), None)


def status_report(session: Session, year: int, sources: list[str]) -> dict[str, Any]:
    """The whole report, as ``annual-status --json`` prints it."""
    entries = [_source_entry(session, source, year) for source in sources]
    jobs = [entry["job"] for entry in entries if entry["job"]]
    statuses = [entry["status"] for entry in entries]
    return {
        "campaignYear": year,
        "campaignDate": f"{year}-01-01",
        "sources": entries,
        "summary": {
            "totalSources": len(entries),
            "indexed": statuses.count("indexed"),
            "inProgress": sum(status in IN_PROGRESS_STATUSES for status in statuses),
            "failed": sum(status in FAILED_STATUSES for status in statuses),
            "missing": statuses.count("missing"),
            "errors": statuses.count("error"),
            "readyForSearch": all(status == "indexed" for status in statuses),
            "rescueStates": dict(Counter(job["rescue"]["state"] for job in jobs)),
            "operatorStates": dict(Counter(job["rescue"]["operatorState"] for job in jobs)),
        },
    }


def _source_entry(session: Session, source: str, year: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "sourceCode": source,
        "expectedJobName": expected_name(source, year),
        "status": "missing",
        "job": None,
        "blockingJob": None,
        "candidates": [],
        "isSearchReady": False,
    }
    if session.scalar(select(Source.id).where(Source.code == source)) is None:
        return {**entry, "status": "error", "error": f"Source {source!r} is not seeded."}
    job = find_annual_job(session, source, year)
    if job is None:
        return {**entry, "blockingJob": _blocking_job(session, source)}
    return {
        **entry,
        "status": job.status,
        "job": _job_entry(job),
        "candidates": [job.id],
        "isSearchReady": job.status == "indexed",
    }


def _blocking_job(session: Session, source: str) -> dict[str, Any] | None:
    query = (
        select(ArchiveJob)
        .join(ArchiveJob.source)
        .where(Source.code == source, ArchiveJob.status.in_(BLOCKING_STATUSES))
        .order_by(ArchiveJob.id.desc())
        .limit(1)
    )
    job = session.scalars(query).first()
    if job is None:
        return None
    return {"jobId": job.id, "jobName": job.name, "status": job.status, "createdAt": _iso(job.created_at)}


def _job_entry(job: ArchiveJob) -> dict[str, Any]:
    config = job.config or {}
    return {
        "jobId": job.id,
        "jobName": job.name,
        "outputDir": job.output_dir,
        "queuedAt": _iso(job.queued_at),
        "startedAt": _iso(job.started_at),
        "finishedAt": _iso(job.finished_at),
        "retryCount": job.retry_count,
        "indexedPageCount": job.indexed_page_count,
        "crawlerExitCode": job.crawler_exit_code,
        "crawlerStatus": job.crawler_status,
        "crawlerStage": job.crawler_stage,
        "lastStats": job.last_stats_json,
        "campaignKind": config.get("campaign_kind"),
        "campaignYear": config.get("campaign_year"),
        "campaignDate": config.get("campaign_date"),
        "schedulerVersion": config.get("scheduler_version"),
        "rescue": {
            "state": rescue_state(job),
            "backend": active_backend(job),
            "operatorState": operator_state(job),
            "operatorNote": None,
        },
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
