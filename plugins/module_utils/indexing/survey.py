# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a job that is to be indexed: its row and snapshots, who works on it, where its files lie, and which there are.

Nothing is changed. The mount is looked at before anything that lies on it. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

from ..parse import jobs
from ..parse.errors import ParseError
from ..parse.text import one_line
from ..probe import Context, complaint, failed
from ..probes import job_facts
from ..probes.environment import lock_directories
from ..probes.units import WORKER
from ..refusal import Refusal
from ..stuck import worker_unit
from ..tiers import survey as tiers
from . import indexers, query, warcs
from .facts import NAME, Directory, Facts, Job, Rows, Transaction

_QUERY_SECONDS = 45.0
# What the worker does between two crawls ends sooner; an indexing does not.
_BUSY_SECONDS = 1.0
_WAITS = ("completed", "index_failed", "indexed")


def rows(context: Context, job_id: int) -> Rows:
    """What the database says now. :class:`Refusal`."""
    problem = context.database_problem()
    if problem is not None:
        raise Refusal(
            "environment_unusable",
            "The service's commands cannot be used on this host. %s" % problem.message,
            "Mend the environment file: without it the commands read, and change, an empty database of their own.",
        )
    result = context.run_service(query.argv(context.settings, job_id), _QUERY_SECONDS, production=True)
    try:
        if result.failure is not None or result.rc != 0:
            said = failed(result, "the question").message if result.failure is not None else complaint(result.stderr)
            raise ParseError("command_failed", said)
        return query.parse(result.stdout)
    except ParseError as error:
        raise Refusal(
            "job_unreadable",
            "What the database knows of job %d cannot be read: %s." % (job_id, one_line(error, 300).rstrip(".")),
            "See what is wrong with the database first (playbook triage): nothing is changed that cannot be read back.",
        ) from error


def survey(context: Context, job_id: int) -> Facts:
    """:class:`Refusal` where something that the decision needs was not seen."""
    found = rows(context, job_id)
    job = found.job
    if job is None:
        raise Refusal(
            "job_unknown", "There is no job %d on this host." % job_id, "Triage lists jobs with their numbers."
        )
    worker = worker_unit.show(context)
    directories = sorted({path for path in lock_directories(context).values() if path})
    writing = [each for each in found.transactions if each.writes or each.seconds >= _BUSY_SECONDS]
    busy, others = _busy(tuple(writing), worker.runs)
    facts = Facts(
        job._replace(name=context.redactor.text(job.name)),
        found.snapshots,
        found.newest,
        job_facts.lock_of(job_id, directories),
        indexers.processes(context.settings.cli),
        worker.runs,
        busy,
        others,
        None,
        None,
    )
    if job.status not in _WAITS:
        return facts
    directory = _directory(context, job)
    if directory.state != "ok":
        return facts._replace(directory=directory)
    try:
        files = warcs.listed(context, job.output_directory)
    except warcs.NotListed as error:
        raise Refusal(
            "evidence_missing",
            "Which WARC files job %d has was not seen: %s." % (job_id, str(error).rstrip(".")),
            "Look at %s by hand, as the service's user; triage says whether its mount answers." % job.output_directory,
        ) from error
    return facts._replace(directory=directory, warcs=files)


def _busy(writing: Tuple[Transaction, ...], runs: bool) -> Tuple[Optional[bool], Tuple[str, ...]]:
    """Whether the worker has a transaction open, None where whose one is cannot be told; and who else changes snapshots."""
    known = indexers.units(each.port for each in writing if each.port is not None)
    whose = [(each, known.get(each.port) if each.port is not None else None) for each in writing]
    others = sorted({unit or "a process that is not known" for each, unit in whose if each.writes and unit != WORKER})
    if any(unit == WORKER for _each, unit in whose):
        return True, tuple(others)
    unknown = runs and any(unit is None and each.writes for each, unit in whose)
    return (None if unknown else False), tuple(name for name in others if name != NAME)


def _directory(context: Context, job: Job) -> Directory:
    """The mount first, by the kernel's table and a look; a plain directory in its place lists fine (surprise 5)."""
    path = job.output_directory
    if not path.startswith("/") or "\0" in path:
        return Directory("unknown", "the row names no directory")
    place = tiers.where(context)
    covering = {hot: cold for hot, cold in place.manifest.items() if path == hot or path.startswith(hot + "/")}
    if covering:
        base = tiers.base_now(context)
        if base.state != "ok":
            return Directory("mount", "the base mount %s is %s" % (base.path, _word(base.state)))
        for hot, state in sorted(tiers.states(context, sorted(covering), covering).items()):
            if state != "ok":
                return Directory("mount", "the hot path %s is %s" % (hot, _word(state)))
    seen = _looked_at(context, job)
    state = seen["directory_state"]
    if seen["campaign_year"] is not None and seen["tier"] != "mounted":
        return Directory(
            "mount", "it is of an annual job and %s" % _TIERS.get(seen["tier"], "where it lies is not known")
        )
    if state != "ok":
        word = _STATES.get(str(state), "its state is not known")
        return Directory("missing" if state == "missing" else "mount", word)
    if seen["writable"] is not True:
        return Directory("mount", "the service may not write there, where it puts its report on the files")
    return Directory("ok", "")


_TIERS = {"local": "is not on the storage box", "no_directory": "is not there"}
_STATES = {
    "stale": "it answers Errno 107",
    "hung": "it does not answer",
    "missing": "it is not there",
    "error": "it cannot be read",
}


def _word(state: Optional[str]) -> str:
    return "not known" if state is None else state.replace("_", " ")


def _looked_at(context: Context, job: Job) -> Dict[str, Any]:
    row: Dict[str, Any] = dict.fromkeys(jobs.JOB_KEYS)
    row.update(id=job.id, source=job.source, name=job.name, status=job.status, output_directory=job.output_directory)
    row.update(started_at=job.started_at, finished_at=job.finished_at, config=job.config, details=True, ambiguous=False)
    job_facts.add(context, [row])
    return row
