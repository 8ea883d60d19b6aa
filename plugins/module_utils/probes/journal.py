# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last journal lines of the API and the worker, and the known faults that they name."""

from __future__ import annotations

import time
from typing import Any, Dict, List

from .. import host
from ..parse import journal
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, complaint, failed
from .units import API, WORKER

SECONDS = 15.0
LINES = 200  # what the runbook reads (contract 4.1)
TAIL_LINES = 10
JOURNALD = "systemd-journald.service"
_CAP_BYTES = 4 * 1024 * 1024


def probe(context: Context) -> Finding:
    """A unit whose journal could not be read is absent from the data and named in the problems."""
    units: Dict[str, Any] = {}
    problems: List[Problem] = []
    if not context.secrets_known:
        problems.append(
            Problem("bad_evidence", "Journal lines are not shown: which secrets may be in them is not known.")
        )
    if context.run(["/usr/bin/systemctl", "is-active", "--quiet", JOURNALD], SECONDS).rc != 0:
        problems.append(Problem("not_running", "%s is not active: the newest lines may be missing." % JOURNALD))
    for unit in (API, WORKER):
        argv = [
            "/usr/bin/journalctl",
            "--unit=" + unit,
            "--lines=%d" % LINES,
            "--output=json",
            "--all",
            "--no-pager",
            "--quiet",
        ]
        argv.append("--output-fields=MESSAGE,__REALTIME_TIMESTAMP")
        result = host.run(argv, context.seconds(SECONDS), cap=_CAP_BYTES)
        what = "journalctl of %s" % unit
        if result.failure is not None:
            problems.append(failed(result, what))
        elif result.rc != 0:
            problems.append(
                Problem("command_failed", "%s ended with %d: %s" % (what, result.rc, complaint(result.stderr)))
            )
        else:
            try:
                units[unit] = _unit(context, result.stdout)
            except ParseError as error:
                problems.append(Problem(error.code, "%s: %s" % (what, error)))
    return Finding({"units": units} if units else None, problems)


def _unit(context: Context, stdout: bytes) -> Dict[str, Any]:
    # Redacted entry by entry, and not as JSON text, whose structure a replacement could break.
    entries = context.redactor.value(journal.entries(stdout))
    if not entries:
        # journalctl says the same, and ends with 0, when there is no journal at all.
        raise ParseError("not_found", "the journal has no line of this unit")
    return {
        "lines": len(entries),
        "newest_at": journal.newest_at(entries),
        "signatures": [_shown(context, found) for found in journal.signatures(entries, time.time())],
        "tail": journal.tail(entries, TAIL_LINES) if context.secrets_known else [],
    }


def _shown(context: Context, signature: Dict[str, Any]) -> Dict[str, Any]:
    """A line may hold what nobody knows to be a secret: then the fault that it names is all that is told of it."""
    return signature if context.secrets_known else {**signature, "subject": None, "sample": ""}
