# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of a role hand to each other must come from them. Private to this collection.

A variable given with ``-e`` takes the place of what a task has registered: it would be taken for what a host said.
"""

from __future__ import annotations

import re
from typing import Any

from ansible.utils.vars import load_extra_vars

from .refusal import Refused

REGISTERED = (
    *("incident_joined", "incident_recorded", "incident_noted", "incident_branched"),
    *("triage_done", "triage_unrecorded", "verify_done"),
    *("precondition_granted", "precondition_released"),
    *("respond_decided", "drill_broken"),
)
# Of every role that changes a host: the plan, and what became of it.
_OF_CHANGES = re.compile(r"(?:(?:recover|reconcile|remediate)_[a-z_]+|deploy_pinned_ref)_(?:planned|done)")
# Once variables of the role verify: who gives one thinks that it does something.
_FORMER = ("verify_checks", "verify_evidence", "verify_gathered", "verify_outside", "verify_result", "verify_unrecorded")
# What roles hand to the role incident.
_HANDED = ("__incident_events", "__incident_end")


def check(loader: Any) -> None:
    """Refuse when one of them was given with ``-e``. ``loader``: Ansible's data loader. :class:`.refusal.Refused`."""
    given = load_extra_vars(loader)
    for name in given:
        if name in (*REGISTERED, *_FORMER, *_HANDED) or _OF_CHANGES.fullmatch(name):
            raise Refused(
                "bad_input",
                "%s is no variable: the tasks make it themselves, from what the host said." % name,
                "Leave -e %s out." % name,
            )
