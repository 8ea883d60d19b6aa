# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair that was not broken yet, put together from the recordings of its two faults.

The model: each fault changes what it changes on a host that is well, and both changes are there. Lists hold the items of
both; what one fault hides stays hidden. It knows nothing of what one fault does to the other, so where both change the same
thing, or one changes the way in which the other is seen, it says nothing: such a pair is broken, or not judged at all.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Mapping, Optional

from . import recordings

# Different on every host and at every moment.
_NOISE = frozenset(
    (
        "seconds", "collected_at", "duration_seconds", "host", "settings", "started_at", "main_pid", "newest_at", "tail",
        "lines", "age_seconds", "last_seen_at", "sample", "changed_at", "checkout_changed_at", "available_bytes",
        "size_bytes", "ok", "count", "counts", "restarts", "addresses",
    )
)  # fmt: skip
# One answer, which is the one fault's or the other's.
_WHOLE = ("api", "database", "public_surface", "outside_view")
_KEYS = ("name", "key", "check", "path", "code", "variable", "sha", "job_id", "message")
_SAME_NUMBER = 3.0
_APART = 1000
_COMMIT = re.compile(r"[0-9a-f]{40}")
# The faults share the job that keeps the worker busy.
_SHARED = ("hc-busy",)
_STATUSES = ("ok", "partial", "unknown")


class _NotModelled(Exception):
    """Both faults change the same thing."""


def together(well: Mapping[str, Any], first: Mapping[str, Any], second: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """The evidence of both faults, from that of a host that is well and of each fault; None: the model does not say."""
    plain, one, two = (_comparable(document) for document in (well, first, second))
    _renumber(plain, two)
    try:
        probes = {
            name: _probe(name, *(each["probes"].get(name) for each in (plain, one, two))) for name in plain["probes"]
        }
    except _NotModelled:
        return None
    return {**one, "probes": probes}


def _probe(name: str, well: Any, one: Any, two: Any) -> Any:
    if one is None or two is None:
        raise _NotModelled
    if one["data"] is None or two["data"] is None:
        return one if one["data"] is None else two
    if name in _WHOLE and _changed(well["data"], one["data"]) and _changed(well["data"], two["data"]):
        raise _NotModelled
    if name == "jobs" and one["data"]["source"] != two["data"]["source"]:
        cli, api = (one, two) if one["data"]["source"] == "cli" else (two, one)
        if _changed(well["data"]["jobs"], api["data"]["jobs"]):
            raise _NotModelled
        return cli
    status = max((one["status"], two["status"]), key=_STATUSES.index)
    problems = _list([], one["problems"], two["problems"])
    return {
        "status": status,
        "seconds": 0.0,
        "problems": problems,
        "data": _both(well["data"], one["data"], two["data"]),
    }


def _both(well: Any, one: Any, two: Any) -> Any:
    if not _changed(well, one):
        return two
    if not _changed(well, two) or not _changed(one, two):
        return one
    if isinstance(one, dict) and isinstance(two, dict):
        known = well if isinstance(well, dict) else {}
        return {
            key: one[key] if key not in two or (key in _NOISE and key in one)
            else two[key] if key not in one
            else _both(known.get(key), one[key], two[key])
            for key in {**one, **two}
        }  # fmt: skip
    if isinstance(one, list) and isinstance(two, list):
        return _list(well if isinstance(well, list) else [], one, two)
    raise _NotModelled


def _list(well: List[Any], one: List[Any], two: List[Any]) -> List[Any]:
    known, first, second = ({_key(item): item for item in items} for items in (well, one, two))
    found = []
    for key in {**first, **second}:
        if key in first and key in second:
            shared = isinstance(first[key], dict) and first[key].get("name") in _SHARED
            found.append(first[key] if shared else _both(known.get(key), first[key], second[key]))
        elif key not in known:
            found.append(first.get(key, second.get(key)))
    return found


def _changed(before: Any, after: Any) -> bool:
    if isinstance(before, dict) and isinstance(after, dict):
        # A member that only one of them has came to the evidence between the two recordings.
        return any(_changed(before[key], after[key]) for key in before if key in after and key not in _NOISE)
    if isinstance(before, list) and isinstance(after, list):
        known, now = ({_key(item): item for item in items} for items in (before, after))
        return known.keys() != now.keys() or any(_changed(known[key], now[key]) for key in known)
    if isinstance(before, float) and isinstance(after, float):
        return abs(before - after) > _SAME_NUMBER
    return bool(before != after)


def _key(item: Any) -> str:
    if isinstance(item, dict):
        return json.dumps([item.get(key) for key in _KEYS])
    return json.dumps(item)


def _comparable(document: Mapping[str, Any]) -> Dict[str, Any]:
    """A copy without what is the guest's own, commits numbered as they come."""
    numbers: Dict[str, str] = {}

    def number(match: "re.Match[str]") -> str:
        return numbers.setdefault(match.group(), "%040x" % (len(numbers) + 1))

    copy: Dict[str, Any] = json.loads(_COMMIT.sub(number, json.dumps(recordings.plain(document))))
    return copy


def _renumber(well: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """Give the jobs of one fault numbers of their own: on their guests both had the next one."""
    jobs, before = (each["probes"]["jobs"]["data"] for each in (document, well))
    if jobs is None or before is None:
        return
    known = {job["id"] for job in before["jobs"]}
    for job in jobs["jobs"]:
        if job["id"] not in known:
            job["id"] += _APART
    for record in jobs["annual_options"] or []:
        if record["job_id"] not in known:
            record["job_id"] += _APART
