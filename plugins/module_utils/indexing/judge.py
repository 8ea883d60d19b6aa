# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of an indexing: by the rows first, then by how its unit ended. Pure. Private to this collection.

An exit code of 0 says nothing: a truncated file is indexed "successfully", and so is none (surprises 14, 15).
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Optional

from ..parse.indexing import Report
from ..shapes import counted
from .decide import state_of, subject_of
from .facts import NAME, Rows

# How the unit ended: by itself (with a code), by its own time-out, killed or stopped, never begun, or nobody knows.
ENDED, TIMEOUT, KILLED, NEVER, LOST = "ended", "timeout", "killed", "never", "lost"
_NO_PAGE = "Its WARC files hold no page that the service knows, or it found none: look at them by hand (verify-warcs --level 2)."
_AGAIN = "See what its last lines name, mend that, then plan again: the plan looks at everything anew."


class Begun(NamedTuple):
    """What it was begun for. ``before``: the job's state as the plan has it; of one that only the record knows, empty."""

    job_id: int
    before: Mapping[str, Any]


class End(NamedTuple):
    how: str
    code: Optional[int] = None


class Verdict(NamedTuple):
    """As :class:`..change.Observation`."""

    outcome: str
    changed: Optional[bool]
    detail: str
    states: Mapping[str, Any]
    code: Optional[str] = None
    next_step: Optional[str] = None


def judge(begun: Begun, end: End, report: Optional[Report], rows: Optional[Rows]) -> Verdict:
    """``rows`` None: the job cannot be seen now."""
    if rows is None or rows.job is None:
        return Verdict("unknown", None, "%s The job cannot be seen now." % _how(end, report), {}, None, None)
    job, snapshots = rows.job, rows.snapshots
    now = state_of(job, snapshots)
    states = {subject_of(job.id): now}
    told = "Job %d is %s: %s pages by its row, %s in the database." % (
        job.id,
        job.status,
        job.indexed_pages,
        counted(snapshots.total, "snapshot", "snapshots"),
    )
    if not begun.before:
        return _of_record(end, report, job.status == "indexed" and snapshots.total > 0, told, states)
    if _is_as_before(begun, now):
        return _unchanged(begun, end, report, told, states)
    if job.status == "index_failed":
        return Verdict("failed", True, _said(told, end, report), states, "index_failed", _AGAIN)
    if job.status != "indexed":
        return Verdict("unknown", None, _said(told, end, report), states, "other_change", None)
    if snapshots.total == 0 or not job.indexed_pages:
        return Verdict("failed", True, _said(told, end, report), states, "nothing_indexed", _NO_PAGE)
    if snapshots.total != job.indexed_pages:
        return Verdict("unknown", True, _said(told, end, report), states, "counts_differ", None)
    if end.how == ENDED and end.code != 0:
        return Verdict("unknown", True, _said(told, end, report), states, "outcome_unknown", None)
    replaced = begun.before.get("snapshots") or 0
    words = (
        " %s replaced: their ids lead nowhere now." % counted(replaced, "snapshot was", "snapshots were")
        if replaced
        else ""
    )
    return Verdict("applied", True, "%s%s" % (told, words), states)


def _of_record(end: End, report: Optional[Report], indexed: bool, told: str, states: Mapping[str, Any]) -> Verdict:
    """Only the record knows of it: what was there before it is not known."""
    if indexed:
        return Verdict("applied", None, _said(told, end, report), states)
    return Verdict("failed", None, _said(told, end, report), states, "cut_off", _AGAIN)


def _is_as_before(begun: Begun, now: Mapping[str, Any]) -> bool:
    """Whether nothing of the row and of the snapshots moved; a job that fails again in the same way shows nothing either."""
    return all(begun.before.get(name) == value for name, value in now.items())


def _unchanged(begun: Begun, end: End, report: Optional[Report], told: str, states: Mapping[str, Any]) -> Verdict:
    summary = report.summary if report is not None else None
    if summary is not None and not summary.whole:
        files = "; ".join("%s: %s" % (path, error) for path, _kind, error in (report.failures if report else ())[:5])
        return Verdict(
            "refused",
            False,
            "Nothing was indexed: verify-warcs found %d of %s not whole (%s). %s"
            % (
                summary.total - summary.ok,
                counted(summary.total, "WARC file", "WARC files"),
                files or "it does not say which",
                told,
            ),
            states,
            "warcs_damaged",
            "This is for a person: put a whole copy in the place of what is damaged, then plan again; docs/indexing.md says how "
            "a file is given up.",
        )
    code = {TIMEOUT: "timed_out", KILLED: "cut_off", NEVER: "not_begun", LOST: "cut_off"}.get(end.how)
    if code is None and end.code == 0:
        # It says that it has, and nothing shows that.
        return Verdict("failed", False, _said(told, end, report), states, "not_changed", _AGAIN)
    if begun.before.get("status") == "index_failed" and end.how == ENDED and summary is not None:
        return Verdict("failed", False, _said(told, end, report), states, "index_failed", _AGAIN)
    return Verdict("failed", False, _said(told, end, report), states, code or "not_verified", _AGAIN)


def _said(told: str, end: End, report: Optional[Report]) -> str:
    last = [line for line in (report.tail if report is not None else ()) if line][-1:]
    return "%s %s%s" % (told, _how(end, report), " It printed last: %s" % last[0] if last else "")


def _how(end: End, report: Optional[Report]) -> str:
    verified = report is not None and report.summary is not None and report.summary.whole
    part = "index-job" if verified else "verify-warcs, before anything was indexed,"
    return {
        ENDED: "%s ended with %s." % (part, "a code that is not known" if end.code is None else end.code),
        TIMEOUT: "It was ended when its time was over.",
        KILLED: "It was killed, or %s was stopped." % NAME,
        NEVER: "It was not begun.",
        LOST: "How it ended is not known: the host was booted since, or its unit was taken away.",
    }[end.how]
