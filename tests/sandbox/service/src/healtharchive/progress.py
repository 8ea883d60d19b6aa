# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a crawl is doing, from its newest combined log."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from healtharchive.crawler.files import combined_logs, statistics, tail


def progress_age_seconds(output_dir: str) -> int | None:
    """Seconds since the crawled counter last changed, ``None`` when the log does not tell.

    The counter's first value in the tail counts as a change: nothing is known of the time before it.
    """
    try:
        logs = combined_logs(Path(output_dir))
        if not logs:
            return None
        lines = [line for line in tail(logs[-1]).splitlines() if '"context":"crawlStatus"' in line]
    except OSError:
        return None
    changed_at, crawled = None, None
    for line in lines:
        for entry in statistics(line):
            if entry.crawled != crawled:
                crawled, changed_at = entry.crawled, line.split('"timestamp":"', 1)[-1].split('"', 1)[0]
    if changed_at is None:
        return None
    try:
        return max(0, int(time.time() - datetime.fromisoformat(changed_at).timestamp()))
    except ValueError:
        return None
