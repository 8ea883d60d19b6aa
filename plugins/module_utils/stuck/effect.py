# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether exactly the planned jobs were changed: rows from before and after, and what the command claims. Pure.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, FrozenSet, Iterable, Mapping, NamedTuple, Optional, Tuple

# What the service writes beside a row that was recovered, by the command and by the worker alike (contract 2.2).
RECOVERED_STAGE = "recovered_stale_running"


class Effect(NamedTuple):
    """Of the planned jobs: ``changed``, ``unchanged``, and those that were not ``seen``. ``beside``: other jobs that are
    recovered now and were running before."""

    changed: FrozenSet[int]
    unchanged: FrozenSet[int]
    unseen: FrozenSet[int]
    beside: FrozenSet[int]


def of(
    planned: Mapping[int, Mapping[str, Any]],
    others: Mapping[int, Mapping[str, Any]],
    now: Mapping[int, Mapping[str, Any]],
) -> Effect:
    """``planned`` and ``others``: rows that were running, by id; ``now``: all of these rows as they are afterwards."""
    unseen = frozenset(planned) - frozenset(now)
    unchanged = frozenset(job for job, row in planned.items() if job in now and same(row, now[job]))
    beside = frozenset(
        job
        for job, row in others.items()
        if job in now and not same(row, now[job]) and now[job]["status"] == "retryable" and _recovered(now[job])
    )
    return Effect(frozenset(planned) - unseen - unchanged, unchanged, unseen, beside)


def judge(effect: Effect, claimed: Iterable[int], worker_runs: bool) -> Tuple[str, Any, str]:
    """Outcome, whether anything changed, and a sentence. ``claimed``: the jobs that the command named as recovered.
    ``worker_runs``: it heals such rows, too, and may have been faster."""
    named = frozenset(claimed)
    planned = effect.changed | effect.unchanged | effect.unseen
    wrong = sorted(named - planned)
    healed = effect.beside - named
    if wrong or (healed and not worker_runs):
        jobs = sorted(set(wrong) | healed)
        return (
            "unknown",
            True,
            "NOT WHAT WAS PLANNED. Changed as well: %s. See them before anything else." % _jobs(jobs),
        )
    if effect.unseen:
        return "unknown", None, "Of %s it could not be seen whether they changed." % _jobs(sorted(effect.unseen))
    if effect.unchanged and not effect.changed:
        return "failed", False, "Nothing changed. Still marked running: %s." % _jobs(sorted(effect.unchanged))
    if effect.unchanged:
        return "unknown", True, "NOT WHAT WAS PLANNED. Still marked running: %s." % _jobs(sorted(effect.unchanged))
    faster = planned - named
    if faster and not worker_runs:
        told = "All of them changed, and the command does not say that it changed %s." % _jobs(sorted(faster))
        return "unknown", True, told
    sentence = "Exactly the planned jobs are not marked running any more: %s." % _jobs(sorted(planned))
    if healed:
        sentence += " Meanwhile the worker has healed %s by itself." % _jobs(sorted(healed))
    if faster:
        sentence += " The worker was faster than the command with %s." % _jobs(sorted(faster))
    return "applied", True, sentence


def same(before: Mapping[str, Any], now: Optional[Mapping[str, Any]]) -> bool:
    """The same run of the job, still marked running."""
    return now is not None and bool(now["status"] == "running" and now["started_at"] == before["started_at"])


def _recovered(now: Mapping[str, Any]) -> bool:
    """By its stage; where that is not known, a row that waits again may well have been."""
    return now["crawler_stage"] in (None, RECOVERED_STAGE)


def _jobs(jobs: Iterable[int]) -> str:
    found = list(jobs)
    shown = ", ".join(map(str, found[:20])) + (" and %d more" % (len(found) - 20) if len(found) > 20 else "")
    return "%s %s" % ("job" if len(found) == 1 else "jobs", shown)
