# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API on the loopback: whether it answers at all, and what it says of its database (contract 1.4)."""

from __future__ import annotations

import json
from typing import Optional

from .. import http_client
from ..probe import Context, Finding, Problem

SECONDS = 5.0


def probe(context: Context) -> Finding:
    """Ask ``/api/health`` once. No answer is an answer here: it is what the data says."""
    answer = http_client.get(context.settings.api_url + "/api/health", context.seconds(SECONDS))
    check = _database_check(answer.body) if answer.status is not None else None
    data = {
        "responds": answer.status is not None,
        "failure": answer.failure,
        "status": answer.status,
        "database_check": check,
        "seconds": round(answer.seconds, 3),
    }
    if answer.failure == "other":
        return Finding(data, [Problem("unreachable", "The API on the loopback could not be asked: %s" % answer.detail)])
    if answer.status is not None and check is None:
        return Finding(
            data, [Problem("unparsable", "/api/health answered %d without saying how its database is." % answer.status)]
        )
    return Finding(data, [])


def _database_check(body: bytes) -> Optional[str]:
    try:
        check = json.loads(body)["checks"]["db"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return check if check in ("ok", "error") else None
