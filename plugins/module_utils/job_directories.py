# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output directories of jobs as they lie below the archive root, which are there when the database is not.

``<root>/<source>/<stamp>__<name>`` (contract 1.1). Names are read, nothing is looked at. Private to this collection.
"""

from __future__ import annotations

import json
import os
from typing import List, Optional, Tuple

from . import killable
from .parse import job_config

_ANSWER_CAP_BYTES = 1024 * 1024
_SCRIPT = r"""
import json, os
def names(path):
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries]
    except NotADirectoryError:
        return []
def answer(question):
    root, most = question
    found = [(name, source) for source in names(root) for name in names(root + "/" + source) if "__" in name]
    return json.dumps([root + "/" + source + "/" + name for name, source in sorted(found, reverse=True)[:most]]).encode()
"""


def newest(root: str, most: int, seconds: float) -> Optional[List[str]]:
    """Paths of the newest directories of jobs, newest first. None: not known, because something hangs or fails there."""
    try:
        (answer,) = killable.ask(_SCRIPT, [[root, most]], seconds, _ANSWER_CAP_BYTES)
    except killable.NotAsked:
        return None
    return None if answer is None else json.loads(answer)


def source_and_name(path: str) -> Tuple[str, str]:
    """Of which job the directory is."""
    return os.path.basename(os.path.dirname(path)), os.path.basename(path).partition("__")[2]


def is_annual(path: str) -> bool:
    """Whether it is, by its name, of a job of an annual campaign (contract 2.8)."""
    source, name = source_and_name(path)
    return job_config.campaign_year(source, name, None) is not None
