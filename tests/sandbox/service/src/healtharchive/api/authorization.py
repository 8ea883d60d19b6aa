# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may read the admin endpoints (contract 1.11)."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from healtharchive.settings import settings

Endpoint = Callable[[Request], Response]


def admin_only(endpoint: Endpoint) -> Endpoint:
    """Let a request through only with the token; without a configured one, only in development."""

    @functools.wraps(endpoint)
    def guarded(request: Request) -> Response:
        expected = settings().admin_token
        if expected is None:
            if settings().admin_token_required:
                raise HTTPException(500, "Admin token is not configured")
        elif not secrets.compare_digest(_given(request).encode(), expected.encode()):
            raise HTTPException(403, "Admin token required")
        return endpoint(request)

    return guarded


def _given(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else request.headers.get("x-admin-token", "")
