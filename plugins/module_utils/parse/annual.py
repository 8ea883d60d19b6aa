# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``reconcile-annual-tool-options`` says: which annual jobs are not told what they should be (contract 2.3)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Optional, Tuple

from .errors import EMPTY, UNPARSABLE, ParseError
from .text import decode, one_line

# Dropped by a job's first run and by every patch, and put back by the same command (contract 2.2).
CAMPAIGN_KEYS = frozenset(("campaign_kind", "campaign_year", "campaign_date", "scheduler_version"))
# Of a job: nothing is to be changed, something is, something was.
UNCHANGED, WOULD_UPDATE, UPDATED = "UNCHANGED", "WOULD UPDATE", "UPDATED"

_VERDICT = re.compile(r"\b(UNCHANGED|WOULD UPDATE|UPDATED)\b")
_JOB = re.compile(r"\bjob(?:_id)?[=: ] ?([0-9]{1,18})\b")
_CHANGE = re.compile(r"  ([A-Za-z0-9_.-]{1,100}): (.* -> .*)")
_SHOWN_CHANGES = 20


class Verdict(NamedTuple):
    """What is said of one job. ``changes``: key, and ``old -> new`` as it was printed; a value may itself hold an arrow, so
    that only who knows the old one can tell where the new one begins. ``strange``: lines below it that are no changes."""

    job_id: int
    said: str
    changes: Tuple[Tuple[str, str], ...]
    strange: Tuple[str, ...]


def verdicts(stdout: bytes, applied: bool = False) -> list[Verdict]:
    """One for each job that the command names, in its order. ``applied``: it was run with ``--apply``.

    The caller must have seen exit code 0 and must know that the database was PostgreSQL. Raises ParseError: ``empty``,
    ``unparsable`` (a verdict without a job, one that does not agree with its changes, or one of the other way to run it).
    """
    if not stdout.strip():
        raise ParseError(EMPTY, "reconcile-annual-tool-options printed nothing")
    found: list[Verdict] = []
    for line in decode(stdout).split("\n"):
        if line.startswith(" "):
            if found:
                found[-1] = _with_line(found[-1], line)
            continue
        # A name that stands before it is free text.
        said = _VERDICT.findall(line)
        if not said:
            continue
        job = _JOB.search(line)
        if job is None:
            raise ParseError(UNPARSABLE, "reconcile-annual-tool-options names no job: " + line)
        found.append(Verdict(int(job.group(1)), said[-1], (), ()))
    for each in found:
        if bool(each.changes) is (each.said == UNCHANGED) or each.said == (WOULD_UPDATE if applied else UPDATED):
            raise ParseError(
                UNPARSABLE,
                "reconcile-annual-tool-options says %s of job %d and lists %d changes"
                % (each.said, each.job_id, len(each.changes)),
            )
    return found


def _with_line(verdict: Verdict, line: str) -> Verdict:
    change = _CHANGE.fullmatch(line)
    if change is None:
        return verdict._replace(strange=(*verdict.strange, line))
    return verdict._replace(changes=(*verdict.changes, (change.group(1), change.group(2))))


def reconciliation(stdout: bytes) -> list[dict[str, Any]]:
    """Of the dry run, for the evidence: ``{"job_id": int, "options_drifted": bool, "metadata_lost": bool, "changes": [str]}``,
    the last as ``key: old -> new``, 20 at most. Raises ParseError as :func:`verdicts`."""
    return [
        {
            "job_id": each.job_id,
            "options_drifted": any(key not in CAMPAIGN_KEYS for key, _text in each.changes),
            "metadata_lost": any(key in CAMPAIGN_KEYS for key, _text in each.changes),
            "changes": [one_line("%s: %s" % change) for change in each.changes[:_SHOWN_CHANGES]],
        }
        for each in verdicts(stdout)
    ]


def complaint_about(stderr: bytes, job_id: int) -> Optional[str]:
    """The line of its standard error that names the job: what keeps it from one, it says there, and ends with 0."""
    for line in decode(stderr).split("\n"):
        match = _JOB.search(line)
        if match is not None and int(match.group(1)) == job_id:
            return line.strip()
    return None
