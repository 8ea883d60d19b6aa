# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last journal lines of the API and the worker, and the known faults that they name."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Optional, Tuple

from .. import host
from ..parse import journal
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, complaint, failed
from .units import API, WORKER

SECONDS = 15.0
LINES = 200  # what the runbook reads (contract 4.1)
TAIL_LINES = 10
JOURNALD = "systemd-journald.service"
# journald cuts what a service prints at 48 KiB a line: 200 of them are 9.4 MiB, and JSON writes some characters longer.
CAP_BYTES = 16 * 1024 * 1024


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
        newest_first, problem = _newest_lines(context, unit)
        if problem is not None:
            problems.append(problem)
        if newest_first:
            units[unit] = _record(context, newest_first[::-1], whole=problem is None)
    return Finding({"units": units} if units else None, problems)


def _newest_lines(context: Context, unit: str) -> Tuple[List[Dict[str, Any]], Optional[Problem]]:
    """The newest lines of a unit, newest first, and why they are not all that were asked for."""
    reader = journal.Reader()
    found: List[Dict[str, Any]] = []

    def take(piece: bytes) -> None:
        # Redacted entry by entry, and not as JSON text, whose structure a replacement could break.
        found.extend(context.redactor.value(entry) for entry in reader.feed(piece))

    argv = ["/usr/bin/journalctl", "--unit=" + unit, "--lines=%d" % LINES, "--reverse", "--output=json", "--all"]
    argv += ["--no-pager", "--quiet", "--output-fields=MESSAGE,__REALTIME_TIMESTAMP"]
    what = "journalctl of %s" % unit
    try:
        result = host.run(argv, context.seconds(SECONDS), cap=CAP_BYTES, take=take)
    except ParseError as error:
        return [], Problem(error.code, "%s: %s" % (what, error))
    problem = _problem(result, what, reader.rest, bool(found))
    if problem is not None and found:
        problem = problem._replace(message="%s The newest %d lines were read." % (problem.message, len(found)))
    return found, problem


def _problem(result: host.Result, what: str, rest: bytes, found: bool) -> Optional[Problem]:
    if result.failure == "output_truncated":
        return Problem(result.failure, "%s printed more than %d bytes and was ended." % (what, CAP_BYTES))
    if result.failure is not None:
        return failed(result, what)
    if result.rc != 0:
        return Problem("command_failed", "%s ended with %d: %s" % (what, result.rc, complaint(result.stderr)))
    if rest:
        return Problem("truncated", "%s: the end of its output is missing." % what)
    # journalctl says the same, and ends with 0, when there is no journal at all.
    return None if found else Problem("not_found", "%s: the journal has no line of this unit" % what)


def _record(context: Context, entries: List[Dict[str, Any]], whole: bool) -> Dict[str, Any]:
    return {
        "lines": len(entries),
        "whole": whole,
        "newest_at": journal.newest_at(entries),
        "signatures": [_shown(context, found) for found in journal.signatures(entries, time.time())],
        "tail": journal.tail(entries, TAIL_LINES) if context.secrets_known else [],
    }


def _shown(context: Context, signature: Dict[str, Any]) -> Dict[str, Any]:
    """A line may hold what nobody knows to be a secret: then the fault that it names is all that is told of it."""
    return signature if context.secrets_known else {**signature, "subject": None, "sample": ""}
