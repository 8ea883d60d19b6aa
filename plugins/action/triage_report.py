# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of a triage on the controller (documented in plugins/modules/triage_report.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import report, view


class ActionModule(ActionBase):
    """Runs on the controller only: no connection is used, no module is sent."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "evidence": {"type": "dict", "required": True},
                "result": {"type": "dict", "required": True},
                "evidence_file": {"type": "str"},
                "output_directory": {"type": "str", "required": True},
            }
        )
        outcome.update(changed=False, directory=None)
        if self._task.check_mode:
            return outcome
        evidence, source = options["evidence"], options["evidence_file"]
        host = view.host_name(str((task_vars or {}).get("inventory_hostname", "unknown")), evidence, source)
        try:
            contents = report.files(host, evidence, options["result"], source)
            outcome["directory"] = report.write(
                options["output_directory"], host, evidence.get("collected_at"), contents
            )
        except OSError as error:
            outcome.update(
                failed=True,
                msg="The files of the triage could not be written on the controller: %s. "
                "Set triage_output_directory to a directory that you may write." % error,
            )
        return outcome
