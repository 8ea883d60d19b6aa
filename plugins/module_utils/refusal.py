# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why something that changes a host is not done. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict

from .settings import BadInput


class Refusal(BadInput):
    """Nothing was changed. ``code`` is stable, ``next_step`` is the next safe thing to do, ``evidence`` what was found."""

    def __init__(self, code: str, message: str, next_step: str, **evidence: Any) -> None:
        super().__init__(code, message, next_step)
        self.evidence: Dict[str, Any] = evidence
