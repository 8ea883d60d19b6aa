# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging of the CLI and the worker: one line a record, on standard error (contract 2.1)."""

from __future__ import annotations

import logging

from healtharchive.settings import settings

# The dash stands where a request id would be; the CLI has none.
LINE = "%(asctime)s [%(levelname)s] %(name)s [-]: %(message)s"


def configure() -> None:
    """Send the root logger to standard error at the configured level."""
    logging.basicConfig(level=settings().log_level, format=LINE)
