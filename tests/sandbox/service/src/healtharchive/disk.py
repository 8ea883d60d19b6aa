# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk use as the worker computes it (contract 1.9): space reserved for root counts as used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DiskUse:
    """Share used (0 to 100) and bytes free for an ordinary user."""

    used_percent: float
    free_bytes: int


def disk_use(path: Path) -> DiskUse:
    """Measure the file system of ``path``; ``OSError`` when it cannot be asked."""
    facts = os.statvfs(path)
    used = (facts.f_blocks - facts.f_bavail) / facts.f_blocks * 100 if facts.f_blocks else 0.0
    return DiskUse(used, facts.f_bavail * facts.f_frsize)
