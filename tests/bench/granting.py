# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On a guest, as root: how long the grant of a clearance takes when everything is in order, and a check of it.

usage: granting.py COLLECTIONS INCIDENT COMMIT. Prints one JSON object with seconds. It is the work of the module on the host:
Ansible, SSH and the start of Python are not in it. The clearance is released again, outside of both.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Dict

sys.path.insert(0, sys.argv[1])

from ansible_collections.healtharchive.remediation.plugins.module_utils import clearance, contexts, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import desk

INCIDENT, COMMIT = sys.argv[2:]


def parameters(**given: Any) -> Dict[str, Any]:
    options = {**settings.ARGUMENT_SPEC, **desk.ARGUMENT_SPEC}
    return {**{name: option.get("default") for name, option in options.items()}, "incident": INCIDENT, **given}


def context() -> Any:
    return contexts.context(settings.from_parameters(parameters()), time.monotonic() + 60)


def answered(outcome: str, **given: Any) -> Dict[str, Any]:
    done = desk.run(context(), parameters(**given), False)
    assert done["outcome"] == outcome, done
    return done


started = time.monotonic()
granted = answered("applied", required_commit=[COMMIT])
seconds = {"grant": time.monotonic() - started}
started = time.monotonic()
clearance.check(context(), granted["token"], INCIDENT, 60)
seconds["check"] = time.monotonic() - started
answered("applied", state="released", clearance=granted["token"])
print(json.dumps(seconds))
