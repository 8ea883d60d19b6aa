# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two status reports say of the host itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

CONFIGURATION = Path("/etc/healtharchive")
STORAGE_BOX = Path("/srv/healtharchive/storagebox")
WATCHDOG_STATE = Path("/srv/healtharchive/ops/watchdog")


def unit_state(unit: str) -> str:
    """The word ``systemctl is-active`` prints, ``unknown`` without systemd."""
    try:
        finished = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return finished.stdout.strip() or "unknown"


def sentinel(name: str) -> bool:
    """Whether an automation is switched on."""
    return (CONFIGURATION / name).exists()


def lists(path: Path) -> bool:
    """Whether a directory can be listed. That says nothing about whether it is a mount."""
    try:
        os.listdir(path)
    except OSError:
        return False
    return True
