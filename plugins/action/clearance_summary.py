# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what became of a clearance (documented in plugins/modules/clearance_summary.py)."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import (
    change_summary,
    clearance_summary,
    commands,
)
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import failure

_GOOD = ("planned", "applied", "nothing_to_do")


class ActionModule(ActionBase):
    """Runs on the controller only. It prints by itself because every result format of Ansible would quote the lines."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec={"result": {"type": "dict", "required": True}})
        result: Mapping[str, Any] = options["result"]
        if "outcome" not in result:
            line = failure.line(result, None, "There is no clearance", "It")
            result = {"outcome": "refused", "msg": line, "next_step": "See above which task failed."}
        printed = clearance_summary.render(
            str((task_vars or {}).get("inventory_hostname", "unknown")), result, commands.playbook
        )
        Display().display(printed)
        # With all that a summary of what was to be done under the clearance needs.
        told = {name: result.get(name) for name in ("outcome", "code", "detail", "next_step", "incident", "state")}
        outcome.update(changed=False, **wrap_var(told))
        if result["outcome"] in _GOOD:
            outcome["text"] = wrap_var(printed.strip("\n"))
        else:
            # Ansible prints the whole result of what fails, which would be all of it a second time.
            outcome.update(failed=True, msg=wrap_var(change_summary.failure(result, "Clearance")))
        return outcome
