# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metrics, for Prometheus, with the admin token (contract 1.8)."""

from __future__ import annotations

from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from healtharchive.api.authorization import admin_only
from healtharchive.database import session_scope
from healtharchive.models import ArchiveJob, Snapshot, status_counts

SIZES = ("warc_bytes_total", "output_bytes_total", "tmp_bytes_total", "tmp_non_warc_bytes_total")


@admin_only
def metrics(request: Request) -> Response:
    """Counts and sizes, from the database at the moment of the request."""
    with session_scope() as session:
        lines = [
            f'healtharchive_jobs_total{{status="{_label(status)}"}} {count}'
            for status, count in sorted(status_counts(session).items())
        ]
        for name in SIZES:
            total = session.scalar(select(func.coalesce(func.sum(getattr(ArchiveJob, name)), 0)))
            lines.append(f"healtharchive_jobs_{name} {total}")
        lines.append(f"healtharchive_snapshots_total {session.scalar(select(func.count()).select_from(Snapshot))}")
    return PlainTextResponse("\n".join([*lines, ""]))


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
