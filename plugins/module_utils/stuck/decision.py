# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which jobs a recovery would change, and how the service's command is kept to them: facts in, decision out.

``recover-stale-jobs`` knows no ids: it takes whatever is old, quiet and unlocked at the moment when it looks. What keeps it
to the jobs of a plan is this:

- every other running job is skipped by its lock: a crawl that lives holds it, and of the rest we hold it while the command runs;
- what remains is a crawl that holds its own lock and ends in that very second. If it is quiet, too, the command would take
  it. Such a job *shadows* those of its source: the command is then given the other sources only, by name.

Pure. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ..parse import times
from ..parse.stale_jobs import Candidate, Report
from ..service import StaleSelection, is_source

# A held job that is not quiet or old enough may become so between the decision and the command. In seconds.
_SOON_SECONDS = 120
# The service writes its moments in whole seconds.
_ROUNDING_SECONDS = 1


class Wish(NamedTuple):
    """What the operator asked for; ``jobs``: these only, None: all."""

    older_than_minutes: int
    no_progress_seconds: int
    include_missing_started_at: bool
    jobs: Optional[FrozenSet[int]]

    @property
    def selection(self) -> StaleSelection:
        """Of every source: what the candidates are asked for with."""
        return StaleSelection(self.older_than_minutes, self.no_progress_seconds, self.include_missing_started_at)


class Decision(NamedTuple):
    """``planned`` are the rows to change, ``selections`` how the command is called for them, one after another. ``left_out``
    says of every other running job why, by id; ``shadowed`` are those of them that would be changed if the command could be kept
    from another one."""

    planned: Tuple[Mapping[str, Any], ...]
    selections: Tuple[StaleSelection, ...]
    left_out: Mapping[int, str]
    shadowed: Tuple[int, ...]


class Contradiction(Exception):
    """What the command says and what the rows say cannot both be true now. One line."""


def decide(
    report: Report, rows: Sequence[Mapping[str, Any]], locks: Mapping[int, str], wish: Wish, whole: bool
) -> Decision:
    """``report``: a dry run of ``wish.selection`` that saw every lock free. ``rows``: all running jobs as :mod:`..parse.jobs` has
    them; ``whole`` is False when those without a source are not among them. ``locks``: the state of each row's lock (``held``,
    ``free``, ``absent``, ``unknown``). :class:`Contradiction`."""
    by_id = {row["id"]: row for row in rows}
    candidates = {candidate.id: candidate for candidate in report.candidates}
    _compare(report, by_id, candidates, wish, whole)
    left_out = {
        job: _NO_SOURCE for job, candidate in candidates.items() if job not in by_id and candidate.source is None
    }
    eligible: List[Mapping[str, Any]] = []
    shadows: Dict[Optional[str], int] = {}
    for job, row in sorted(by_id.items()):
        lock = locks.get(job, "unknown")
        reason = _reason(row, lock, job in candidates, report, wish)
        if reason is None:
            eligible.append(row)
        else:
            left_out[job] = reason
        if lock not in _FREE and _may_be_taken(row, report, wish):
            shadows.setdefault(row["source"], job)
    planned, shadowed = [], []
    for row in eligible:
        shadow = shadows.get(row["source"])
        if shadow is None:
            planned.append(row)
        else:
            shadowed.append(row["id"])
            left_out[row["id"]] = _SHADOWED % shadow
    return Decision(tuple(planned), _selections(planned, bool(shadows), wish), left_out, tuple(shadowed))


def others(decision: Decision, running: Set[int]) -> Set[int]:
    """The running jobs whose locks keep the command from them: all that are not planned."""
    return running - {row["id"] for row in decision.planned}


_FREE = ("free", "absent")
_NO_SOURCE = "It has no source, so the worker would never take it up again: give it its source first."
_BAD_SOURCE = "The name of its source cannot be given to the command."
_RUNS = "Its lock is held: something runs it."
_STANDS_STILL = "Its lock is held, so something runs it, but without progress: that is for recover_stalled_crawl."
_LOCK_UNKNOWN = "Whether its lock is held cannot be told."
_PROGRESSING = "Its crawl made progress less than %d seconds ago."
_YOUNG = "It began less than %d minutes ago."
_NEVER_BEGAN = "It has no start time, and jobs without one were not asked for."
_NOT_ASKED = "It is not among the jobs that were asked for."
_SHADOWED = (
    "The service's command cannot be kept from job %d of the same source, which is quiet too and would be taken if its crawl "
    "ended in that moment: recover that one first."
)


def _reason(row: Mapping[str, Any], lock: str, candidate: bool, report: Report, wish: Wish) -> Optional[str]:
    """Why the job is not to be changed; None when it is."""
    job = row["id"]
    if lock == "held":
        return _STANDS_STILL if candidate else _RUNS
    if job in report.progressing:
        return _PROGRESSING % wish.no_progress_seconds
    if not candidate:
        return _YOUNG % wish.older_than_minutes if row["started_at"] else _NEVER_BEGAN
    if lock not in _FREE:
        return _LOCK_UNKNOWN
    if row["source"] is None:
        return _NO_SOURCE
    if not is_source(row["source"]):
        return _BAD_SOURCE
    if wish.jobs is not None and job not in wish.jobs:
        return _NOT_ASKED
    return None


def _may_be_taken(row: Mapping[str, Any], report: Report, wish: Wish) -> bool:
    """Whether the command would take the job, now or soon, if its lock were free."""
    started = row["started_at"]
    if started is None and not wish.include_missing_started_at:
        return False
    if started is not None and times.to_epoch(started) > times.to_epoch(report.cutoff) + _SOON_SECONDS:
        return False
    progress = report.progressing.get(row["id"])
    return progress is None or progress > (report.no_progress_seconds or 0) - _SOON_SECONDS


def _selections(planned: Sequence[Mapping[str, Any]], narrow: bool, wish: Wish) -> Tuple[StaleSelection, ...]:
    """One call for all sources; with a job beside them that must not be taken, or one source only, a call for each."""
    sources = sorted({row["source"] for row in planned})
    if narrow or len(sources) == 1:
        return tuple(wish.selection._replace(source=source) for source in sources)
    return (wish.selection,) if sources else ()


def _compare(
    report: Report,
    by_id: Mapping[int, Mapping[str, Any]],
    candidates: Mapping[int, Candidate],
    wish: Wish,
    whole: bool,
) -> None:
    asked = (report.older_than_minutes, report.no_progress_seconds, report.source, report.limit, report.applied)
    if asked != (wish.older_than_minutes, wish.no_progress_seconds, None, None, False) or report.locked:
        raise Contradiction("The service's command says that it did something else than it was asked to.")
    for job, candidate in candidates.items():
        row = by_id.get(job)
        if row is None:
            if candidate.source is not None or whole:
                raise Contradiction("Job %d is stale for the service's command, and not running by its row." % job)
            continue
        said = (candidate.source, candidate.started_at, candidate.name)
        if said != (row["source"], row["started_at"], row["name"]):
            raise Contradiction(
                "The service's command and the row of job %d differ in its source, start or name." % job
            )
    for job in report.progressing:
        if job not in by_id and whole:
            raise Contradiction("Job %d is running for the service's command, and not by its row." % job)
    cutoff = times.to_epoch(report.cutoff)
    for job, row in by_id.items():
        named = job in candidates or job in report.progressing
        if row["started_at"] is None:
            expected: Optional[bool] = wish.include_missing_started_at
        else:
            before = cutoff - times.to_epoch(row["started_at"])
            expected = None if abs(before) <= _ROUNDING_SECONDS else before > 0
        if expected is not None and expected is not named:
            raise Contradiction(
                "By its row job %d should%s be considered by the service's command, and it is%s."
                % (job, "" if expected else " not", "" if named else " not")
            )
