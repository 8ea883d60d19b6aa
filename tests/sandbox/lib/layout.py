# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are: the sources in the checkout, the cache of built layers, the state of running guests."""

from __future__ import annotations

import os
from pathlib import Path

SANDBOX = Path(__file__).resolve().parent.parent
GUEST_FILES = SANDBOX / "guest"
SERVICE_FILES = SANDBOX / "service"
FAULT_FILES = SANDBOX / "faults"
CHECKOUT = SANDBOX.parent.parent


def cache() -> Path:
    """The folder of built layers; shared by all checkouts, because a layer's name says what it was built from."""
    own = os.environ.get("HEALTHARCHIVE_CACHE")
    if own:
        root = Path(own)
    else:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        root = Path(home) / "healtharchive-remediation"
    return root.absolute() / "rootfs"


def state() -> Path:
    """The folder that holds one folder for each guest."""
    return Path(os.environ.get("HEALTHARCHIVE_SANDBOX_STATE") or "/var/tmp/healtharchive-sandbox").absolute()
