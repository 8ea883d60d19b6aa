# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which WARC files belong to a job (contract 2.5): stable, temporary, or whatever lies around."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from healtharchive.crawler.state import CrawlState

logger = logging.getLogger("healtharchive.warcs")

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Discovery:
    """The files found, in path order. ``source`` is ``stable``, ``temp`` or ``fallback``."""

    source: str
    manifest_valid: bool
    paths: tuple[Path, ...]


def discover(output_dir: Path) -> Discovery:
    """Find the job's WARC files; ``OSError`` when the directory exists but cannot be listed.

    Without stable files the crawler's state is opened with one worker, which rewrites it, running crawl or not.
    """
    if not output_dir.exists():
        logger.error("Output directory %s does not exist", output_dir)
        return Discovery("stable", True, ())
    os.listdir(output_dir)
    stable = output_dir / "warcs"
    if found := sorted(stable.glob("*.warc.gz")):
        return Discovery("stable", _manifest_valid(stable / MANIFEST), tuple(found))
    CrawlState(output_dir, initial_workers=1)
    if found := sorted(output_dir.glob(".tmp*/collections/crawl-*/archive/*.warc.gz")):
        return Discovery("temp", True, tuple(found))
    if found := sorted(output_dir.glob("*.warc.gz")):
        return Discovery("fallback", True, tuple(found))
    return Discovery("stable", True, ())


def consolidate(output_dir: Path) -> dict[Path, Path]:
    """Hard-link temporary WARC files into ``warcs/`` with a manifest; returns old path -> new path."""
    moved: dict[Path, Path] = {}
    stable = output_dir / "warcs"
    for number, path in enumerate(sorted(output_dir.glob(".tmp*/collections/crawl-*/archive/*.warc.gz")), start=1):
        stable.mkdir(exist_ok=True)
        target = stable / f"warc-{number:06d}.warc.gz"
        if not target.exists():
            os.link(path, target)
        moved[path] = target
    if moved:
        entries = [{"name": target.name, "size": target.stat().st_size} for target in moved.values()]
        (stable / MANIFEST).write_text(json.dumps({"version": 1, "entries": entries}, indent=2))
    return moved


def _manifest_valid(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text()), dict)
    except (OSError, ValueError):
        return False
