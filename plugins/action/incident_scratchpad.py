# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep events of a host that cannot be reached (documented in plugins/modules/incident_scratchpad.py)."""

from __future__ import annotations

import json
import time
from typing import Any, Dict, List, Mapping, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import AREAS, SEVERITIES
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import result
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.scratchpad import Scratchpad, offered

_TEXTS = ("title", "severity_reason", "owner", "environment", "slug", "started_at", "operator", "controller", "run")
_Pending = List[Dict[str, Any]]


class ActionModule(ActionBase):
    """Runs on the controller only: no connection is used, so a host that cannot be reached is no obstacle."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str", "choices": ["listed", "recorded", "joined"], "default": "listed"},
                "output_directory": {"type": "str", "required": True},
                "incident": {"type": "str"},
                "severity": {"type": "str", "choices": list(SEVERITIES)},
                "area": {"type": "str", "choices": list(AREAS)},
                "events": {"type": "list", "elements": "dict", "default": []},
                "confirmed": {"type": "list", "elements": "str", "default": []},
                **{name: {"type": "str"} for name in _TEXTS},
            },
            required_if=[("state", "recorded", ("title", "incident"), True), ("state", "joined", ("incident",))],
        )
        scratchpad = Scratchpad(options["output_directory"], str((task_vars or {}).get("inventory_hostname", "")))
        try:
            before = scratchpad.pending()
            changed, after = self._done(scratchpad, options, before, outcome)
        except BadInput as refusal:
            outcome.update(result(refusal))
            return outcome
        outcome.update(changed=changed, pending=wrap_var(after))
        if self._task.diff:
            texts = {"before": json.dumps(before, indent=2) + "\n", "after": json.dumps(after, indent=2) + "\n"}
            outcome["diff"] = wrap_var([texts] if changed else [])
        return outcome

    def _done(self, scratchpad: Scratchpad, options: Mapping[str, Any], before: _Pending, outcome: Dict[str, Any]) -> Any:
        """Whether anything changed, and what waits now; in check mode, what would."""
        wanted, check_mode = options["incident"], self._task.check_mode
        if options["state"] == "joined":
            removed = scratchpad.remove(wanted, options["confirmed"], check_mode)
            return removed, [each for each in before if not (removed and each["incident"] == wanted)]
        if options["state"] == "listed":
            return False, before
        recorded = scratchpad.record(options, time.time(), check_mode)
        outcome.update(
            incident_id=recorded.id, incident=wrap_var(recorded.incident), events=wrap_var(recorded.events)
        )
        others = [each for each in before if each["incident"] != recorded.id]
        return recorded.changed, [*others, offered(recorded.id, recorded.events)]
