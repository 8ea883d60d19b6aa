# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On a guest, as root: the recovery of its stale jobs by the service's own command and by the module, side by side.

usage: recovering.py COLLECTIONS PAIRS JOBS. Prints one JSON object: the seconds of each contender, in the order of the pairs.
What is measured is a plan and its application: the command's dry run and the command with --apply; the module without and with
``approve``, the look at its clearance, the record and the reading back included. Rows are put back before the clock starts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any, Dict, List

sys.path.insert(0, sys.argv[1])

from ansible_collections.healtharchive.remediation.plugins.module_utils import (
    change,
    contexts,
    record,
    settings,
    stale_jobs,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import desk

PAIRS, JOBS = int(sys.argv[2]), int(sys.argv[3])
SERVICE = (
    "set -a; . /etc/healtharchive/backend.env; set +a; cd /opt/healtharchive; exec .venv/bin/healtharchive recover-stale-jobs "
    "--older-than-minutes 180 --require-no-progress-seconds 300 "
)
PUT_BACK = "UPDATE archive_jobs SET status = 'running', crawler_stage = NULL WHERE name LIKE 'stale-%'"


def run(*argv: str) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (argv, done.stdout, done.stderr)
    return done.stdout


def put_back() -> None:
    run("runuser", "-u", "postgres", "--", "psql", "-q", "healtharchive", "-c", PUT_BACK)


def command() -> float:
    put_back()
    started = time.monotonic()
    for option, last in (("", "Dry-run only"), ("--apply", "Recovered %d job(s)" % JOBS)):
        said = run("runuser", "-u", "haadmin", "--", "bash", "-c", SERVICE + option)
        assert last in said.splitlines()[-1], said[-300:]
    return time.monotonic() - started


def parameters(*specifications: Dict[str, Any], **given: Any) -> Dict[str, Any]:
    options: Dict[str, Any] = {}
    for specification in (settings.ARGUMENT_SPEC, *specifications):
        options.update(specification)
    return {**{name: option.get("default") for name, option in options.items()}, **given}


def asked(**given: Any) -> Dict[str, Any]:
    options = parameters(change.ARGUMENT_SPEC, stale_jobs.ARGUMENT_SPEC, incident=INCIDENT, **given)
    context = contexts.context(settings.from_parameters(options), time.monotonic() + 60)
    return change.run(context, options, stale_jobs.StaleJobs(options), False)


def module() -> float:
    put_back()
    started = time.monotonic()
    planned = asked()
    assert planned["outcome"] == "planned", planned
    done = asked(approve=planned["plan_id"], clearance=TOKEN, budget_override_reason="it is measured")
    seconds = time.monotonic() - started
    assert done["outcome"] == "applied", done
    assert len(done["evidence"]["claimed"]) == JOBS, done
    return seconds


opened = record.change(parameters(record.ARGUMENT_SPEC, title="Measured", severity="sev3"), False)
INCIDENT = opened.result["incident"]["id"]
wish = parameters(desk.ARGUMENT_SPEC, incident=INCIDENT, no_repo_change_reason="it is measured", ttl_minutes=120)
granted = desk.run(contexts.context(settings.from_parameters(wish), time.monotonic() + 60), wish, False)
TOKEN = granted["token"]
samples: Dict[str, List[float]] = {"command": [], "module": []}
contenders = {"command": command, "module": module}
for contender in contenders.values():
    contender()
for turn in range(PAIRS):
    for name in sorted(contenders, reverse=bool(turn % 2)):
        samples[name].append(contenders[name]())
    print({name: round(values[-1], 2) for name, values in samples.items()}, file=sys.stderr)
print(json.dumps(samples))
