# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a decision on running jobs needs, read at one time, and read again where it does not fit together.

Nothing is left behind: no row, no lock file, no file of a job is written. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple

from ..parse.stale_jobs import Report
from ..parse.text import one_line
from ..probe import Context
from ..refusal import Refusal
from ..shapes import counted
from . import decision, holders, lock_directories, recovery, rows

_NAME_LIMIT = 60


class Survey(NamedTuple):
    """``directory``: of the job locks. ``running``: rows by id."""

    directory: str
    report: Report
    running: rows.Rows
    locks: Dict[int, str]
    decision: decision.Decision


def survey(context: Context, wish: decision.Wish) -> Survey:
    """:class:`Refusal` where something is not certain. The lock directories come first: without one, no lock says anything."""
    directory = lock_directories.agreed(context)
    for attempt in (1, 2):
        report = recovery.candidates(context, wish.selection)
        running = rows.of_statuses(context, ("running",))
        # As in what the command printed: both must have the same holes.
        for row in running.jobs.values():
            row["name"] = context.redactor.text(row["name"])
        locks = holders.states(directory, running.jobs)
        try:
            decided = decision.decide(report, list(running.jobs.values()), locks, wish, running.whole)
        except decision.Contradiction as error:
            # Between two readings a job may begin or end; twice in a row it is something else.
            if attempt == 2:
                raise Refusal(
                    "evidence_contradictory",
                    "What the service says of its running jobs does not fit together: %s" % error,
                    "Look at that job (playbook triage), then plan again.",
                    rows_from=running.source,
                ) from error
        else:
            break
    return Survey(directory, report, running, locks, decided)


def state(row: Mapping[str, Any]) -> Dict[str, Any]:
    """What is told of a row before and after: nothing that changes by itself."""
    return {name: row[name] for name in ("status", "source", "started_at", "retry_count")}


def subject(job: int) -> str:
    return "job %d" % job


def remarks(found: Survey) -> List[str]:
    """Of each planned job what belongs in no digest."""
    candidates = {candidate.id: candidate for candidate in found.report.candidates}
    lines = []
    for row in found.decision.planned:
        candidate = candidates[row["id"]]
        quiet = candidate.progress_age_seconds
        lines.append(
            "%s (%s, %s): began %s, last progress %s, lock %s, %s"
            % (
                subject(row["id"]),
                row["source"],
                one_line(row["name"], _NAME_LIMIT) or "no name",
                "never"
                if candidate.age_minutes is None
                else counted(candidate.age_minutes, "minute ago", "minutes ago"),
                "unknown" if quiet is None else "%d s ago" % quiet,
                {"absent": "free"}.get(found.locks[row["id"]], found.locks[row["id"]]),
                "unknown retries" if row["retry_count"] is None else counted(row["retry_count"], "retry", "retries"),
            )
        )
    if found.running.source == "cli":
        lines.append("The admin API gave no whole answer (%s): the rows are from the CLI's table." % found.running.why)
    return lines
