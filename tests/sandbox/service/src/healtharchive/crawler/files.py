# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and contents of what a crawl writes: logs, temporary directories, WARC files, the resume marker."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

LOG_PATTERN = "archive_*.combined.log"
RESUME_FILE = ".zimit_resume.yaml"
MANAGED_CONFIG_FILE = ".browsertrix_managed_config.yaml"
TAIL_BYTES = 1024 * 1024

_STATISTICS = re.compile(
    r'"context":"crawlStatus".*?"crawled":(?P<crawled>\d+),"total":(?P<total>\d+),"pending":(?P<pending>\d+)'
    r',"failed":(?P<failed>\d+)'
)


@dataclass(frozen=True)
class Statistics:
    """One crawlStatus line."""

    crawled: int
    total: int
    pending: int
    failed: int

    def log_line(self, timestamp: str) -> str:
        """The line as the crawler logs it."""
        return (
            f'{{"timestamp":"{timestamp}","logLevel":"info","context":"crawlStatus","message":"Crawl statistics",'
            f'"details":{{"crawled":{self.crawled},"total":{self.total},"pending":{self.pending},'
            f'"failed":{self.failed}}}}}'
        )


def combined_logs(output_dir: Path) -> list[Path]:
    """The combined logs, newest last."""
    return sorted(output_dir.glob(LOG_PATTERN), key=lambda path: path.stat().st_mtime)


def tail(path: Path) -> str:
    """The last mebibyte of a log."""
    with path.open("rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - TAIL_BYTES))
        return stream.read().decode("utf-8", "replace")


def statistics(text: str) -> list[Statistics]:
    """The crawlStatus lines of a log, oldest first."""
    found = (match.groupdict() for match in _STATISTICS.finditer(text))
    return [Statistics(**{name: int(number) for name, number in fields.items()}) for fields in found]


def temporary_directories(output_dir: Path) -> list[Path]:
    """The crawl's ``.tmp*`` directories, oldest name first."""
    return sorted(path for path in output_dir.glob(".tmp*") if path.is_dir())
