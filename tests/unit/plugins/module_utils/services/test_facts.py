# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence in the words of a decision: what a journal said once is no fact of now, and what was not seen is not known."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.unit_ends import End
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import units
from ansible_collections.healtharchive.remediation.plugins.module_utils.services import facts, seen
from ansible_collections.healtharchive.remediation.plugins.module_utils.services.seen import API, WORKER

HEAD, MAIN = "1" * 40, "2" * 40
STATE = {
    "load_state": "loaded", "active_state": "active", "sub_state": "running", "result": "success", "unit_file_state": "enabled",
    "restarts": 0, "main_pid": 1, "started_at": "2026-11-23T17:00:00Z", "condition_met": True, "restarting": False,
}  # fmt: skip
DOWN = {"active_state": "inactive", "sub_state": "dead", "started_at": None, "main_pid": None}
MODULE = {"code": "missing_module", "subject": "slowapi", "last_seen_at": "2026-11-23T17:59:50Z", "age_seconds": 600.0}
NOTHING = seen.Look()
UNKNOWN = End("unknown")
COLUMN = {**MODULE, "code": "undefined_column", "subject": "snapshots.deduplicated"}


def evidence() -> dict:
    """Of a host that is well, what is needed here."""
    data = {
        "units": {"units": {name: dict(STATE) for name in facts._UNITS}},
        "journal": {"units": {API: {"signatures": []}, WORKER: {"signatures": []}}},
        "database": {"reachable": True, "failure": None, "detail": None, "schema": {"at_head": True}},
        "api": {"responds": True, "status": 200, "database_check": "ok", "failure": None},
        "deployment": {
            "head": HEAD, "origin_main": MAIN, "head_on_origin_main": True, "undeployed": {"count": 1},
            "environment": {"dependencies_met": True, "missing": []}, "deploy_lock": {"state": "absent"},
        },
        "storage": {
            "base": {"path": "/box", "state": "ok", "mounted": True}, "paths": [{"path": "/hot", "state": "ok"}],
            "manifest": {"exists": True}, "disk": [{"path": "/", "used_percent": 84.9}, {"path": "/jobs", "used_percent": 30.0}],
        },
        "environment": {"exists": True, "readable_by_service_user": True, "database_backend": "postgresql"},
        "jobs": {"jobs": []},
    }  # fmt: skip
    return {name: {"status": "ok", "problems": [], "data": each} for name, each in data.items()}


def of(look: seen.Look = NOTHING, **changes) -> facts.Facts:
    """``units__healtharchive-api.service__active_state=...``: a path into the data of a probe."""
    probes = evidence()
    for path, value in changes.items():
        *way, last = path.split("__")
        place = probes[way[0]]["data"]
        for word in ("units", *way[1:]) if way[0] in ("units", "journal") else way[1:]:
            place = place[word]
        place[last] = copy.deepcopy(value)
    return facts.from_evidence(probes, look)


def test_a_host_that_is_well():
    found = of()
    assert {found.api.state, found.worker.state, found.postgresql.state, found.docker.state} == {"up"}
    assert (found.database, found.api_answer, found.environment, found.deploy) == ("ok", "ok", "ok", "none")
    assert (found.missing_dependencies, found.schema_at_head, found.storage_trouble, found.full_disks) == (
        (),
        True,
        (),
        (),
    )
    assert (found.repair_commit, found.undeployed, found.unseen) == (HEAD, 1, ())


def test_nothing_seen_is_nothing_known():
    found = facts.from_evidence({}, seen.Look())
    assert found.api.state == found.worker.state == found.postgresql.state == "unknown"
    assert (found.database, found.api_answer, found.environment, found.deploy) == ("unknown",) * 4
    unseen = (
        found.missing_dependencies,
        found.schema_at_head,
        found.storage_trouble,
        found.full_disks,
        found.running_jobs,
    )
    assert unseen == (None,) * 5
    assert len(found.unseen) == len(facts.PROBES)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        (DOWN, "down"),
        ({"active_state": "failed"}, "down"),
        ({"active_state": "activating", "restarting": True}, "looping"),
        ({"restarting": True}, "looping"),
        ({"active_state": "deactivating"}, "changing"),
        ({"load_state": "masked"}, "masked"),
        ({"load_state": "not-found"}, "missing"),
    ],
)
def test_states_of_a_unit(changes, state):
    assert of(**{"units__" + API: {**STATE, **changes}}).api.state == state


def unit_with(signature: dict, state: dict, end: End = UNKNOWN) -> facts.Unit:
    changes = {"units__" + API: {**STATE, **state}, "journal__%s__signatures" % API: [signature]}
    return of(seen.Look({API: end}), **changes).api


def test_a_line_of_the_journal_speaks_of_a_unit_that_ended_then():
    died = End("died", "2026-11-23T18:00:00Z")
    assert unit_with(MODULE, DOWN, died).codes == {"missing_module": "slowapi"}
    # It was said, mended, and the unit ran for another day.
    assert unit_with(MODULE, DOWN, died._replace(at="2026-11-24T18:00:00Z")).codes == {}
    # It was said to the run before, and then mended.
    assert unit_with(MODULE, DOWN, died._replace(since="2026-11-23T17:59:51Z")).codes == {}
    assert unit_with(MODULE, DOWN, died._replace(since="2026-11-23T17:59:40Z")).codes == {"missing_module": "slowapi"}
    # When it ended is not known: only what was said just now counts.
    assert unit_with(MODULE, DOWN).codes == {}
    assert unit_with({**MODULE, "age_seconds": 60.0}, DOWN).codes == {"missing_module": "slowapi"}


def test_a_line_of_the_journal_speaks_of_a_unit_that_loops_now():
    looping = {"active_state": "activating", "restarting": True, "started_at": None}
    assert unit_with({**MODULE, "age_seconds": 4.0}, looping).codes == {"missing_module": "slowapi"}
    assert unit_with(MODULE, looping).codes == {}
    # It was said to a run before the one before, and then mended.
    young = {**MODULE, "age_seconds": 60.0}
    assert unit_with(young, looping, End("unknown", since="2026-11-23T18:00:10Z")).codes == {}
    assert unit_with(young, looping, End("unknown", since="2026-11-23T18:00:00Z")).codes == {
        "missing_module": "slowapi"
    }
    # A time that is yet to come is nobody's.
    assert unit_with({**MODULE, "age_seconds": None}, looping).codes == {}


def test_what_the_schema_lacks_needs_a_symptom_of_now():
    def absent(fails, passed=None, failures=(), age=600.0, since="2026-11-23T17:00:00Z", **changes):
        probes = evidence()
        probes["journal"]["data"]["units"][API]["signatures"] = [{**COLUMN, "age_seconds": age}]
        probes["units"]["data"]["units"][API]["started_at"] = since
        if passed is not None:
            probes["public_surface"] = {"data": {"passed": passed, "failures": [{"status": each} for each in failures]}}
        probes["database"]["data"].update(changes)
        return facts.from_evidence(probes, seen.Look(routes_fail=fails)).absent

    assert absent(True) == ("snapshots.deduplicated",)
    assert absent(False) == ()
    assert absent(False, passed=False, failures=[500]) == ()
    assert absent(None, passed=False, failures=[500]) == ("snapshots.deduplicated",)
    assert absent(None, passed=True) == ()
    # The proxy is at fault, so nobody could ask the API for a page.
    assert absent(None, passed=False, failures=[502]) == ()
    assert absent(None, passed=False, failures=[502], age=20.0) == ("snapshots.deduplicated",)
    # It was said to an earlier run of the API.
    assert absent(True, since="2026-11-23T18:30:00Z") == ()
    # Without the database all pages fail.
    assert absent(True, reachable=False, failure="connection_refused") == ()
    assert absent(None, reachable=False, failure="undefined_column", detail="a.b") == ("a.b",)


@pytest.mark.parametrize(
    ("reachable", "failure", "word"),
    [
        (True, None, "ok"),
        (False, "connection_refused", "refused"),
        (False, "authentication_failed", "credentials"),
        (None, "missing_module", "missing_module"),
        (None, "sqlite_fallback", "unusable"),
        (False, "no_such_table", "schema"),
        (None, "other", "unusable"),
    ],
)
def test_words_for_the_database(reachable, failure, word):
    assert of(database__reachable=reachable, database__failure=failure).database == word


def test_a_command_that_is_not_there():
    probes = evidence()
    probes["database"] = {"data": None, "problems": [{"code": "not_found", "message": "check-db could not be started"}]}
    found = facts.from_evidence(probes, seen.Look())
    assert found.database == "no_program"
    assert found.unseen == ("database (check-db could not be started)",)


def test_the_commit_that_repairs_is_on_origin_main():
    assert of(deployment__head_on_origin_main=False).repair_commit == MAIN
    assert of(deployment__head_on_origin_main=None).repair_commit == MAIN


def test_disks_and_storage():
    assert of(storage__disk=[{"path": "/jobs", "used_percent": 85.0}]).full_disks == ("/jobs 85.0 % used",)
    assert not of(storage__disk=[{"path": "/jobs", "used_percent": 99.0}]).root_critical
    assert of(storage__disk=[{"path": "/", "used_percent": 92.0}]).root_critical
    assert of(storage__disk=[]).full_disks is None
    assert of(storage__paths=[{"path": "/hot", "state": "stale"}]).storage_trouble == ("/hot is stale",)
    assert of(storage__paths=[{"path": "/hot", "state": None}]).storage_trouble is None
    assert of(storage__base={"path": "/box", "state": "not_mounted", "mounted": False}).storage_trouble == (
        "/box is not_mounted",
    )
    # A host without a storage box.
    without = {
        "storage__base": {"path": "/box", "state": "missing", "mounted": False},
        "storage__manifest": {"exists": False},
    }
    assert of(**without).storage_trouble == ()


def test_an_environment_file_that_is_newer_than_a_process():
    look = seen.Look(env_file_changed_at="2026-11-23T17:30:00Z")
    assert of(look).fresh_environment[API]
    assert not of(look._replace(env_file_changed_at="2026-11-23T16:00:00Z")).fresh_environment[API]
    assert not of(look, **{"units__" + API: {**STATE, **DOWN}}).fresh_environment[API]


def test_jobs():
    job = {
        "id": 7, "source": "phac", "status": "running", "retry_count": 0, "crawled": 12, "crawl_total": None, "lock": "held",
        "stale": False, "rejected_options": None,
    }  # fmt: skip
    failed = {**job, "id": 8, "status": "failed", "rejected_options": "--extraChromeArgs"}
    found = of(jobs__jobs=[job, failed, {**failed, "id": 9, "status": "indexed"}])
    assert found.running_jobs == (facts.RunningJob(7, "job 7 (phac, 12 of ? pages, lock held, retry 0)", False),)
    assert found.rejected_options == ("job 8: --extraChromeArgs",)


def test_units_have_one_name():
    assert (seen.API, seen.WORKER) == (units.API, units.WORKER)
    assert set(facts._UNITS) <= set(units.UNITS)
