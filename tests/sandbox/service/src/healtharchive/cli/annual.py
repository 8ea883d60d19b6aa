# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""annual-status (contract 2.8)."""

from __future__ import annotations

import argparse
import json
from typing import Any

from healtharchive.annual import status_report
from healtharchive.cli.common import Commands, add, fail
from healtharchive.database import session_scope
from healtharchive.sources import SOURCE_CODES


def register(commands: Commands) -> None:
    """Add the sub-command."""
    parser = add(commands, "annual-status", annual_status, "How a year's campaign stands.")
    parser.add_argument("--year", type=int, required=True)
    parser.add_argument("--sources", nargs="+", default=list(SOURCE_CODES))
    parser.add_argument("--json", action="store_true")


def annual_status(arguments: argparse.Namespace) -> int:
    """0 for any state of the campaign."""
    unknown = [source for source in arguments.sources if source not in SOURCE_CODES]
    if unknown:
        return fail(f"Unknown source(s): {', '.join(unknown)}.")
    with session_scope() as session:
        report = status_report(session, arguments.year, arguments.sources)
    print(json.dumps(report, indent=2) if arguments.json else _text(report))
    return 0


def _text(report: dict[str, Any]) -> str:
    summary = report["summary"]
    lines = [
        f"Annual campaign status — {report['campaignDate']} (Jan 01 UTC)",
        f"Ready for search: {'YES' if summary['readyForSearch'] else 'NO'}",
        f"Summary: total={summary['totalSources']} indexed={summary['indexed']} in_progress={summary['inProgress']} "
        f"failed={summary['failed']} missing={summary['missing']} errors={summary['errors']}",
    ]
    for label, key in (("Rescue states", "rescueStates"), ("Operator states", "operatorStates")):
        if summary[key]:
            lines.append(f"{label}: {' '.join(f'{name}={count}' for name, count in sorted(summary[key].items()))}")
    return "\n".join([*lines, "", *(_source(entry, report["campaignYear"]) for entry in report["sources"])])


def _source(entry: dict[str, Any], year: int) -> str:
    code, job = entry["sourceCode"], entry["job"]
    if entry["status"] == "error":
        return f"{code}: ERROR {entry['error']}"
    if job is None:
        line = f"{code}: MISSING annual job for {year} (expected {entry['expectedJobName']})"
        blocking = entry["blockingJob"]
        if blocking is None:
            return line
        return f"{line}; active_job={blocking['jobId']}({blocking['status']}) {blocking['jobName']}"
    rescue = job["rescue"]
    return (
        f"{code}: job_id={job['jobId']} status={entry['status']} operator_state={rescue['operatorState']} "
        f"backend={rescue['backend']} rescue={rescue['state']} indexed_pages={job['indexedPageCount']} "
        f"retries={job['retryCount']} crawl_rc={job['crawlerExitCode']} crawl_status={job['crawlerStatus']} "
        f"name={job['jobName']}"
    )
