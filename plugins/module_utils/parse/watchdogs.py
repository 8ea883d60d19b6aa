# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watchdogs that recover crawls and hot paths see and did, from their state files and metrics (contract 1.7, 1.8).

A watchdog is *idle* when it is enabled, has long seen something that it should mend, and did nothing successful about it
since: its timer is green all the while (incident I6). Private to this collection.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from .errors import ParseError

# How long a watchdog may see a target before that is too long, in seconds. The one for hot paths runs every minute and
# waits for two runs and 120 s; the one for crawls runs every five minutes and waits for an hour without progress.
STORAGE_PATIENCE_SECONDS = 1800.0
CRAWL_PATIENCE_SECONDS = 7200.0
# What is older than this was not written by a watchdog that runs: it says nothing of now.
FRESH_SECONDS = 900.0
# Past this many recoveries of a job in a day the watchdog stands still on purpose (contract 3.5).
CRAWL_RECOVERIES_A_DAY = 3
_DAY_SECONDS = 86400.0

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^}]*)\})?\s+(\S+)(?:\s+\S+)?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_STALLED = "healtharchive_crawl_running_job_stalled"
_AGE = "healtharchive_crawl_running_job_last_progress_age_seconds"
_WRITTEN = "healtharchive_crawl_metrics_timestamp_seconds"


class Watch(NamedTuple):
    """What one watchdog sees. ``targets`` are ``{"subject", "seen_for_seconds"}``, None when that is not known; ``idle``
    leaves out whether it is enabled, and is None when it is not known."""

    targets: Optional[List[Dict[str, Any]]]
    last_action_at: Optional[str]
    idle: Optional[bool]


def state(content: bytes) -> Dict[str, Any]:
    """A state file; :class:`ParseError` if it is no JSON object."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ParseError("unparsable", "it is not JSON: %s" % error) from error
    if not isinstance(value, dict):
        raise ParseError("unparsable", "it is not a JSON object")
    return value


def hot_paths(known: Mapping[str, Any], now: float) -> Watch:
    """The watchdog of stale hot paths: seen for long, and no successful repair since it was first seen."""
    observations = known.get("observations", {})
    if not isinstance(observations, dict):
        return Watch(None, None, None)
    applied = _moment(known.get("last_apply_utc"))
    answers: List[Optional[bool]] = []
    targets = []
    for key, seen in observations.items():
        first = _moment(seen.get("first_seen_utc")) if isinstance(seen, dict) else None
        last = _moment(seen.get("last_seen_utc")) if isinstance(seen, dict) else None
        if first is None or last is None:
            answers.append(None)
            continue
        if not -FRESH_SECONDS <= now - last <= FRESH_SECONDS:
            continue
        path = seen.get("path")
        targets.append({"subject": path if isinstance(path, str) else key, "seen_for_seconds": round(last - first, 1)})
        mended = known.get("last_apply_ok") in (True, 1) and applied is not None and applied >= first
        answers.append(last - first >= STORAGE_PATIENCE_SECONDS and not mended)
    return Watch(targets, _shown(applied), _any(answers))


def crawls(known: Mapping[str, Any], metrics: Optional[bytes], now: float) -> Watch:
    """The watchdog of stalled crawls: a job without progress for long, and no recovery of it since."""
    recoveries = known.get("recoveries", {})
    if not isinstance(recoveries, dict):
        return Watch(None, None, None)
    actions = {
        str(job): [_moment(each) for each in moments] if isinstance(moments, list) else [None]
        for job, moments in recoveries.items()
    }
    newest = max((each for moments in actions.values() for each in moments if each is not None), default=None)
    samples = None if metrics is None else _samples(metrics)
    written = None if samples is None else samples.get((_WRITTEN, ""))
    if samples is None or written is None or abs(now - written) > FRESH_SECONDS:
        return Watch(None, _shown(newest), None)
    answers: List[Optional[bool]] = []
    targets = []
    for (name, job), value in samples.items():
        if name != _STALLED or value != 1:
            continue
        age = samples.get((_AGE, job))
        targets.append({"subject": "job %s" % job, "seen_for_seconds": age})
        moments = actions.get(job, [])
        if age is None or None in moments:
            answers.append(None)
            continue
        seen = [each for each in moments if each is not None]
        spent = sum(1 for each in seen if now - each <= _DAY_SECONDS) >= CRAWL_RECOVERIES_A_DAY
        answers.append(age >= CRAWL_PATIENCE_SECONDS and not spent and not any(each >= now - age for each in seen))
    return Watch(targets, _shown(newest), _any(answers))


def _any(answers: List[Optional[bool]]) -> Optional[bool]:
    return True if True in answers else None if None in answers else False


def _samples(content: bytes) -> Dict[Any, float]:
    """(metric, job) -> value of a textfile of node exporter; ``""`` where a sample has no job."""
    found = {}
    for line in content.decode("utf-8", "replace").splitlines():
        match = _SAMPLE.fullmatch(line.strip())
        if match is None:
            continue
        try:
            value = float(match.group(3))
        except ValueError:
            continue
        if value - value == 0:  # neither infinite nor no number
            found[match.group(1), dict(_LABEL.findall(match.group(2) or "")).get("job_id", "")] = value
    return found


def _moment(value: Any) -> Optional[float]:
    """Seconds since 1970 of an ISO time (UTC where it names no zone) or of a number; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value) if 0 < value < 1e11 else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value[:-1] + "+00:00" if value.endswith("Z") else value)
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
        return zoned.timestamp()
    except (ValueError, OverflowError):
        return None


def _shown(moment: Optional[float]) -> Optional[str]:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
