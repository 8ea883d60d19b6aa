# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health, statistics, sources, usage, exports, reports."""

from __future__ import annotations

import csv
import io

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from healtharchive.api.limits import default_limit, export_limit, report_limit
from healtharchive.api.moments import utc_text
from healtharchive.database import session_scope
from healtharchive.models import ArchiveJob, Snapshot, Source, status_counts
from healtharchive.settings import settings

EXPORT_ROWS = 10000


def health(request: Request) -> Response:
    """500 with a JSON body when the database does not answer. Not rate limited: deploys and proxies poll it."""
    body: dict[str, object] = {"status": "ok", "checks": {"db": "ok"}}
    try:
        with session_scope() as session:
            session.execute(text("SELECT 1"))
            if request.query_params.get("details") == "1":
                body["jobs"] = status_counts(session)
                body["snapshots"] = {"total": _count(session, Snapshot)}
    except SQLAlchemyError:
        return JSONResponse({"status": "error", "checks": {"db": "error"}}, status_code=500)
    return JSONResponse(body)


def _count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


@default_limit
def stats(request: Request) -> Response:
    """Totals."""
    with session_scope() as session:
        pages = session.scalar(select(func.count(Snapshot.url.distinct()))) or 0
        snapshots, jobs = _count(session, Snapshot), _count(session, ArchiveJob)
    return JSONResponse({"snapshotsTotal": snapshots, "pagesTotal": pages, "jobsTotal": jobs})


@default_limit
def sources(request: Request) -> Response:
    """The sources that have snapshots."""
    query = (
        select(Source.code, Source.name, Source.base_url, func.count())
        .join(Snapshot, Snapshot.source_id == Source.id)
        .group_by(Source.id)
        .order_by(Source.code)
    )
    with session_scope() as session:
        rows = session.execute(query).all()
    names = ("sourceCode", "sourceName", "baseUrl", "recordCount")
    return JSONResponse([dict(zip(names, row, strict=True)) for row in rows])


@default_limit
def usage(request: Request) -> Response:
    """Whether usage is counted; asks the database, like its model, though nothing is counted here."""
    with session_scope() as session:
        session.execute(text("SELECT 1"))
    return JSONResponse({"enabled": settings().usage_metrics_enabled, "windowDays": settings().usage_window_days})


@default_limit
def exports(request: Request) -> Response:
    """The manifest: no database needed."""
    datasets = ["/api/exports/snapshots", "/api/exports/changes"]
    return JSONResponse({"enabled": settings().exports_enabled, "datasets": datasets})


@export_limit
def export_snapshots(request: Request) -> Response:
    """All snapshots as CSV."""
    return _csv("snapshots")


@export_limit
def export_changes(request: Request) -> Response:
    """First captures as CSV."""
    return _csv("changes")


def _csv(name: str) -> Response:
    if not settings().exports_enabled:
        raise HTTPException(404, "Exports are disabled")
    with session_scope() as session:
        rows = list(session.scalars(select(Snapshot).order_by(Snapshot.id).limit(EXPORT_ROWS)))
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["id", "url", "title", "captured_at"])
    writer.writerows([row.id, row.url, row.title, utc_text(row.captured_at)] for row in rows)
    disposition = f'attachment; filename="healtharchive-{name}.csv"'
    return Response(stream.getvalue(), media_type="text/csv", headers={"content-disposition": disposition})


@report_limit
def report(request: Request) -> Response:
    """Thank for a problem report. None is kept: the stand-in has no one to read them."""
    return JSONResponse({"status": "received"}, status_code=201)
