# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the worker takes up what was recovered: seen, or said why not (contract 2.2). Private to this collection."""

from __future__ import annotations

import re
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .. import host, look
from ..parse import journal
from ..parse.errors import ParseError
from ..parse.text import one_line
from ..probe import Context
from ..probes.units import WORKER
from ..refusal import Refusal
from . import holders, rows, worker_unit

# The worker starts no crawl at a disk as full as that (contract 1.9).
DISK_LIMIT_PERCENT = 85.0
# What failed for the storage's sake is left alone for ten minutes (contract 2.2).
_COOLING = "infra_error"
_POLL_SECONDS = 3.0
_LOOK_SECONDS = 6.0
_JOURNAL_SECONDS = 10.0
_JOURNAL_LINES = 8
_LINE_LIMIT = 200
_JOBS_NAMED = 10


class Pickup(NamedTuple):
    """``taken``: what became of each job that the worker took up, ``why`` what keeps it from the others, None where nothing
    does, ``code`` the same in one word. ``journal``: lines of the worker that name one of the jobs."""

    taken: Mapping[int, str]
    code: Optional[str]
    why: Optional[str]
    journal: Tuple[str, ...]

    def evidence(self) -> Dict[str, Any]:
        return {
            "taken_up": {"job %d" % job: what for job, what in sorted(self.taken.items())},
            "code": self.code,
            "why_not": self.why,
            "worker_journal": list(self.journal),
        }

    def described(self) -> str:
        words = []
        if self.taken:
            named = ["job %d (%s)" % each for each in sorted(self.taken.items())[:_JOBS_NAMED]]
            more = len(self.taken) - len(named)
            words.append("The worker took up %s%s." % (", ".join(named), " and %d more" % more if more > 0 else ""))
        if self.why:
            words.append(self.why)
        return " ".join(words)


def hindrance(context: Context) -> Optional[Tuple[str, str]]:
    """What keeps the worker from taking up anything, as code and sentence; None if nothing that can be seen at once."""
    try:
        unit = worker_unit.show(context)
    except Refusal as error:
        return "worker_unknown", str(error)
    if not unit.runs:
        why = "The worker does not run (%s %s): nothing is taken up until it does." % (
            unit.active_state,
            unit.sub_state,
        )
        return "worker_inactive", why
    seen = look.look({context.settings.archive_root: None}, context.seconds(_LOOK_SECONDS))[
        context.settings.archive_root
    ]
    if not seen.size_bytes or seen.available_bytes is None:
        return None
    used = 100.0 * (seen.size_bytes - seen.available_bytes) / seen.size_bytes
    if used < DISK_LIMIT_PERCENT:
        return None
    why = "The disk of %s is %.0f %% full, reserved space counted: the worker starts no crawl from %.0f %% on."
    return "disk_full", why % (context.settings.archive_root, used, DISK_LIMIT_PERCENT)


def watch(
    context: Context, directory: str, before: Mapping[int, Mapping[str, Any]], seconds: float, since: float
) -> Pickup:
    """Look until one of the jobs was taken up, something keeps the worker from them, or ``seconds`` have passed.

    ``directory``: of the job locks; ``before``: the rows before they were recovered; ``since``: seconds since 1970 from which on
    the journal is read."""
    end = time.monotonic() + seconds
    while True:
        taken = _taken(rows.states(context, before), before)
        reason = None if taken else (hindrance(context) or _queue(context, directory, before))
        left = end - time.monotonic()
        if taken or reason is not None or left <= 0:
            break
        time.sleep(min(_POLL_SECONDS, max(left, 0.1)))
    if not taken and reason is None:
        why = "The worker runs and was not seen to take any of them up within %.0f s; it looks every 30 s." % seconds
        reason = "not_seen", why
    code, why_not = reason or (None, None)
    if taken and len(taken) < len(before):
        code = "one_after_another"
        why_not = "The others wait: it takes one after another, the oldest in the queue first."
    return Pickup(taken, code, why_not, _journal(context, list(before), since))


def _taken(now: Mapping[int, Mapping[str, Any]], before: Mapping[int, Mapping[str, Any]]) -> Dict[int, str]:
    """A job that has begun anew since then, whatever has become of it by now."""
    found = {}
    for job, row in now.items():
        if row["started_at"] is not None and row["started_at"] != before[job]["started_at"]:
            found[job] = "%s, began %s" % (one_line(row["status"], 30), row["started_at"])
    return found


def _queue(context: Context, directory: str, before: Mapping[int, Any]) -> Optional[Tuple[str, str]]:
    """What comes before them: a job that the worker is busy with, one whose turn is earlier, or a time to wait."""
    busy = sorted(job for job, holder in holders.held(directory).items() if WORKER in (holder.units or ()))
    if busy and busy[0] not in before:
        return "busy", "The worker runs one job at a time, and is at job %d: they wait until it has ended." % busy[0]
    try:
        found = rows.of_statuses(context, ("queued", "retryable"))
    except Refusal:
        return None
    # The CLI's table knows neither the order of the queue nor how a crawl failed.
    return queue(list(found.jobs.values()), before) if found.source == "admin_api" else None


def queue(found: List[Mapping[str, Any]], before: Mapping[int, Any]) -> Optional[Tuple[str, str]]:
    """``found``: the rows that wait. Pure."""
    waiting = [row for row in found if row["source"] is not None]
    ours = [row for row in waiting if row["id"] in before]
    if ours and all(row["crawler_status"] == _COOLING for row in ours):
        return (
            "cooldown",
            "They failed for the storage's sake before, and the worker leaves such jobs alone for 10 minutes.",
        )
    ready = [row for row in waiting if row["crawler_status"] != _COOLING]
    first = min(ready, key=lambda row: (row["queued_at"] is not None, row["queued_at"] or "", row["id"]), default=None)
    if first is not None and first["id"] not in before:
        return "another_first", "Job %d is before them in the queue: the worker takes the oldest first." % first["id"]
    return None


def _journal(context: Context, jobs: List[int], since: float) -> Tuple[str, ...]:
    """What the worker wrote of these jobs since then; nothing where it cannot be said which secrets could be in it."""
    if not context.secrets_known:
        return ()
    argv = [
        "/usr/bin/journalctl",
        "--unit=" + WORKER,
        "--since=@%d" % since,
        "--output=json",
        "--all",
        "--no-pager",
        "--quiet",
    ]
    result = host.run([*argv, "--output-fields=MESSAGE,__REALTIME_TIMESTAMP"], context.seconds(_JOURNAL_SECONDS))
    try:
        found = journal.entries(result.stdout, truncated=True) if result.failure in (None, "output_truncated") else []
    except ParseError:
        return ()
    named = re.compile(r"(?i)\bjob[ =_id:#]{1,8}(%s)\b" % "|".join(map(str, jobs[:_JOBS_NAMED])))
    lines = [line for entry in found for line in (entry["message"] or "").split("\n") if named.search(line)]
    return tuple(one_line(context.redactor.text(line), _LINE_LIMIT) for line in lines[:_JOURNAL_LINES])
