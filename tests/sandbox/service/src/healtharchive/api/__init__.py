# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP API; uvicorn serves ``healtharchive.api:app``."""

from __future__ import annotations

from healtharchive.api.application import app

__all__ = ["app"]
