# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdogs that recover crawls and hot paths: enabled, and do they do what they are for (contract 1.5, 1.7, 1.8)?"""

from __future__ import annotations

import errno
import os
import time
from typing import Any, Dict, List, Optional

from ..parse import watchdogs
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem

CRAWLS = "crawl-auto-recover"
HOT_PATHS = "storage-hotpath-auto-recover"
METRICS = "/var/lib/node_exporter/textfile_collector/healtharchive_crawl.prom"
_FILE_CAP_BYTES = 1024 * 1024


def probe(context: Context) -> Finding:
    """One record for each; the sentinels lie beside the environment file, the state files in the ops directory."""
    problems: List[Problem] = []
    sentinels = os.path.dirname(context.settings.env_file)
    states = os.path.join(context.settings.ops_directory, "watchdog")
    now = time.time()
    records = []
    for name in (CRAWLS, HOT_PATHS):
        enabled = _exists(os.path.join(sentinels, name + "-enabled"), problems)
        watch = _watch(name, os.path.join(states, name + ".json"), now, problems)
        records.append(
            {
                "name": name,
                "enabled": enabled,
                **watch._asdict(),
                "idle": False if enabled is False else None if enabled is None else watch.idle,
            }
        )
    return Finding({"watchdogs": records}, problems)


def _watch(name: str, path: str, now: float, problems: List[Problem]) -> watchdogs.Watch:
    """What it sees by its state file; one that has never run has none, and then nothing was done."""
    before = len(problems)
    content = _read(path, problems)
    if len(problems) > before:
        return watchdogs.Watch(None, None, None)
    try:
        known: Dict[str, Any] = {} if content is None else watchdogs.state(content)
    except ParseError as error:
        problems.append(Problem(error.code, "%s: %s" % (path, error)))
        return watchdogs.Watch(None, None, None)
    return (
        watchdogs.hot_paths(known, now) if name == HOT_PATHS else watchdogs.crawls(known, _read(METRICS, problems), now)
    )


def _exists(path: str, problems: List[Problem]) -> Optional[bool]:
    try:
        os.stat(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return False
        problems.append(Problem("permission_denied", "%s: %s" % (path, error.strerror)))
        return None
    return True


def _read(path: str, problems: List[Problem]) -> Optional[bytes]:
    """The file; None if there is none, and None with a problem if it cannot be read, is too large or is no file."""
    try:
        # A pipe in its place must not make us wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as handle:
            content = handle.read(_FILE_CAP_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        problems.append(Problem("permission_denied", "%s: %s" % (path, error.strerror)))
        return None
    if content is None or len(content) > _FILE_CAP_BYTES:
        problems.append(Problem("output_truncated", "%s is larger than %d bytes." % (path, _FILE_CAP_BYTES)))
        return None
    return content
