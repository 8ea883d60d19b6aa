# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database, asked through the service's own commands as the service user: reachable, and at which schema."""

from __future__ import annotations

from typing import List, Optional

from .. import service
from ..parse import database
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, failed

SECONDS = 20.0


def probe(context: Context) -> Finding:
    """``check-db``, and if it reached PostgreSQL, ``alembic current`` and ``heads``."""
    problem = context.database_problem()
    if problem is not None:
        return Finding(None, [problem])
    result = context.run_service(service.check_db(context.settings), SECONDS, production=True)
    if result.failure is not None:
        return Finding(None, [failed(result, "check-db")])
    try:
        data = database.check_db(result.stdout, result.stderr, result.rc)
    except ParseError as error:
        return Finding(None, [Problem(error.code, "check-db: %s" % error)])
    problems: List[Problem] = []
    data["schema"] = {"current": None, "heads": None, "at_head": None}
    if data["reachable"]:
        current = _revisions(context, "current", problems)
        if current is not None:
            heads = _revisions(context, "heads", problems)
            data["schema"]["current"] = current
            if heads is not None:
                data["schema"].update(heads=heads, at_head=sorted(current) == sorted(heads))
    return Finding(data, problems)


def _revisions(context: Context, question: str, problems: List[Problem]) -> Optional[List[str]]:
    result = context.run_service(service.alembic(context.settings, question), SECONDS, production=True)
    what = "alembic %s" % question
    if result.failure is not None:
        problems.append(failed(result, what))
        return None
    try:
        return database.alembic_revisions(result.stdout, result.rc)
    except ParseError as error:
        problems.append(Problem(error.code, "%s: %s" % (what, error)))
        return None
