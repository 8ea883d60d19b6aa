# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why something was not done. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict


class Refused(Exception):
    """``code`` is stable, ``next_step`` says what to do."""

    def __init__(self, code: str, message: str, next_step: str) -> None:
        super().__init__(message)
        self.code = code
        self.next_step = next_step

    def result(self) -> Dict[str, Any]:
        """What an action returns."""
        return {
            "failed": True,
            "msg": "%s %s" % (self, self.next_step),
            "code": self.code,
            "next_step": self.next_step,
        }
