# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy a commit, and follow it to its end (documented in plugins/modules/deployment.py)."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible.utils.display import Display
from ansible_collections.healtharchive.remediation.plugins.module_utils.approval import AUTOMATIC
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.changing import ChangingAction
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.following import Follower

# What a question to a deploy that runs is without: it begins nothing.
_BEGINS = ("approve", "budget_override_reason")


class ActionModule(ChangingAction):
    """The module answers as soon as the deploy runs; this asks it again until it has ended."""

    MODULE = "healtharchive.remediation.deployment"

    def followed(
        self, arguments: Mapping[str, Any], result: Dict[str, Any], task_vars: Optional[Dict[str, Any]]
    ) -> Dict[str, Any]:
        host = str((task_vars or {}).get("inventory_hostname", "unknown"))
        asking = {name: value for name, value in arguments.items() if name not in _BEGINS}

        def ask(wanted: str, steps_seen: int) -> Mapping[str, Any]:
            return self.ask({**asking, "follow": wanted, "steps_seen": steps_seen}, task_vars)

        follower = Follower(ask, lambda line: Display().display("%s: deploy %s" % (host, line)))
        # A word that approves whatever is planned names no plan.
        if result.get("code") == "link_broke" and arguments["approve"] != AUTOMATIC:
            result = follower.find(str(arguments["approve"]), result)
        return follower.follow(result)
