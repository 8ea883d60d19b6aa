# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point of the console script."""

from __future__ import annotations

import argparse
import sys

from healtharchive import log
from healtharchive.cli import (
    annual,
    checks,
    cleanup,
    listing,
    patching,
    recovery,
    replay,
    retrying,
    running,
    status,
    verifying,
    watchdog_status,
)

GROUPS = (
    checks,
    status,
    watchdog_status,
    listing,
    annual,
    running,
    recovery,
    retrying,
    patching,
    verifying,
    cleanup,
    replay,
)


def main() -> None:
    """Run one sub-command; argparse exits 2 by itself for wrong usage."""
    parser = argparse.ArgumentParser(prog="healtharchive")
    commands = parser.add_subparsers(dest="command", required=True)
    for group in GROUPS:
        group.register(commands)
    arguments = parser.parse_args()
    log.configure()
    sys.exit(arguments.function(arguments))
