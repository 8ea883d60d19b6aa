# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database, asked through the service's own commands as the service user: reachable, and at which schema."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from .. import host, service
from ..parse import database
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, failed

SECONDS = 20.0


def probe(context: Context) -> Finding:
    """``check-db``, and if it reached PostgreSQL, ``alembic current`` and ``heads``."""
    problem = context.database_problem()
    if problem is not None:
        return Finding(None, [problem])
    settings = context.settings
    programs = [service.check_db(settings), service.alembic(settings, "current"), service.alembic(settings, "heads")]
    with context.turn:
        result, current, heads = context.run_service_programs(programs, SECONDS)
    if result.failure is not None:
        return Finding(None, [failed(result, "check-db")])
    try:
        data = database.check_db(result.stdout, result.stderr, result.rc)
    except ParseError as error:
        return Finding(None, [Problem(error.code, "check-db: %s" % error)])
    problems: List[Problem] = []
    data["schema"] = {"current": None, "heads": None, "at_head": None}
    # Without the database alembic's own words say nothing that check-db has not said.
    if data["reachable"]:
        data["schema"] = _schema(
            _revisions(current, "alembic current", problems), _revisions(heads, "alembic heads", problems)
        )
    return Finding(data, problems)


def _schema(current: Optional[List[str]], heads: Optional[List[str]]) -> Dict[str, Any]:
    at_head = None if current is None or heads is None else sorted(current) == sorted(heads)
    return {"current": current, "heads": heads, "at_head": at_head}


def _revisions(result: host.Result, what: str, problems: List[Problem]) -> Optional[List[str]]:
    if result.failure is not None:
        problems.append(failed(result, what))
        return None
    try:
        return database.alembic_revisions(result.stdout, result.rc)
    except ParseError as error:
        problems.append(Problem(error.code, "%s: %s" % (what, error)))
        return None
