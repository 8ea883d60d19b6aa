# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following what goes on on a host until it has ended, and saying how far it is. Private to this collection.

Nothing depends on it: what was begun there goes on without us. A link that breaks is tried again for a while.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ..module_utils.parse.text import one_line
from . import changing

LINK_SECONDS = 120.0
PAUSE_SECONDS = 5.0
# After a link that broke, what it was to begin begins in so many seconds or was never begun.
BEGIN_SECONDS = 120.0
_COMMAND_LIMIT = 160

# Asks the host about an action or a plan, given how many steps are known already; a module's raw answer.
Ask = Callable[[str, int], Mapping[str, Any]]


class Follower:
    """``say`` prints a line; ``clock`` and ``sleep`` are those of :mod:`time`."""

    def __init__(
        self,
        ask: Ask,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ask = ask
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._seen = 0
        self._begun = clock()

    def follow(self, result: Mapping[str, Any]) -> Dict[str, Any]:
        """The result in the end, of one that may be ``running``."""
        current = dict(result)
        if current.get("outcome") != "running":
            return current
        self._say(one_line(current.get("detail"), 200))
        while current.get("outcome") == "running":
            self._tell(current.get("steps"))
            answer = self._answer(str(current["action_id"]))
            if answer is None:
                return self._lost(current)
            current = {**answer, "changed": True} if answer["outcome"] == "running" else answer
        self._tell(current.get("steps"))
        return current

    def find(self, plan_id: str, broken: Mapping[str, Any]) -> Dict[str, Any]:
        """What became of an approved plan when the link broke that was to begin it: the same once more would be another try."""
        until = self._clock() + BEGIN_SECONDS
        self._say("%s Looking whether it was begun." % one_line(broken.get("detail"), 300))
        while True:
            answer = self._answer(plan_id)
            if answer is None:
                return dict(broken)
            if answer.get("code") != "not_begun":
                return answer
            if self._clock() >= until:
                return dict(broken)
            self._sleep(PAUSE_SECONDS)

    def _answer(self, wanted: str) -> Optional[Dict[str, Any]]:
        """None when the host does not answer any more."""
        until = self._clock() + LINK_SECONDS
        while True:
            answer = dict(self._ask(wanted, self._seen))
            if "outcome" in answer and not answer.get("unreachable"):
                return answer
            if self._clock() >= until:
                return None
            self._say("no answer (%s); it is asked again" % one_line(str(answer.get("msg")).strip(), 120))
            self._sleep(PAUSE_SECONDS)

    def _tell(self, steps: Any) -> None:
        found: Sequence[Any] = steps if isinstance(steps, (list, tuple)) else ()
        for step in found[self._seen :]:
            name = step.get("name") or ""
            seconds = self._clock() - self._begun
            self._say("%4.0f s  %-15s %s" % (seconds, name, one_line(step.get("command"), _COMMAND_LIMIT)))
        self._seen = max(self._seen, len(found))

    def _lost(self, last: Mapping[str, Any]) -> Dict[str, Any]:
        steps: List[Any] = list(last.get("steps") or [])
        step = " The last step that was seen: %s." % one_line(steps[-1].get("command"), 200) if steps else ""
        found = changing.unknown(
            "link_broke", "The link to the host broke while it was followed; it goes on there.%s" % step
        )
        return {**dict(last), **found}
