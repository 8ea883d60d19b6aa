# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``archive-tool``: crawl invented pages into a job directory, or say why not."""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
from pathlib import Path

from healtharchive.crawler.crawl import Crawl, CrawlPlan
from healtharchive.crawler.files import MANAGED_CONFIG_FILE

logger = logging.getLogger("website_archiver")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="archive-tool")
    parser.add_argument("--name", required=True)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--seeds", nargs="+", required=True)
    parser.add_argument("--initial-workers", type=int, default=1)
    parser.add_argument("--max-container-restarts", type=int, default=20)
    parser.add_argument("--page-limit", type=int, default=0)
    parser.add_argument("--depth", type=int, default=0)
    parser.add_argument("--simulated-seconds", type=int, default=0)
    parser.add_argument("--simulated-pages", type=int, default=0)
    parser.add_argument("--simulated-stall-after-pages", type=int, default=0)
    parser.add_argument("--simulated-exit-code", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true")
    return parser


def _writable(output_dir: Path) -> bool:
    probe = output_dir / f".writable_test_{os.getpid()}"
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        logger.critical("Output directory %s is invalid or not writable: %s", output_dir, error)
        return False
    return True


def _dry_run(arguments: argparse.Namespace) -> int:
    try:
        finished = subprocess.run(["docker", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        usable = finished.returncode == 0
    except FileNotFoundError:
        usable = False
    if not usable:
        logger.critical("Docker is not available: the 'docker' command is missing or fails")
        return 1
    (arguments.output_dir / MANAGED_CONFIG_FILE).write_text(f"workers: {arguments.initial_workers}\n")
    print(f"Dry run: would crawl {len(arguments.seeds)} seed(s) into {arguments.output_dir}")
    return 0


def main() -> None:
    """Entry point of the console script. What follows ``--`` is passed through to the (imagined) browser crawler."""
    # One line a record, in the crawler's own format, which differs from the CLI's.
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s - %(levelname)s - [%(threadName)s] %(message)s"
    )
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    arguments = _parser().parse_args(words[:cut])
    if not _writable(arguments.output_dir):
        sys.exit(1)
    if arguments.dry_run:
        sys.exit(_dry_run(arguments))
    plan = CrawlPlan(
        name=arguments.name,
        seeds=tuple(arguments.seeds),
        workers=arguments.initial_workers,
        seconds=arguments.simulated_seconds or float(os.environ.get("HEALTHARCHIVE_SIMULATED_SECONDS", "1")),
        pages=arguments.page_limit or arguments.simulated_pages or 0,
        stall_after_pages=arguments.simulated_stall_after_pages,
        exit_code=arguments.simulated_exit_code,
        passthrough=tuple(words[cut + 1 :]),
    )
    sys.exit(Crawl(arguments.output_dir, plan).run())
