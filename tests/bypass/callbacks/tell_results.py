# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests: writes what became of each task as a line of JSON to a file (TELL_RESULTS), whatever is on the terminal."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: tell_results
type: aggregate
short_description: Write the result of each task to a file
description: For tests.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "tell_results"
    CALLBACK_NEEDS_ENABLED = True

    def _tell(self, status, result):
        # ansible-core before 2.19 has the private names only.
        host, task = getattr(result, "host", None) or result._host, getattr(result, "task", None) or result._task
        found = getattr(result, "result", None) or result._result
        told = {"status": status, "host": host.get_name(), "task": task.get_name(), "action": task.action}
        told.update({name: found.get(name) for name in ("code", "outcome", "msg", "changed", "plan_id", "token")})
        with open(os.environ["TELL_RESULTS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(told, default=str) + "\n")

    def v2_runner_on_ok(self, result):
        self._tell("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._tell("failed", result)

    def v2_runner_on_unreachable(self, result):
        self._tell("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self._tell("skipped", result)
