# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what triage has to say (documented in plugins/modules/triage_summary.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import summary


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
            argument_spec={"texts": {"type": "list", "elements": "str"}, "failure": {"type": "str"}},
            required_one_of=[("texts", "failure")],
            mutually_exclusive=[("texts", "failure")],
        )
        if options["failure"] is not None:
            host = str((task_vars or {}).get("inventory_hostname", "unknown"))
            outcome.update(failed=True, msg=options["failure"])
            Display().display(summary.render_failure(host, options["failure"]))
        else:
            # In one piece: nothing else is printed between them.
            Display().display("".join(options["texts"]))
        outcome.update(changed=False)
        return outcome
