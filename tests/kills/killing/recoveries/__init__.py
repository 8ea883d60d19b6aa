# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recoveries, each in a file of its own."""

from __future__ import annotations

from typing import Dict

from . import (
    configuration,
    drift,
    failed_jobs,
    indexing,
    output_directories,
    replay,
    services,
    stale_jobs,
    stalled_crawl,
    storage,
)
from .recovery import Recovery

RECOVERIES: Dict[str, Recovery] = {
    each.RECOVERY.playbook: each.RECOVERY
    for each in (
        stale_jobs,
        stalled_crawl,
        services,
        failed_jobs,
        configuration,
        drift,
        replay,
        output_directories,
        indexing,
        storage,
    )
}

__all__ = ("RECOVERIES", "Recovery")
