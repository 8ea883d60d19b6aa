# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The crawler's state file, ``.archive_state.json`` (contract 1.1, 2.5)."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

logger = logging.getLogger("website_archiver.state")

FILE_NAME = ".archive_state.json"


class CrawlState:
    """The state of one job directory.

    Opening it is not a read: worker count and error counts start again, temporary directories that cannot be
    stat'ed are dropped, and the result is saved over what a running crawl had written.
    """

    def __init__(self, output_dir: Path, initial_workers: int) -> None:
        self.path = output_dir / FILE_NAME
        self.initial_workers = initial_workers
        self.current_workers = initial_workers
        self.error_counts = {"timeout": 0, "http": 0, "other": 0}
        self.container_restarts_done = 0
        self.temp_dirs: list[str] = []
        self._load()
        self.save()

    def _load(self) -> None:
        try:
            stored = json.loads(self.path.read_text())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            logger.error("Cannot read state file %s: %s", self.path, error)
            return
        self.container_restarts_done = int(stored.get("container_restarts_done", 0))
        self.temp_dirs = [path for path in stored.get("temp_dirs", []) if _is_directory(path)]
        logger.info("Loaded state from %s (%d temp dirs)", self.path, len(self.temp_dirs))

    def as_json(self) -> dict[str, Any]:
        """What is written to the file."""
        return {
            "current_workers": self.current_workers,
            "initial_workers": self.initial_workers,
            "error_counts": self.error_counts,
            "container_restarts_done": self.container_restarts_done,
            "temp_dirs": self.temp_dirs,
        }

    def save(self) -> OSError | None:
        """Write the file in place; an error is logged and returned."""
        try:
            self.path.write_text(json.dumps(self.as_json(), indent=2))
        except OSError as error:
            logger.error("Cannot save state file: %s", error)
            return error
        return None


def _is_directory(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:
        return False
