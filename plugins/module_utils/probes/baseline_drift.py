# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the host still is what its baseline policy says, by the service's own check (contract 3.3)."""

from __future__ import annotations

from .. import service
from ..parse import drift
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, complaint, failed

SECONDS = 30.0


def probe(context: Context) -> Finding:
    """Run the check as the service user, writing nothing; its exit code 1 alone may mean drift or a crash."""
    argv = service.check_baseline_drift(context.settings, context.baseline_mode)
    # It asks pip for its packages, which takes as much memory as the service's commands.
    with context.turn:
        result = context.run_service(argv, SECONDS)
    what = "check_baseline_drift.py"
    if result.failure is not None:
        return Finding(None, [failed(result, what)])
    try:
        report = drift.drift_report(result.stdout, result.rc)
    except ParseError as error:
        said = complaint(result.stderr)
        return Finding(
            None, [Problem(error.code, "%s: %s%s" % (what, error, " Its last words: " + said if said else ""))]
        )
    return Finding({key: report[key] for key in ("drifted", "mode", "failures", "warnings")}, [])
