# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hot paths of the host, looked at without the collection; and the recovery of storage, asked without Ansible between."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

from .conftest import ROOT

JOBS = "/srv/healtharchive/jobs"
BASE = "/srv/healtharchive/storagebox"
IMPORT, OTHER, ANNUAL = (
    JOBS + "/" + path for path in ("imports/hc-2019", "imports/cihr-2020", "hc/20260101T000512Z__hc-20260101")
)
HELPERS = (ROOT / "tests" / "sandbox" / "guest" / "helpers.sh").read_text()
WATCHDOG = "healtharchive-storage-hotpath-auto-recover"
# Real timers with the names of the service's own, one that runs and one that somebody has stopped.
WATCHDOGS = r"""
for name in storage-hotpath-auto-recover worker-auto-start; do
    printf '[Service]\nType=oneshot\nExecStart=/bin/true\n' >/run/systemd/system/healtharchive-$name.service
    printf '[Timer]\nOnActiveSec=1d\n' >/run/systemd/system/healtharchive-$name.timer
done
systemctl daemon-reload
systemctl start healtharchive-storage-hotpath-auto-recover.timer
"""
# Every file below the archive root and on the storage box: owner and mode, and what is in it.
_FILES = "find /home/storagebox /srv/healtharchive/jobs -xdev -type f"
ARCHIVE = "(%s -printf '%%p %%u %%m\\n'; %s -exec sha256sum {} +) | sort" % (_FILES, _FILES)
# The frame's own parts without clearance and record: what is shown here is what lies between.
SCRIPT = r"""
import json, os, subprocess, sys, time
sys.path.insert(0, "/run/collections")
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, contexts, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.ROOM import action

said = json.loads(sys.argv[2])
acts, kill_at = said.pop("act", False), said.pop("kill_at", None)
step, happens = said.pop("after", (None, None))
known = {**settings.ARGUMENT_SPEC, **change.ARGUMENT_SPEC, **action.ARGUMENT_SPEC}
parameters = {**{name: option.get("default") for name, option in known.items()}, "incident": sys.argv[1], **said}
context = contexts.context(settings.from_parameters(parameters), time.monotonic() + 1500)
acting = action.KIND(parameters)

def done():
    host = change._host(context, parameters)._replace(action_id="acted-%d" % time.time())
    plan = acting.plan(change.within(host, acting.plan_seconds))
    if not hasattr(plan, "commands"):
        return {"outcome": "nothing_to_do", "detail": plan.detail}
    acting.needs_clearance = False
    if kill_at is not None:
        # As the kernel ends it: nothing of it is tidied up.
        old = getattr(acting, kill_at)
        setattr(acting, kill_at, lambda *given: (old(*given), os.kill(os.getpid(), 9)))
    if step is not None:
        # Once, and nobody tells it.
        then = iter([happens])
        done_by_it = getattr(acting, step)
        happened = lambda: [subprocess.run(["bash", "-euo", "pipefail", "-c", each], check=True) for each in then]
        setattr(acting, step, lambda *given: (done_by_it(*given), happened()))
    seen = change._act(host, acting, plan, None)
    return {**seen._asdict(), "plan": plan.described()}

print(json.dumps(done() if acts else change.run(context, parameters, acting, False)))
"""


# The package of the recovery, and its class.
STORAGE = ("tiers", "Storage")


def asked(
    host: Any, incident: str, script: str = "true", killed: bool = False, what: Tuple[str, str] = STORAGE, **said: Any
) -> Dict[str, Any]:
    """Run a script of root, then ask the module's code what it would do, or let it act; ``killed``: it is, and says nothing.
    ``after``: a step of it, and what happens when it has ended for the first time."""
    host.root(HELPERS + script)
    code = SCRIPT.replace("ROOM", what[0]).replace("KIND", what[1])
    program = "python3 - %s '%s' <<'END OF PROGRAM'\n%s\nEND OF PROGRAM\n" % (incident, json.dumps(said), code)
    if killed:
        host.root(
            "code=0\npython3 - %s '%s' <<'END OF PROGRAM' || code=$?\n%s\nEND OF PROGRAM\n[ $code = 137 ]"
            % (incident, json.dumps(said), code)
        )
        return {}
    found: Dict[str, Any] = json.loads(host.root(program))
    return found


def mounts(host: Any) -> List[str]:
    """What is mounted of the storage box, each as often as it is, and from where."""
    return sorted(
        host.ssh("findmnt --list --noheadings --output TARGET,FSROOT --types fuse.sshfs").stdout.split("\n")[:-1]
    )


def dead(host: Any, path: str) -> bool:
    return "not connected" in host.ssh("LC_ALL=C stat %s" % path, check=False).stderr


def active(host: Any, *units: str) -> List[str]:
    return host.ssh("systemctl is-active %s" % " ".join(units), check=False).stdout.split()


def rows(host: Any) -> Dict[int, str]:
    found = host.root(HELPERS + "sql 'SELECT id, status FROM archive_jobs'").split()
    return {int(line.split("|")[0]): line.split("|")[1] for line in found}


HELD = (WATCHDOG + ".timer", "healtharchive-worker-auto-start.timer")
SWITCHES = ("healtharchive-remediation-worker-resume.timer", "healtharchive-remediation-watchdogs-return.timer")


def given_back(host: Any) -> bool:
    """The worker and the watchdog that ran do, the one that did not does not, and no switch is left."""
    return active(host, "healtharchive-worker", *HELD, *SWITCHES) == [
        "active",
        "active",
        "inactive",
        "inactive",
        "inactive",
    ]
