# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong, in words for the person at the terminal."""

from __future__ import annotations


class SandboxError(Exception):
    """An expected failure: one clear message, and lines that help to act on it (hints, the tail of a log)."""

    def __init__(self, message: str, *details: str) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
