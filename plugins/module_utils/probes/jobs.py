# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that are not finished, and which running ones are stale.

The admin API is asked where it is up: its answer is exact and touches no job directory (contract 1.11). Otherwise the
CLI's table is read, which cannot show everything. Neither ``show-job`` nor a dry-run of a recovery is used: both write.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional, Tuple
from urllib.parse import quote

from .. import http_client, locks, look, service
from ..parse import database, jobs
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, failed
from .environment import lock_directories

API_SECONDS = 10.0
CLI_SECONDS = 20.0
LIMIT = 500  # jobs of one status; the admin API gives no more at once (contract 1.11)
# Without a new line in the crawl's log for this long, a running row whose lock is free is stale: the worker's own
# measure when it heals such rows (contract 2.2).
LOG_QUIET_SECONDS = 300
_LOOK_SECONDS = 6.0
NAME_LIMIT = 500  # characters of a job's name in the evidence; a name is free text of any length
# Known of one source only, or not needed once the log has been looked at.
_NOT_SHOWN = ("combined_log_path", "ambiguous", "backend", "rescue")
_LOCK_ORDER = ("held", "unknown", "free", "absent")


def probe(context: Context) -> Finding:
    """Jobs from the admin API, or from the CLI when the API gives no whole answer."""
    problem = context.database_problem()
    if problem is not None:
        return Finding(None, [problem])
    problems: List[Problem] = []
    data = _from_api(context, problems)
    if data is None:
        data = _from_cli(context, problems)
    if data is None:
        return Finding(None, problems)
    # That the other source had to be asked is said by `source`; it is a problem only when neither answered.
    return Finding(data, _judge_running(context, data["jobs"]))


class _NotAnswered(Exception):
    """The admin API gave no whole answer."""


def _from_api(context: Context, problems: List[Problem]) -> Optional[Dict[str, Any]]:
    token = context.variables.get("HEALTHARCHIVE_ADMIN_TOKEN")
    headers = {"Authorization": "Bearer " + token} if token else {}
    deadline = time.monotonic() + context.seconds(API_SECONDS)

    def ask(path: str) -> bytes:
        answer = http_client.get(context.settings.api_url + path, max(deadline - time.monotonic(), 0.1), headers)
        if answer.failure is not None:
            raise _NotAnswered("%s: %s" % (path, answer.detail))
        if answer.status != 200:
            raise _NotAnswered("%s answered %s" % (path, answer.status))
        return answer.body

    try:
        counts = jobs.admin_counts(ask("/api/admin/jobs/status-counts"))
        found: List[Dict[str, Any]] = []
        truncated = False
        for status in sorted(counts):
            if status != "indexed" and counts[status]:
                # A status is free text in the database.
                page = jobs.admin_jobs(ask("/api/admin/jobs?status=%s&limit=%d" % (quote(status, safe=""), LIMIT)))
                found += page["jobs"]
                truncated = truncated or page["total"] > len(page["jobs"])
        for job in found:
            if job["status"] == "running":
                job.update(jobs.admin_job(ask("/api/admin/jobs/%d" % job["id"])))
    except (_NotAnswered, ParseError) as error:
        problems.append(Problem("unreachable", "The admin API gave no whole answer: %s" % error))
        return None
    return {"source": "admin_api", "cannot_know": [], "counts": counts, "jobs": found, "truncated": truncated}


def _from_cli(context: Context, problems: List[Problem]) -> Optional[Dict[str, Any]]:
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
        found = jobs.list_jobs(result.stdout)
    except ParseError as error:
        problems.append(Problem(error.code, "list-jobs: %s" % error))
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


def _judge_running(context: Context, found: List[Dict[str, Any]]) -> List[Problem]:
    """Add age, lock, log age and ``stale`` to the running jobs, and null for the others."""
    problems: List[Problem] = []
    for job in found:
        for key in _NOT_SHOWN:
            job.pop(key, None)
        job["name"] = job["name"][:NAME_LIMIT]
        job.update(dict.fromkeys(("age_seconds", "lock", "log_age_seconds", "stale")))
    running = [job for job in found if job["status"] == "running"]
    now = time.time()
    directories = sorted({path for path in lock_directories(context).values() if path})
    _find_output_directories(context, running)
    logs = {job["output_directory"]: ".combined.log" for job in running if job["output_directory"]}
    looks = look.look(logs, context.seconds(_LOOK_SECONDS))
    for job in running:
        job["age_seconds"] = _age(job["started_at"], now)
        job["lock"] = lock_of(job["id"], directories)
        log_known, job["log_age_seconds"] = _log_age(job["output_directory"], looks, now)
        if not log_known:
            problems.append(
                Problem("unreachable", "The output directory of job %d could not be looked at." % job["id"])
            )
        job["stale"] = is_stale(job, log_known, context.stale_after_seconds)
    return problems


def is_stale(job: Mapping[str, Any], log_known: bool, stale_after_seconds: int) -> Optional[bool]:
    """Whether a running row stands for no crawl: its lock free, old enough, its log quiet. None: cannot be told.

    A row without a start time is stale as soon as its lock is free, as for the worker (contract 2.2).
    """
    if job["lock"] == "held":
        return False
    if job["age_seconds"] is not None and job["age_seconds"] < stale_after_seconds:
        return False
    if job["log_age_seconds"] is not None and job["log_age_seconds"] < LOG_QUIET_SECONDS:
        return False
    if job["lock"] not in ("free", "absent") or not log_known:
        return None
    return True


def lock_of(job_id: int, directories: List[str]) -> str:
    """The state of a job's lock over all directories where it may lie: held in one is held (surprise 25)."""
    states = {locks.state("%s/job-%d.lock" % (directory, job_id)) for directory in directories} or {"unknown"}
    return next(state for state in _LOCK_ORDER if state in states)


def _age(moment: Optional[str], now: float) -> Optional[float]:
    if moment is None:
        return None
    then = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    return round(now - then, 1)


def _log_age(directory: Optional[str], looks: Mapping[str, look.Look], now: float) -> Tuple[bool, Optional[float]]:
    """Whether the crawl's log could be looked for, and its age in seconds if there is one."""
    if directory is None:
        return True, None
    seen = looks[directory]
    if seen.hung or seen.errno not in (None, 2):
        return False, None
    return True, None if seen.newest is None else round(now - seen.newest[1], 1)


def _find_output_directories(context: Context, running: List[Dict[str, Any]]) -> None:
    """Where the source does not say: ``<root>/<source>/<stamp>__<name>`` (contract 1.1), if just one such entry exists."""
    for job in running:
        source, name = job["source"], job["name"]
        if (
            job["output_directory"] is None
            and source
            and name
            and "/" not in source + name
            and not source.startswith(".")
        ):
            parent = "%s/%s" % (context.settings.archive_root, source)
            seen = look.look({parent: "__" + name}, context.seconds(_LOOK_SECONDS))[parent]
            if seen.matches == 1 and seen.newest:
                job["output_directory"] = "%s/%s" % (parent, seen.newest[0])
