# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the note of an incident on the controller (documented in plugins/modules/incident_note.py)."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.public_draft import public_draft
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import forged, notes
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
                "incident": {"type": "dict", "required": True},
                "events": {"type": "list", "elements": "dict", "required": True},
                "template": {"type": "str"},
                "output_directory": {"type": "str", "required": True},
                "former_id": {"type": "str"},
            }
        )
        incident, events = options["incident"], options["events"]
        try:
            forged.check(self._loader)
            written = notes.write(
                notes.directory_of(options["output_directory"], str((task_vars or {}).get("inventory_hostname", ""))),
                incident,
                events,
                options["template"],
                options["former_id"],
                self._task.check_mode,
            )
        except Refused as refusal:
            outcome.update(result(refusal))
            return outcome
        outcome.update(
            changed=written.changed,
            path=written.path,
            problems=wrap_var([problem._asdict() for problem in written.problems]),
            public_draft=wrap_var(self._public_draft(incident, events)),
        )
        if self._task.diff:
            outcome["diff"] = wrap_var([notes.diff(written)] if written.changed else [])
        return outcome

    @staticmethod
    def _public_draft(incident: Dict[str, Any], events: Any) -> Optional[str]:
        ended = incident.get("state") in ("closed", "contained")
        return public_draft(incident, events) if ended and incident.get("severity") in ("sev0", "sev1") else None
