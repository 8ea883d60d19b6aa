# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of jobs beyond their rows: lock, output directory, configuration, and how far the crawl is.

Nothing is created or written: locks are tried as readers, the right to write is asked of the kernel, and a log is read
from its end.
"""

from __future__ import annotations

import errno
import os
import time
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .. import host, job_directories, links, locks, look, tails
from ..parse import crawl_log, job_config, jobs, mounts, times
from ..parse.errors import ParseError
from ..parse.text import one_line
from ..probe import Context, Problem
from .environment import lock_directories

NAME_LIMIT = 500  # characters of a job's name in the evidence; a name is free text of any length
# Without a new line in the crawl's log for this long, a running row whose lock is free is stale: the worker's own
# measure when it heals such rows (contract 2.2).
LOG_QUIET_SECONDS = 300
# A crawl whose counter stands still for so long is stalled (contract 4.3).
STALLED_SECONDS = 3600
# Clocks of the host's parts differ by less; what lies further in the future tells that the clock was set back.
CLOCK_TOLERANCE_SECONDS = 60
# How much of a log is read, from its end: of a running crawl what the service itself reads (contract 2.6), of one that
# ended only how it ended.
RUNNING_TAIL_BYTES = 1024 * 1024
ENDED_TAIL_BYTES = 64 * 1024
# Running crawls whose logs are read; a host runs a few at most.
RUNNING_TAILS = 8
_LOOK_SECONDS = 6.0
_LOG_SUFFIX = ".combined.log"
_ENDED = ("failed", "retryable")
_OPTIONS_LIMIT = 300
_JOBS_NAMED = 5
_DIRECTORIES_LISTED = 2000
DIRECTORIES_FOUND = 20
_URGENT = ("running", "retryable", "failed", "queued")
_AHEAD = "Some jobs began, ended or wrote in the future (%s): a clock is or was wrong, and no age can be trusted."

# Known of one source only, or not needed once they have been used.
_NOT_SHOWN = ("combined_log_path", "ambiguous", "backend", "rescue", "config")
_LOCK_ORDER = ("held", "unknown", "free", "absent")
_FACTS = (
    "status_known", "age_seconds", "finished_age_seconds", "lock", "log_age_seconds", "stale", "stalled",
    "campaign_year", "campaign", "wrong_options", "listable",
    "directory_state", "writable", "tier",
    "crawled", "crawl_total", "crawl_failed", "progress_age_seconds",
    "navigation_timeouts", "http2_errors", "poisoned_resume", "rejected_options",
)  # fmt: skip


def add(context: Context, found: List[Dict[str, Any]]) -> List[Problem]:
    """Add the facts of docs/evidence.md to the jobs, null where they were not established or mean nothing."""
    problems: List[Problem] = []
    for job in found:
        job.update(dict.fromkeys(_FACTS))
        job.setdefault("details", None)
        job["status_known"] = job["status"] in jobs.KNOWN_STATUSES
        _add_configuration(job)
        for key in _NOT_SHOWN:
            job.pop(key, None)
        job["name"] = job["name"][:NAME_LIMIT]
    running = [job for job in found if job["status"] == "running"]
    now = time.time()
    for job in found:
        if job["status"] == "completed":
            job["finished_age_seconds"] = _age(job["finished_at"], now)
    _find_output_directories(context, found)
    placed = [job for job in found if _is_path(job["output_directory"])]
    looks = look.look(
        {job["output_directory"]: _LOG_SUFFIX for job in placed},
        context.seconds(_LOOK_SECONDS),
        host.account(context.settings.service_user),
    )
    for job in placed:
        _add_directory(job, looks[job["output_directory"]])
    _add_tiers(context, [job for job in placed if job["campaign_year"] is not None])
    _add_progress(context, placed, looks, now)
    ahead: List[int] = []
    directories = sorted({path for path in lock_directories(context).values() if path})
    for job in running:
        job["age_seconds"] = _age(job["started_at"], now)
        job["lock"] = lock_of(job["id"], directories)
        seen = looks.get(job["output_directory"]) if job["output_directory"] else None
        log_known = seen is not None and seen.asked and not seen.hung and seen.errno in (None, errno.ENOENT)
        if not log_known:
            problems.append(
                Problem("unreachable", "The output directory of job %d could not be looked at." % job["id"])
            )
        if seen is not None and seen.newest is not None:
            job["log_age_seconds"] = _since(seen.newest[1], now)
            if job["log_age_seconds"] is None:
                log_known = False
                ahead.append(job["id"])
        job["stale"] = is_stale(job, log_known, context.stale_after_seconds)
        job["stalled"] = is_stalled(job)
    ahead += [job["id"] for job in found if _is_ahead(job["started_at"], now) or _is_ahead(job["finished_at"], now)]
    if ahead:
        problems.append(Problem("bad_evidence", _AHEAD % ", ".join(map(str, sorted(set(ahead))[:_JOBS_NAMED]))))
    return problems


def is_stale(job: Mapping[str, Any], log_known: bool, stale_after_seconds: int) -> Optional[bool]:
    """Whether a running row stands for no crawl: its lock free, old enough, its log quiet. None: cannot be told.

    A row without a start time is stale as soon as its lock is free, as for the worker (contract 2.2); one whose age is
    not known, because it began after now, may be of any age.
    """
    if job["lock"] == "held":
        return False
    if _in_the_future(job["age_seconds"]) or _in_the_future(job["log_age_seconds"]):
        return None
    if job["age_seconds"] is not None and job["age_seconds"] < stale_after_seconds:
        return False
    if job["log_age_seconds"] is not None and job["log_age_seconds"] < LOG_QUIET_SECONDS:
        return False
    if job["lock"] not in ("free", "absent") or not log_known or _age_is_lost(job):
        return None
    return True


def is_stalled(job: Mapping[str, Any]) -> Optional[bool]:
    """Whether something holds a running job's lock but crawls nothing: its counter has stood still for an hour, or its
    log has been quiet for that long. None: cannot be told."""
    if job["stale"] is True or job["lock"] in ("free", "absent"):
        return False
    if any(_in_the_future(job[key]) for key in ("age_seconds", "progress_age_seconds", "log_age_seconds")):
        return None
    if job["age_seconds"] is not None and job["age_seconds"] < STALLED_SECONDS:
        return False
    if job["progress_age_seconds"] is not None and job["progress_age_seconds"] < STALLED_SECONDS:
        return False
    quiet = job["log_age_seconds"] is not None and job["log_age_seconds"] >= STALLED_SECONDS
    if job["lock"] != "held" or not (quiet or job["progress_age_seconds"] is not None) or _age_is_lost(job):
        return None
    return True


def _in_the_future(age: Optional[float]) -> bool:
    """Whether it was written by another clock than the one that is asked: then its age says nothing."""
    return age is not None and age < -CLOCK_TOLERANCE_SECONDS


def lock_of(job_id: int, directories: List[str]) -> str:
    """The state of a job's lock over all directories where it may lie: held in one is held (surprise 25)."""
    states = {locks.state("%s/job-%d.lock" % (directory, job_id)) for directory in directories} or {"unknown"}
    return next(state for state in _LOCK_ORDER if state in states)


def _add_configuration(job: Dict[str, Any]) -> None:
    """Facts of the configuration; without it, the name alone tells of a campaign."""
    config = job["config"]
    job["campaign_year"] = job_config.campaign_year(job["source"], job["name"], config)
    if config is None:
        return
    job["wrong_options"] = job_config.wrong_options(config)
    job["listable"] = not job["wrong_options"]
    if job["campaign_year"] is None:
        job["campaign"] = "none"
    else:
        job["campaign"] = "present" if job_config.has_campaign_metadata(config) else "lost"


def _add_directory(job: Dict[str, Any], seen: look.Look) -> None:
    if not seen.asked:
        return
    if seen.hung:
        job["directory_state"] = "hung"
        return
    states = {None: "ok", errno.ENOENT: "missing", errno.ENOTCONN: "stale"}
    job["directory_state"] = states.get(seen.errno, "error")
    job["writable"] = seen.writable
    if job["campaign"] == "none":
        job["tier"] = "none"


def _add_tiers(context: Context, annual: List[Dict[str, Any]]) -> None:
    """Whether the output directories of annual jobs are on the storage box, where they belong (contract 1.9)."""
    mounted = _mount_points() if annual else None
    if mounted is None:
        return
    root = context.settings.archive_root
    followed = links.follow([root, *(job["output_directory"] for job in annual)], context.seconds(_LOOK_SECONDS))
    inside = [path for path in mounted if path.startswith((followed[root] or root) + "/")]
    for job in annual:
        directory = followed[job["output_directory"]] or os.path.normpath(job["output_directory"])
        if job["directory_state"] in (None, "hung"):
            continue
        if any(directory == path or directory.startswith(path + "/") for path in inside):
            job["tier"] = "mounted"
        elif job["directory_state"] == "ok":
            job["tier"] = "local"
        elif job["directory_state"] == "missing":
            job["tier"] = "no_directory"


def _add_progress(context: Context, placed: List[Dict[str, Any]], looks: Mapping[str, look.Look], now: float) -> None:
    sizes: Dict[str, int] = {}
    logs: List[Any] = []
    for job in placed:
        newest = looks[job["output_directory"]].newest
        running = job["status"] == "running"
        if newest is None or not (running or job["status"] in _ENDED):
            continue
        if running and sum(size == RUNNING_TAIL_BYTES for size in sizes.values()) >= RUNNING_TAILS:
            continue
        path = "%s/%s" % (job["output_directory"], newest[0])
        sizes[path] = max(sizes.get(path, 0), RUNNING_TAIL_BYTES if running else ENDED_TAIL_BYTES)
        logs.append((job, path))
    read = tails.tails(sizes, context.seconds(_LOOK_SECONDS))
    for job, path in logs:
        tail = read[path]
        if tail is not None:
            _add_log(context, job, crawl_log.crawl_log(tail.content, tail.whole), now)


def _add_log(context: Context, job: Dict[str, Any], log: Mapping[str, Any], now: float) -> None:
    counters = log["counters"]
    if counters is not None:
        job["crawled"], job["crawl_total"], job["crawl_failed"] = (
            counters["crawled"],
            counters["total"],
            counters["failed"],
        )
    job["navigation_timeouts"] = log["navigation_timeouts"]
    job["http2_errors"] = log["http2_errors"]
    job["poisoned_resume"] = log["poisoned_resume"]
    if log["rejected_options"] is not None:
        # Redacted before it is cut: half a secret is no longer recognised.
        job["rejected_options"] = one_line(context.redactor.text(log["rejected_options"]), _OPTIONS_LIMIT)
    if job["status"] == "running":
        job["progress_age_seconds"] = _age(log["changed_at"], now)


def _mount_points() -> Optional[List[str]]:
    """From the kernel, which touches no mount; None: not known."""
    try:
        with open("/proc/self/mountinfo", "rb") as handle:
            return [entry["mount_point"] for entry in mounts.mountinfo(handle.read())]
    except (OSError, ParseError):
        return None


def _is_path(value: Optional[str]) -> bool:
    return value is not None and value.startswith("/") and "\0" not in value


def _age(moment: Optional[str], now: float) -> Optional[float]:
    return None if moment is None else _since(times.to_epoch(moment), now)


def _since(moment: float, now: float) -> Optional[float]:
    """Seconds since then; None when that is ahead: one of the two clocks is wrong, and the age is not known."""
    age = round(now - moment, 1)
    return max(age, 0.0) if age >= -CLOCK_TOLERANCE_SECONDS else None


def _is_ahead(moment: Optional[str], now: float) -> bool:
    return moment is not None and _age(moment, now) is None


def _age_is_lost(job: Mapping[str, Any]) -> bool:
    return job["age_seconds"] is None and job["started_at"] is not None


def _find_output_directories(context: Context, found: List[Dict[str, Any]]) -> None:
    """Where the source does not say it, of the jobs that matter most: by the name, if just one directory has it."""
    wanted = [job for job in found if job["output_directory"] is None and job["details"] is None and job["source"]]
    listed = None
    if wanted:
        root = context.settings.archive_root
        listed = job_directories.newest(root, _DIRECTORIES_LISTED, context.seconds(_LOOK_SECONDS))
    paths: Dict[Tuple[str, str], List[str]] = {}
    for path in listed or []:
        paths.setdefault(job_directories.source_and_name(path), []).append(path)
    for job in sorted(wanted, key=urgency)[:DIRECTORIES_FOUND]:
        of_job = paths.get((job["source"], job["name"]), [])
        if len(of_job) == 1:
            job["output_directory"] = of_job[0]


def urgency(job: Mapping[str, Any]) -> Tuple[int, bool, str, int]:
    """Sorts jobs by how much what is not in their rows matters; what is indexed is not asked for at all.

    Of those that wait, an annual one comes first, for it blocks the others, and then whose turn is next: the worker takes
    the oldest, those without a time first (contract 2.2).
    """
    rank = _URGENT.index(job["status"]) if job["status"] in _URGENT else len(_URGENT)
    return rank, not looks_annual(job), job["queued_at"] or "", job["id"]


def looks_annual(job: Mapping[str, Any]) -> bool:
    """Whether it is, by its name, a job of an annual campaign."""
    return job_config.campaign_year(job["source"], job["name"], None) is not None
