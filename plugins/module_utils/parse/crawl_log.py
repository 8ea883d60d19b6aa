# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a crawl's combined log: how far it is, since when, and what stands in its way (contract 2.2, 2.6, 4.3).

The log mixes the browser crawler's JSON lines with texts of other programs and of the sites that it visits: nothing in it
is trusted to be well-formed.
"""

from __future__ import annotations

import json
import re
from typing import Any, Optional

from . import times
from .text import decode

COUNTERS = ("crawled", "total", "pending", "failed")

_STATUS = b'"crawlStatus"'
_NAVIGATION_TIMEOUT = re.compile(rb"navigation timeout of [0-9]{1,9} ?ms exceeded", re.IGNORECASE)
_HTTP2_ERROR = b"ERR_HTTP2_PROTOCOL_ERROR"
# Of a crawl that resumed from a broken state: it ends at once, having crawled nothing (incident I11).
_EMPTY_WARC = b"is unprocessable and looks probably mostly empty"
# argparse's own words for an option that it does not know, and the ones that other programs use (contract 2.2).
_REJECTED = re.compile(rb"(?:unrecognized arguments|unknown options?)\b:?[ \t]*([^\n]*)", re.IGNORECASE)
_LINE_LIMIT = 64 * 1024


def crawl_log(tail: bytes, whole: bool) -> dict[str, Any]:
    """What the last bytes of a combined log say; ``whole``: they are all of it.

    - ``counters``: ``{"crawled", "total", "pending", "failed"}`` of the last crawlStatus line, None without one.
    - ``changed_at``: when its ``crawled`` was first reported (UTC, ``2026-11-23T15:44:08Z``). Where it never changes in
      what was read of a longer log, it did so earlier: the crawl has stood still for that long at least. None without a
      crawlStatus line, or without a time in it.
    - ``navigation_timeouts``, ``http2_errors``: how often they are named.
    - ``poisoned_resume``: it names a WARC file that is mostly empty, and nothing was crawled.
    - ``rejected_options``: what the crawler said of options that it does not know, at its last such line; None: nothing.
      It may be of any length and hold anything.

    Never raises.
    """
    if not whole:
        tail = tail.partition(b"\n")[2]
    counters: Optional[dict[str, int]] = None
    changed_at: Optional[str] = None
    empty_warcs = 0
    rejected: Optional[str] = None
    timeouts = errors = 0
    for line in tail.split(b"\n"):
        if _STATUS in line:
            status = _status(line)
            if status is not None:
                if counters is None or status["crawled"] != counters["crawled"]:
                    changed_at = status["at"]
                counters = {name: status[name] for name in COUNTERS}
                continue
        if _NAVIGATION_TIMEOUT.search(line):
            timeouts += 1
        if _HTTP2_ERROR in line:
            errors += 1
        if _EMPTY_WARC in line:
            empty_warcs += 1
        match = _REJECTED.search(line)
        if match is not None:
            rejected = decode(match.group(1)).strip()
    crawled = None if counters is None else counters["crawled"]
    return {
        "counters": counters,
        "changed_at": changed_at,
        "navigation_timeouts": timeouts,
        "http2_errors": errors,
        "poisoned_resume": empty_warcs > 0 and not crawled,
        "rejected_options": rejected,
    }


def _status(line: bytes) -> Optional[dict[str, Any]]:
    """A crawlStatus line, which something may have been written before; None for what only looks like one."""
    start = line.find(b"{")
    if start < 0 or len(line) > _LINE_LIMIT:
        return None
    try:
        entry = json.loads(line[start:].decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("context") != "crawlStatus":
        return None
    details = entry.get("details")
    if not isinstance(details, dict) or not all(_is_count(details.get(name)) for name in COUNTERS):
        return None
    return {**{name: details[name] for name in COUNTERS}, "at": _time(entry.get("timestamp"))}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _time(value: Any) -> Optional[str]:
    if not isinstance(value, str):
        return None
    try:
        return times.from_zoned(value)
    except ValueError:
        return None
