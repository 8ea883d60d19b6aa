# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording on a host from the controller: the module is run, and a link that fails is told apart. Private to this collection.

A host that was not reached has recorded nothing: what happened can be written down here. When the link breaks while the
module runs, nobody knows; then nothing is written down here, for it might come into the record twice.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible.errors import AnsibleConnectionFailure

from ...module_utils import settings
from ...module_utils.parse.text import one_line

MODULE = "healtharchive.remediation.incident"
_LINK_BROKE = "The link to the host broke while it was recording, so it is not known whether it did."
_AGAIN = "Run the same command again: what is recorded already is not recorded twice."


class Host:
    """The host of a task. ``action``: the action plugin that is run."""

    def __init__(self, action: Any, task_vars: Mapping[str, Any]) -> None:
        self._action = action
        self._task_vars = task_vars
        given = action._task.args
        # The shared options, as the playbook's defaults for the action group give them.
        self._settings = {name: given[name] for name in settings.ARGUMENT_SPEC if given.get(name) is not None}

    def why_not_reached(self) -> Optional[str]:
        """None when the host answers. Nothing is recorded by asking."""
        try:
            self._action._low_level_execute_command("true", sudoable=False)
        except AnsibleConnectionFailure as error:
            return str(error)
        return None

    def record(self, wish: Mapping[str, Any]) -> Dict[str, Any]:
        """What the module said; ``failed`` with ``code`` and ``next_step`` where it refused or nobody knows."""
        arguments = {**self._settings, **{name: value for name, value in wish.items() if value is not None}}
        try:
            result = self._action._execute_module(
                module_name=MODULE, module_args=arguments, task_vars=dict(self._task_vars)
            )
        except AnsibleConnectionFailure as error:
            return _unknown(str(error))
        return _unknown(str(result.get("msg"))) if result.get("unreachable") else _told(result)

    def look(self, incident: str) -> Dict[str, Any]:
        """What the record says of one incident; ``failed`` as :meth:`record`."""
        try:
            result = self._action._execute_module(
                module_name=MODULE + "_info",
                module_args={**self._settings, "incident": incident},
                task_vars=dict(self._task_vars),
            )
        except AnsibleConnectionFailure as error:
            return not_reached(str(error))
        return not_reached(str(result.get("msg"))) if result.get("unreachable") else _told(result)


def keep(host: Host, wish: Mapping[str, Any]) -> Dict[str, Any]:
    """Record in an incident that keeps the state that it has, also when it has ended; as :meth:`Host.record`."""
    known = host.look(str(wish.get("incident")))
    if known.get("failed"):
        return known
    return host.record({**wish, "state": known["incidents"][0]["state"]})


def not_reached(reason: str) -> Dict[str, Any]:
    """The refusal where the host was not reached and nothing can be written down here in its place."""
    next_step = "Try ssh to it by hand, then run it again: nothing was recorded."
    message = "The host was not reached (%s). %s" % (one_line(reason.strip(), 300), next_step)
    return {"failed": True, "code": "host_not_reached", "msg": message, "next_step": next_step}


def _told(result: Dict[str, Any]) -> Dict[str, Any]:
    """Without what the module was given, which -vvv would show: a caller's own text may hold what the host left out."""
    return {name: value for name, value in result.items() if name != "invocation"}


def _unknown(reason: str) -> Dict[str, Any]:
    message = "%s %s" % (_LINK_BROKE, _AGAIN)
    return {"failed": True, "code": "link_broke", "msg": message, "next_step": _AGAIN, "reason": reason}
