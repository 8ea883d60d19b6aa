# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the summary of a triage (documented in plugins/modules/triage_summary.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import summary, view


class ActionModule(ActionBase):
    """Runs on the controller only: no connection is used, no module is sent.

    It prints by itself because every result format of Ansible would quote and escape the lines.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "evidence": {"type": "dict"},
                "result": {"type": "dict"},
                "evidence_file": {"type": "str"},
                "directory": {"type": "str"},
                "failure": {"type": "str"},
                "incident": {"type": "str"},
            },
            required_one_of=[("result", "failure")],
            mutually_exclusive=[("result", "failure")],
            required_by={"result": "evidence"},
        )
        host = str((task_vars or {}).get("inventory_hostname", "unknown"))
        if options["failure"] is None:
            evidence, source = options["evidence"], options["evidence_file"]
            host = view.host_name(host, evidence, source)
            text = summary.render(host, evidence, options["result"], options["directory"], source, options["incident"])
        else:
            text = summary.render_failure(host, options["failure"])
            outcome.update(failed=True, msg=options["failure"])
        Display().display(text)
        outcome.update(changed=False, text=text.strip("\n"))
        return outcome
