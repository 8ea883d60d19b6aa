# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The severity that the newest triage suggests."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import events, redact
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import times
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import suggestion
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import report
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage import samples

NOW = times.to_epoch("2026-11-23T18:00:00Z")


def triage(
    base: Any, host: str = "archive", break_it: Any = samples.worker_inactive, at: str = "2026-11-23T17:50:00Z"
) -> str:
    """The files of a triage; their directory."""
    evidence = {**samples.healthy_evidence(), "collected_at": at}
    break_it(evidence)
    contents = report.files(host, evidence, samples.judge(evidence))
    return report.write(str(base), host, at, contents)


def test_it_brings_the_rubric_s_sentence_and_the_triage_itself(tmp_path):
    directory = triage(tmp_path)
    found = suggestion.newest(str(tmp_path), "archive", NOW)
    assert (found.severity, found.severity_reason) == ("sev1", "annual capture blocked or likely to miss its window")
    assert found.source == directory + "/result.json"
    data = found.event["data"]
    assert found.event["at"] == "2026-11-23T17:50:00Z"
    with open(directory + "/evidence.json", "rb") as file:
        assert data["evidence_digest"] == hashlib.sha256(file.read()).hexdigest()
    assert events.kept_data("triage_run", data, redact.Redactor()) == data


def test_the_newest_of_this_host(tmp_path):
    triage(tmp_path, at="2026-11-23T17:00:00Z")
    newest = triage(tmp_path, at="2026-11-23T17:55:00Z")
    triage(tmp_path, host="other", at="2026-11-23T17:59:00Z")
    assert suggestion.newest(str(tmp_path), "archive", NOW).source.startswith(newest)


@pytest.mark.parametrize("at", ["2026-11-23T11:59:00Z", "2026-11-24T17:50:00Z", "soon"])
def test_one_that_is_too_old_or_of_the_future_says_nothing(tmp_path, at):
    triage(tmp_path, at=at)
    assert suggestion.newest(str(tmp_path), "archive", NOW) is None


def test_there_is_none(tmp_path):
    assert suggestion.newest(str(tmp_path / "nowhere"), "archive", NOW) is None


def test_nothing_found_suggests_no_severity(tmp_path):
    triage(tmp_path, break_it=lambda evidence: None)
    found = suggestion.newest(str(tmp_path), "archive", NOW)
    assert found.severity is None
    assert found.event["data"]["summary"] == "Nothing was found."


def test_one_that_is_named_may_be_a_file_or_its_directory_and_of_any_age(tmp_path):
    directory = triage(tmp_path, at="2026-11-20T17:50:00Z")
    assert suggestion.named(directory) == suggestion.named(directory + "/result.json")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"classes": 1}', '{"classes": [1]}', '{"classes": [{}]}', "\xff"])
def test_what_is_no_result_is_one_line(tmp_path, content):
    directory = triage(tmp_path)
    with open(directory + "/result.json", "w", encoding="latin-1") as file:
        file.write(content)
    with pytest.raises(suggestion.BadTriage) as error:
        suggestion.named(directory)
    assert "\n" not in str(error.value)
    assert suggestion.newest(str(tmp_path), "archive", NOW) is None
