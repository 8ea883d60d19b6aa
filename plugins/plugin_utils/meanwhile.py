# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is done in a thread while something else is waited for. Private to this collection."""

from __future__ import annotations

import threading
from typing import Any, Callable, List, Optional


class Meanwhile:
    """A daemon: what must not be waited for any more does not keep the process from ending."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._found: List[Any] = []
        self._error: Optional[BaseException] = None
        self._started = False
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            self._found.append(work())
        except BaseException as error:  # raised where the result is asked for
            self._error = error

    def start(self) -> None:
        """Begin, unless it has begun."""
        if not self._started:
            self._started = True
            self._thread.start()

    def result(self) -> Any:
        """What the work returned, when it has ended; raises what it raised."""
        self.start()
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0]
