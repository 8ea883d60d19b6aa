# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether annual jobs are told what the deployed code wants them to be told (contract 2.3, 4.11).

The service's own dry run says it. It writes nothing, and is asked only for jobs that would crawl with wrong options.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional

from .. import service
from ..parse import annual
from ..parse.errors import ParseError
from ..probe import Context, Problem, complaint, failed

SECONDS = 20.0
# Jobs of these statuses crawl now or may crawl again.
STATUSES = ("running", "queued", "retryable", "failed")
# The newest campaigns that are asked for; an open job of an older one is looked at when these are done.
YEARS = 2

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")


def read(context: Context, jobs: List[Dict[str, Any]], problems: List[Problem]) -> Optional[List[Dict[str, Any]]]:
    """One record for each open annual job (docs/evidence.md), its facts null where the command did not judge it.

    An empty list: there is none. None: it could not be asked.
    """
    wanted: Dict[int, Dict[int, str]] = {}
    for job in jobs:
        if job["status"] in STATUSES and job["campaign_year"] is not None and _SOURCE.fullmatch(job["source"] or ""):
            wanted.setdefault(job["campaign_year"], {})[job["id"]] = job["source"]
    records: List[Dict[str, Any]] = []
    for year in sorted(wanted, reverse=True)[:YEARS]:
        sources = sorted(set(wanted[year].values()))
        judged = _ask(context, year, sources, problems)
        if judged is None:
            return None
        for job_id, source in sorted(wanted[year].items()):
            verdict = judged.get(job_id, {"options_drifted": None, "metadata_lost": None, "changes": []})
            records.append({"job_id": job_id, "source": source, "year": year, **verdict})
    return records


def _ask(
    context: Context, year: int, sources: List[str], problems: List[Problem]
) -> Optional[Dict[int, Dict[str, Any]]]:
    argv = service.reconcile_annual_tool_options(context.settings, year, sources)
    result = context.run_service(argv, SECONDS, production=True)
    if result.failure is not None:
        problems.append(failed(result, "reconcile-annual-tool-options"))
        return None
    if result.rc != 0:
        message = "reconcile-annual-tool-options ended with %d: %s" % (result.rc, complaint(result.stderr))
        problems.append(Problem("command_failed", message))
        return None
    try:
        found = annual.reconciliation(result.stdout)
    except ParseError as error:
        problems.append(Problem(error.code, str(error)))
        return None
    return {record["job_id"]: {key: record[key] for key in record if key != "job_id"} for record in found}
