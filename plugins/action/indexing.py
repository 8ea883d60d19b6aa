# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Index a job, and follow it to its end (documented in plugins/modules/indexing.py)."""

from __future__ import annotations

import time
from typing import Any, Dict, Mapping, Optional

from ansible.utils.display import Display
from ansible_collections.healtharchive.remediation.plugins.module_utils.approval import AUTOMATIC
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.text import one_line
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.changing import ChangingAction
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.following import Follower

# What a question to an indexing that runs is without: it begins nothing.
_BEGINS = ("approve", "budget_override_reason")
# It may take hours, and print nothing meanwhile: how often it is said what the database shows.
_TELL_SECONDS = 60.0


class ActionModule(ChangingAction):
    """The module answers as soon as the unit runs; this asks it again until it has ended."""

    MODULE = "healtharchive.remediation.indexing"

    def followed(
        self, arguments: Mapping[str, Any], result: Dict[str, Any], task_vars: Optional[Dict[str, Any]]
    ) -> Dict[str, Any]:
        host = str((task_vars or {}).get("inventory_hostname", "unknown"))
        asking = {name: value for name, value in arguments.items() if name not in _BEGINS}
        told_at = time.monotonic()

        def say(line: str) -> None:
            Display().display("%s: indexing %s" % (host, line))

        def ask(wanted: str, steps_seen: int) -> Mapping[str, Any]:
            nonlocal told_at
            answer = self.ask({**asking, "follow": wanted, "steps_seen": steps_seen}, task_vars)
            if answer.get("outcome") == "running" and time.monotonic() >= told_at + _TELL_SECONDS:
                told_at = time.monotonic()
                say(one_line(answer.get("detail"), 300))
            return answer

        follower = Follower(ask, say)
        # A word that approves whatever is planned names no plan.
        if result.get("code") == "link_broke" and arguments["approve"] != AUTOMATIC:
            result = follower.find(str(arguments["approve"]), result)
        return follower.follow(result)
