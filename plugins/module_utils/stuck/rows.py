# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of jobs, from the admin API; from the CLI's table where the API gives no whole answer. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple
from urllib.parse import quote

from .. import service
from ..admin_api import AdminApi, NotAnswered
from ..parse import database, jobs
from ..parse.errors import ParseError
from ..probe import Context, failed
from ..refusal import Refusal

API_SECONDS = 15.0
CLI_SECONDS = 30.0
PAGE = 500  # jobs that the admin API gives at most at once (contract 1.11)
# One request for each job of which more than its row is to be known; the API allows a client 120 a minute (contract 1.11).
DETAILS = 20
# More jobs than a host has; the table says by their number whether it was cut.
_TABLE_LIMIT = 100_000


class Rows(NamedTuple):
    """``jobs`` as in :mod:`..parse.jobs`, by id. ``whole``: those without a source are among them. ``source`` is ``admin_api`` or
    ``cli``, ``why`` what the API said instead."""

    jobs: Dict[int, Dict[str, Any]]
    whole: bool
    source: str
    why: str = ""


def of_statuses(context: Context, statuses: Sequence[str]) -> Rows:
    """All jobs of these statuses, with their details where they are few; :class:`Refusal` (``jobs_unreadable``)."""
    try:
        return Rows(_from_api(AdminApi(context, API_SECONDS), statuses), True, "admin_api")
    except (NotAnswered, ParseError) as error:
        why = str(error)
    return Rows(_from_cli(context, statuses, why), False, "cli", why)


def detailed(context: Context, found: Mapping[int, Dict[str, Any]]) -> None:
    """Add to these rows what the API says of a single job: its output directory, for one. What it does not say stays None."""
    api = AdminApi(context, API_SECONDS)
    for job in sorted(found)[:DETAILS]:
        try:
            said = jobs.admin_job(api.get("/api/admin/jobs/%d" % job))
        except (NotAnswered, ParseError):
            return
        # Of another moment than the rows: only what is not in them is taken.
        found[job].update((name, said[name]) for name in jobs.DETAIL_KEYS if said["id"] == job)


def states(context: Context, wanted: Iterable[int]) -> Dict[int, Dict[str, Any]]:
    """The rows of these jobs, whatever their status; those that could not be found are absent. :class:`Refusal`."""
    ids = set(wanted)
    found = of_statuses(context, ("running", "retryable"))
    known = {job: row for job, row in found.jobs.items() if job in ids}
    missing = ids - set(known)
    if not missing:
        return known
    if found.source == "cli" or len(missing) > DETAILS:
        rest = of_statuses(context, sorted(jobs.KNOWN_STATUSES - {"running", "retryable"}))
        return {**known, **{job: row for job, row in rest.jobs.items() if job in missing}}
    api = AdminApi(context, API_SECONDS)
    for job in sorted(missing):
        try:
            known[job] = jobs.admin_job(api.get("/api/admin/jobs/%d" % job))
        except (NotAnswered, ParseError):
            continue
    return known


def _from_api(api: AdminApi, statuses: Sequence[str]) -> Dict[int, Dict[str, Any]]:
    found: Dict[int, Dict[str, Any]] = {}
    for status in statuses:
        rows, total = _pages(api, status)
        ids = [row["id"] for row in rows]
        # Between two pages a job may come or go, and then one is missing or there twice.
        if len(set(ids)) != total or len(ids) != total or set(ids) & set(found):
            raise NotAnswered("the rows of status %s changed while they were read" % status)
        found.update((row["id"], row) for row in rows)
    return found


def _pages(api: AdminApi, status: str) -> Tuple[List[Dict[str, Any]], int]:
    rows: List[Dict[str, Any]] = []
    while True:
        path = "/api/admin/jobs?status=%s&limit=%d&offset=%d" % (quote(status, safe=""), PAGE, len(rows))
        page = jobs.admin_jobs(api.get(path))
        if any(row["status"] != status for row in page["jobs"]):
            raise NotAnswered("asked for status %s, the admin API gave others too" % status)
        rows += page["jobs"]
        if not page["jobs"] or len(rows) >= page["total"]:
            return rows, page["total"]


def _from_cli(context: Context, statuses: Sequence[str], why: str) -> Dict[int, Dict[str, Any]]:
    argv = service.list_jobs(context.settings, _TABLE_LIMIT, statuses)
    result = context.run_service(argv, CLI_SECONDS, production=True)
    if result.failure is not None:
        raise _unreadable(why, failed(result, "list-jobs").message)
    try:
        if result.rc != 0:
            raise _unreadable(why, "list-jobs: %s" % database.failure_of(result.stderr)["detail"])
        rows = jobs.list_jobs(result.stdout)
    except ParseError as error:
        raise _unreadable(why, "list-jobs: %s" % error) from error
    if any(row["ambiguous"] for row in rows):
        raise _unreadable(
            why, "in the table of list-jobs a name holds a line break, so where a job begins cannot be told"
        )
    if len(rows) >= _TABLE_LIMIT or any(row["status"] not in statuses for row in rows):
        raise _unreadable(why, "the table of list-jobs is not what was asked for")
    return {row["id"]: row for row in rows}


def _unreadable(api: str, cli: str) -> Refusal:
    return Refusal(
        "jobs_unreadable",
        "The jobs cannot be read, neither through the admin API (%s) nor through the CLI (%s)." % (api, cli),
        "See what is wrong with the API or the database first (playbook triage): nothing is changed that cannot be read back.",
        admin_api=api,
        cli=cli,
    )
