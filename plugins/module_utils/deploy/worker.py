# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's restart when the interruption of a crawl was accepted: by a program of its own, after the script.

The script would interrupt whatever runs by the time that it gets there. This asks in that very moment which crawls run, and does
it only if each of them was named in the plan (law 12). Private to this collection.
"""

from __future__ import annotations

import json
from typing import Iterable

from ..parse.deploy import OURS
from ..probes.units import WORKER
from ..settings import Settings
from . import rows

RESTARTED = "worker restarted"
LEFT = "worker left as it runs"

# Runs on the host as root, at the end of the deploy's unit, with the standard library alone.
_CODE = r"""
import json, subprocess, sys

NAMED = json.loads(%(config)s)


def say(words):
    print(NAMED["says"] + words, flush=True)


def running():
    done = subprocess.run(NAMED["ask"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise ValueError(done.stderr.decode("utf-8", "replace").strip()[-200:])
    return {job[0] for job in json.loads(done.stdout)["jobs"]}


try:
    others = running() - set(NAMED["accepted"])
except Exception as error:
    say("%%s: which crawls run is not known (%%s)" %% (NAMED["left"], " ".join(str(error).split())))
    sys.exit(0)
if others:
    began = ", ".join(map(str, sorted(others)))
    say("%%s: job %%s began meanwhile, and its interruption was not accepted" %% (NAMED["left"], began))
    sys.exit(0)
code = subprocess.run(NAMED["restart"], stdin=subprocess.DEVNULL).returncode
say(NAMED["restarted"] if code == 0 else "worker: its restart ended with %%d" %% code)
sys.exit(code)
"""
_WITH_ENVIRONMENT = 'set -a; source "$0"; set +a; exec "$@"'


def guard(settings: Settings, accepted: Iterable[int]) -> str:
    """The program, in ASCII."""
    ask = [
        "/usr/sbin/runuser",
        "-u",
        settings.service_user,
        "--",
        "/bin/bash",
        "-c",
        _WITH_ENVIRONMENT,
        settings.env_file,
    ]
    named = {
        "ask": [*ask, *rows.argv(settings, ())],
        "restart": ["/usr/bin/systemctl", "restart", WORKER],
        "accepted": sorted(accepted),
        "says": OURS,
        "left": LEFT,
        "restarted": RESTARTED,
    }
    return _CODE % {"config": ascii(json.dumps(named))}
