# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's admin API on the host: the way to read jobs that touches nothing (contract 1.11). Private to this collection."""

from __future__ import annotations

import time

from . import http_client
from .probe import Context


class NotAnswered(Exception):
    """The admin API gave no whole answer; one line says why."""


class NotThere(NotAnswered):
    """It says that there is no such thing (404)."""


class AdminApi:
    """GET, with the host's own token, for ``seconds`` in all."""

    def __init__(self, context: Context, seconds: float) -> None:
        token = context.variables.get("HEALTHARCHIVE_ADMIN_TOKEN")
        self._headers = {"Authorization": "Bearer " + token} if token else {}
        self._base = context.settings.api_url
        self._deadline = time.monotonic() + context.seconds(seconds)

    def get(self, path: str) -> bytes:
        """The body of a 200; :class:`NotAnswered`."""
        seconds = max(self._deadline - time.monotonic(), 0.1)
        answer = http_client.get(self._base + path, seconds, self._headers)
        if answer.failure is not None:
            raise NotAnswered("%s: %s" % (path, answer.detail))
        if answer.status == 404:
            raise NotThere("%s answered 404" % path)
        if answer.status != 200:
            raise NotAnswered("%s answered %s" % (path, answer.status))
        return answer.body
