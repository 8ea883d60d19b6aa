# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what became of an incident (documented in plugins/modules/incident_summary.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import commands
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import summary
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import failure
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.summary import render_failure


class ActionModule(ActionBase):
    """Runs on the controller only. It prints by itself because every result format of Ansible would quote the lines."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "recorded": {"type": "dict"},
                "note": {"type": "dict"},
                "joined": {"type": "dict", "default": {}},
                "branch": {"type": "dict"},
                "failure": {"type": "dict"},
                "doing": {"type": "str", "default": "It was not done"},
            },
            required_one_of=[("recorded", "failure")],
        )
        host = str((task_vars or {}).get("inventory_hostname", "unknown"))
        recorded, failed = options["recorded"], options["failure"]
        if failed is not None:
            line = failure.line(failed, None, options["doing"], "It")
            text = render_failure(host, line)
            outcome.update(failed=True, msg=wrap_var(line))
        else:
            text = summary.render(
                host,
                recorded,
                options["note"],
                options["joined"],
                options["branch"],
                self._task.check_mode,
                commands.playbook,
            )
            if recorded.get("reached") is False:
                message = "The host was not reached: the incident is written down on this controller alone."
                outcome.update(failed=True, msg=message)
        Display().display(text)
        outcome.update(changed=False, text=wrap_var(text.strip("\n")))
        return outcome
