# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When another attempt of a crawl would fail like the last one."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import job_cause
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.jobs import JOB_KEYS
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import job_facts
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from hypothesis import given
from hypothesis import strategies as st

BEFORE, FINISHED, AFTER = "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"
REJECTED = "--extraChromeArgs --disable-http2"


def job(**more: Any) -> Any:
    found = {**dict.fromkeys(JOB_KEYS), "id": 12, "name": "hc-daily", "source": "hc", "status": "failed"}
    found.update(finished_at=FINISHED, crawler_status="failed", crawler_exit_code=1, output_directory="/jobs/hc/x")
    return {**found, **more}


def seen(**more: Any) -> Any:
    """Of a crawl that failed of nothing that is known."""
    facts = dict.fromkeys(job_facts._FACTS)
    facts.update(directory_state="ok", writable=True, tier="none", poisoned_resume=False)
    return {**job(), **facts, **more}


def code(a_job: Any, facts: Any, changed_at: Optional[str] = BEFORE, mended: bool = False) -> Optional[str]:
    try:
        job_cause.check(a_job, facts, changed_at, mended)
    except Refusal as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        # A job that never ran, or whose directory was removed: the crawl makes it.
        ({"directory_state": "missing"}, None),
        ({"writable": False}, "storage_first"),
        ({"directory_state": "missing", "writable": False}, "storage_first"),
        ({"writable": None}, "storage_first"),
        ({"directory_state": "hung", "writable": None}, "storage_first"),
        ({"directory_state": "stale", "writable": None}, "storage_first"),
        ({"directory_state": "error", "writable": None}, "storage_first"),
        ({"directory_state": None, "writable": None}, "evidence_missing"),
        ({"directory_state": None, "writable": None, "output_directory": None}, "evidence_missing"),
        ({"campaign_year": 2026, "tier": "mounted"}, None),
        ({"campaign_year": 2026, "tier": "local"}, "storage_first"),
        ({"campaign_year": 2026, "tier": "no_directory", "directory_state": "missing"}, "storage_first"),
        ({"campaign_year": 2026, "tier": None}, "evidence_missing"),
        ({"campaign_year": 2026, "tier": None, "directory_state": "stale"}, "storage_first"),
        # The disk of a job of no campaign is its place.
        ({"campaign_year": None, "tier": "local"}, None),
    ],
)
def test_storage_comes_first_whatever_anybody_says(facts, expected):
    for mended in (False, True):
        assert code(job(), seen(**facts), mended=mended) == expected


@pytest.mark.parametrize(
    ("crawler_status", "rejected"),
    [("infra_error_config", REJECTED), ("failed", REJECTED), ("infra_error_config", None)],
)
def test_what_the_crawler_rejected_is_mended_in_the_repository(crawler_status, rejected):
    a_job, facts = job(crawler_status=crawler_status), seen(rejected_options=rejected)
    # Nothing was deployed since, or that cannot be told.
    for changed_at in (BEFORE, FINISHED, None):
        assert code(a_job, facts, changed_at) == "needs_repo_change"
    assert code({**a_job, "finished_at": None}, facts, AFTER) == "needs_repo_change"
    assert code(a_job, facts, AFTER) is None
    assert code(a_job, facts, BEFORE, mended=True) is None


@pytest.mark.parametrize(
    ("config", "has_it"),
    [
        ({"zimit_passthrough_args": ["--extraChromeArgs=--disable-http2"]}, True),
        ({"zimit_passthrough_args": ["--a --disable-http2"]}, True),
        ({"tool_options": {"deep": [{"er": "--disable-http2"}]}}, True),
        ({"zimit_passthrough_args": ["--disable-http2-and-more"]}, False),
        ({}, False),
        (None, False),
        ([], False),
        ("text", False),
        (7, False),
    ],
)
def test_an_option_that_the_job_still_has_is_named_wherever_it_stands(config, has_it):
    """What was deployed may hand it on no more, so that this is for people."""
    assert any("still has" in line for line in job_cause.remarks(seen(rejected_options=REJECTED), config)) is has_it
    assert job_cause.remarks(seen(), config) == []


def test_a_broken_state_must_be_reset_before_another_crawl():
    facts = seen(poisoned_resume=True)
    assert code(job(), facts) == "poisoned_resume"
    # A deploy does not take it away.
    assert code(job(), facts, AFTER) == "poisoned_resume"
    assert code(job(crawler_stage="state_reset"), facts) is None
    assert code(job(), facts, mended=True) is None


def test_a_plan_says_what_is_known_of_the_last_crawl():
    assert job_cause.remarks(seen(), None) == []
    (unknown,) = job_cause.remarks(seen(poisoned_resume=None), None)
    assert "not known" in unknown
    assert len(job_cause.remarks(seen(poisoned_resume=True, rejected_options=REJECTED), None)) == 2


TEXTS = st.none() | st.text(max_size=300)


@given(
    rejected=TEXTS,
    path=TEXTS,
    config=st.recursive(
        TEXTS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner), max_leaves=9
    ),
    changed_at=st.sampled_from([None, BEFORE, AFTER]),
    state=st.sampled_from(["ok", "missing", "hung", "stale", "error", None]),
    writable=st.sampled_from([True, False, None]),
)
def test_whatever_a_log_holds_what_is_said_is_one_line(rejected, path, config, changed_at, state, writable):
    facts = seen(rejected_options=rejected, output_directory=path, directory_state=state, writable=writable)
    said = None
    try:
        job_cause.check(job(), facts, changed_at, False)
    except Refusal as refusal:
        said = str(refusal)
    assert said is not None or (state in ("ok", "missing") and writable is True)
    assert said is None or (said.isprintable() and len(said) < 900)
    assert all(line.isprintable() for line in job_cause.remarks(facts, config))
