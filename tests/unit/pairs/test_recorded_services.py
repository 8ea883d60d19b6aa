# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What recover_services decides on the recorded evidence of each fault and of each pair: a start is never planned for what it
cannot mend."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.unit_ends import End
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, Plan
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.services import decide, facts, seen
from ansible_collections.healtharchive.remediation.plugins.module_utils.services.seen import API, POSTGRESQL, WORKER
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import Settings
from pairing import plan, recordings

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "end_to_end"))

import recoveries

RECORDED = [each for each in recordings.load() if each.evidence is not None]
# How the worker ended is no part of the evidence: each recording is tried with each answer.
ENDS = {
    how: End(how, None, POSTGRESQL if how == "stopped_with" else None)
    for how in ("unknown", "stopped", "stopped_with", "died")
}

TABLE = {fault: row["recover_services"] for fault, row in recoveries.tables().items()}
# Which faults a start of a unit can mend, and which forbid the start of one.
MENDED = {
    POSTGRESQL: {"postgresql_down"},
    WORKER: {"postgresql_down", "worker_inactive", "several_stale_rows", "stale_running_row"},
    API: {"api_stopped"},
}
EVERY = {"deploy_running", "env_file_unreadable"}
OF_CODE = EVERY | {"api_missing_dependency", "pending_migration", "wrong_database_password"}
FORBIDDEN = {POSTGRESQL: EVERY, API: OF_CODE, WORKER: OF_CODE | {"hot_path_hung", "hot_path_stale"}}


def decided(recorded: recordings.Recording, how: str = "unknown", start_worker: bool = False) -> decide.Decision:
    evidence: Any = recorded.evidence
    where = Settings(**{name: evidence["settings"][name] for name in Settings._fields})
    look = seen.Look({WORKER: ENDS[how]})
    return decide.decide(
        facts.from_evidence(evidence["probes"], look), decide.Wish("2026-11-23-api-down", start_worker), where
    )


def starts(decision: decide.Decision) -> list[str]:
    return [subject.removeprefix("unit ") for subject in decision.subjects] if isinstance(decision, Plan) else []


def outcome(decision: decide.Decision) -> str:
    if isinstance(decision, Plan):
        return "planned"
    return decision.code if isinstance(decision, Refusal) else "nothing_to_do"


@pytest.mark.parametrize(
    "recorded", [each for each in RECORDED if len(each.broken) < 2], ids=lambda each: "+".join(each.broken)
)
def test_each_fault_alone_is_answered_as_the_table_says(recorded):
    (fault,) = recorded.broken or ("none",)
    how = "stopped_with" if fault == "postgresql_down" else "stopped"
    for answer in TABLE[fault]:
        assert answer.said in ("", "start_worker=true")
        found = outcome(decided(recorded, how, start_worker=bool(answer.said)))
        assert found == ("planned" if answer.expected == "applied" else answer.expected)


def test_the_table_has_every_fault():
    every = {path.stem for path in plan.FAULT_FILES.glob("*.sh")}
    assert set(TABLE) == every | {"none"}


def test_what_stopped_with_postgresql_is_brought_back():
    (recorded,) = [each for each in RECORDED if each.broken == ("postgresql_down",)]
    assert starts(decided(recorded, "stopped_with")) == [POSTGRESQL, WORKER]
    assert starts(decided(recorded, "stopped")) == [POSTGRESQL]
    assert starts(decided(recorded, "stopped", start_worker=True)) == [POSTGRESQL, WORKER]


@pytest.mark.parametrize("start_worker", [False, True])
@pytest.mark.parametrize("how", ENDS)
def test_a_start_is_never_planned_for_what_it_cannot_mend(how, start_worker):
    wrong = []
    planned = 0
    for recorded in RECORDED:
        broken = set(recorded.broken)
        for unit in starts(decided(recorded, how, start_worker)):
            planned += 1
            if not broken & MENDED[unit] or broken & FORBIDDEN[unit]:
                wrong.append((recorded.broken, unit))
    assert wrong == []
    assert planned > 20


def test_postgresql_is_started_wherever_nothing_forbids_it():
    for recorded in RECORDED:
        wanted = "postgresql_down" in recorded.broken and not set(recorded.broken) & FORBIDDEN[POSTGRESQL]
        assert (POSTGRESQL in starts(decided(recorded))) is wanted, recorded.broken


def test_a_pair_is_answered_as_one_of_its_faults_is():
    """Nothing to do only where that is true of both."""
    for recorded in RECORDED:
        if len(recorded.broken) == 2:
            known = {
                "planned" if TABLE[name][0].expected == "applied" else TABLE[name][0].expected
                for name in recorded.broken
            }
            found = outcome(decided(recorded, "stopped"))
            # A second fault may have stopped the worker for a while.
            assert found in known | {"worker_stopped_on_purpose"}, (recorded.broken, found)
            assert found != "nothing_to_do" or known == {"nothing_to_do"}, recorded.broken


def test_nothing_to_do_says_what_no_boot_would_start():
    (recorded,) = [each for each in RECORDED if each.broken == ("unit_disabled",)]
    found = decided(recorded)
    assert isinstance(found, NothingToDo)
    assert list(found.left_out) == ["unit %s" % WORKER]


def test_each_recovery_has_an_answer_to_each_fault() -> None:
    playbooks = {path.stem for path in (recoveries.DOCS.parent / "playbooks").glob("re[cm]*.yml")}
    assert len(playbooks) > 5
    assert {fault: set(row) for fault, row in recoveries.tables().items()} == dict.fromkeys(TABLE, playbooks)
