# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides say of each recovery on a host with each fault, tried on the sandbox through the public playbooks.

The first table is in docs/recoveries.md. `make recoveries` tries all of them (HEALTHARCHIVE_RECOVERIES=all, or names with commas
between them); here are a few of their cells. One host is broken once for all recoveries, and once more for each further one that
mends it. Whether a fault is mended is asked of the file of the fault, and not of the collection.
"""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import pytest

from . import record, recoveries
from .conftest import ROOT
from .test_incident import Controller

sys.path.insert(0, str(ROOT / "tests" / "sandbox"))

from lib import faults
from lib.errors import SandboxError
from lib.guest import Guest

TABLE = recoveries.tables()
# The one that failed last; if none did, the one that was made last.
_NEWEST = "SELECT id FROM archive_jobs ORDER BY (status = 'failed') DESC, id DESC LIMIT 1"


def newest_job(host: Any) -> int:
    """By SQL; without a database, any."""
    said = host.root('runuser -u postgres -- psql -Atc "%s" healtharchive || echo 1' % _NEWEST)
    return int(said.split()[-1])


# Beside what the table says with -e: what the recovery must be told on any host.
TOLD: Dict[str, Callable[[Any], List[str]]] = {
    "recover_services": lambda host: [],
    "recover_replay": lambda host: [],
    "recover_output_directories": lambda host: [],
    "recover_stale_jobs": lambda host: [],
    "recover_stalled_crawl": lambda host: ["-e", "recover_stalled_crawl_progress_seconds=0"],
    "recover_failed_jobs": lambda host: ["-e", "job_id=%d" % newest_job(host)],
    "recover_indexing": lambda host: ["-e", "job_id=%d" % newest_job(host)],
    "reconcile_config": lambda host: [],
    "recover_storage": lambda host: [],
    "remediate_drift": lambda host: [],
}
# One that mends, and two that are not the answer.
SAMPLE = [
    ("postgresql_down", "recover_services"),
    ("pending_migration", "recover_services"),
    ("poisoned_resume", "recover_failed_jobs"),
]
EVERY = [(fault, recovery) for fault, row in TABLE.items() for recovery in row]
WANTED = os.environ.get("HEALTHARCHIVE_RECOVERIES")
NAMES = [] if WANTED is None else list(TOLD) if WANTED == "all" else WANTED.split(",")
CELLS = [cell for cell in EVERY if cell[1] in NAMES] if WANTED else SAMPLE
assert {name for _fault, name in CELLS} >= set(NAMES), "not all of these are recoveries: %s" % WANTED
# Nothing acts while it is only asked: as many are asked at once as the machine has hands.
AT_ONCE = 2
_REASON = ("-e", "no_repo_change_reason='The table of recoveries'")
_HEADLINE = re.compile(r"^=== [^:]+: [^:]+: (PLANNED|REFUSED|applied|nothing to do|FAILED|UNKNOWN)\b", re.MULTILINE)


class Seen(NamedTuple):
    """What a run of a playbook said."""

    outcome: str
    code: str
    plan_id: str
    output: str


def run(controller: Controller, recovery: str, incident: str, *arguments: str) -> Seen:
    done = controller.run(recovery, "-e", "incident=" + incident, *arguments)
    words = _HEADLINE.findall(done.output)
    assert words, done.output
    assert "Traceback" not in done.output
    # Whatever it says, it says what to do next.
    assert re.search(r"^next +\S", done.output, re.MULTILINE), done.output
    code = re.search(r"^ +code: ([a-z_]+)$", done.output, re.MULTILINE)
    plan = re.search(r"^incident .*, plan ([0-9a-f]{12})$", done.output, re.MULTILINE)
    assert (done.rc == 0) == (words[-1] in ("PLANNED", "applied", "nothing to do")), done.output
    outcome = words[-1].lower().replace(" ", "_")
    return Seen(outcome, code.group(1) if code else "", plan.group(1) if plan else "", done.output)


@pytest.fixture
def controller(host, tmp_path):
    """A new record: what was done for another fault is in no budget of this one."""
    host.ssh("sudo rm -rf " + record.DIRECTORY)
    yield Controller(host, tmp_path)
    host.ssh("sudo rm -rf " + record.DIRECTORY)


@pytest.fixture
def incident(controller):
    opened = controller.run("open_incident", "-e", "title=Fault", "-e", "severity=sev3")
    assert opened.rc == 0, opened.output
    (name,) = controller.notes()
    return name


def is_broken(host: Any, fault: str) -> bool:
    try:
        faults.apply(Guest(host.name), faults.fault(fault), "is_broken")
    except SandboxError:
        return False
    return True


def rows(cells: List[Tuple[str, str]]) -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {}
    for fault, recovery in cells:
        found.setdefault(fault, []).append(recovery)
    return found


@pytest.mark.parametrize("fault", rows(CELLS))
def test_each_recovery_answers_a_fault_as_the_table_says(host, controller, broken, incident, fault):
    """First all that is only planned or refused, which changes nothing; then what mends the fault, by what was planned."""
    if fault != "none":
        broken(fault)
        assert is_broken(host, fault)
    asked = []
    mending = []
    for recovery in rows(CELLS)[fault]:
        told = TOLD[recovery](host)
        for answer in TABLE[fault][recovery]:
            cell = (recovery, answer, [*(("-e", answer.said) if answer.said else ()), *told])
            (mending if answer.expected == "applied" else asked).append(cell)
    with ThreadPoolExecutor(AT_ONCE) as hands:
        answers = list(hands.map(lambda cell: run(controller, cell[0], incident, *cell[2]), asked))
    wrong = [
        (recovery, answer, seen.outcome, seen.code)
        for (recovery, answer, _arguments), seen in zip(asked, answers)
        if answer.expected not in ((seen.code,) if seen.code else (seen.outcome,))
    ]
    assert fault == "none" or is_broken(host, fault), "a plan has changed the host"
    for recovery, answer, arguments in mending:
        if not is_broken(host, fault):
            # What it was mended with is not what it was broken with: as new first.
            host.sandbox("mend", fault, "--name", host.name)
            host.sandbox("break", fault, "--name", host.name)
        # A check shows the plan as well, and needs no clearance.
        planned = run(controller, recovery, incident, *arguments, "--check", "--diff")
        assert planned.outcome == "planned", (recovery, planned.outcome, planned.code)
        assert is_broken(host, fault), "a plan has changed the host"
        done = run(controller, recovery, incident, *arguments, "-e", "approve=" + planned.plan_id, *_REASON)
        if done.outcome != "applied" or is_broken(host, fault):
            wrong.append((recovery, answer, done.outcome, done.code, is_broken(host, fault)))
    assert wrong == []
