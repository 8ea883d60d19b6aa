# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that are not finished, and which running ones are stale.

The admin API is asked where it is up: its answer is exact and touches no job directory (contract 1.11). Otherwise the
CLI's table is read, which cannot show everything. Neither ``show-job`` nor a dry-run of a recovery is used: both write.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional
from urllib.parse import quote

from .. import service
from ..admin_api import AdminApi, NotAnswered
from ..parse import database, jobs
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, failed
from ..shapes import counted
from . import annual_options, job_facts

API_SECONDS = 10.0
CLI_SECONDS = 20.0
LIMIT = 500  # jobs of one status; the admin API gives no more at once (contract 1.11)
# Jobs whose details are asked for, one request each: the API allows a client 120 requests a minute (contract 1.11).
DETAIL_LIMIT = 20


def probe(context: Context) -> Finding:
    """Jobs from the admin API, or from the CLI when the API gives no whole answer."""
    problem = context.database_problem()
    if problem is not None:
        return Finding(None, [problem])
    problems: List[Problem] = []
    doubts: List[Problem] = []
    data = _from_api(context, problems, doubts)
    if data is None:
        data = _from_cli(context, problems)
    if data is None:
        return Finding(None, problems)
    # Why the API was not enough is also why the table is not the whole truth.
    doubts += problems
    doubts += job_facts.add(context, data["jobs"])
    _add_listed(context, data["jobs"], doubts)
    data["annual_options"] = annual_options.read(context, data["jobs"], doubts)
    return Finding(data, doubts)


def _from_api(context: Context, problems: List[Problem], doubts: List[Problem]) -> Optional[Dict[str, Any]]:
    ask = AdminApi(context, API_SECONDS).get
    try:
        counts = jobs.admin_counts(ask("/api/admin/jobs/status-counts"))
        found: List[Dict[str, Any]] = []
        truncated = False
        for status in sorted(counts):
            if not status:
                # Asking for it would be asking for all.
                having = counted(counts[status], "job has", "jobs have")
                doubts.append(Problem("bad_evidence", "%s no status: not shown." % having))
            elif status != "indexed" and counts[status]:
                # A status is free text in the database.
                page = jobs.admin_jobs(ask("/api/admin/jobs?status=%s&limit=%d" % (quote(status, safe=""), LIMIT)))
                found += page["jobs"]
                truncated = truncated or page["total"] > len(page["jobs"])
        if len({job["id"] for job in found}) != len(found):
            raise NotAnswered("a job is listed under two statuses")
    except (NotAnswered, ParseError) as error:
        problems.append(Problem("unreachable", "The admin API gave no whole answer: %s" % error))
        return None
    cannot_know: List[str] = []
    chosen = sorted(found, key=job_facts.urgency)
    for job in chosen:
        # None: it should be known.
        job["details"] = False if job["status"] == "queued" and not job_facts.looks_annual(job) else None
    try:
        for job in chosen[:DETAIL_LIMIT]:
            job.update(jobs.admin_job(ask("/api/admin/jobs/%d" % job["id"])), details=True)
    except (NotAnswered, ParseError) as error:
        doubts.append(Problem("unreachable", "The details of some jobs are not known: %s" % error))
    later = [job for job in chosen if job["details"] is False]
    if later:
        cannot_know.append("output directories of %d waiting jobs whose turn comes later" % len(later))
    return {
        "source": "admin_api",
        "cannot_know": cannot_know,
        "counts": counts,
        "jobs": found,
        "truncated": truncated,
    }


def _add_listed(context: Context, found: List[Dict[str, Any]], doubts: List[Problem]) -> None:
    """What the service's own listing shows has options that listings can read: one answer for all that was not asked for.

    Where not even all that matter were asked for, it would decide nothing, and is left out.
    """
    later = [job for job in found if job["details"] is False]
    listed = _listing(context, doubts) if later and not any(job["details"] is None for job in found) else None
    shown = {job["id"] for job in listed or []}
    for job in later:
        job["listable"] = True if job["id"] in shown else None


def _from_cli(context: Context, problems: List[Problem]) -> Optional[Dict[str, Any]]:
    found = _listing(context, problems)
    if found is None:
        return None
    cannot_know = [*jobs.CLI_CANNOT_KNOW, "the number of jobs of each status"]
    if any(job["ambiguous"] for job in found):
        cannot_know.append("where one job ends and the next begins: a name holds a line break")
    return {
        "source": "cli",
        "cannot_know": cannot_know,
        "counts": None,
        "jobs": found,
        "truncated": len(found) >= LIMIT,
    }


def _listing(context: Context, problems: List[Problem]) -> Optional[List[Dict[str, Any]]]:
    result = context.run_service(service.list_jobs(context.settings, LIMIT), CLI_SECONDS, production=True)
    if result.failure is not None:
        problems.append(failed(result, "list-jobs"))
        return None
    if result.rc != 0:
        try:
            cause = database.failure_of(result.stderr)
            message = "list-jobs ended with %d (%s): %s" % (result.rc, cause["failure"], cause["detail"])
        except ParseError as error:
            message = "list-jobs ended with %d: %s" % (result.rc, error)
        problems.append(Problem("command_failed", message))
        return None
    try:
        return jobs.list_jobs(result.stdout)
    except ParseError as error:
        problems.append(Problem(error.code, "list-jobs: %s" % error))
        return None
