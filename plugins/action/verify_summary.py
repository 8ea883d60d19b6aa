# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print whether a host is well again (documented in plugins/modules/verify_summary.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import commands, verification_summary

_FAILURES = {False: "The verification failed.", None: "The verification could not see everything, which is no pass."}


class ActionModule(ActionBase):
    """Runs on the controller only. It fails when the verification did not pass, or was not recorded where it was to be."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "evidence": {"type": "dict", "required": True},
                "result": {"type": "dict", "required": True},
                "recorded": {"type": "dict"},
                "incident": {"type": "str", "default": ""},
            }
        )
        host = str((task_vars or {}).get("inventory_hostname", "unknown"))
        result, recorded = options["result"], options["recorded"]
        known = recorded.get("incident") if recorded is not None else None
        # It has another id now if it was opened while the host could not be reached, and that id was taken there.
        incident = known["id"] if isinstance(known, dict) else options["incident"]
        text = verification_summary.render(
            host, options["evidence"], result, recorded, incident, self._task.check_mode, commands.playbook
        )
        if result["passed"] is not True:
            outcome.update(failed=True, msg=_FAILURES[result["passed"]])
        elif recorded is not None and recorded.get("failed"):
            outcome.update(failed=True, msg="The verification passed and was not recorded.")
        elif recorded is not None and recorded.get("note_failed"):
            outcome.update(failed=True, msg="The verification passed and was recorded; its note here was not written.")
        Display().display(text)
        outcome.update(changed=False, text=wrap_var(text.strip("\n")))
        return outcome
