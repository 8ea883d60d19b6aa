# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers in query strings."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request


def integer(request: Request, name: str, default: int, low: int, high: int) -> int:
    """The parameter, or 422 when it is no number between ``low`` and ``high``."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise HTTPException(422, f"{name} must be an integer") from None
    if not low <= value <= high:
        raise HTTPException(422, f"{name} must be between {low} and {high}")
    return value
