# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests: stops ansible-playbook before a task until it is killed. STOP_BEFORE_TASK is its number, from 1, or, as NAME#NUMBER,
which of the tasks with this module of the collection it is.

The name of the task is written to STOPPED_FILE, by which whoever kills it knows that the moment has come.
"""

from __future__ import annotations

import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: stop_before_task
type: aggregate
short_description: Stop the playbook before a task
description: For tests.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stop_before_task"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._tasks = 0
        module, _sign, number = os.environ["STOP_BEFORE_TASK"].rpartition("#")
        self._module, self._number = module, int(number)

    def v2_playbook_on_task_start(self, task, is_conditional):
        if self._module and task.action != "healtharchive.remediation." + self._module:
            return
        self._tasks += 1
        if self._tasks == self._number:
            file = os.environ["STOPPED_FILE"]
            with open(file + ".new", "w", encoding="utf-8") as stopped:
                stopped.write(task.get_name())
            os.rename(file + ".new", file)
            time.sleep(600)
