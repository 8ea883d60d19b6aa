# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dry run of ``reconcile-annual-tool-options``: which annual jobs are not told what they should be (contract 2.3)."""

from __future__ import annotations

import re
from typing import Any, Optional

from .errors import EMPTY, UNPARSABLE, ParseError
from .text import decode, one_line

# Dropped by a job's first run and by every patch, and put back by the same command (contract 2.2).
CAMPAIGN_KEYS = frozenset(("campaign_kind", "campaign_year", "campaign_date", "scheduler_version"))

_VERDICT = re.compile(r"\b(UNCHANGED|WOULD UPDATE)\b")
_JOB = re.compile(r"\bjob(?:_id)?[=: ] ?([0-9]{1,18})\b")
_CHANGE = re.compile(r"  ([A-Za-z0-9_.-]{1,100}): (.*) -> (.*)")
_SHOWN_CHANGES = 20


def reconciliation(stdout: bytes) -> list[dict[str, Any]]:
    """One record for each job that the command names: ``{"job_id": int, "options_drifted": bool, "metadata_lost": bool,
    "changes": [str]}``, the last as ``key: old -> new``, 20 at most.

    The caller must have seen exit code 0 and must know that the database was PostgreSQL. Raises ParseError: ``empty``,
    ``unparsable`` (a verdict without a job, or one that does not agree with its changes).
    """
    if not stdout.strip():
        raise ParseError(EMPTY, "reconcile-annual-tool-options printed nothing")
    records: list[dict[str, Any]] = []
    verdict: Optional[str] = None
    for line in decode(stdout).split("\n"):
        change = _CHANGE.fullmatch(line)
        if change is not None and records:
            record = records[-1]
            if change.group(1) in CAMPAIGN_KEYS:
                record["metadata_lost"] = True
            else:
                record["options_drifted"] = True
            if len(record["changes"]) < _SHOWN_CHANGES:
                record["changes"].append(one_line(line.strip()))
            continue
        match = _VERDICT.search(line)
        if match is None or line.startswith(" "):
            continue
        _refuse_contradiction(records, verdict)
        job = _JOB.search(line)
        if job is None:
            raise ParseError(UNPARSABLE, "reconcile-annual-tool-options names no job: " + line)
        verdict = match.group(1)
        records.append({"job_id": int(job.group(1)), "options_drifted": False, "metadata_lost": False, "changes": []})
    _refuse_contradiction(records, verdict)
    return records


def _refuse_contradiction(records: list[dict[str, Any]], verdict: Optional[str]) -> None:
    if records and bool(records[-1]["changes"]) is not (verdict == "WOULD UPDATE"):
        raise ParseError(
            UNPARSABLE,
            "reconcile-annual-tool-options says %s of job %d and lists %d changes"
            % (verdict, records[-1]["job_id"], len(records[-1]["changes"])),
        )
