# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the scratchpad's events into the host's record (documented in plugins/modules/incident_join.py)."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.module_utils import settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import caller, notes
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.recording import Host
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import result as refused
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.scratchpad import (
    Scratchpad,
    Spoiled,
    never_joins,
)


class ActionModule(ActionBase):
    """Asks the host only when something waits for it."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validation, options = self.validate_argument_spec(
            argument_spec={"output_directory": {"type": "str", "required": True}, **settings.ARGUMENT_SPEC}
        )
        name = str(variables.get("inventory_hostname", ""))
        outcome.update(changed=False, reached=None, joined=[], renamed={}, put_aside=[])
        try:
            directory = notes.directory_of(options["output_directory"], name)
            scratchpad = Scratchpad(options["output_directory"], name)
            waiting = self._waiting(scratchpad, outcome)
        except BadInput as refusal:
            outcome.update(refused(refusal))
            return outcome
        if not waiting:
            return outcome
        host = Host(self, variables)
        reason = host.why_not_reached()
        outcome["reached"] = reason is None
        if reason is not None:
            outcome["reason"] = wrap_var(reason)
            return outcome
        joined: List[Dict[str, Any]] = []
        for each in waiting:
            wish = {"incident": each["incident"], "events": each["events"], **caller.described(self._loader)}
            result = host.record(wish)
            if never_joins(result.get("code")):
                try:
                    self._put_aside(scratchpad, each["incident"], _refusal(result), outcome)
                    continue
                except BadInput as refusal:
                    result = refused(refusal)
            if result.get("failed"):
                outcome.update(result, joined=wrap_var(joined))
                return outcome
            name, events = result["incident"]["id"], result["events"]
            try:
                template = (result.get("template") or {}).get("text")
                notes.write(directory, result["incident"], events, template, each["incident"], self._task.check_mode)
                # Only now: until the note has its new name, another run must find what is to be renamed.
                scratchpad.remove(each["incident"], result["confirmed"], self._task.check_mode)
            except BadInput as refusal:
                outcome.update(refused(refusal), joined=wrap_var(joined))
                return outcome
            joined.append({"incident": name, "former_id": each["incident"], "events": len(each["events"])})
            outcome["changed"] = True
            if name != each["incident"]:
                outcome["renamed"][each["incident"]] = name
        outcome["joined"] = wrap_var(joined)
        return outcome

    def _waiting(self, scratchpad: Scratchpad, outcome: Dict[str, Any]) -> List[Dict[str, Any]]:
        """What waits for the host, without what can never join; :class:`BadInput`."""
        waiting = []
        for name in scratchpad.names():
            try:
                waiting.append(scratchpad.offered(name))
            except Spoiled as refusal:
                self._put_aside(scratchpad, name, refusal, outcome)
        return waiting

    def _put_aside(self, scratchpad: Scratchpad, name: str, why: BadInput, outcome: Dict[str, Any]) -> None:
        """What can never join must not keep everything else from being recorded."""
        aside = scratchpad.put_aside(name, why, self._task.check_mode)
        Display().warning(aside.sentence)
        outcome["put_aside"] = wrap_var([*outcome["put_aside"], {**aside._asdict(), "sentence": aside.sentence}])
        outcome["changed"] = True


def _refusal(result: Dict[str, Any]) -> BadInput:
    """What the module refused with; its message ends with the next step."""
    next_step, said = str(result.get("next_step", "")), str(result.get("msg", ""))
    if next_step and said.endswith(next_step):
        said = said[: -len(next_step)]
    return BadInput(str(result["code"]), said.strip(), next_step)
