# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job, its snapshots, and who has a transaction open: asked of the database itself, in a transaction that cannot write.

``indexing`` is one transaction, so that no row shows it while it goes on (contract 2.2). What can be seen from a second
connection is that the transaction is open, and that the table grows on the disk. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..parse import times
from ..parse.errors import UNPARSABLE, ParseError
from ..parse.json_object import json_object
from ..parse.text import encodable
from ..settings import Settings
from .facts import Job, Rows, Snapshots, Transaction

# WARC files that snapshots of one job may point to.
MOST_FILES = 20000

_CODE = r"""
import json, os, sys
from sqlalchemy import create_engine, text
engine = create_engine(os.environ["HEALTHARCHIVE_DATABASE_URL"], connect_args={"connect_timeout": 10})
said = {"id": int(sys.argv[1]), "most": int(sys.argv[2]) + 1}
with engine.connect() as connection:
    connection.execute(text("SET TRANSACTION READ ONLY"))
    connection.execute(text("SET LOCAL statement_timeout = '20s'"))
    def rows(question):
        return [dict(row) for row in connection.execute(text(question), said).mappings()]
    answer = {
        "job": rows(
            "SELECT j.id, j.name, s.code AS source, j.status, j.output_dir, j.indexed_page_count, j.warc_file_count, j.config,"
            " extract(epoch FROM j.started_at)::float8 AS started, extract(epoch FROM j.finished_at)::float8 AS finished,"
            " extract(epoch FROM clock_timestamp() - j.finished_at)::float8 AS finished_seconds"
            " FROM archive_jobs j LEFT JOIN sources s ON s.id = j.source_id WHERE j.id = :id"
        ),
        "snapshots": rows(
            "SELECT count(*) AS count, min(id) AS first, max(id) AS last FROM snapshots WHERE job_id = :id"
        ),
        "files": rows(
            "SELECT warc_path AS path, count(*) AS count FROM snapshots WHERE job_id = :id GROUP BY 1 ORDER BY 1 LIMIT :most"
        ),
        "newest": rows(
            "SELECT id FROM archive_jobs WHERE status = 'completed' ORDER BY finished_at DESC NULLS LAST, id DESC LIMIT 1"
        ),
        "transactions": rows(
            "SELECT a.client_port AS port, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds,"
            " coalesce(a.wait_event_type = 'Lock', false) AS waits,"
            " EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'snapshots'::regclass"
            "         AND l.mode = 'RowExclusiveLock') AS writes"
            " FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()"
            " AND a.xact_start IS NOT NULL ORDER BY a.pid"
        ),
        "size": rows("SELECT pg_total_relation_size('snapshots') AS bytes"),
    }
print(json.dumps(answer))
"""


def argv(settings: Settings, job_id: int) -> List[str]:
    """It needs the service's environment."""
    return [settings.python, "-I", "-B", "-c", _CODE, str(job_id), str(MOST_FILES)]


def parse(stdout: bytes) -> Rows:
    """:class:`ParseError` also for more WARC files than anybody could be told of."""
    found = json_object(stdout, "the answer of the database")
    try:
        # Without a row a list is empty; anything else is no answer.
        of = {name: _rows(found[name]) for name in ("job", "snapshots", "files", "newest", "transactions", "size")}
        job = _job(of["job"][0]) if of["job"] else None
        files = {encodable(str(each["path"])): _count(each["count"]) for each in of["files"]}
        numbers = of["snapshots"][0]
        snapshots = Snapshots(_count(numbers["count"]), _optional(numbers["first"]), _optional(numbers["last"]), files)
        transactions = tuple(_transaction(each) for each in of["transactions"])
        newest = _count(of["newest"][0]["id"]) if of["newest"] else None
        size = _count(of["size"][0]["bytes"])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ParseError(UNPARSABLE, "the answer of the database has another form: %r" % error) from error
    if len(files) > MOST_FILES:
        raise ParseError(UNPARSABLE, "its snapshots point to more than %d WARC files" % MOST_FILES)
    return Rows(job, snapshots, transactions, newest, size)


def _rows(value: Any) -> List[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueError(value)
    return value


def _job(row: Mapping[str, Any]) -> Job:
    return Job(
        _count(row["id"]),
        _text(row["name"]) or "",
        _text(row["source"]),
        _text(row["status"]) or "",
        _text(row["output_dir"]) or "",
        _time(row["started"]),
        _time(row["finished"]),
        None if row["finished_seconds"] is None else float(row["finished_seconds"]),
        _optional(row["indexed_page_count"]),
        _optional(row["warc_file_count"]) or 0,
        {} if row["config"] is None else row["config"],
    )


def _transaction(row: Mapping[str, Any]) -> Transaction:
    port: Optional[int] = row["port"]
    if port is not None:
        port = int(port)
    # -1: by a socket of the file system.
    seen: Tuple[bool, bool] = (row["writes"] is True, row["waits"] is True)
    return Transaction(port if port is not None and port > 0 else None, float(row["seconds"]), *seen)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(value)
    return value


def _optional(value: Any) -> Optional[int]:
    return None if value is None else _count(value)


def _text(value: Any) -> Optional[str]:
    return None if value is None else encodable(str(value))


def _time(value: Any) -> Optional[str]:
    return None if value is None else times.from_epoch(float(value))


def shown(rows: Rows) -> Dict[str, Any]:
    """How far an indexing is, as far as a second connection can see."""
    writing = [each for each in rows.transactions if each.writes]
    return {
        "transactions": len(writing),
        "open_seconds": int(max((each.seconds for each in writing), default=0)),
        "waits": any(each.waits for each in writing),
        "table_bytes": rows.size,
    }
