# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the scratchpad's events into the host's record (documented in plugins/modules/incident_join.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.healtharchive.remediation.plugins.module_utils import settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import mistyped
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import forged, joining
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import result as refused


class ActionModule(ActionBase):
    """Asks the host only when something waits for it."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(
            argument_spec={"output_directory": {"type": "str", "required": True}, **settings.ARGUMENT_SPEC}
        )
        try:
            forged.check(self._loader)
            mistyped.check(self._loader)
        except BadInput as refusal:
            outcome.update(refused(refusal))
            return outcome
        outcome.update(joining.join(self, options["output_directory"], task_vars or {}))
        return outcome
