# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes and error answers. An error that nothing catches is 500 in plain text, and uvicorn logs its traceback."""

from __future__ import annotations

from slowapi.errors import RateLimitExceeded
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from healtharchive.api import admin, archive, metrics, public
from healtharchive.api.limits import limiter, too_many
from healtharchive.settings import settings


def _refusal(_request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, HTTPException)
    return JSONResponse({"detail": refusal.detail}, status_code=refusal.status_code)


ROUTES = [
    Route("/api/health", public.health),
    Route("/api/stats", public.stats),
    Route("/api/sources", public.sources),
    Route("/api/usage", public.usage),
    Route("/api/exports", public.exports),
    Route("/api/exports/snapshots", public.export_snapshots),
    Route("/api/exports/changes", public.export_changes),
    Route("/api/reports", public.report, methods=["POST"]),
    Route("/api/search", archive.search),
    Route("/api/changes", archive.changes),
    Route("/api/changes/rss", archive.changes_rss),
    Route("/api/snapshots/raw/{snapshot_id:int}", archive.snapshot_raw),
    Route("/api/snapshots/{snapshot_id:int}", archive.snapshot_detail),
    Route("/api/admin/jobs", admin.jobs),
    Route("/api/admin/jobs/status-counts", admin.job_status_counts),
    Route("/api/admin/jobs/{job_id:int}", admin.job_detail),
    Route("/api/admin/jobs/{job_id:int}/snapshots", admin.job_snapshots),
    Route("/api/admin/reports", admin.reports),
    Route("/metrics", metrics.metrics),
]

app = Starlette(
    routes=ROUTES,
    middleware=[Middleware(CORSMiddleware, allow_origins=list(settings().cors_origins))],
    exception_handlers={HTTPException: _refusal, RateLimitExceeded: too_many},
)
app.state.limiter = limiter
