# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which crawls end when a unit is stopped, and how far they are (law 12). Private to this collection.

What counts is who holds a job's lock, not what a row says: a job without a source, or one whose row says otherwise, is hit as
well.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Set

from ..parse.text import one_line
from ..probe import Context
from ..probes import job_facts
from ..refusal import Refusal
from . import holders, rows

_NAME_LIMIT = 60


class Job(NamedTuple):
    """A job that something runs. ``units``: of which units that is, None where it cannot be told. ``row`` None: none was found.
    ``facts``: as triage has them, empty where they were not asked for."""

    id: int
    units: Optional[FrozenSet[str]]
    row: Optional[Mapping[str, Any]]
    facts: Mapping[str, Any] = {}

    def described(self) -> Dict[str, Any]:
        """What is told of it in evidence: how far it is, and how often it was tried."""
        row = self.row or {}
        names = ("crawled", "crawl_total", "progress_age_seconds", "log_age_seconds", "stalled")
        return {
            "job": self.id,
            "source": row.get("source"),
            "name": one_line(row.get("name") or "", _NAME_LIMIT),
            "status": row.get("status"),
            "started_at": row.get("started_at"),
            "retry_count": row.get("retry_count"),
            "units": None if self.units is None else sorted(self.units),
            **{name: self.facts.get(name) for name in names},
        }

    def sentence(self) -> str:
        told = self.described()
        of = "?" if told["crawl_total"] is None else told["crawl_total"]
        progress = told["progress_age_seconds"]
        return "job %d (%s, %s): %s of %s pages crawled, last progress %s, %s retries, run by %s" % (
            self.id,
            told["source"] or "no source",
            told["name"] or "no name",
            "?" if told["crawled"] is None else told["crawled"],
            of,
            "not known" if progress is None else "%d s ago" % progress,
            "?" if told["retry_count"] is None else told["retry_count"],
            "what, is not known" if not self.units else ", ".join(sorted(self.units)),
        )


def running(context: Context, directory: str, found: rows.Rows) -> List[Job]:
    """All jobs whose lock is held, with their rows. ``found``: the rows that say running. :class:`Refusal`."""
    try:
        held = holders.held(directory)
    except OSError as error:
        raise Refusal(
            "locks_unreadable",
            "Who runs which job cannot be told: %s." % error,
            "See why %s cannot be read." % directory,
        ) from error
    missing = set(held) - set(found.jobs)
    # The row of a job that runs may say otherwise, and a job without a source is in no table of the CLI.
    others = rows.states(context, missing) if missing else {}
    return [Job(job, holder.units, found.jobs.get(job) or others.get(job)) for job, holder in sorted(held.items())]


def hit_by(jobs: Iterable[Job], units: Set[str]) -> List[Job]:
    """Those that end when these units are stopped; of whom it is not known who runs them may be among them. Pure."""
    return [job for job in jobs if units and (job.units is None or job.units & units)]


def with_facts(context: Context, jobs: Iterable[Job]) -> List[Job]:
    """How far they are, by their logs; not known where their directories are not."""
    wanted = list(jobs)
    # By their locks they run, which is what counts here.
    known = {job.id: {**job.row, "details": True, "status": "running"} for job in wanted if job.row}
    rows.detailed(context, known)
    job_facts.add(context, list(known.values()))
    return [job._replace(facts=known.get(job.id, {})) for job in wanted]


def refuse_unaccepted(
    jobs: Iterable[Job], accepted: Iterable[int], stalled: Iterable[int], what: str
) -> Optional[Refusal]:
    """Why it is not done: it would end crawls that nobody gave up. None when it may be. Pure."""
    wrong = [job for job in jobs if job.id not in set(accepted) | set(stalled)]
    if not wrong:
        return None
    ids = sorted(job.id for job in wrong)
    return Refusal(
        "would_interrupt",
        "%s ends %s: %s."
        % (what, "a crawl" if len(ids) == 1 else "%d crawls" % len(ids), "; ".join(job.sentence() for job in wrong)),
        "Wait until it has ended, if that can be. If its loss is meant, say so: -e accept_interruption_of=%s"
        % ",".join(map(str, ids)),
        jobs=[job.described() for job in wrong],
    )


def refuse_more(directory: str, units: Set[str], named: Iterable[int]) -> Optional[Refusal]:
    """Why it is not done after all: by now these units run a job beside those that are ``named``. By the locks alone."""
    try:
        held = holders.held(directory)
    except OSError as error:
        return Refusal("locks_unreadable", "Who runs which job cannot be told: %s." % error, _AGAIN)
    jobs = [Job(job, holder.units, None) for job, holder in held.items()]
    more = sorted({job.id for job in hit_by(jobs, units)} - set(named))
    if not more:
        return None
    told = "Since the plan was made it has begun: %s." % ", ".join("job %d" % job for job in more)
    return Refusal("world_moved", told, _AGAIN, jobs=more)


def indexing(found: rows.Rows) -> List[str]:
    """What a stop may end that no lock shows: the worker indexes a job that it has crawled; ended there, it never does again."""
    waiting = sorted(job for job, row in found.jobs.items() if row["status"] == "completed")
    if not waiting:
        return []
    named = ", ".join(map(str, waiting[:10])) + (" and %d more" % (len(waiting) - 10) if len(waiting) > 10 else "")
    return [
        "Crawled and not indexed: job %s. Whether the worker indexes one of them right now cannot be seen; if it is ended there, "
        "run recover_indexing for it." % named
    ]


_AGAIN = "Run it again without approve, and read the plan of now."
