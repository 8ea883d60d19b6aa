# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One crawl: pages appear at an even pace, in the log, in the state file and in a WARC file."""

from __future__ import annotations

import argparse
import itertools
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NoReturn, TextIO

from healtharchive.crawler.files import RESUME_FILE, Statistics, combined_logs, temporary_directories
from healtharchive.crawler.state import CrawlState
from healtharchive.warc import info_member, page_member

logger = logging.getLogger("website_archiver")

TICK_SECONDS = 1.0
STALLED_PAGE_TIMEOUT_MS = 90000
SMALLEST_CRAWL = 5
PASSTHROUGH_OPTIONS = (
    "--depth", "--extraHops", "--include", "--exclude", "--lang", "--limit", "--pageLimit", "--scopeExcludeRx",
    "--scopeIncludeRx", "--scopeType", "--timeout", "--waitUntil", "--workers",
)  # fmt: skip


@dataclass(frozen=True)
class CrawlPlan:
    """What to crawl and how it shall go; ``pages`` 0 means about one a second."""

    name: str
    seeds: tuple[str, ...]
    workers: int
    seconds: float
    pages: int
    stall_after_pages: int
    exit_code: int
    passthrough: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many pages there are to find."""
        return self.pages or max(SMALLEST_CRAWL, int(self.seconds))


class _UnknownOption(Exception):
    pass


class _PassthroughParser(argparse.ArgumentParser):
    """The browser crawler's option list: it knows its options and exits 2 for any other."""

    def __init__(self) -> None:
        super().__init__(prog="zimit", add_help=False)
        for option in PASSTHROUGH_OPTIONS:
            self.add_argument(option, action="append")

    def error(self, message: str) -> NoReturn:
        raise _UnknownOption(f"zimit: error: {message}")


class Crawl:
    """A run of the crawler in one job directory."""

    def __init__(self, output_dir: Path, plan: CrawlPlan) -> None:
        self.output_dir = output_dir
        self.plan = plan
        self.resume_marker = output_dir / RESUME_FILE

    def run(self) -> int:
        """Crawl; returns the exit code."""
        attempt = len(combined_logs(self.output_dir)) + 1
        stage = "resume_crawl_-" if self.resume_marker.exists() else "initial_crawl_-"
        stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
        log_path = self.output_dir / f"archive_{stage}_attempt_{attempt}_{stamp}.combined.log"
        logger.info("Crawl %s: attempt %d, log %s", self.plan.name, attempt, log_path)
        with log_path.open("a", buffering=1) as log:
            try:
                _PassthroughParser().parse_args(list(self.plan.passthrough))
            except _UnknownOption as error:
                log.write(f"{error}\n")
                logger.error("%s", error)
                return 2
            try:
                code = self._crawl(log)
            except OSError as error:
                log.write(f"Crawl failed: {error}\n")
                logger.exception("Crawl failed")
                return 1
        print(f"Crawl of {self.plan.name} ended with exit code {code}")
        return code

    def _crawl(self, log: TextIO) -> int:
        if self.resume_marker.exists() and "- " not in self.resume_marker.read_text():
            return self._resume_from_nothing(log)
        state = CrawlState(self.output_dir, self.plan.workers)
        temporary = Path(tempfile.mkdtemp(prefix=".tmp", dir=self.output_dir))
        # Others on the host (metrics, replay, indexing by the API's user) read what a crawl captured.
        temporary.chmod(0o755)
        state.temp_dirs = [str(path) for path in temporary_directories(self.output_dir)]
        if (error := state.save()) is not None:
            raise error
        self.resume_marker.write_text("seeds:\n" + "".join(f"  - {seed}\n" for seed in self.plan.seeds))
        with self._warc(temporary) as warc:
            self._capture(log, warc, state)
        if self.plan.exit_code == 0:
            self.resume_marker.unlink()
        return self.plan.exit_code

    def _resume_from_nothing(self, log: TextIO) -> int:
        """A resume marker that names no seed, cut short when its crawl was killed, ends every run at once."""
        log.write(Statistics(0, 2, 0, 2).log_line(_now()) + "\n")
        log.write("1 WARC file(s) is unprocessable and looks probably mostly empty\n")
        return 1

    @contextmanager
    def _warc(self, temporary: Path) -> Iterator[BinaryIO]:
        stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        directory = temporary / "collections" / f"crawl-{stamp}" / "archive"
        directory.mkdir(parents=True)
        with (directory / f"rec-{stamp}-0.warc.gz").open("wb") as stream:
            stream.write(info_member("healtharchive stand-in crawler"))
            yield stream

    def _capture(self, log: TextIO, warc: BinaryIO, state: CrawlState) -> None:
        plan = self.plan
        reachable = min(plan.stall_after_pages or plan.total, plan.total)
        begin, crawled = time.monotonic(), 0
        for tick in itertools.count(1):
            elapsed = time.monotonic() - begin
            ended = elapsed >= plan.seconds
            goal = min(reachable, plan.total if ended else int(plan.total * elapsed / plan.seconds))
            for number in range(crawled, goal):
                warc.write(self._page(number))
            warc.flush()
            crawled = max(crawled, goal)
            log.write(Statistics(crawled, plan.total, int(not ended), 0).log_line(_now()) + "\n")
            if crawled == reachable < plan.total:
                log.write(f"Navigation timeout of {STALLED_PAGE_TIMEOUT_MS} ms exceeded\n")
                state.error_counts["timeout"] += 1
                state.save()
            if ended:
                return
            time.sleep(max(0.0, min(TICK_SECONDS * tick, plan.seconds) - (time.monotonic() - begin)))

    def _page(self, number: int) -> bytes:
        seed = self.plan.seeds[number % len(self.plan.seeds)].rstrip("/")
        url = f"{seed}/" if number < len(self.plan.seeds) else f"{seed}/page-{number}"
        return page_member(url, f"Page {number} of {self.plan.name}", f"Archived health guidance, page {number}.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
