# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables: sources, archive_jobs (contract 1.12) and snapshots."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, String, Text, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

RUNNABLE_STATUSES = ("queued", "retryable")
PATCHABLE_STATUSES = ("queued", "retryable", "failed")
INDEXABLE_STATUSES = ("completed", "index_failed", "indexed")


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Base of the tables; times carry a zone."""

    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSON}


class Source(Base):
    """One archived web site."""

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    base_url: Mapped[str] = mapped_column(String(500))


class ArchiveJob(Base):
    """One crawl and what became of it. ``status`` is free text, as in the real table."""

    __tablename__ = "archive_jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    name: Mapped[str] = mapped_column(String(200))
    output_dir: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(50), default="queued")
    queued_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    retry_count: Mapped[int] = mapped_column(default=0)
    config: Mapped[dict[str, Any] | None]
    crawler_exit_code: Mapped[int | None]
    crawler_status: Mapped[str | None] = mapped_column(String(50))
    crawler_stage: Mapped[str | None] = mapped_column(String(100))
    last_stats_json: Mapped[dict[str, Any] | None]
    pages_crawled: Mapped[int | None]
    pages_total: Mapped[int | None]
    pages_failed: Mapped[int | None]
    warc_file_count: Mapped[int] = mapped_column(default=0)
    warc_bytes_total: Mapped[int] = mapped_column(BigInteger, default=0)
    indexed_page_count: Mapped[int] = mapped_column(default=0)
    output_bytes_total: Mapped[int] = mapped_column(BigInteger, default=0)
    tmp_bytes_total: Mapped[int] = mapped_column(BigInteger, default=0)
    tmp_non_warc_bytes_total: Mapped[int] = mapped_column(BigInteger, default=0)
    storage_scanned_at: Mapped[datetime | None]
    cleanup_status: Mapped[str] = mapped_column(String(50), default="none")
    cleaned_at: Mapped[datetime | None]
    final_zim_path: Mapped[str | None] = mapped_column(Text)
    combined_log_path: Mapped[str | None] = mapped_column(Text)
    state_file_path: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    source: Mapped[Source | None] = relationship(lazy="joined")

    @property
    def source_code(self) -> str:
        """The source's code, or ``?`` for a job without a source."""
        return self.source.code if self.source else "?"


class Snapshot(Base):
    """One captured page, pointing at its record in a WARC file."""

    __tablename__ = "snapshots"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("archive_jobs.id"))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("sources.id"))
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text, default="", deferred=True)
    status_code: Mapped[int]
    mime_type: Mapped[str] = mapped_column(String(100))
    captured_at: Mapped[datetime]
    warc_path: Mapped[str] = mapped_column(Text)
    warc_offset: Mapped[int] = mapped_column(BigInteger)
    # Loaded only where a query names it, so that a host without migration 0014 fails in search and changes only.
    deduplicated: Mapped[bool] = mapped_column(default=False, deferred=True)

    source: Mapped[Source | None] = relationship(lazy="joined")


def status_counts(session: Session) -> dict[str, int]:
    """How many jobs there are in each status, jobs without a source included."""
    rows = session.execute(select(ArchiveJob.status, func.count()).group_by(ArchiveJob.status))
    return {status: count for status, count in rows}
