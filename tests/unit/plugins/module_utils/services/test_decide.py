# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which facts are answered with a start, and which with what else: a table of cases, and rules that hold for all facts."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import NothingToDo, Plan
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.services import answers
from ansible_collections.healtharchive.remediation.plugins.module_utils.services.facts import RunningJob, Unit
from ansible_collections.healtharchive.remediation.plugins.module_utils.services.seen import API, POSTGRESQL, WORKER
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from samples import HEAD, INCIDENT, LOOPING, UP, WELL, WITHOUT_DATABASE, decided, down

FAILED = down("died", "failed", "exit-code")
PURPOSE = down("stopped")
WITH_POSTGRESQL = down("stopped_with", by=POSTGRESQL)
UNKNOWN = down("unknown")
CLUSTER = "postgresql@15-main.service"
RUNS = RunningJob(7, "job 7 (phac, 12 of 40 pages, lock held, retry 0)", False)
STALE = RunningJob(6, "job 6 (hc, 0 of 40 pages, lock free, retry 0)", True)


def word(decision) -> str:
    """``start a, restart b``, ``nothing_to_do`` or the code."""
    if isinstance(decision, Plan):
        verbs = [argv for argv in decision.commands if argv[1] != "reset-failed"]
        return ", ".join("%s %s" % argv[1:] for argv in verbs)
    return decision.code if isinstance(decision, Refusal) else "nothing_to_do"


def start(*units: str) -> str:
    return ", ".join("start %s" % unit for unit in units)


PG_DOWN = {"postgresql": down("stopped"), "worker": WITH_POSTGRESQL, **WITHOUT_DATABASE}
OLD = {"fresh_environment": {API: True, WORKER: False}}
REFUSED_WORKER = {
    "worker": UP._replace(codes={"database_authentication": "healtharchive"}),
    "fresh_environment": {API: False, WORKER: True},
}
REFUSED_BEFORE = WITH_POSTGRESQL._replace(codes=REFUSED_WORKER["worker"].codes)
# what it is, changes of a host that is well, what is decided; and with start_worker, where that is another thing
TABLE = [
    ("all is well", {}, "nothing_to_do", None),
    # a plain death
    ("the API was stopped", {"api": down(), "api_answer": "silent"}, start(API), None),
    ("the API failed", {"api": FAILED, "api_answer": "silent"}, start(API), None),
    ("the worker failed", {"worker": FAILED}, start(WORKER), None),
    ("PostgreSQL was stopped", PG_DOWN, start(POSTGRESQL, WORKER), None),
    ("PostgreSQL runs again, its worker does not", {"worker": WITH_POSTGRESQL}, start(WORKER), None),
    ("the worker's start was given up", {"worker": down("not_started")}, start(WORKER), None),
    ("a server of PostgreSQL died",
     {**WITHOUT_DATABASE, "dead_clusters": {CLUSTER: "signal"}}, start(CLUSTER), None),
    ("PostgreSQL and the API were stopped", {**PG_DOWN, "api": down(), "api_answer": "silent"},
     start(POSTGRESQL, API, WORKER), None),
    ("PostgreSQL is down and check-db does not end", {**PG_DOWN, "database": "unknown"}, start(POSTGRESQL, WORKER), None),
    # a worker that is down on purpose, or of which nobody knows
    ("the worker was stopped", {"worker": PURPOSE}, "worker_stopped_on_purpose", start(WORKER)),
    ("the worker is disabled and was stopped with PostgreSQL", {"worker": WITH_POSTGRESQL._replace(enabled=False)},
     "worker_stopped_on_purpose", start(WORKER)),
    ("the worker is paused", {"worker": PURPOSE, "pause": "by stalled_crawl"}, "worker_paused", None),
    ("the worker is paused and PostgreSQL was stopped", {**PG_DOWN, "pause": "by stalled_crawl"}, start(POSTGRESQL), None),
    ("nobody knows why the worker is down", {"worker": UNKNOWN}, "worker_stop_unexplained", start(WORKER)),
    ("the worker has not run since boot", {"worker": down("never")}, "worker_stop_unexplained", start(WORKER)),
    ("the worker was stopped before PostgreSQL", {**PG_DOWN, "worker": PURPOSE}, start(POSTGRESQL), start(POSTGRESQL, WORKER)),
    # the code, its environment, its schema
    ("a dependency is missing and the API loops",
     {"api": LOOPING, "api_answer": "silent", "missing_dependencies": ("slowapi",)}, "deploy_is_the_fix", None),
    ("a dependency is missing and all runs", {"missing_dependencies": ("slowapi",)}, "deploy_is_the_fix", None),
    ("a dependency is missing and the worker failed", {"worker": FAILED, "missing_dependencies": ("slowapi",)},
     "deploy_is_the_fix", None),
    ("a dependency is missing and PostgreSQL was stopped", {**PG_DOWN, "missing_dependencies": ("slowapi",)},
     start(POSTGRESQL), None),
    ("a module is missing that nobody declares", {"api": LOOPING._replace(codes={"missing_module": "yaml"})},
     "needs_commit", None),
    ("the API failed for a module that nobody declares", {"api": FAILED._replace(codes={"missing_module": "yaml"})},
     "needs_commit", None),
    ("check-db lacks a module that nobody declares", {"database": "missing_module", "schema_at_head": None},
     "needs_commit", None),
    ("a migration is pending", {"schema_at_head": False, "absent": ("snapshots.deduplicated",)}, "deploy_is_the_fix", None),
    ("a migration is pending and the API was stopped", {"schema_at_head": False, "api": down()}, "deploy_is_the_fix", None),
    ("a column is missing at head", {"absent": ("snapshots.deduplicated",)}, "needs_commit", None),
    ("the worker died of a missing column", {"worker": FAILED._replace(codes={"undefined_column": "a.b"})},
     "needs_commit", None),
    ("the database has no such table", {"database": "schema", "schema_at_head": None}, "needs_commit", None),
    ("the crawler refuses an option", {"rejected_options": ("job 6: --extraChromeArgs",)}, "needs_repo_change", None),
    ("the crawler refuses an option and the API was stopped",
     {"rejected_options": ("job 6: --extraChromeArgs",), "api": down()}, start(API), None),
    # configuration, credentials, disk, storage
    ("the environment file is missing", {"environment": "missing", "api": down()}, "env_file_missing", None),
    ("nobody may read the environment file", {"environment": "unreadable", **PG_DOWN}, "env_file_unreadable", None),
    ("the environment file has no database", {"environment": "no_database"}, "database_url_wrong", None),
    ("the password is wrong", {"database": "credentials", "api_answer": "database_error"}, "credentials_refused", None),
    ("the password is wrong and the API was stopped", {"database": "credentials", "api": down()}, "credentials_refused", None),
    ("PostgreSQL was stopped, and had refused the worker's password before", {**PG_DOWN, "worker": REFUSED_BEFORE},
     start(POSTGRESQL), None),
    ("the disk is nearly full", {"full_disks": ("/srv 88.0 % used",)}, "disk_full", None),
    ("the disk is nearly full and the API was stopped", {"full_disks": ("/srv 88.0 % used",), "api": down()}, start(API), None),
    ("the root disk is full and the API was stopped",
     {"full_disks": ("/ 97.0 % used",), "root_critical": True, "api": down()}, "disk_full", None),
    ("the worker died of a full disk",
     {"worker": FAILED._replace(codes={"disk_threshold": ""}), "full_disks": ("/srv 99.0 % used",)}, "disk_full", None),
    ("storage is stale", {"storage_trouble": ("/srv/a is stale",)}, "storage_first", None),
    ("storage is stale and the worker failed", {"storage_trouble": ("/srv/a is stale",), "worker": FAILED},
     "storage_first", None),
    ("storage is stale and PostgreSQL was stopped", {"storage_trouble": ("/srv/a is stale",), **PG_DOWN},
     start(POSTGRESQL), None),
    ("storage hangs and the API with it", {"storage_trouble": ("/srv/a is hung",), "api_answer": "silent"},
     "storage_first", None),
    ("Docker is down, and the worker with it", {"docker": down(), "worker": down("stopped_with", by="docker.service")},
     "docker_down", None),
    ("a deploy is running", {"deploy": "running", **PG_DOWN}, "deploy_running", None),
    # units that no start helps
    ("the API loops", {"api": LOOPING, "api_answer": "silent"}, "api_restart_loop", None),
    ("the worker loops", {"worker": LOOPING}, "worker_restart_loop", None),
    ("the API is masked", {"api": Unit("masked", "inactive")}, "unit_masked", None),
    ("there is no API", {"api": Unit("missing", "inactive")}, "unit_missing", None),
    ("the API is disabled and stopped", {"api": down(enabled=False)}, "unit_disabled", None),
    ("PostgreSQL is disabled and stopped", {**PG_DOWN, "postgresql": down(enabled=False), "worker": UP}, "unit_disabled", None),
    ("the worker is disabled and runs", {"worker": UP._replace(enabled=False)}, "nothing_to_do", None),
    ("the API is being stopped", {"api": Unit("changing", "deactivating")}, "unit_changing", None),
    ("systemd skipped the API's start", {"api": down(skipped=True)}, "condition_unmet", None),
    ("the API's port is taken", {"api": FAILED._replace(codes={"address_in_use": ""})}, "address_in_use", None),
    ("the API missed a column and was stopped", {"api": down(codes={"undefined_column": "a.b"})}, start(API), None),
    ("the API runs and does not answer", {"api_answer": "silent"}, "api_not_answering", None),
    ("the API answers something else", {"api_answer": "other"}, "api_not_answering", None),
    ("only the API does not reach the database", {"api_answer": "database_error"}, "api_database_error", None),
    ("PostgreSQL is up and nothing listens", {**WITHOUT_DATABASE}, "postgresql_not_answering", None),
    ("the database is on another host and does not answer", {**WITHOUT_DATABASE, "postgresql": Unit("missing")},
     "unit_missing", None),
    ("the database is on another host", {"postgresql": Unit("missing", "inactive")}, "nothing_to_do", None),
    ("the database cannot be used", {"database": "unusable", "schema_at_head": None}, "database_unusable", None),
    ("the service's command is not there", {"database": "no_program", "schema_at_head": None}, "program_missing", None),
    # a restart, for the one reason there is
    ("the API has the environment of before", {"api_answer": "database_error", **OLD}, "restart %s" % API, None),
    ("the environment file is newer, and all is well", {"fresh_environment": {API: True, WORKER: True}}, "nothing_to_do", None),
    ("the worker has the environment of before", REFUSED_WORKER, "restart %s" % WORKER, None),
    ("... and crawls", {**REFUSED_WORKER, "running_jobs": (RUNS, STALE)}, "would_interrupt_crawl", None),
    ("... and nobody knows what it crawls", {**REFUSED_WORKER, "running_jobs": None}, "evidence_missing", None),
    ("... and only a dead row says that it crawls", {**REFUSED_WORKER, "running_jobs": (STALE,)}, "restart %s" % WORKER, None),
    # not seen
    ("the units were not seen", {"worker": Unit("unknown")}, "evidence_missing", None),
    ("the database was not seen", {"database": "unknown", "schema_at_head": None}, "evidence_missing", None),
    ("the API was stopped, the dependencies were not seen", {"api": down(), "missing_dependencies": None},
     "evidence_missing", None),
    ("the API was stopped, the schema was not seen", {"api": down(), "schema_at_head": None}, "evidence_missing", None),
    ("the worker failed, storage was not seen", {"worker": FAILED, "storage_trouble": None}, "evidence_missing", None),
    ("the disk was not seen", {"full_disks": None}, "evidence_missing", None),
    ("the jobs were not seen", {"running_jobs": None}, "nothing_to_do", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "expected", "with_worker"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_is_decided(facts, expected, with_worker):
    assert word(decided(**facts)) == expected
    assert word(decided(start_worker=True, **facts)) == (with_worker or expected)


def test_a_running_job_may_be_interrupted_where_that_was_said():
    assert word(decided(**REFUSED_WORKER, running_jobs=(RUNS,), accept=[7])) == "restart %s" % WORKER
    assert word(decided(**REFUSED_WORKER, running_jobs=(RUNS,), accept=[8])) == "would_interrupt_crawl"
    refusal = decided(**REFUSED_WORKER, running_jobs=(RUNS, STALE))
    assert refusal.evidence["running_jobs"] == [7]
    assert "12 of 40 pages" in str(refusal)


def test_the_plan_is_a_change_request():
    plan = decided(**{**PG_DOWN, "postgresql": down("died", "failed", "signal")})
    assert plan.objective == "Start postgresql.service; start healtharchive-worker.service."
    assert plan.commands == (
        ("/usr/bin/systemctl", "reset-failed", "postgresql.service"),
        ("/usr/bin/systemctl", "start", "postgresql.service"),
        ("/usr/bin/systemctl", "start", "healtharchive-worker.service"),
    )
    assert plan.subjects == ("unit postgresql.service", "unit healtharchive-worker.service")
    assert plan.before["unit postgresql.service"] == {"state": "failed", "result": "signal"}
    assert plan.rollback == "sudo systemctl stop healtharchive-worker.service postgresql.service"
    assert any("stopped with postgresql.service at 2026-11-23T18:00:00Z" in remark for remark in plan.remarks)
    assert answers.REMARK_SCHEMA in plan.remarks


def test_who_is_left_out_is_named_with_the_reason():
    plan = decided(**{**PG_DOWN, "worker": PURPOSE})
    assert plan.left_out["unit " + WORKER].startswith(
        "worker_stopped_on_purpose: The worker was stopped by a systemctl stop at 2026"
    )
    running = decided(worker=FAILED, running_jobs=(RUNS,))
    assert any("job 7 (phac" in remark for remark in running.remarks)


def test_what_changes_by_itself_makes_no_other_plan():
    first = decided(api=down(), full_disks=("/srv 88.0 % used",), running_jobs=(RUNS,))
    second = decided(
        api=down(), full_disks=("/srv 88.1 % used",), running_jobs=(RUNS._replace(words="job 7 (13 of 40)"),)
    )
    assert first.remarks != second.remarks
    assert first._replace(remarks=()) == second._replace(remarks=())


def test_the_deploy_is_named_with_its_commit():
    refusal = decided(schema_at_head=False)
    assert refusal.evidence["deploy_ref"] == HEAD
    assert refusal.evidence["next"]["playbook"] == "deploy_pinned_ref"
    assert refusal.evidence["next"]["variables"] == {"incident": INCIDENT, "deploy_ref": HEAD}
    assert HEAD in refusal.next_step
    unknown = decided(schema_at_head=False, repair_commit=None)
    assert unknown.evidence["next"]["on_host"] == "sudo -u haadmin git -C /opt/healtharchive status"
    assert "origin/main has 3 that are not deployed" in decided(absent=("a.b",), undeployed=3).next_step


ANY = {
    "api": st.sampled_from([UP, down(), FAILED, LOOPING, down(enabled=False), down(skipped=True), Unit("unknown"), Unit("masked"),
                            FAILED._replace(codes={"missing_module": "x"}), Unit("changing", "deactivating")]),
    "worker": st.sampled_from([UP, FAILED, PURPOSE, WITH_POSTGRESQL, UNKNOWN, LOOPING, down("not_started"), Unit("masked"),
                               WITH_POSTGRESQL._replace(enabled=False), REFUSED_BEFORE,
                               REFUSED_WORKER["worker"], Unit("unknown")]),
    "postgresql": st.sampled_from([UP, down(), FAILED, down(enabled=False), Unit("missing"), Unit("changing", "activating")]),
    "docker": st.sampled_from([UP, UP, down(), Unit("missing")]),
    "deploy": st.sampled_from(["none", "none", "none", "running", "unknown"]),
    "environment": st.sampled_from(["ok", "ok", "ok", "missing", "unreadable", "no_database", "unknown"]),
    "database": st.sampled_from(
        ["ok", "ok", "refused", "refused", "credentials", "missing_module", "schema", "unusable", "no_program", "unknown"]),
    "api_answer": st.sampled_from(["ok", "ok", "database_error", "other", "silent", "unknown"]),
    "missing_dependencies": st.sampled_from([(), (), (), ("slowapi",), None]),
    "schema_at_head": st.sampled_from([True, True, False, None]),
    "absent": st.sampled_from([(), (), ("a.b",)]),
    "storage_trouble": st.sampled_from([(), (), ("/srv/a is stale",), None]),
    "full_disks": st.sampled_from([(), (), ("/srv 88.0 % used",), None]),
    "root_critical": st.sampled_from([False, False, False, True]),
    "rejected_options": st.sampled_from([(), (), ("job 6: --x",)]),
    "running_jobs": st.sampled_from([(), (RUNS,), (STALE,), None]),
    "pause": st.sampled_from([None, None, "by stalled_crawl"]),
    "dead_clusters": st.sampled_from([{}, {CLUSTER: "signal"}]),
    "fresh_environment": st.fixed_dictionaries({API: st.booleans(), WORKER: st.booleans()}),
}  # fmt: skip
SINGLE = re.compile(
    r"/usr/bin/systemctl (start|restart|reset-failed) (healtharchive-(api|worker)|postgresql(@15-main)?)\.service"
)


def check_rules(facts: dict, start_worker: bool) -> None:
    decision = decided(start_worker=start_worker, **facts)
    seen = WELL._replace(**facts)
    if isinstance(decision, Refusal):
        assert decision.code in answers.ORDER
        assert str(decision).endswith((".", "used"))
        assert decision.next_step
        return
    sound = (seen.missing_dependencies, seen.schema_at_head, seen.storage_trouble, seen.full_disks) == (
        (),
        True,
        (),
        (),
    )
    if isinstance(decision, NothingToDo):
        assert {seen.api.state, seen.worker.state} == {"up"}
        assert (seen.api_answer, seen.database, seen.environment, seen.deploy) == ("ok", "ok", "ok", "none")
        assert sound
        assert not seen.absent
        return
    assert seen.environment in ("ok", "unknown")
    assert seen.deploy != "running"
    assert not seen.root_critical
    assert seen.database != "credentials"
    planned = {argv[2]: argv[1] for argv in decision.commands if argv[1] != "reset-failed"}
    assert decision.subjects == tuple("unit %s" % unit for unit in planned)
    assert all(SINGLE.fullmatch(" ".join(argv)) for argv in decision.commands)
    assert [unit for unit in (POSTGRESQL, CLUSTER, API, WORKER) if unit in planned] == list(planned)
    coming = {POSTGRESQL, CLUSTER} & set(planned)
    for unit in coming:
        assert planned[unit] == "start"
        assert seen.database != "ok"
    if POSTGRESQL in planned:
        assert seen.postgresql.state == "down"
        assert seen.postgresql.enabled
    for unit in {API, WORKER} & set(planned):
        shown = seen.api if unit == API else seen.worker
        assert seen.missing_dependencies == ()
        assert seen.schema_at_head is True or (coming and seen.schema_at_head is None)
        assert coming or seen.database == "ok"
        assert shown.state == ("down" if planned[unit] == "start" else "up")
        assert planned[unit] == "start" or seen.fresh_environment[unit]
        assert "missing_module" not in shown.codes
        assert planned[unit] == "restart" or not coming or "database_authentication" not in shown.codes
    if WORKER in planned:
        assert seen.docker.state == "up"
        assert seen.storage_trouble == ()
        meant = seen.worker.end.how in ("stopped_with", "not_started", "died") and seen.worker.enabled
        assert meant or start_worker or planned[WORKER] == "restart"
        assert planned[WORKER] == "restart" or seen.pause is None
        assert planned[WORKER] == "start" or (seen.running_jobs is not None and RUNS not in seen.running_jobs)


@given(st.fixed_dictionaries(ANY), st.booleans())
def test_rules_that_hold_for_all_facts(facts, start_worker):
    check_rules(facts, start_worker)


def test_rules_on_every_combination_of_two_things_that_are_not_well():
    """Of a host that is well, with PostgreSQL and without it, any two of the facts changed in every way."""
    values = {name: strategy.elements for name, strategy in ANY.items() if hasattr(strategy, "elements")}
    tried = 0
    for base in ({}, PG_DOWN, {"api": down(), "api_answer": "silent"}, {"worker": FAILED}):
        for first, second in itertools.combinations(values, 2):
            for one, two in itertools.product(values[first], values[second]):
                check_rules({**base, first: one, second: two}, tried % 2 == 0)
                tried += 1
    assert tried > 10000
