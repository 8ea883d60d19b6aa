# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record on the host what the operator said (documented in plugins/modules/incident_record.py)."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.healtharchive.remediation.plugins.module_utils import settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import AREAS, SEVERITIES
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.text import one_line
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import mistyped
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import caller, forged, suggestion
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.recording import (
    Host,
    keep,
    not_reached,
)
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import Refused
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import result as refused
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.scratchpad import Scratchpad
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.said import NotSaid, said

# What people say, and not what is seen of the host.
_BY_VARIABLE = ("remark", "action_finished")
SPECIFICATION: Dict[str, Dict[str, Any]] = {
    "wish": {"type": "dict", "default": {}},
    "said": {"type": "dict", "default": {}},
    "events": {"type": "list", "elements": "dict", "default": []},
    "keep_state": {"type": "bool", "default": False},
    "renamed": {"type": "dict", "default": {}},
    "triage_directory": {"type": "str"},
    "scratchpad_directory": {"type": "str"},
    **settings.ARGUMENT_SPEC,
}


class ActionModule(ActionBase):
    """Runs the module `incident` on the host, with texts in which nothing was evaluated."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
        outcome = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validation, options = self.validate_argument_spec(argument_spec=SPECIFICATION)
        try:
            forged.check(self._loader)
            mistyped.check(self._loader)
            typed = said(self._loader, [*options["said"].values(), "triage", "remark"])
            wish = {**options["wish"], **caller.described(self._loader)}
            wish.update({name: typed[word] for name, word in options["said"].items() if word in typed})
            wish["incident"] = options["renamed"].get(wish.get("incident"), wish.get("incident"))
            wish["events"] = [*_allowed(wish.get("events")), *options["events"]]
            if "remark" in typed:
                wish["events"].append({"kind": "remark", "data": {"text": typed["remark"]}})
            self._check_words(wish)
            suggested = self._suggestion(options["triage_directory"], typed.get("triage"), variables)
        except BadInput as refusal:
            outcome.update(refused(refusal))
            return outcome
        except (NotSaid, suggestion.BadTriage) as error:
            outcome.update(failed=True, msg=str(error), code="bad_input")
            return outcome
        if suggested is not None and "triage" in typed:
            wish["events"].append(suggested.event)
        outcome.update(self._recorded(wish, suggested, options, variables))
        return outcome

    @staticmethod
    def _check_words(wish: Mapping[str, Any]) -> None:
        """The host would refuse them too, in Ansible's words."""
        for name, words in (("severity", SEVERITIES), ("area", AREAS)):
            if wish.get(name) is not None and wish[name] not in words:
                raise NotSaid("%s must be one of %s." % (name, ", ".join(words)))

    @staticmethod
    def _suggestion(
        directory: Optional[str], file: Optional[str], variables: Mapping[str, Any]
    ) -> Optional[suggestion.Suggestion]:
        """What a triage suggests, only where one is asked for: when an incident is opened."""
        if directory is None:
            return None
        if file is not None:
            return suggestion.named(file)
        return suggestion.newest(directory, str(variables.get("inventory_hostname", "")), time.time())

    def _recorded(
        self,
        wish: Dict[str, Any],
        suggested: Optional[suggestion.Suggestion],
        options: Mapping[str, Any],
        variables: Mapping[str, Any],
    ) -> Dict[str, Any]:
        host = Host(self, variables)
        reason = host.why_not_reached()
        if reason is not None:
            if options["scratchpad_directory"] is None:
                return wrap_var(not_reached(reason))
            return self._written_down(wish, suggested, reason, options["scratchpad_directory"], variables)
        result = keep(host, wish) if options["keep_state"] else host.record(wish)
        used = None
        if result.get("code") == "severity_missing" and suggested is not None and suggested.severity is not None:
            # Asked for only now: an incident that is open already must not get another severity from it.
            result, used = host.record(_with(wish, suggested)), suggested
        return {**result, "reached": True, "severity_from": wrap_var(used.source) if used else None}

    def _written_down(
        self,
        wish: Mapping[str, Any],
        suggested: Optional[suggestion.Suggestion],
        reason: str,
        directory: str,
        variables: Mapping[str, Any],
    ) -> Dict[str, Any]:
        used = None
        try:
            scratchpad = Scratchpad(directory, str(variables.get("inventory_hostname", "")))
            try:
                recorded = scratchpad.record(wish, time.time(), self._task.check_mode)
            except BadInput as refusal:
                if refusal.code != "severity_missing" or suggested is None or suggested.severity is None:
                    raise
                used = suggested
                recorded = scratchpad.record(_with(wish, suggested), time.time(), self._task.check_mode)
        except BadInput as refusal:
            return {**refused(refusal), "reached": False, "reason": reason}
        return wrap_var(
            {
                "changed": recorded.changed,
                "reached": False,
                "reason": reason,
                "incident_id": recorded.id,
                "incident": recorded.incident,
                "events": recorded.events,
                "severity_from": used.source if used else None,
            }
        )


def _allowed(events: Any) -> List[Any]:
    """The events of a wish, which is a variable: what was seen of the host is not for a variable to say."""
    given = list(events) if isinstance(events, (list, tuple)) else []
    for event in given:
        kind = event.get("kind") if isinstance(event, Mapping) else None
        if kind not in _BY_VARIABLE:
            raise Refused(
                "bad_event",
                "An event of the kind %s is not taken from a variable." % one_line(kind, 40),
                "The playbooks triage and verify record what they see themselves. Kinds that are taken: %s."
                % ", ".join(_BY_VARIABLE),
            )
    return given


def _with(wish: Mapping[str, Any], suggested: suggestion.Suggestion) -> Dict[str, Any]:
    """The wish with what the triage suggests, and the triage itself as an event."""
    events: List[Any] = list(wish.get("events") or [])
    if suggested.event not in events:
        events.append(suggested.event)
    return {
        **wish,
        "severity": suggested.severity,
        "severity_reason": wish.get("severity_reason") or suggested.severity_reason,
        "events": events,
    }
