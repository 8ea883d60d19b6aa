# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Crawl jobs, from ``healtharchive list-jobs`` (contract 2.4, 2.10) and from the admin API (contract 1.11).

Both sources give the same record, a dict with the keys of ``JOB_KEYS``:

===================  ==========  ====================================================================================
key                  type        note
===================  ==========  ====================================================================================
id                   int
source               str|None    None: the job has no source; only the API shows such jobs
name                 str         any characters, line ends and control characters included: escape before it is shown
status               str         free text in the database; compare with ``KNOWN_STATUSES``
retry_count          int|None
created_at           str|None    all times: UTC, ``2026-11-23T15:44:08Z``
queued_at            str|None    API only
started_at           str|None
finished_at          str|None
crawler_status       str|None    API only
crawler_stage        str|None    API only, from the answer for one job
crawler_exit_code    int|None    API only
output_directory     str|None    API only, from the answer for one job
combined_log_path    str|None    API only, from the answer for one job
config               Any         API only, from the answer for one job: the job's configuration, ``{}`` when it has none;
                                 None: not known. Free JSON in the database
indexed_pages        int|None
backend              str|None    CLI only, since 2026-04-15
rescue               str|None    CLI only, since 2026-04-15
ambiguous            bool        CLI only: the name spans several lines; some may be jobs, or rows below its lines
===================  ==========  ====================================================================================
"""

from __future__ import annotations

import re
from typing import Any, Callable, Optional

from . import times
from .errors import BAD_EVIDENCE, EMPTY, TRUNCATED, UNPARSABLE, ParseError
from .json_object import json_object
from .text import decode, encodable

KNOWN_STATUSES = frozenset(
    ("queued", "running", "completed", "failed", "retryable", "indexing", "indexed", "index_failed")
)
JOB_KEYS = (
    "id",
    "source",
    "name",
    "status",
    "retry_count",
    "created_at",
    "queued_at",
    "started_at",
    "finished_at",
    "crawler_status",
    "crawler_stage",
    "crawler_exit_code",
    "output_directory",
    "combined_log_path",
    "config",
    "indexed_pages",
    "backend",
    "rescue",
    "ambiguous",
)
# What only the admin API's answer for one job tells.
DETAIL_KEYS = ("crawler_stage", "output_directory", "combined_log_path", "config")
# What no reading of list-jobs can tell, in words for the evidence.
CLI_CANNOT_KNOW = (
    "jobs without a source",
    "queued_at",
    "crawler_status",
    "crawler_stage",
    "crawler_exit_code",
    "output_directory",
    "combined_log_path",
    "whether a name holds a line break and looks like two jobs",
)
NO_JOBS = b"No jobs found."

_HEADER = (
    "ID",
    "Source",
    "Status",
    "Backend",
    "Rescue",
    "Retries",
    "Created_at",
    "Started_at",
    "Finished_at",
    "Indexed",
)
_HEADER_BEFORE_2026_04_15 = tuple(word for word in _HEADER if word not in ("Backend", "Rescue"))
_TIME = r"(None|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})"
_START = r"([0-9]{1,18}) +([^ ]+) +([^ ]+) +"
_END = r"([0-9]{1,18}) +" + _TIME + " +" + _TIME + " +" + _TIME + " +([0-9]{1,18}) (.*)"
# Fields are padded with spaces and overflow their column, so that only a pattern separates them; neighbouring parts
# of the pattern share no character, so it does not backtrack.
_ROW = re.compile(_START + r"([^ ]+) +([^ ]+) +" + _END, re.DOTALL)
_ROW_BEFORE_2026_04_15 = re.compile(_START + _END, re.DOTALL)


def list_jobs(stdout: bytes) -> list[dict[str, Any]]:
    """Rows of ``healtharchive list-jobs``, in their order (newest first), in the shape of before or after 2026-04-15.

    The caller must have seen exit code 0, must have run the command with PGTZ=UTC (the table's times have no zone, they
    follow the database session), and must know that the database was PostgreSQL. An empty list means that the program
    said ``No jobs found.``, which it also says for a misspelt ``--status`` or ``--source``.

    A name may contain line ends. A line that is no row belongs to the name of the row above it, whose record then has
    ``ambiguous`` set. A name can also contain a line that looks exactly like a row; a repeated id or a ``created_at``
    that rises give some of these away (``bad_evidence``), but not all: only the admin API is unambiguous.

    Raises ParseError: ``empty``, ``unparsable``, ``truncated``, ``bad_evidence``.
    """
    if not stdout.strip():
        raise ParseError(EMPTY, "list-jobs printed nothing")
    if stdout in (NO_JOBS, NO_JOBS + b"\n"):
        return []
    lines = decode(stdout).split("\n")
    header = tuple(lines[0].split())
    if header == _HEADER:
        row_pattern, modern = _ROW, True
    elif header == _HEADER_BEFORE_2026_04_15:
        row_pattern, modern = _ROW_BEFORE_2026_04_15, False
    else:
        raise ParseError(UNPARSABLE, "list-jobs printed no known header: " + lines[0])
    if lines[-1] != "" or len(lines) < 3:
        raise ParseError(TRUNCATED, "the end of list-jobs' output is missing")

    jobs: list[dict[str, Any]] = []
    name_lines: list[str] = []
    for line in lines[1:-1]:
        match = row_pattern.fullmatch(line)
        if match is None:
            if not jobs:
                raise ParseError(UNPARSABLE, "the first line below list-jobs' header is no job: " + line)
            name_lines.append(line)
            continue
        _finish_name(jobs, name_lines)
        jobs.append(_row(match.groups(), modern))
        name_lines = []
    _finish_name(jobs, name_lines)
    _refuse_repeated_ids(jobs)
    _refuse_wrong_order(jobs)
    return jobs


def admin_jobs(body: bytes) -> dict[str, Any]:
    """Answer of ``GET /api/admin/jobs``: ``{"jobs": [record], "total": int, "limit": int, "offset": int}``.

    ``total`` counts all jobs that match the request, so ``offset + len(jobs) < total`` means that there are more.
    Raises ParseError: ``empty``, ``unparsable``, ``bad_evidence`` (fewer items than total, limit and offset promise).
    """
    answer = json_object(body, "the admin API's answer")
    items = _field(answer, "items", _is_list)
    total = _field(answer, "total", _is_count)
    limit = _field(answer, "limit", _is_count)
    offset = _field(answer, "offset", _is_count)
    jobs = [_admin_record(item, detailed=False) for item in items]
    if len(jobs) > limit or len(jobs) < min(limit, total - offset):
        raise ParseError(
            BAD_EVIDENCE,
            "the admin API returned %d jobs for total %d, limit %d, offset %d" % (len(jobs), total, limit, offset),
        )
    _refuse_repeated_ids(jobs)
    return {"jobs": jobs, "total": total, "limit": limit, "offset": offset}


def admin_counts(body: bytes) -> dict[str, int]:
    """Answer of ``GET /api/admin/jobs/status-counts``: the number of jobs by status, jobs without a source included.

    An empty dict means that there are no jobs. Raises ParseError: ``empty``, ``unparsable``.
    """
    counts = _field(json_object(body, "the admin API's answer"), "counts", _is_object)
    for status, count in counts.items():
        if not _is_count(count):
            raise ParseError(UNPARSABLE, "the admin API's count of %s is no count" % status)
    return {encodable(status): count for status, count in counts.items()}


def admin_job(body: bytes) -> dict[str, Any]:
    """Answer of ``GET /api/admin/jobs/<id>``: one record with every API field.

    Raises ParseError: ``empty``, ``unparsable``.
    """
    return _admin_record(json_object(body, "the admin API's answer"), detailed=True)


def _row(fields: tuple[str, ...], modern: bool) -> dict[str, Any]:
    job_id, source, status = fields[:3]
    backend, rescue = fields[3:5] if modern else (None, None)
    retries, created, started, finished, indexed, name = fields[5:] if modern else fields[3:]
    record = dict.fromkeys(JOB_KEYS)
    record.update(
        id=int(job_id),
        source=source,
        name=name,
        status=status,
        retry_count=int(retries),
        created_at=_row_time(created),
        started_at=_row_time(started),
        finished_at=_row_time(finished),
        indexed_pages=int(indexed),
        backend=backend,
        rescue=rescue,
        ambiguous=False,
    )
    return record


def _row_time(value: str) -> Optional[str]:
    if value == "None":
        return None
    try:
        return times.from_database(value)
    except ValueError as error:
        raise ParseError(UNPARSABLE, "list-jobs printed an impossible time: " + value) from error


def _finish_name(jobs: list[dict[str, Any]], name_lines: list[str]) -> None:
    if name_lines:
        jobs[-1]["name"] = "\n".join([jobs[-1]["name"]] + name_lines)
        jobs[-1]["ambiguous"] = True


def _refuse_repeated_ids(jobs: list[dict[str, Any]]) -> None:
    seen = set()
    for job in jobs:
        if job["id"] in seen:
            raise ParseError(BAD_EVIDENCE, "two jobs have the id %d: one of them may be part of a name" % job["id"])
        seen.add(job["id"])


def _refuse_wrong_order(jobs: list[dict[str, Any]]) -> None:
    previous = None
    for job in jobs:
        created = job["created_at"]
        if created is None:
            continue
        if previous is not None and created > previous:
            raise ParseError(
                BAD_EVIDENCE, "job %d is newer than the one above it: it may be part of a name" % job["id"]
            )
        previous = created


def _admin_record(item: Any, detailed: bool) -> dict[str, Any]:
    if not _is_object(item):
        raise ParseError(UNPARSABLE, "a job in the admin API's answer is no object")
    record = dict.fromkeys(JOB_KEYS)
    record.update(
        id=_field(item, "id", _is_count),
        source=_text(item, "sourceCode"),
        name=_text(item, "name", required=True),
        status=_text(item, "status", required=True),
        retry_count=_number(item, "retryCount"),
        created_at=_time(item, "createdAt"),
        queued_at=_time(item, "queuedAt"),
        started_at=_time(item, "startedAt"),
        finished_at=_time(item, "finishedAt"),
        crawler_status=_text(item, "crawlerStatus"),
        crawler_exit_code=_number(item, "crawlerExitCode"),
        indexed_pages=_number(item, "indexedPageCount"),
        ambiguous=False,
    )
    if detailed:
        record.update(
            crawler_stage=_text(item, "crawlerStage"),
            output_directory=_text(item, "outputDir"),
            combined_log_path=_text(item, "combinedLogPath"),
            config={} if "config" in item and item["config"] is None else item.get("config"),
        )
    return record


def _field(item: dict[str, Any], key: str, accept: Callable[[Any], bool]) -> Any:
    if key not in item:
        raise ParseError(UNPARSABLE, "the admin API's answer has no %s" % key)
    value = item[key]
    if not accept(value):
        raise ParseError(UNPARSABLE, "the admin API's %s has the wrong type" % key)
    return value


def _text(item: dict[str, Any], key: str, required: bool = False) -> Optional[str]:
    value = _field(item, key, lambda field: isinstance(field, str) or (field is None and not required))
    return None if value is None else encodable(value)


def _number(item: dict[str, Any], key: str) -> Optional[int]:
    value: Optional[int] = _field(item, key, lambda field: field is None or _is_integer(field))
    return value


def _time(item: dict[str, Any], key: str) -> Optional[str]:
    value = _text(item, key)
    if value is None:
        return None
    try:
        return times.from_zoned(value)
    except ValueError as error:
        raise ParseError(UNPARSABLE, "the admin API's %s is no time with a zone: %s" % (key, value)) from error


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_integer(value) and value >= 0


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)
