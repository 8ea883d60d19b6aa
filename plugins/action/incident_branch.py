# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a note on a branch of a local clone (documented in plugins/modules/incident_branch.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import mistyped
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import forged, notes, publication
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import Refused, result


class ActionModule(ActionBase):
    """Runs on the controller only: no connection is used, no module is sent."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={
                "repository": {"type": "str", "required": True},
                "output_directory": {"type": "str", "required": True},
                "incident": {"type": "dict", "required": True},
                "leave_out": {"type": "list", "elements": "str", "default": []},
            }
        )
        try:
            forged.check(self._loader)
            mistyped.check(self._loader)
            published = publication.publish(
                options["repository"],
                notes.directory_of(options["output_directory"], str((task_vars or {}).get("inventory_hostname", ""))),
                options["incident"],
                options["leave_out"],
                self._task.check_mode,
            )
        except Refused as refusal:
            outcome.update(result(refusal))
            return outcome
        outcome.update(
            changed=published.changed,
            branch=published.branch,
            base=published.base,
            commit=published.commit,
            removed=[removed._asdict() for removed in published.removed],
            problems=published.problems,
        )
        if self._task.diff:
            outcome["diff"] = wrap_var(published.diff)
        return outcome
