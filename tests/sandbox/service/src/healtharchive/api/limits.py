# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits: per client address, in the memory of one process; two processes allow twice as much (contract 1.11)."""

from __future__ import annotations

from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address
from starlette.requests import Request
from starlette.responses import JSONResponse

from healtharchive.settings import settings

limiter = Limiter(key_func=get_remote_address, enabled=settings().rate_limiting_enabled)

default_limit = limiter.limit("120/minute")
search_limit = limiter.limit("60/minute")
export_limit = limiter.limit("10/minute")
report_limit = limiter.limit("5/minute")


def too_many(_request: Request, exceeded: Exception) -> JSONResponse:
    """The answer to a client that asks too often; registered for ``RateLimitExceeded``."""
    assert isinstance(exceeded, RateLimitExceeded)
    return JSONResponse({"detail": f"Rate limit exceeded: {exceeded.detail}"}, status_code=429)
