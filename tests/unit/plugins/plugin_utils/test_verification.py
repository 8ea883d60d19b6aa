# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is well again: every check has three answers, and what was not seen is no pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.healtharchive.remediation.plugins.module_utils import events, redact
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import verification, verification_summary
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.evidence import PROBES
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage import samples
from hypothesis import given
from hypothesis import strategies as st

ROLE = Path(__file__).resolve().parents[4] / "roles" / "verify"
CHECKS = verification.checks(yaml.safe_load((ROLE / "vars/checks.yml").read_text())["verify_checks"])
NAMES = [check.name for check in CHECKS]


def judge(evidence: Any, known_jobs: Any = ()) -> dict:
    return verification.judge(evidence, CHECKS, known_jobs)


def results(result: dict) -> dict:
    return {check["check"]: check["result"] for check in result["checks"]}


def test_a_healthy_host_passes():
    result = judge(samples.healthy_evidence())
    assert result["passed"] is True
    assert results(result) == dict.fromkeys(NAMES, "passed")
    assert result["next"] is None
    assert result["at"] == "2026-11-23T17:50:00Z"


@pytest.mark.parametrize(
    ("break_it", "failed"),
    [
        (samples.stale_running_row, {"units", "jobs"}),
        (samples.stalled_crawl, {"jobs"}),
        (samples.several_stale_rows, {"units", "jobs"}),
        (samples.api_missing_dependency, {"public surface", "API", "units", "drift"}),
        (samples.missing_column, {"public surface"}),
        (samples.postgresql_down, {"public surface", "API", "database", "units"}),
        (samples.env_file_unreadable, {"drift"}),
        (samples.hot_path_stale, {"units", "storage"}),
        (samples.hot_path_hung, {"storage"}),
        (samples.baseline_drift, {"drift"}),
        (samples.worker_inactive, {"units"}),
    ],
)
def test_a_fault_fails_what_it_breaks(break_it, failed):
    evidence = samples.healthy_evidence()
    break_it(evidence)
    result = judge(evidence)
    assert result["passed"] is False
    assert {name for name, answer in results(result).items() if answer == "failed"} == failed
    assert result["next"]["why"]
    assert result["next"]["command"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_what_was_not_seen_is_unknown_and_no_pass(check):
    evidence = samples.healthy_evidence()
    samples.unseen(evidence, check.probe, "timed_out", "It gave no answer.")
    result = judge(evidence)
    assert result["passed"] is None
    assert results(result)[check.name] == "unknown"
    detail = next(each["detail"] for each in result["checks"] if each["check"] == check.name)
    assert "timed_out: It gave no answer." in detail
    assert result["next"]["why"].startswith("Not seen: ")


@pytest.mark.parametrize("probe", [probe for probe in PROBES if probe != "outside_view"])
def test_without_any_one_probe_it_passes_only_if_nothing_asks_for_it(probe):
    evidence = samples.healthy_evidence()
    del evidence["probes"][probe]
    assert judge(evidence)["passed"] is (True if probe not in {check.probe for check in CHECKS} else None)


def test_a_fault_counts_also_where_much_was_not_seen():
    evidence = samples.healthy_evidence()
    samples.worker_inactive(evidence)
    samples.unseen(evidence, "storage")
    assert judge(evidence)["passed"] is False


def test_an_address_that_is_not_set_is_not_asked():
    evidence = samples.healthy_evidence()
    samples.unseen(evidence, "outside_view", "not_configured", "No address is set.")
    result = judge(evidence)
    assert result["passed"] is True
    assert "public addresses from the controller" not in results(result)


def test_a_job_that_has_failed_counts_unless_it_is_known():
    evidence = samples.healthy_evidence()
    samples.add_jobs(evidence, samples.job(12, "failed"), samples.job(13, "index_failed"))
    assert results(judge(evidence))["jobs"] == "failed"
    assert results(judge(evidence, [12]))["jobs"] == "failed"
    known = judge(evidence, [12, 13])
    assert known["passed"] is True
    assert "known and left aside: 12, 13" in next(each["detail"] for each in known["checks"] if each["check"] == "jobs")
    samples.add_jobs(evidence, samples.running_job(14, stale=True))
    assert judge(evidence, [12, 13, 14])["passed"] is False, "only what has ended can be left aside"


def test_jobs_from_the_table_are_not_the_whole_truth():
    evidence = samples.healthy_evidence()
    samples.partial(evidence, "jobs")
    assert results(judge(evidence))["jobs"] == "unknown"


def test_the_same_evidence_is_the_same_verification():
    first, second = judge(samples.healthy_evidence()), judge(samples.healthy_evidence())
    assert first == second
    later = {**samples.healthy_evidence(), "collected_at": "2026-11-23T17:51:00Z"}
    assert judge(later)["verification_id"] != first["verification_id"]


def test_it_can_be_recorded():
    evidence = samples.healthy_evidence()
    samples.api_missing_dependency(evidence)
    result = judge(evidence)
    data = {name: result[name] for name in ("verification_id", "passed", "checks")}
    assert events.kept_data("verified", data, redact.Redactor()) == data


@pytest.mark.parametrize(
    "checks",
    [
        [],
        {},
        [{"check": "x"}],
        [{"check": "x", "probe": "nothing", "facts": [{}]}],
        [{"check": "x", "probe": "api", "facts": [{"fact": "api.responds", "text": "x"}]}],
        [{"check": "x", "probe": "api", "facts": [{"fact": "(", "text": "x", "otherwise": "y", "look": "z"}]}],
    ],
)
def test_a_bad_check_is_refused(checks):
    with pytest.raises(verification.BadCheck):
        verification.checks(checks)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([check.probe for check in CHECKS]), st.sampled_from(["ok", "partial", "unknown"]), JSON)
def test_anything_is_judged_and_nothing_odd_passes(probe, status, data):
    evidence = samples.healthy_evidence()
    evidence["probes"][probe] = {"status": status, "seconds": 0.1, "problems": [], "data": data}
    result = judge(evidence)
    assert result["passed"] is not True or probe == "outside_view"


def summary(result: dict, recorded: Any, incident: str = "", check_mode: bool = False) -> str:
    def command(name: str, *variables: str) -> str:
        return " ".join([name, *variables])

    return verification_summary.render(
        "archive", samples.healthy_evidence(), result, recorded, incident, check_mode, command
    )


def test_the_summary_names_what_failed_and_what_to_type():
    evidence = samples.healthy_evidence()
    samples.worker_inactive(evidence)
    samples.unseen(evidence, "storage")
    text = summary(judge(evidence), None)
    assert "=== archive: verification FAILED ===" in text
    assert "failed    units: the worker is inactive" in text
    assert "unknown   storage: not seen" in text
    assert "not recorded: no incident was named" in text
    assert "    systemctl status healtharchive-worker.service" in text


def test_the_summary_of_a_pass_leads_to_the_closing():
    recorded = {"incident": {"id": "2026-11-23-x", "state": "open"}, "unfinished_actions": []}
    text = summary(judge(samples.healthy_evidence()), recorded, "2026-11-23-x")
    assert "=== archive: verification passed ===" in text
    assert "recorded in 2026-11-23-x" in text
    assert "close_incident incident=2026-11-23-x trigger=" in text
    assert "would be recorded" in summary(judge(samples.healthy_evidence()), recorded, "2026-11-23-x", True)


def test_the_summary_says_when_it_could_not_be_recorded():
    recorded = {"failed": True, "msg": "The disk\x1b is full."}
    text = summary(judge(samples.healthy_evidence()), recorded, "2026-11-23-x")
    assert "NOT RECORDED in 2026-11-23-x: The disk\\x1b is full." in " ".join(text.split())
