# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was archived: search, changes, snapshots and their raw pages."""

from __future__ import annotations

import zlib
from datetime import UTC
from pathlib import Path
from xml.sax.saxutils import escape

from sqlalchemy import func, or_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from healtharchive.api.limits import default_limit, search_limit
from healtharchive.api.moments import utc_text
from healtharchive.api.parameters import integer
from healtharchive.database import session_scope
from healtharchive.models import Snapshot, Source
from healtharchive.settings import settings
from healtharchive.warc import records

ORIGINAL = Snapshot.deduplicated.is_(False)


def _item(snapshot: Snapshot) -> dict[str, object]:
    base = settings().replay_base_url.rstrip("/")
    return {
        "id": snapshot.id,
        "title": snapshot.title,
        "sourceCode": snapshot.source.code if snapshot.source else None,
        "sourceName": snapshot.source.name if snapshot.source else None,
        "originalUrl": snapshot.url,
        "captureTimestamp": utc_text(snapshot.captured_at),
        "mimeType": snapshot.mime_type,
        "statusCode": snapshot.status_code,
        "rawSnapshotUrl": f"/api/snapshots/raw/{snapshot.id}",
        "browseUrl": f"{base}/job-{snapshot.job_id}/{snapshot.url}" if base else None,
    }


@search_limit
def search(request: Request) -> Response:
    """Snapshots whose title, address or text holds ``q``; needs the column of migration 0014."""
    page = integer(request, "page", 1, 1, 100000)
    size = integer(request, "pageSize", 20, 1, 100)
    query = select(Snapshot).where(ORIGINAL)
    if words := request.query_params.get("q"):
        pattern = f"%{words}%"
        query = query.where(or_(*(column.ilike(pattern) for column in (Snapshot.title, Snapshot.url, Snapshot.text))))
    if source := request.query_params.get("source"):
        query = query.join(Snapshot.source).where(Source.code == source)
    with session_scope() as session:
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        ordered = query.order_by(Snapshot.captured_at.desc(), Snapshot.id).limit(size).offset((page - 1) * size)
        results = [_item(snapshot) for snapshot in session.scalars(ordered)]
    return JSONResponse({"results": results, "total": total, "page": page, "pageSize": size})


def _changes(limit: int) -> list[Snapshot]:
    query = select(Snapshot).where(ORIGINAL).order_by(Snapshot.captured_at.desc(), Snapshot.id).limit(limit)
    with session_scope() as session:
        return list(session.scalars(query))


@default_limit
def changes(request: Request) -> Response:
    """Every capture that does not repeat another counts as a new page; needs the column of migration 0014."""
    if not settings().change_tracking_enabled:
        return JSONResponse({"enabled": False, "results": [], "total": 0})
    size = integer(request, "pageSize", 20, 1, 100)
    results = [{**_item(snapshot), "changeType": "new_page"} for snapshot in _changes(size)]
    return JSONResponse({"enabled": True, "results": results, "total": len(results)})


@default_limit
def changes_rss(request: Request) -> Response:
    """The same as a feed."""
    items = "".join(
        f"<item><title>{escape(snapshot.title)}</title><link>{escape(snapshot.url)}</link>"
        f"<pubDate>{snapshot.captured_at.astimezone(UTC):%a, %d %b %Y %H:%M:%S +0000}</pubDate></item>"
        for snapshot in _changes(20)
    )
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Changes</title>{items}</channel></rss>'
    return Response(feed, media_type="application/rss+xml")


def _snapshot(request: Request) -> Snapshot:
    with session_scope() as session:
        snapshot = session.get(Snapshot, request.path_params["snapshot_id"])
    if snapshot is None:
        raise HTTPException(404, "Snapshot not found")
    return snapshot


@default_limit
def snapshot_detail(request: Request) -> Response:
    """One snapshot."""
    return JSONResponse(_item(_snapshot(request)))


@default_limit
def snapshot_raw(request: Request) -> Response:
    """The archived page, read from its WARC file: 404 when that is gone, 500 when storage fails."""
    snapshot = _snapshot(request)
    try:
        record = next(records(Path(snapshot.warc_path), snapshot.warc_offset))
        status, content_type, body = record.http()
    except (FileNotFoundError, EOFError, zlib.error, ValueError):
        raise HTTPException(404, "Archived content is not available") from None
    return Response(body, status_code=status, media_type=content_type)
