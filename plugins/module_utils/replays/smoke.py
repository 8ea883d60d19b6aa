# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's own smoke check of replay, run by its unit as its timer does (contract 4.10). Private to this collection.

Its exit code says nothing of the pages, and without its sentinel it is passed over: what it has written says what it saw.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple, Optional

from .. import files, tried
from ..parse import replay_smoke
from ..probe import Context
from ..stuck.worker_unit import SYSTEMCTL
from .facts import SMOKE_UNIT

METRICS = "/var/lib/node_exporter/textfile_collector/healtharchive_replay_smoke.prom"
START = [SYSTEMCTL, "start", SMOKE_UNIT]
_SECONDS = 120.0


class Said(NamedTuple):
    """``well``: None where it saw nothing, for example because its sentinel is not there."""

    well: Optional[bool]
    sentence: str


def run(context: Context) -> Said:
    """Run it and read what it has written since."""
    started = time.time()
    problem = tried.problem(context, START, _SECONDS)
    try:
        # To the second before: not every file system keeps more.
        fresh = os.stat(METRICS).st_mtime >= int(started)
        seen = replay_smoke.smoke(files.read_regular(METRICS)) if fresh else replay_smoke.Smoke(0, [])
    except OSError as error:
        seen, problem = replay_smoke.Smoke(0, []), problem or str(error)
    if seen.failing:
        return Said(False, "The service's own smoke check says that it fails: %s." % "; ".join(seen.failing[:5]))
    if not seen.seen or problem is not None:
        why = problem or "it wrote no metrics: see its sentinel"
        return Said(None, "The service's own smoke check has seen nothing (%s)." % why.rstrip("."))
    return Said(True, "The service's own smoke check is well.")
