# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recovery itself: the service's command, dry and then applied, kept to the planned jobs; and what it left.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from .. import service
from ..change import ActFailed
from ..probe import Context
from ..refusal import Refusal
from . import effect, recovery, rows, survey, worker_unit

_SEE = "See what it says by hand, as a dry run, then plan again."
_AGAIN = "Run it again without approve, and read the plan of now."


class Recovery:
    """Of the ``planned`` rows, by id. ``claimed``: the jobs that the command says it changed; ``others``: the rows that were
    running beside them."""

    def __init__(self, context: Context, directory: str, planned: Mapping[int, Mapping[str, Any]]) -> None:
        self._context = context
        self.directory = directory
        self.planned = dict(planned)
        self.claimed: Set[int] = set()
        self.others: Dict[int, Mapping[str, Any]] = {}

    def run(self, selections: Sequence[service.StaleSelection], untouched: bool) -> None:
        """``untouched``: nothing was done yet by whoever calls, so that it can still be refused; else the worker may be faster
        with what was stopped for it. :class:`Refusal`, :class:`ActFailed`."""
        settings = self._context.settings
        for selection in selections:
            refusable = untouched and not self.claimed
            try:
                beside = self._listed(service.recover_stale_jobs(settings, selection), selection.source, refusable)
            except Refusal as error:
                if refusable:
                    raise
                raise ActFailed(str(error)) from error
            applied = service.recover_stale_jobs_applied(settings, selection)
            self.claimed |= self._command(applied, True, beside, refusable)

    def _listed(self, argv: List[str], source: Optional[str], refusable: bool) -> Mapping[int, Any]:
        """The rows to keep the command from; a dry run has named just those that are wanted."""
        for attempt in (1, 2):
            running = rows.of_statuses(self._context, ("running",)).jobs
            beside = {job: row for job, row in running.items() if job not in self.planned}
            self.others.update(beside)
            wanted = {job for job, row in self.planned.items() if source in (None, row["source"])}
            faster = {job for job in wanted if not effect.same(self.planned[job], running.get(job))}
            named = self._command(argv, False, beside, refusable)
            if named == wanted - (set() if refusable else faster):
                return beside
            told = "The service's own dry run, a moment before, names %s and not %s." % (
                _jobs(sorted(named)),
                _jobs(sorted(wanted)),
            )
            if refusable:
                raise Refusal("world_moved", told, _AGAIN)
            if attempt == 2:
                raise ActFailed(told)
        raise AssertionError("not reached")

    def _command(self, argv: List[str], applies: bool, beside: Mapping[int, Any], refusable: bool) -> Set[int]:
        """The jobs that it names, while it cannot get at those beside them."""
        try:
            report = recovery.run(self._context, argv, self.directory, beside)
        except recovery.NotRun as error:
            told = "The service's command did not end as it should: %s." % error
            if refusable and not (error.started and applies):
                raise Refusal("not_run", told, _SEE) from error
            raise ActFailed(told) from error
        if report.applied is not applies:
            raise ActFailed("The service's command says that it ran as something else than it was told to.")
        return {candidate.id for candidate in report.candidates}

    def effect(self, context: Context) -> Tuple[str, Any, str, Dict[str, Any], Dict[str, Any]]:
        """Outcome, whether something changed, a sentence, the states of the planned jobs, evidence."""
        now = rows.states(context, [*self.planned, *self.others])
        seen = effect.of(self.planned, self.others, now)
        outcome, changed, sentence = effect.judge(seen, self.claimed, worker_unit.show(context).runs)
        states = {survey.subject(job): survey.state(now[job]) for job in self.planned if job in now}
        evidence = {"claimed": sorted(self.claimed), "changed_beside": sorted(seen.beside)}
        return outcome, changed, sentence, states, evidence


def told(context: Context, subjects: Iterable[str]) -> str:
    """What the rows of these subjects say now, for a person."""
    return seen(context, subjects)[1]


def seen(context: Context, subjects: Iterable[str]) -> Tuple[List[Dict[str, Any]], str]:
    """The rows of these subjects as they are now, and what they say, for a person. No rows where not all could be read."""
    ids = {int(name[4:]) for name in subjects if name.startswith("job ") and name[4:].isdigit()}
    try:
        now = rows.states(context, ids)
    except Refusal as error:
        return [], "Their rows cannot be read: %s" % error
    said = ", ".join("%s %s" % (survey.subject(job), row["status"]) for job, row in sorted(now.items()))
    return list(now.values()) if set(now) == ids else [], "The rows say now: %s." % (said or "nothing")


def _jobs(jobs: Sequence[int]) -> str:
    return "no job" if not jobs else "%s %s" % ("job" if len(jobs) == 1 else "jobs", ", ".join(map(str, jobs)))
