# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Annual jobs with their configuration, by the admin API, and what the service's dry run says of them. Nothing is written.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Set, Tuple

from .. import job as jobs_by_number
from .. import service
from ..admin_api import AdminApi, NotAnswered
from ..parse import annual, job_config, jobs
from ..parse.errors import ParseError
from ..parse.text import one_line
from ..probe import Context, complaint, failed
from ..probes import job_facts
from ..probes.annual_options import STATUSES
from ..refusal import Refusal
from ..stuck import rows
from . import decide

_API_SECONDS = 15.0
_DRY_RUN_SECONDS = 30.0
# One request for each job of which more than its row is to be known; the API allows a client 120 a minute (contract 1.11), and
# triage, the plan and its approval may come within one.
MOST = 20


class Survey(NamedTuple):
    """``unasked``: how many waiting jobs were not asked for, none of which is annual by its name."""

    jobs: Tuple[decide.Job, ...]
    decision: decide.Decision
    unasked: int


def survey(context: Context, wished: Set[int]) -> Survey:
    """All annual jobs that may crawl again, or those of ``wished``; :class:`Refusal` where something is not certain."""
    problem = context.database_problem()
    if problem is not None:
        raise Refusal(
            "environment_unusable",
            "The service's commands cannot be used on this host. %s" % problem.message,
            "Mend the environment file: without it the commands read, and change, an empty database of their own.",
        )
    for attempt in (1, 2):
        found, unasked = _annual(context, wished)
        said = _asked(context, found)
        try:
            return Survey(tuple(found), decide.decide(found, said, words(context)), unasked)
        except decide.Contradiction as error:
            # Between two readings the worker may start a job, which rewrites its row.
            if attempt == 2:
                raise Refusal(
                    "evidence_contradictory",
                    "The rows and the service's dry run do not fit together: %s." % str(error).rstrip("."),
                    "Look at that job (playbook triage), then plan again.",
                ) from error
    raise AssertionError("not reached")


def words(context: Context) -> decide.Words:
    """Any value as the command prints it, with the same holes as what it printed."""
    return lambda value: context.redactor.text(str(value))


def read(context: Context, wanted: Sequence[decide.Job]) -> Dict[int, decide.Job]:
    """The rows of these jobs as they are now; those that could not be read are absent."""
    api = AdminApi(context, _API_SECONDS)
    found: Dict[int, decide.Job] = {}
    for job in wanted:
        try:
            row = jobs.admin_job(api.get("/api/admin/jobs/%d" % job.id))
        except (NotAnswered, ParseError):
            continue
        if row["id"] == job.id:
            found[job.id] = job._replace(status=row["status"], config=row["config"])
    return found


def _annual(context: Context, wished: Set[int]) -> Tuple[List[decide.Job], int]:
    if wished:
        listed = {number: jobs_by_number.read(context, number) for number in sorted(wished)}
        if any(row["read_from"] != "admin_api" for row in listed.values()):
            raise _unreadable("it does not answer for a single job")
        unasked = 0
    else:
        open_jobs = rows.of_statuses(context, STATUSES)
        if open_jobs.source != "admin_api":
            raise _unreadable(open_jobs.why)
        # Only the answer for one job has its configuration, and so the metadata of a campaign: those of that name come first.
        chosen = sorted(open_jobs.jobs.values(), key=lambda row: (not job_facts.looks_annual(row), row["id"]))
        if any(job_facts.looks_annual(row) for row in chosen[MOST:]):
            raise too_many()
        listed = _detailed(context, chosen[:MOST])
        unasked = len(chosen[MOST:])
    found: List[decide.Job] = []
    for number, row in sorted(listed.items()):
        year = job_config.campaign_year(row["source"], row["name"], row["config"])
        if year is not None:
            name = context.redactor.text(row["name"])
            found.append(decide.Job(number, row["source"] or "", year, name, row["status"], row["config"]))
        elif wished:
            raise Refusal(
                "not_annual",
                "Job %d (%s) belongs to no annual campaign, by its metadata or by its name."
                % (number, one_line(row["name"], 80)),
                "Of such a job the options are set by hand: patch-job-config, its dry run first. Triage lists the annual ones.",
            )
    return found, unasked


def _detailed(context: Context, listed: Sequence[Mapping[str, Any]]) -> Dict[int, Dict[str, Any]]:
    api = AdminApi(context, _API_SECONDS)
    try:
        return {row["id"]: jobs.admin_job(api.get("/api/admin/jobs/%d" % row["id"])) for row in listed}
    except (NotAnswered, ParseError) as error:
        raise _unreadable(str(error)) from error


def too_many() -> Refusal:
    return Refusal(
        "too_many_jobs",
        "More than %d annual jobs are meant, and the admin API is not asked for more at once." % MOST,
        "Name some of them: -e jobs=7,8. Triage lists them.",
    )


def _unreadable(why: str) -> Refusal:
    return Refusal(
        "jobs_unreadable",
        "What jobs are told cannot be read: only the admin API shows it (%s)." % why.rstrip("."),
        "See what is wrong with the API or the database first (playbook triage): nothing is changed that cannot be read back.",
    )


def _asked(context: Context, found: Sequence[decide.Job]) -> Dict[int, decide.Said]:
    """The dry run of each year, for the sources that have a job in it and can be given to a command."""
    said: Dict[int, decide.Said] = {}
    for year in sorted({job.year for job in found}):
        sources = sorted({job.source for job in found if job.year == year and service.is_source(job.source)})
        if sources:
            said[year] = _dry_run(context, year, sources)
    return said


def _dry_run(context: Context, year: int, sources: Sequence[str]) -> decide.Said:
    argv = service.reconcile_annual_tool_options(context.settings, year, sources)
    result = context.run_service(argv, _DRY_RUN_SECONDS, production=True)
    if result.failure is not None:
        raise _no_dry_run(failed(result, "The dry run").message)
    if result.rc != 0:
        raise _no_dry_run("The dry run ended with %d: %s." % (result.rc, complaint(result.stderr).rstrip(".")))
    try:
        return decide.Said(tuple(annual.verdicts(result.stdout)), result.stderr)
    except ParseError as error:
        # Where it passes over every job there is nothing but complaints.
        if not result.stdout.strip() and result.stderr.strip():
            return decide.Said((), result.stderr)
        raise _no_dry_run("The dry run cannot be read: %s." % str(error).rstrip(".")) from error


def _no_dry_run(why: str) -> Refusal:
    return Refusal(
        "options_unreadable",
        "What the deployed code wants the annual jobs to be told is not known. %s" % why,
        "See what it says by hand, without --apply; triage prints the command.",
    )
