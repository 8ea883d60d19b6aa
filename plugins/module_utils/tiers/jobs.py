# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs whose directories a recovery of storage gives back (contract 4.4; incident I1): which crawls end with the worker,
which rows say running and are not, and which failed because nothing could be written. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .. import job_rules, links, service
from ..probe import Context
from ..probes.units import WORKER
from ..refusal import Refusal
from ..stuck import decision, hits, holders, recovery, rows, survey

OLDER_THAN_MINUTES = 5
NO_PROGRESS_SECONDS = 300
_STATUSES = ("running", "completed", "failed")
_FOLLOW_SECONDS = 3.0
# The crawler rejects the job's own options, and no mount has to do with that (contract 2.2).
_OF_CONFIG = "infra_error_config"


class Known(NamedTuple):
    """The rows that matter now, with their directories where these are known, and what holds locks."""

    directory: str
    marked: rows.Rows
    held: Tuple[hits.Job, ...]
    output: Mapping[int, str]
    detailed: Mapping[int, Mapping[str, Any]]


class Part(NamedTuple):
    """What of them is in the plan. ``hit``: the crawls that end with the worker. ``recovered``: rows that say running, with the
    commands' ``selections``; ``retried``: rows that failed."""

    hit: Tuple[hits.Job, ...]
    recovered: Tuple[Mapping[str, Any], ...]
    selections: Tuple[service.StaleSelection, ...]
    retried: Tuple[Mapping[str, Any], ...]
    left_out: Mapping[str, str]


def look(context: Context, directory: str) -> Known:
    """:class:`Refusal` where the rows cannot be read. Nothing of a job's directory is looked at."""
    marked = rows.of_statuses(context, _STATUSES)
    for row in marked.jobs.values():
        row["name"] = context.redactor.text(row["name"])
    held = hits.running(context, directory, marked)
    wanted = {job: dict(row) for job, row in marked.jobs.items() if row["status"] != "completed"}
    wanted.update((job.id, dict(job.row)) for job in held if job.row is not None)
    rows.detailed(context, wanted)
    output = {job: str(row["output_directory"]) for job, row in wanted.items() if row.get("output_directory")}
    # Where they are, as the kernel's table names it; what hangs on the way keeps the name that it has in the row.
    followed = links.follow(output.values(), context.seconds(_FOLLOW_SECONDS))
    output = {job: followed[path] or path for job, path in output.items()}
    return Known(directory, marked, tuple(held), output, wanted)


def affected(output: Optional[str], paths: Iterable[str]) -> bool:
    """Whether a directory is one of the paths, or lies below it. Pure."""
    return output is not None and any(output == path or output.startswith(path + "/") for path in paths)


def part(
    context: Context,
    known: Known,
    paths: Sequence[str],
    stops_worker: bool,
    accepted: Iterable[int],
    hangs: bool,
    parked: Any,
    owed: Sequence[str] = (),
) -> Part:
    """``paths``: those that are mended; ``owed``: those that were, by a recovery that was cut off. ``parked``: raises for a job
    that must not be retried again. :class:`Refusal`."""
    left_out: Dict[str, str] = {}
    struck = hits.hit_by(known.held, {WORKER}) if stops_worker else []
    beside = [job for job in struck if not affected(known.output.get(job.id), paths)]
    refusal = hits.refuse_unaccepted(hits.with_facts(context, beside), accepted, (), "Stopping the worker")
    if refusal is not None:
        raise refusal
    for job in known.held:
        if job not in struck and affected(known.output.get(job.id), paths):
            left_out[survey.subject(job.id)] = _elsewhere(job)
    mine = {number for number in known.marked.jobs if affected(known.output.get(number), (*paths, *owed))}
    running = {number for number in mine if known.marked.jobs[number]["status"] == "running"}
    running -= {job.id for job in known.held if job not in struck}
    recovered, selections = _running(context, known, running, {job.id for job in struck}, hangs, left_out)
    failed = [known.marked.jobs[number] for number in sorted(mine) if known.marked.jobs[number]["status"] == "failed"]
    retried = tuple(row for row in failed if _may_retry(known, row, parked, left_out))
    unknown = [n for n, row in sorted(known.marked.jobs.items()) if row["status"] == "failed" and n not in known.output]
    for number in unknown:
        left_out[survey.subject(number)] = "It failed, and where its directory lies is not known."
    return Part(tuple(struck), recovered, selections, retried, left_out)


def _running(
    context: Context, known: Known, wanted: Set[int], freed: Set[int], hangs: bool, left_out: Dict[str, str]
) -> Tuple[Tuple[Mapping[str, Any], ...], Tuple[service.StaleSelection, ...]]:
    if not wanted:
        return (), ()
    later = "It says running: run recover_stale_jobs for it afterwards. "
    if hangs:
        # The command reads their logs, and would hang with them.
        left_out.update(
            (survey.subject(job), later + "While its directory hangs nothing can be said of it.") for job in wanted
        )
        return (), ()
    selection = service.StaleSelection(OLDER_THAN_MINUTES, NO_PROGRESS_SECONDS, True)
    wish = decision.Wish(OLDER_THAN_MINUTES, NO_PROGRESS_SECONDS, True, frozenset(wanted))
    running = {job: row for job, row in known.marked.jobs.items() if row["status"] == "running"}
    locks = {**holders.states(known.directory, running), **dict.fromkeys(freed, "free")}
    try:
        report = recovery.candidates(context, selection)
        decided = decision.decide(report, list(running.values()), locks, wish, known.marked.whole)
    except decision.Contradiction as error:
        left_out.update((survey.subject(job), later + str(error)) for job in wanted)
        return (), ()
    found = {row["id"] for row in decided.planned}
    left_out.update(
        (survey.subject(job), later + decided.left_out.get(job, "The service's command does not name it."))
        for job in wanted - found
    )
    return decided.planned, decided.selections


def _may_retry(known: Known, row: Mapping[str, Any], parked: Any, left_out: Dict[str, str]) -> bool:
    job = row["id"]
    why = None
    if row["crawler_status"] == _OF_CONFIG:
        why = "It failed because the crawler refuses its options: no mount mends that."
    elif row["source"] is None:
        why = "It failed and has no source: the worker would pass over it."
    elif holders.states(known.directory, [job])[job] not in ("free", "absent"):
        why = "It failed, and something holds its lock."
    else:
        try:
            parked({**known.detailed[job], "read_from": known.marked.source})
        except Refusal as refusal:
            why = str(refusal)
    if why is not None:
        left_out[survey.subject(job)] = why
    return why is None


def _elsewhere(job: hits.Job) -> str:
    units = sorted(job.units or ())
    if not units:
        return (
            "Something that is not known runs it, and holds its dead directory open: see what (fuser -v on its lock)."
        )
    return (
        "It is run by %s, which holds its dead directory open and is left alone: when it has ended, or was ended by hand "
        "(systemctl stop %s), run recover_stale_jobs." % (", ".join(units), units[0])
    )


def retry(context: Context, job: int) -> Optional[str]:
    """Run the service's command for one job; why it did not do it, None when it says that it did."""
    result = context.run_service(service.retry_job(context.settings, job), 45.0, production=True)
    if result.failure is not None:
        return "retry-job of job %d: %s" % (job, result.failure)
    # Its exit code is 0 when it changed nothing, too (contract 2.7).
    if result.rc != 0 or b" marked " not in result.stdout:
        return "retry-job of job %d changed nothing (rc %d)" % (job, result.rc)
    return None


def retried_state(row: Mapping[str, Any]) -> Dict[str, Any]:
    return {**survey.state(row), "status": job_rules.RETRIED["failed"]}
