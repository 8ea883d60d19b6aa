# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which jobs the database says to run, and at which revision it is: asked of the database itself, in a transaction that cannot
write.

The service's listing shows no job without a source (surprise 8), the API may be what is down, and alembic names no revision that
the checkout does not know. Private to this collection.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, List, NamedTuple, Optional, Tuple

from ..parse.errors import UNPARSABLE, ParseError
from ..parse.json_object import json_object
from ..settings import Settings

MOST = 1000

_CODE = r"""
import json, os, sys
from sqlalchemy import create_engine, inspect, text
engine = create_engine(os.environ["HEALTHARCHIVE_DATABASE_URL"], connect_args={"connect_timeout": 10})
with engine.connect() as connection:
    connection.execute(text("SET TRANSACTION READ ONLY"))
    jobs = connection.execute(
        text(
            "SELECT j.id, j.name, s.code, j.status FROM archive_jobs j LEFT JOIN sources s ON s.id = j.source_id"
            " WHERE j.status = 'running' OR j.id = ANY(:also) ORDER BY j.id LIMIT :most"
        ),
        {"also": json.loads(sys.argv[1]), "most": int(sys.argv[2]) + 1},
    ).all()
    revisions = []
    if inspect(connection).has_table("alembic_version"):
        revisions = connection.execute(text("SELECT version_num FROM alembic_version ORDER BY 1")).scalars().all()
print(json.dumps({"jobs": [list(job) for job in jobs], "revisions": list(revisions)}))
"""


class Job(NamedTuple):
    """A row, as far as it matters here."""

    id: int
    name: str
    source: Optional[str]
    status: Optional[str]


class Rows(NamedTuple):
    """The jobs that are marked running and those that were also asked for; the revisions that the database is at."""

    jobs: Tuple[Job, ...]
    revisions: Tuple[str, ...]


def argv(settings: Settings, also: Iterable[int]) -> List[str]:
    """Asks for the running jobs and for those of the given numbers. It needs the service's environment."""
    return [settings.python, "-I", "-B", "-c", _CODE, json.dumps(sorted(also)), str(MOST)]


def parse(stdout: bytes) -> Rows:
    """:class:`ParseError` also for more jobs than anything that is told here could be about."""
    found = json_object(stdout, "the answer of the database")
    try:
        jobs = tuple(_job(*row) for row in found["jobs"])
        revisions = tuple(found["revisions"])
    except (KeyError, TypeError, ValueError) as error:
        raise ParseError(UNPARSABLE, "the answer of the database has another form: %s" % error) from error
    if not all(isinstance(revision, str) for revision in revisions):
        raise ParseError(UNPARSABLE, "the answer of the database has a revision that is no text")
    if len(jobs) > MOST:
        raise ParseError(UNPARSABLE, "more than %d jobs are marked running" % MOST)
    return Rows(jobs, revisions)


def _job(number: Any, name: Any, source: Any, status: Any) -> Job:
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError("a job without a number")
    return Job(number, "" if name is None else str(name), source and str(source), status and str(status))
