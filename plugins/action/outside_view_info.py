# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the public addresses from the controller (documented in plugins/modules/outside_view_info.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import outside_view


class ActionModule(ActionBase):
    """Runs on the controller only: no connection is used, so a host that cannot be reached is no obstacle."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "api_base": {"type": "str"},
                "frontend_base": {"type": "str"},
                "ca_file": {"type": "path"},
                "seconds": {"type": "int", "default": 10},
            }
        )
        if not 1 <= options["seconds"] <= 60:
            outcome.update(failed=True, msg="seconds must be from 1 to 60, not %d." % options["seconds"])
            return outcome
        bases = {"api": options["api_base"], "frontend": options["frontend_base"]}
        seen = outside_view.look(bases, options["seconds"], options["ca_file"])
        outcome.update(changed=False, outside_view=wrap_var(seen))
        return outcome
