# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about the recorded evidence of each fault and of each pair of faults of real sandbox hosts."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest
import yaml
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.respond import answers, decide
from pairing import judge, plan, recordings

ROOT = Path(__file__).resolve().parents[3]
KNOWN = answers.compile_answers(yaml.safe_load((ROOT / "roles/respond/vars/answers.yml").read_text())["respond_answers"])
DRILLS = yaml.safe_load((ROOT / "tests/drills/drills.yml").read_text())
RULES = judge.rules()
CLASSES = plan.expected_classes()
RECORDED = {each.broken: each.evidence for each in recordings.load() if each.evidence is not None}
STORAGE = {name for name, fault_class in CLASSES.items() if fault_class == "storage"} - {"replay_target_failing"}


def decided(evidence: Dict[str, Any]) -> Tuple[decide.Decision, Dict[str, Any]]:
    result = judge.result(evidence, RULES)
    return decide.decide(evidence, result, KNOWN), result


@pytest.mark.parametrize("fault", sorted(plan.faults()))
def test_each_fault_has_the_answer_that_its_drill_expects(fault):
    decision, _result = decided(RECORDED[(fault,)])
    assert decision.do == DRILLS["faults"][fault]["first"]


def test_where_nothing_is_broken_it_is_verified():
    decision, _result = decided(RECORDED[()])
    assert (decision.do, decision.persons, decision.waiting) == (decide.VERIFY, [], [])


def test_no_crawl_is_touched_while_storage_is_not_well():
    """And without storage among them, some are: the control."""
    about_crawls = {
        broken: bool(set(broken) & STORAGE)
        for broken, evidence in RECORDED.items()
        if decided(evidence)[0].do in answers.OF_JOBS
    }
    assert len(about_crawls) > 50
    assert [broken for broken, storage in about_crawls.items() if storage] == []


def test_nothing_is_done_about_what_may_follow_from_what_a_person_must_mend():
    for broken, evidence in RECORDED.items():
        decision, result = decided(evidence)
        if decision.rule is None or decision.do in (answers.PERSON, answers.WAIT):
            continue
        causes = next(each["caused_by"] for each in result["classes"] if each["rule"] == decision.rule)
        assert not {person["rule"] for person in decision.persons} & set(causes), broken


def test_a_recovery_beside_an_independent_fault_goes_on():
    """A broken resume state of one job holds no other job back, and is told beside it."""
    decision, _result = decided(RECORDED[("poisoned_resume", "stale_running_row")])
    assert decision.do == "recover_stale_jobs"
    assert [person["rule"] for person in decision.persons] == ["poisoned_resume"]


@pytest.mark.parametrize("fault", ["completed_never_indexed", "warc_truncated"])
def test_what_nobody_has_indexed_is_told_by_its_number(fault):
    evidence = RECORDED[(fault,)]
    wanted = [job["id"] for job in evidence["probes"]["jobs"]["data"]["jobs"]]
    assert len(wanted) == 1
    assert (decided(evidence)[0].do, decided(evidence)[0].jobs) == ("recover_indexing", wanted)


def test_while_a_crawl_runs_indexing_may_wait():
    decision, result = decided(RECORDED[tuple(sorted(("completed_never_indexed", "stalled_crawl")))])
    assert decision.do == "recover_stalled_crawl"
    assert "indexing_not_started" in [each["rule"] for each in result["classes"]]


def test_nothing_is_done_where_no_rule_applies_and_not_everything_was_seen():
    evidence = RECORDED[()]
    blind = {**evidence, "probes": {name: record for name, record in evidence["probes"].items() if name != "units"}}
    decision, _result = decided(blind)
    assert (decision.do, decision.rule) == (answers.PERSON, None)


def test_a_rule_that_nothing_answers_holds_everything_back():
    evidence = RECORDED[("stale_running_row",)]
    without = {rule: entry for rule, entry in KNOWN.items() if rule != "worker_inactive" and rule != "worker_stopped"}
    result = judge.result(evidence, RULES)
    own = {**result["classes"][0], "rule": "of_the_site", "caused_by": []}
    decision = decide.decide(evidence, {**result, "classes": [own, *result["classes"]]}, without)
    assert (decision.do, decision.rule) == (answers.PERSON, "of_the_site")
    assert decide.decide(evidence, result, KNOWN).do == "recover_stale_jobs"


def test_a_bad_option_is_retried_only_when_something_was_deployed_since():
    """The case I11: repository, deploy, options, one retry; nothing before its turn."""
    evidence = copy.deepcopy(RECORDED[("bad_crawler_option",)])
    (job,) = [each for each in evidence["probes"]["jobs"]["data"]["jobs"] if each["rejected_options"]]
    assert decided(evidence)[0].do == answers.PERSON
    deployment = evidence["probes"]["deployment"]["data"]
    deployment.update(head_is_origin_main=False, origin_main="cd" * 20)
    assert decided(evidence)[0].commit == "cd" * 20
    deployment.update(head_is_origin_main=True, checkout_changed_at="2099-01-01T00:00:00Z")
    assert (decided(evidence)[0].do, decided(evidence)[0].jobs) == ("recover_failed_jobs", [job["id"]])
    waiting = copy.deepcopy(evidence)
    next(each for each in waiting["probes"]["jobs"]["data"]["jobs"] if each["id"] == job["id"])["status"] = "retryable"
    assert decided(waiting)[0].do == answers.WAIT
    evidence["probes"]["jobs"]["data"]["annual_options"] = [{"job_id": job["id"], "options_drifted": True}]
    assert decided(evidence)[0].do == "reconcile_config"


def test_a_directory_that_was_given_back_holds_no_retry_back():
    """The case I3: the worker's line is in its journal still, since its last start. What lies on a mount is another matter."""
    evidence = copy.deepcopy(RECORDED[("output_dir_not_writable",)])
    (job,) = [each for each in evidence["probes"]["jobs"]["data"]["jobs"] if each["writable"] is False]
    assert decided(evidence)[0].do == answers.PERSON
    job["writable"] = True
    assert (decided(evidence)[0].do, decided(evidence)[0].jobs) == ("recover_failed_jobs", [job["id"]])
    job["tier"] = "mounted"
    assert (decided(evidence)[0].do, decided(evidence)[0].rule) == (answers.PERSON, "output_directory_not_writable")


def test_a_person_is_told_first_what_is_in_the_way_of_everything():
    """Replay is ranked before the password, and holds a dead mount because of the hot paths, which wait for the password."""
    (evidence,) = [found for broken, found in RECORDED.items() if set(broken) == {"wrong_database_password", "hot_path_stale"}]
    decision, result = decided(evidence)
    ranked = [each["rule"] for each in result["classes"]]
    assert ranked.index("replay_mount_dead") < ranked.index("database_credentials")
    assert (decision.do, decision.rule) == (answers.PERSON, "database_credentials")
