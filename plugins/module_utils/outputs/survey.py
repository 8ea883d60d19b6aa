# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at the output directories of jobs that are not finished. Nothing is changed. Private to this collection."""

from __future__ import annotations

import re
import shlex
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .. import job_rules, links, look, service
from ..parse import times
from ..probe import Context
from ..probes import job_facts, jobs
from ..probes.units import WORKER
from ..refusal import Refusal
from ..tiers import survey
from .facts import Directory, Facts, Tiering

_STATUSES = ("queued", "running", "retryable", "failed")
_LOOK_SECONDS = 6.0
_JOURNAL_SECONDS = 15.0
_LOG_SUFFIX = ".combined.log"
# The worker's own words (contract 2.2, incident I3); a path may stand in quotes there.
_WORDS = "is invalid or not writable"
_BOX_DIRECTORY = "/jobs"


def look_at(context: Context, lock_directory: str, before: Sequence[Mapping[str, Any]], head: Optional[str]) -> Facts:
    """``before``: the actions on record. :class:`Refusal` where the jobs cannot be read."""
    found = jobs.probe(context)
    if found.data is None:
        raise Refusal(
            "jobs_unreadable",
            "Which jobs are to write where is not known: %s" % "; ".join(problem.message for problem in found.problems),
            "See what is wrong with the API or the database first (playbook triage).",
        )
    # One that waits behind others is looked at when its turn comes.
    wanted = [job for job in found.data["jobs"] if job["status"] in _STATUSES and job["details"] is not False]
    table = survey.mounted()
    followed = links.follow([str(job["output_directory"]) for job in wanted if job["output_directory"]], _LOOK_SECONDS)
    seen = [_directory(context, job, lock_directory, table, followed, before, head) for job in wanted]
    counted = _entries(context, [each for each in seen if each.tier == "local"])
    seen = [each._replace(entries=counted.get(str(each.path))) for each in seen]
    settings = context.settings
    return Facts(
        tuple(seen),
        _tiering(context, seen),
        settings.service_user,
        settings.cli,
        shlex.join([settings.python, "-B", settings.script("vps-annual-output-tiering.py")]),
        settings.env_file,
        settings.storage_mount + _BOX_DIRECTORY,
        bool(found.data["truncated"]),
    )


def _directory(
    context: Context,
    job: Mapping[str, Any],
    lock_directory: str,
    table: survey.Table,
    followed: Mapping[str, Optional[str]],
    before: Sequence[Mapping[str, Any]],
    head: Optional[str],
) -> Directory:
    path = job["output_directory"]
    real = followed.get(str(path)) or path
    mount = max((point for point in table if _under(str(real), point)), key=len, default=None)
    entry = table[mount][-1] if mount is not None and path is not None else {}
    each = Directory(
        job["id"],
        job["source"],
        job["status"],
        job["retry_count"],
        real,
        job_facts.lock_of(job["id"], [lock_directory]),
        job["campaign_year"],
        job["campaign"],
        job["directory_state"],
        job["tier"],
        job["writable"],
        entry.get("fstype"),
        entry.get("options"),
    )
    spent = each.status == "failed" or (each.status == "retryable" and bool(each.retry_count))
    if not spent or each.state != "ok" or each.writable is not True:
        return each
    failed = _failed_on_it(context, job, str(path))
    return each._replace(failed_on_it=failed, parked=_parked(job, before, head) if failed else None)


def _under(path: str, point: str) -> bool:
    return point == "/" or path == point or path.startswith(point + "/")


def _parked(job: Mapping[str, Any], before: Sequence[Mapping[str, Any]], head: Optional[str]) -> Optional[str]:
    if job["status"] != "failed":
        return None
    try:
        job_rules.check_parked({**job, "read_from": "admin_api" if job["details"] else "cli"}, before, head)
    except Refusal as refusal:
        return str(refusal)
    return None


def _failed_on_it(context: Context, job: Mapping[str, Any], path: str) -> Optional[bool]:
    """Whether the worker said so since the job's last crawl began, and that crawl wrote no log. None: not known."""
    if job["started_at"] is None:
        return False
    started = times.to_epoch(job["started_at"])
    seen = look.look({path: _LOG_SUFFIX}, context.seconds(_LOOK_SECONDS))[path]
    if not seen.asked or seen.hung or seen.errno is not None:
        return None
    if seen.newest is not None and seen.newest[1] >= started:
        return False
    argv = [
        "/usr/bin/journalctl",
        "--unit",
        WORKER,
        "--since",
        "@%d" % (int(started) - 1),
        "--no-pager",
        "--output=cat",
    ]
    result = context.run([*argv, "--lines=200", "--grep", _WORDS], _JOURNAL_SECONDS)
    # It ends with 1 where no line is found.
    if result.failure is not None or result.rc not in (0, 1):
        return None
    line = re.compile(r"(?<![^\s'\"])%s['\"]? %s" % (re.escape(path), _WORDS))
    return any(line.search(each) for each in result.stdout.decode("utf-8", "replace").splitlines())


def _entries(context: Context, local: Sequence[Directory]) -> Dict[str, Optional[int]]:
    seen = look.look(dict.fromkeys((str(each.path) for each in local), ""), context.seconds(_LOOK_SECONDS))
    return {
        path: None if not found.asked or found.hung or found.errno else found.matches for path, found in seen.items()
    }


def _tiering(context: Context, seen: Sequence[Directory]) -> Dict[Tuple[int, str], Tiering]:
    """Asked only for what is empty and on the local disk: the script lists each directory of its campaign."""
    wanted = {
        (each.year, each.source)
        for each in seen
        if each.year is not None and each.tier == "local" and each.entries == 0 and service.is_source(each.source)
    }
    return {(year, str(source)): ask(context, year, str(source)) for year, source in sorted(wanted, key=str) if year}


def ask(context: Context, year: int, source: str) -> Tiering:
    """What the annual tiering would do now. A dry run."""
    try:
        return Tiering(
            dict(survey.ask_tiering(context, service.annual_tiering(context.settings, year, [source])).binds)
        )
    except survey.NotSaid as error:
        return Tiering({}, str(error))


def still_empty(context: Context, paths: Sequence[str]) -> List[str]:
    """Of these, which are not an empty directory of the local disk any more."""
    table = survey.mounted()
    seen = look.look(dict.fromkeys(paths, ""), context.seconds(_LOOK_SECONDS))
    return [
        path
        for path in paths
        if path in table or not seen[path].asked or seen[path].hung or seen[path].errno or seen[path].matches != 0
    ]
