# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests: ends ansible-playbook as a power cut does, before a task of a given number (KILL_BEFORE_TASK, from 1)."""

from __future__ import annotations

import os
import signal

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kill_before_task
type: aggregate
short_description: End the playbook before a task
description: For tests.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kill_before_task"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._tasks = 0

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._tasks += 1
        if self._tasks == int(os.environ["KILL_BEFORE_TASK"]):
            os.kill(os.getpid(), signal.SIGKILL)
