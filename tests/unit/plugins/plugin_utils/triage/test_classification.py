# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decision tables of the classification: what is said of a host, by what it shows."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import evidence as collector
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.classification import confidence_of
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.evidence import (
    OPTIONAL,
    PROBES,
    SCHEMA_VERSION,
)
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage import samples
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    API,
    FAULTS,
    HEAD,
    NEWER,
    WORKER,
    data,
    failure,
    healthy_evidence,
    job,
    journal,
    judge,
    outside,
    partial,
    path,
    public_failures,
    rules_of,
    running_job,
    signature,
    unit,
    unseen,
)
from hypothesis import given
from hypothesis import strategies as st

STORAGE_FAULTS = ("hot_path_stale", "hot_path_hung")


def test_a_healthy_host_has_nothing() -> None:
    result = judge(healthy_evidence())
    assert result == {
        "verdict": "nothing_found",
        "classes": [],
        "first_layer_warning": None,
        "undeployed": {"count": 0, "commits": []},
        "bad_evidence": [],
        "not_seen": [],
        "not_established": [],
    }


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_comes_first_with_its_next_command(name: str) -> None:
    mutate, fault_class, rule, command = FAULTS[name]
    evidence = healthy_evidence()
    mutate(evidence)
    result = judge(evidence)
    assert result["verdict"] == "found"
    first = result["classes"][0]
    assert (first["class"], first["rule"], first["confidence"]) == (fault_class, rule, "certain")
    assert first["evidence_for"]
    assert not first["evidence_against"]
    assert command in first["next_step"]["command"]


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("storage", STORAGE_FAULTS)
def test_storage_comes_first_whatever_else_is_wrong(storage: str, name: str) -> None:
    evidence = healthy_evidence()
    FAULTS[name][0](evidence)
    FAULTS[storage][0](evidence)
    classes = judge(evidence)["classes"]
    assert classes[0]["class"] == "storage"
    assert FAULTS[name][2] in [each["rule"] for each in classes] or name in STORAGE_FAULTS


# Of two faults at once, the first of these comes first.
ORDER = (
    "hot_path_hung",
    "hot_path_stale",
    "env_file_unreadable",
    "postgresql_down",
    "api_missing_dependency",
    "stale_running_row",
    "worker_inactive",
    "baseline_drift",
    "undeployed_commits",
)


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(ORDER, 2)])
def test_of_two_faults_the_lower_layer_comes_first(first: str, second: str) -> None:
    evidence = healthy_evidence()
    FAULTS[second][0](evidence)
    FAULTS[first][0](evidence)
    assert rules_of(judge(evidence))[0] == FAULTS[first][2]


def test_a_symptom_comes_after_its_cause_and_names_it() -> None:
    evidence = healthy_evidence()
    samples.postgresql_down(evidence)
    classes = judge(evidence)["classes"]
    assert [each["rule"] for each in classes] == ["postgresql_down", "public_surface_failing", "worker_stopped"]
    assert [each["caused_by"] for each in classes[1:]] == [["postgresql_down"], ["postgresql_down"]]


OLD_LINES = (
    (API, signature("missing_module", 3600.0, "slowapi")),
    (API, signature("undefined_column", 60.0, "snapshots.deduplicated")),
    (API, signature("database_unreachable", 60.0, "127.0.0.1")),
    (API, signature("database_authentication", 60.0)),
    (API, signature("transport_endpoint", 60.0)),
    (API, signature("traceback", 60.0)),
    (WORKER, signature("transport_endpoint", 60.0)),
    (WORKER, signature("input_output_error", 60.0)),
    (WORKER, signature("output_dir_not_writable", 60.0)),
    (WORKER, signature("disk_threshold", 60.0)),
    (WORKER, signature("unrecognized_arguments", 60.0)),
)


def test_a_journal_with_old_errors_is_no_fault_once_the_host_is_well() -> None:
    evidence = healthy_evidence()
    for name in (API, WORKER):
        journal(evidence, name, *(record for unit_name, record in OLD_LINES if unit_name == name))
    assert judge(evidence)["verdict"] == "nothing_found"


@pytest.mark.parametrize("name", FAULTS)
def test_old_errors_do_not_come_before_the_present_fault(name: str) -> None:
    evidence = healthy_evidence()
    mutate, fault_class, rule, _command = FAULTS[name]
    mutate(evidence)
    for unit_name, record in OLD_LINES:
        present = data(evidence, "journal")["units"][unit_name]["signatures"]
        if record["code"] not in [each["code"] for each in present]:
            present.append({**record, "age_seconds": 80000.0, "last_seen_at": "2026-11-22T19:00:00Z"})
    first = judge(evidence)["classes"][0]
    assert (first["class"], first["rule"]) == (fault_class, rule)


@pytest.mark.parametrize("hidden", [*itertools.combinations(PROBES, 1), *itertools.combinations(PROBES, 2), PROBES])
def test_what_was_not_seen_is_neither_a_fault_nor_health(hidden: tuple[str, ...]) -> None:
    evidence = healthy_evidence()
    for probe in hidden:
        unseen(evidence, probe)
    result = judge(evidence)
    assert result["verdict"] == "unknown"
    assert result["classes"] == []
    assert [each["probe"] for each in result["not_seen"]] == list(hidden)
    assert result["not_established"]
    assert all(not fact["seen"] and fact["command"] for fact in result["not_established"])


@pytest.mark.parametrize("probe", collector.PROBES)
def test_a_probe_that_did_not_run_is_not_health(probe: str) -> None:
    evidence = healthy_evidence()
    del evidence["probes"][probe]
    result = judge(evidence)
    assert result["verdict"] == "unknown"
    assert [each["code"] for each in result["not_seen"]] == ["not_run"]


@pytest.mark.parametrize("probe", ["storage", "jobs", "baseline_drift"])
def test_no_fault_in_a_part_is_no_health(probe: str) -> None:
    evidence = healthy_evidence()
    partial(evidence, probe)
    if probe == "baseline_drift":
        data(evidence, probe)["drifted"] = None
    assert judge(evidence)["verdict"] == "unknown"


def test_a_fault_in_a_part_is_a_fault() -> None:
    evidence = healthy_evidence()
    partial(evidence, "jobs")
    data(evidence, "jobs")["jobs"].append(running_job(stale=True))
    assert rules_of(judge(evidence)) == ["stale_running_row"]


def test_a_truncated_list_hides_what_is_not_in_it() -> None:
    evidence = healthy_evidence()
    data(evidence, "jobs")["truncated"] = True
    result = judge(evidence)
    assert result["verdict"] == "unknown"
    assert [fact["text"] for fact in result["not_established"]] == [
        "no job is marked running without being run",
        "no job has failed",
        "no finished crawl waits for its indexing for more than an hour",
        "every job has a status that the service knows",
        "no running crawl stands still",
        "every job has a source",
        "every open job's options can be read by the listings",
        "haadmin may write where the present and the next jobs crawl to",
        "annual jobs crawl to the storage box",
        "annual jobs carry their campaign metadata",
        "annual jobs have the options that the deployed code wants",
    ]


def test_a_false_fact_without_a_rule_is_said() -> None:
    evidence = healthy_evidence()
    data(evidence, "units")["units"][WORKER] = unit("deactivating")
    result = judge(evidence)
    assert result["verdict"] == "unknown"
    assert [(fact["text"], fact["seen"]) for fact in result["not_established"]] == [("the worker runs", True)]


NO_DATABASE_URL = {"code": "bad_evidence", "message": "the file sets no HEALTHARCHIVE_DATABASE_URL"}


@pytest.mark.parametrize("backend", ["missing", "empty", "sqlite", "other"])
def test_without_a_database_url_nothing_is_said_of_jobs(backend: str) -> None:
    evidence = healthy_evidence()
    data(evidence, "environment")["database_backend"] = backend
    for probe in ("database", "jobs"):
        unseen(evidence, probe, **NO_DATABASE_URL)
    result = judge(evidence)
    assert result["bad_evidence"] == [NO_DATABASE_URL]
    assert rules_of(result) == ["database_url_wrong"]


def test_without_an_environment_file_nothing_is_said_of_jobs() -> None:
    evidence = healthy_evidence()
    fields = dict.fromkeys(data(evidence, "environment"))
    evidence["probes"]["environment"].update(
        status="partial", data={**fields, "path": "/etc/x", "exists": False}, problems=[NO_DATABASE_URL]
    )
    for probe in ("database", "jobs"):
        unseen(evidence, probe, **NO_DATABASE_URL)
    result = judge(evidence)
    assert result["bad_evidence"] == [NO_DATABASE_URL]
    assert rules_of(result) == ["env_file_missing"]


def test_without_the_cli_the_evidence_is_bad() -> None:
    evidence = healthy_evidence()
    unseen(evidence, "database", "not_found", "check-db could not be started")
    result = judge(evidence)
    assert [each["code"] for each in result["bad_evidence"]] == ["cli_missing"]
    assert rules_of(result)[0] == "virtual_environment_broken"


@pytest.mark.parametrize(
    "change",
    [
        {"backend": "sqlite", "reachable": None, "failure": "sqlite_fallback"},
        {"reachable": False, "failure": "no_such_table"},
    ],
)
def test_another_database_is_bad_evidence(change: dict[str, Any]) -> None:
    evidence = healthy_evidence()
    data(evidence, "database").update(change)
    result = judge(evidence)
    assert result["bad_evidence"]
    assert result["verdict"] != "nothing_found"


def waiting_far_behind(number: int, **changes: Any) -> dict[str, Any]:
    """A waiting job whose details were not asked for; that it can be listed was seen."""
    unseen_details = dict.fromkeys(("writable", "tier", "campaign", "wrong_options", "directory_state"))
    return job(number, **{"status": "queued", "details": False, **unseen_details, **changes})


def _storage(evidence: Any, *paths: Any, base: str = "ok") -> None:
    data(evidence, "storage").update(paths=list(paths))
    data(evidence, "storage")["base"]["state"] = base


def _api(evidence: Any, **changes: Any) -> None:
    data(evidence, "units")["units"][API].update(changes)


def _dependencies_behind(evidence: Any) -> None:
    data(evidence, "deployment")["environment"].update(dependencies_met=False, missing=["slowapi"])


def _import_error_without_a_declared_dependency(evidence: Any) -> None:
    samples.api_missing_dependency(evidence)
    data(evidence, "deployment")["environment"].update(dependencies_met=True, missing=[])
    data(evidence, "baseline_drift").update(drifted=False, failures=[])


def _the_moment_in_which_a_looping_api_runs(evidence: Any) -> None:
    samples.api_missing_dependency(evidence)
    data(evidence, "units")["units"][API] = unit(restarts=1)


def _loop_without_a_known_reason(evidence: Any) -> None:
    samples.api_missing_dependency(evidence)
    data(evidence, "deployment")["environment"].update(dependencies_met=True, missing=[])
    data(evidence, "baseline_drift").update(drifted=False, failures=[])
    journal(evidence, API, signature("traceback", 4.0), signature("missing_module", 7200.0, "slowapi"))


def _migration_pending(evidence: Any) -> None:
    samples.missing_column(evidence)
    data(evidence, "database")["schema"].update(current=["0013"], at_head=False)


def _postgresql_refuses(evidence: Any) -> None:
    samples.postgresql_down(evidence)
    data(evidence, "units")["units"]["postgresql.service"] = unit()
    data(evidence, "database").update(failure="authentication_failed")


def _no_storage_box(evidence: Any) -> None:
    _storage(evidence, base="missing")
    data(evidence, "storage")["manifest"] = {"exists": False, "entries": None}
    data(evidence, "units")["units"][samples.SSHFS] = unit("inactive", load_state="not-found")
    data(evidence, "units")["units"][samples.TIERING] = unit("inactive", load_state="not-found")


OTHERS: dict[str, tuple[Any, list[str]]] = {
    "no storage box at all": (_no_storage_box, []),
    "base mount gone, hot paths still bound": (
        lambda e: _storage(e, path("/a"), base="not_mounted"),
        ["storage_base_down"],
    ),
    "hot path unmounted": (
        lambda e: _storage(e, path("/a", state="not_mounted", mounted=False)),
        ["hot_path_not_mounted"],
    ),
    "an annual job's directory that nothing has bound": (
        lambda e: _storage(e, path("/a"), path("/b", kind="annual", state="not_mounted", mounted=False, fstype=None)),
        ["hot_path_not_mounted"],
    ),
    "input/output error": (lambda e: _storage(e, path("/a", state="error", errno=5)), ["storage_error"]),
    "disk at 85 %": (lambda e: data(e, "storage")["disk"][0].update(used_percent=85.0), ["disk_full"]),
    "disk below 85 %": (lambda e: data(e, "storage")["disk"][0].update(used_percent=84.9), []),
    "dependency missing, API still up": (_dependencies_behind, ["dependencies_behind"]),
    "import error of an undeclared package": (
        _import_error_without_a_declared_dependency,
        ["dependency_missing", "api_restart_loop", "public_surface_failing"],
    ),
    "restart loop, seen in the moment in which the API runs": (
        _the_moment_in_which_a_looping_api_runs,
        ["dependency_missing", "api_not_answering", "public_surface_failing"],
    ),
    "restart loop, old import error": (_loop_without_a_known_reason, ["api_restart_loop", "public_surface_failing"]),
    "migration waits": (
        _migration_pending,
        ["migration_pending", "missing_column", "api_internal_errors", "public_surface_failing"],
    ),
    "wrong password": (_postgresql_refuses, ["database_credentials", "public_surface_failing", "worker_stopped"]),
    "API stopped": (lambda e: _api(e, active_state="inactive", sub_state="dead"), ["api_stopped"]),
    "API hangs": (
        lambda e: data(e, "api").update(responds=False, failure="timed_out", status=None, database_check=None),
        ["api_not_answering"],
    ),
    "public only": (
        lambda e: public_failures(e, failure("api health", None)),
        ["public_api_unreachable", "public_surface_failing"],
    ),
    "frontend only": (lambda e: public_failures(e, failure("frontend archive-en", 404)), ["public_surface_failing"]),
    "raw page gone": (
        lambda e: public_failures(e, failure("raw snapshot", 404)),
        ["archived_page_missing", "public_surface_failing"],
    ),
    "500 without a known reason": (
        lambda e: public_failures(e, failure("api search")),
        ["api_internal_errors", "public_surface_failing"],
    ),
    "deploy running": (lambda e: data(e, "deployment")["deploy_lock"].update(state="held"), ["deploy_running"]),
    "worker stopped, nothing waits": (
        lambda e: data(e, "units")["units"].update({WORKER: unit("inactive")}),
        ["worker_stopped"],
    ),
    "worker runs, jobs wait": (lambda e: data(e, "jobs")["jobs"].append(job()), []),
    "a crawl runs well": (lambda e: data(e, "jobs")["jobs"].append(running_job(stale=False)), []),
    "a crawl has been quiet": (
        lambda e: data(e, "jobs")["jobs"].append(running_job(stale=False, log_age_seconds=3600.0, stalled=True)),
        ["crawl_stalled"],
    ),
    "a job failed": (
        lambda e: data(e, "jobs")["jobs"].append(job(status="failed", crawler_status="failed")),
        ["job_failed"],
    ),
    "the crawler rejects an option": (
        lambda e: data(e, "jobs")["jobs"].append(job(status="failed", crawler_status="infra_error_config")),
        ["crawler_option_rejected", "job_failed"],
    ),
    "not indexed": (lambda e: data(e, "jobs")["jobs"].append(job(status="index_failed")), ["indexing_failed"]),
    "two lock directories": (
        lambda e: data(e, "environment")["job_lock_directories"].update(services="/tmp/locks"),
        ["lock_directories_differ"],
    ),
    "export in the environment file": (
        lambda e: data(e, "environment")["findings"].append({"line": 3, "code": "export_line", "variable": "X"}),
        ["env_file_ambiguous"],
    ),
    "local changes": (lambda e: data(e, "deployment").update(dirty=True, dirty_files=["x"]), ["checkout_dirty"]),
    "never pushed": (
        lambda e: data(e, "deployment").update(head_is_origin_main=False, head_on_origin_main=False),
        ["head_not_on_main"],
    ),
    "a status that nobody knows": (
        lambda e: samples.add_jobs(e, job(8, "crawling", status_known=False)),
        ["unknown_status"],
    ),
    "a crawl that was never indexed": (
        lambda e: samples.add_jobs(e, job(8, "completed", finished_age_seconds=4000.0)),
        ["indexing_not_started"],
    ),
    "a crawl that was completed just now": (
        lambda e: samples.add_jobs(e, job(8, "completed", finished_age_seconds=60.0)),
        [],
    ),
    "thirty jobs that wait, and a worker that works": (
        lambda e: samples.add_jobs(
            e, *(job(n, "queued") for n in range(20)), *(waiting_far_behind(n) for n in range(20, 30))
        ),
        [],
    ),
    "never pushed, and behind": (
        lambda e: data(e, "deployment").update(
            head_is_origin_main=False, head_on_origin_main=False, undeployed={"count": 2, "commits": []}
        ),
        ["head_not_on_main", "undeployed_commits"],
    ),
    "API older than its code": (
        lambda e: data(e, "deployment")["processes"][API].update(current=False),
        ["process_behind"],
    ),
}


@pytest.mark.parametrize(
    ("code", "directory", "found"),
    [
        ("output_dir_not_writable", {"writable": False}, True),
        ("annual_tiering_failed", {"annual": True}, True),
        ("output_dir_not_writable", {"annual": True}, False),  # the journal tells of another fault
        ("annual_tiering_failed", {"annual": True, "mounted": True}, False),  # it was mended since
        ("traceback", {"writable": False, "annual": True}, False),
    ],
)
def test_a_directory_that_the_worker_failed_on_is_named_when_the_jobs_cannot_be_read(
    code: str, directory: dict[str, Any], found: bool
) -> None:
    evidence = healthy_evidence()
    samples.postgresql_down(evidence)
    journal(evidence, WORKER, signature(code))
    path = {"path": "/srv/healtharchive/jobs/hc/x", "annual": False, "mounted": False, "writable": True}
    data(evidence, "storage")["job_directories"] = [{**path, **directory}]
    rules = rules_of(judge(evidence))
    assert rules[:2] == (["job_directories_suspect", "postgresql_down"] if found else rules[:2])
    assert ("job_directories_suspect" in rules) is found
    said = [each["confidence"] for each in judge(evidence)["classes"] if each["rule"] == "job_directories_suspect"]
    # A sound host has annual directories on its own disk too, and a line about tiering names none.
    assert said == ([] if not found else ["likely" if code == "output_dir_not_writable" else "possible"])


def test_indexing_may_wait_for_a_running_crawl() -> None:
    evidence = healthy_evidence()
    samples.add_jobs(evidence, job(8, "completed", finished_age_seconds=4000.0), running_job(9, stale=False))
    assert [(each["rule"], each["confidence"]) for each in judge(evidence)["classes"]] == [
        ("indexing_not_started", "possible")
    ]


@pytest.mark.parametrize(
    "late",
    [
        waiting_far_behind(30, listable=None),  # the listing was a traceback, or did not show it
        waiting_far_behind(30, status="failed", details=None),
        waiting_far_behind(30, details=None),
        job(30, "completed", finished_age_seconds=None),
    ],
)
def test_a_job_that_was_not_looked_at_is_no_health(late: dict[str, Any]) -> None:
    evidence = healthy_evidence()
    samples.add_jobs(evidence, *(job(number, "queued") for number in range(20)), late)
    assert judge(evidence)["verdict"] != "nothing_found"


@pytest.mark.parametrize("name", OTHERS)
def test_what_else_can_be_wrong(name: str) -> None:
    mutate, expected = OTHERS[name]
    evidence = healthy_evidence()
    mutate(evidence)
    result = judge(evidence)
    assert rules_of(result) == expected
    assert result["verdict"] == "found" if expected else "nothing_found"
    assert all(each["next_step"]["command"] for each in result["classes"])


def test_storage_that_was_not_seen_is_possible_only_with_present_signs() -> None:
    evidence = healthy_evidence()
    unseen(evidence, "storage")
    journal(evidence, WORKER, signature("transport_endpoint", 60.0))
    first = judge(evidence)["classes"][0]
    assert (first["rule"], first["confidence"]) == ("storage_not_seen", "likely")
    journal(evidence, WORKER, signature("transport_endpoint", 7200.0))
    assert judge(evidence)["classes"] == []


STEPS = (
    ("a crawl runs", lambda e: data(e, "jobs")["jobs"].append(running_job(stale=False)), "list-jobs --status running"),
    (
        "the worker is idle",
        lambda e: None,
        "systemctl stop 'healtharchive-worker-auto-start*' healtharchive-worker.service && sudo umount",
    ),
    (
        "the worker is stopped",
        lambda e: data(e, "units")["units"].update({WORKER: unit("inactive")}),
        "sudo umount --lazy -- /srv",
    ),
)


@pytest.mark.parametrize(("name", "mutate", "command"), STEPS, ids=[step[0] for step in STEPS])
def test_a_stale_path_is_not_unmounted_under_a_worker(name: str, mutate: Any, command: str) -> None:
    evidence = healthy_evidence()
    samples.hot_path_stale(evidence)
    mutate(evidence)
    shown = judge(evidence)["classes"][0]["next_step"]["command"]
    assert command in shown
    assert ("umount" in shown) is (name != "a crawl runs")
    assert "repair" not in shown


def test_a_path_below_another_is_unmounted_first() -> None:
    evidence = healthy_evidence()
    _storage(evidence, path("/srv/a", state="stale"), path("/srv/a/b", state="stale"), path("/srv/c"))
    assert judge(evidence)["classes"][0]["next_step"]["command"].endswith("-- /srv/a/b /srv/a")


def test_a_stale_row_is_not_recovered_when_a_lock_could_be_missed() -> None:
    evidence = healthy_evidence()
    samples.stale_running_row(evidence)
    data(evidence, "environment")["job_lock_directories"].update(services="/tmp/locks")
    first = judge(evidence)["classes"][0]
    assert first["rule"] == "stale_running_row"
    assert "recover-stale-jobs" not in first["next_step"]["command"]


@pytest.mark.parametrize(
    ("age", "started", "options"),
    [
        (18000.0, True, "--older-than-minutes 180 --require-no-progress-seconds 300 --source phac"),
        (900.0, True, "--older-than-minutes 15 --require-no-progress-seconds 300 --source phac"),
        (
            None,
            False,
            "--older-than-minutes 180 --require-no-progress-seconds 300 --include-missing-started-at --source phac",
        ),
    ],
)
def test_the_recovery_lists_the_row_that_was_seen(age: float | None, started: bool, options: str) -> None:
    evidence = healthy_evidence()
    data(evidence, "jobs")["jobs"].append(
        running_job(stale=True, age_seconds=age, started_at="2026-11-23T12:50:00Z" if started else None)
    )
    assert judge(evidence)["classes"][0]["next_step"]["command"].endswith("recover-stale-jobs " + options)


def test_the_repair_deploys_main_when_the_checked_out_commit_was_never_pushed() -> None:
    evidence = healthy_evidence()
    samples.api_missing_dependency(evidence)
    data(evidence, "deployment").update(head_is_origin_main=False, head_on_origin_main=False, origin_main=NEWER)
    command = judge(evidence)["classes"][0]["next_step"]["command"]
    assert NEWER in command
    assert HEAD not in command


def test_the_deploy_is_told_what_differs_from_its_defaults() -> None:
    evidence = healthy_evidence()
    samples.undeployed_commits(evidence)
    evidence["settings"].update(
        env_file="/etc/other/x.env",
        deploy_lock_file="/run/x.lock",
        public_api_base="http://192.0.2.7",
        public_frontend_base="http://192.0.2.7:8080",
    )
    assert judge(evidence)["classes"][0]["next_step"]["command"] == (
        "sudo -u haadmin /opt/healtharchive/scripts/vps-deploy.sh --baseline-mode live --ref "
        + NEWER
        + " --env-file /etc/other/x.env --lock-file /run/x.lock"
        + " --public-api-base http://192.0.2.7 --public-frontend-base http://192.0.2.7:8080"
    )


def test_a_command_is_left_out_rather_than_written_with_a_strange_value() -> None:
    evidence = healthy_evidence()
    samples.undeployed_commits(evidence)
    data(evidence, "deployment")["origin_main"] = "main; reboot"
    assert judge(evidence)["classes"][0]["next_step"]["command"] is None


TRUTHS = st.lists(st.sampled_from([True, False, None]), max_size=4)


@given(direct=st.booleans(), needed=TRUTHS.filter(bool), supports=TRUTHS, contradicts=TRUTHS)
def test_the_words_for_confidence_mean_what_the_guide_says(
    direct: bool, needed: list, supports: list, contradicts: list
) -> None:
    word = confidence_of(direct, needed, supports, contradicts)
    all_seen = all(answer is True for answer in needed)
    if word == "certain":
        assert all_seen
        assert all(answer is False for answer in contradicts)
        assert direct or True in supports
    elif word == "likely":
        assert all_seen
        assert True not in contradicts
    elif word == "possible":
        assert False not in needed
        assert (all_seen and True in contradicts) or (True in needed and True in supports and True not in contradicts)
    else:
        assert word is None
        assert False in needed or (
            None in needed and not (True in needed and True in supports and True not in contradicts)
        )


def test_the_probes_are_those_that_are_gathered() -> None:
    assert set(PROBES) == {*collector.PROBES, *OPTIONAL}
    assert SCHEMA_VERSION == collector.SCHEMA_VERSION


def test_a_healthy_crawl_beside_a_stale_one_is_named_and_left_alone() -> None:
    evidence = healthy_evidence()
    samples.stale_beside_healthy(evidence)
    step = judge(evidence)["classes"][0]["next_step"]
    assert "9 (hc, hc-healthy) is being crawled" in step["why"]
    assert "6 (" not in step["why"]
    assert "systemctl" not in step["command"]


def test_a_stalled_crawl_beside_a_healthy_one_names_it() -> None:
    evidence = healthy_evidence()
    samples.stalled_crawl(evidence)
    samples.add_jobs(evidence, running_job(9, stale=False, source="hc", name="hc-healthy"))
    first = judge(evidence)["classes"][0]
    assert "9 (hc, hc-healthy) is being crawled and well" in first["next_step"]["why"]
    assert "9 (" not in first["summary"]


def test_stale_rows_of_several_sources_are_all_listed() -> None:
    evidence = healthy_evidence()
    samples.several_stale_rows(evidence)
    assert "--source" not in judge(evidence)["classes"][0]["next_step"]["command"]


@pytest.mark.parametrize(
    "fields",
    [
        {"listable": None, "wrong_options": None},
        {"writable": None},
        {"campaign": None},
    ],
)
def test_what_is_not_known_of_a_waiting_job_is_no_health(fields: dict[str, Any]) -> None:
    evidence = healthy_evidence()
    samples.add_jobs(evidence, job(**fields))
    result = judge(evidence)
    assert (result["verdict"], result["classes"]) == ("unknown", [])


def test_annual_jobs_that_were_not_compared_are_no_health() -> None:
    evidence = healthy_evidence()
    samples.add_jobs(evidence, samples.annual_job())
    data(evidence, "jobs")["annual_options"] = None
    assert judge(evidence)["verdict"] == "unknown"
    record = {
        "job_id": 6,
        "source": "phac",
        "year": 2026,
        "options_drifted": False,
        "metadata_lost": False,
        "changes": [],
    }
    data(evidence, "jobs")["annual_options"] = [record]
    assert judge(evidence)["verdict"] == "nothing_found"


def seen_outside(evidence: Any, problem: str, status: int | None = None, stage: str = "certificate") -> None:
    """The controller does not get a sound answer of the API."""
    url = "https://api.archive.example.org/api/health"
    data(evidence, "outside_view").update(sound=False, api=outside(url, problem, stage, status=status))


def test_the_proxy_is_broken_and_the_service_is_well() -> None:
    evidence = healthy_evidence()
    samples.public_proxy_broken(evidence)
    first = judge(evidence)["classes"][0]
    assert (first["rule"], first["confidence"]) == ("public_api_unreachable", "certain")
    assert any("refuses the connection" in text for text in first["evidence_for"])


def test_the_service_is_broken_behind_a_proxy_that_is_well() -> None:
    evidence = healthy_evidence()
    samples.api_missing_dependency(evidence)
    seen_outside(evidence, None, 502, "answer")  # type: ignore[arg-type]
    data(evidence, "outside_view")["api"]["sound"] = False
    rules = rules_of(judge(evidence))
    assert rules[0] == "dependency_missing"
    assert not {"public_api_unreachable", "certificate_refused", "public_name_fails_outside"} & set(rules)


def test_a_proxy_that_is_down_is_named_beside_an_api_that_is_down() -> None:
    evidence = healthy_evidence()
    samples.api_missing_dependency(evidence)
    assert "proxy_stopped" not in rules_of(judge(evidence))
    data(evidence, "units")["units"]["caddy.service"] = unit("failed")
    assert rules_of(judge(evidence))[0] == "dependency_missing"
    assert "proxy_stopped" in rules_of(judge(evidence))
    data(evidence, "units")["units"]["caddy.service"]["unit_file_state"] = "disabled"  # another proxy is in use
    assert "proxy_stopped" not in rules_of(judge(evidence))


def test_only_the_host_sees_its_public_address() -> None:
    evidence = healthy_evidence()
    seen_outside(evidence, "name_unknown", stage="name")
    first = judge(evidence)["classes"][0]
    assert (first["class"], first["rule"], first["confidence"]) == ("service", "public_name_fails_outside", "certain")
    assert "has a name that does not resolve" in first["summary"]


def test_a_certificate_that_is_refused_comes_before_what_follows_from_it() -> None:
    evidence = healthy_evidence()
    seen_outside(evidence, "certificate_expired", 200)
    public_failures(evidence, failure("api health", None), failure("api stats", None))
    result = judge(evidence)
    assert rules_of(result)[:2] == ["certificate_refused", "public_api_unreachable"]
    assert result["classes"][1]["caused_by"] == ["certificate_refused"]
    assert result["classes"][0]["confidence"] == "certain"


def test_what_was_seen_well_from_outside_speaks_against_a_broken_proxy() -> None:
    evidence = healthy_evidence()
    public_failures(evidence, failure("api health", None))
    first = judge(evidence)["classes"][0]
    assert (first["rule"], first["confidence"]) == ("public_api_unreachable", "possible")


@pytest.mark.parametrize("record", ["none", "not_configured"])
def test_a_view_from_outside_that_nobody_asked_for_spoils_nothing(record: str) -> None:
    evidence = healthy_evidence()
    if record == "none":
        del evidence["probes"]["outside_view"]
    else:
        unseen(evidence, "outside_view", "not_configured", "healtharchive_public_api_base is not set.")
    result = judge(evidence)
    assert result["verdict"] == "nothing_found"
    assert [each["code"] for each in result["not_seen"]] == ([] if record == "none" else ["not_configured"])


@pytest.mark.parametrize("code", ["unreachable", "not_found"])
def test_a_view_from_outside_that_saw_nothing_is_no_good_sign(code: str) -> None:
    evidence = healthy_evidence()
    unseen(evidence, "outside_view", code)
    result = judge(evidence)
    assert (result["verdict"], result["classes"]) == ("unknown", [])
    assert result["not_established"][0]["text"] == "the public addresses answer from where Ansible runs"


def test_one_address_that_is_not_set_hides_nothing_of_the_other() -> None:
    evidence = healthy_evidence()
    data(evidence, "outside_view").update(api=None, sound=None)
    evidence["probes"]["outside_view"].update(status="partial", problems=[{"code": "not_configured", "message": "x"}])
    data(evidence, "outside_view")["sound"] = False
    assert judge(evidence)["verdict"] == "found"


def test_a_host_without_replay_is_healthy() -> None:
    evidence = healthy_evidence()
    samples.no_replay(evidence)
    assert judge(evidence)["verdict"] == "nothing_found"


@pytest.mark.parametrize(
    ("front", "pages", "rule", "fault_class"),
    [
        (200, [("local", "failing", 500), ("mounted", "served", 200)], "replay_failing", "service"),
        (200, [("local", "failing", 500), ("mounted", "failing", 500)], "replay_failing", "service"),
        (200, [("local", "served", 200), ("mounted", "not_found", 404)], "replay_failing", "service"),
        (502, [], "replay_failing", "service"),
        (None, [], "replay_failing", "service"),
        (200, [("local", "served", 200), ("mounted", "silent", None)], "replay_mount_dead", "storage"),
        (200, [("mounted", "failing", 503)], "replay_mount_dead", "storage"),
    ],
)
def test_which_part_of_replay_fails(front: int | None, pages: list[Any], rule: str, fault_class: str) -> None:
    evidence = healthy_evidence()
    data(evidence, "replay").update(
        responds=front is not None,
        failure=None if front else "connection_refused",
        status=front,
        targets=[samples.replay_target(number, *page) for number, page in enumerate(pages)],
    )
    (found,) = judge(evidence)["classes"]
    assert (found["rule"], found["class"], found["confidence"]) == (rule, fault_class, "certain")


def test_a_page_that_replay_was_not_seen_to_serve_is_no_fault_and_no_health() -> None:
    evidence = healthy_evidence()
    data(evidence, "replay")["targets"][1] = samples.replay_target(3, "mounted", "x", None)
    data(evidence, "replay")["targets"][1]["state"] = None
    assert judge(evidence)["verdict"] == "unknown"


def test_an_old_line_of_an_api_that_was_stopped_names_no_missing_package() -> None:
    evidence = healthy_evidence()
    data(evidence, "units")["units"][API] = unit("inactive")
    data(evidence, "api").update(responds=False, failure="connection_refused", status=None, database_check=None)
    journal(evidence, API, signature("missing_module", 20.0, "slowapi"))
    assert "dependency_missing" not in rules_of(judge(evidence))
    data(evidence, "units")["units"][API] = unit("activating", restarts=3, restarting=True)
    assert rules_of(judge(evidence))[0] == "dependency_missing"


def test_one_restart_is_no_restarts() -> None:
    for restarts, told in ((1, "(1 restart)"), (3, "(3 restarts)"), (None, "(an unknown number of restarts)")):
        evidence = healthy_evidence()
        data(evidence, "units")["units"][API] = unit("activating", restarts=restarts, restarting=True)
        data(evidence, "api").update(responds=False, failure="connection_refused", status=None, database_check=None)
        assert told in str(judge(evidence))
