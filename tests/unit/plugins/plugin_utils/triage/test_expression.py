# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions have three truth values, and reach nothing but the evidence."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.evidence import PROBES, Evidence
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.expression import (
    BadExpression,
    condition,
)
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    API,
    data,
    healthy_evidence,
    job,
    partial,
    unseen,
)
from hypothesis import given
from hypothesis import strategies as st

DOCUMENT = {
    "schema_version": 1,
    "probes": {
        "api": {
            "status": "ok",
            "problems": [],
            "data": {
                "yes": True,
                "no": False,
                "gone": None,
                "number": 3,
                "text": "abc",
                "list": ["a", None],
                "nan": float("nan"),
            },
        },
        "storage": {"status": "partial", "problems": [], "data": {"list": [{"state": "ok"}], "flag": True}},
        "jobs": {"status": "unknown", "problems": [], "data": {"flag": True}},
    },
}


def ask(source: str, document: Any = None) -> Any:
    return condition(source)(Evidence(DOCUMENT if document is None else document))


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("api.yes", True),
        ("api['yes']", True),
        ("not api.no", True),
        ("api.number == 3", True),
        ("api.number != 3", False),
        ("2 < api.number <= 3", True),
        ("api.text == 'abc'", True),
        ("api.text in ['abc', 'x']", True),
        ("api.text not in ['abc', 'x']", False),
        ("'a' in api.list", True),
        # null, missing, not seen
        ("api.gone == 3", None),
        ("api.gone != 3", None),
        ("api.gone", None),
        ("not api.gone", None),
        ("api.gone < 3", None),
        ("api.gone in ['x']", None),
        ("api.gone not in ['x']", None),
        ("api.missing == 3", None),
        ("api.missing.deeper == 3", None),
        ("api.text.upper == 3", None),
        ("environment.exists == true", None),
        ("jobs.flag", None),
        ("api.nan < 3", None),
        ("'b' in api.list", None),
        # unlike things
        ("api.text == 3", None),
        ("api.text < 3", None),
        ("api.yes == 1", None),
        ("api.yes < true", None),
        ("api.number", None),
        ("api.text", None),
        ("not api.text", None),
        # three-valued logic, whatever comes first
        ("api.gone and api.no", False),
        ("api.no and api.gone", False),
        ("api.gone and api.yes", None),
        ("api.gone or api.yes", True),
        ("api.yes or api.gone", True),
        ("api.gone or api.no", None),
        ("not (api.gone and api.no)", True),
        # parts
        ("storage.flag", True),
        ("some(storage.list, state='ok')", True),
        ("some(storage.list, state='stale')", None),
        ("known(api.gone)", False),
        ("known(api.yes)", True),
        ("known(jobs)", False),
    ],
)
def test_truth(source: str, answer: Any) -> None:
    assert ask(source) is answer


@pytest.mark.parametrize(
    "source",
    [
        "",
        "   ",
        "api.yes ==",
        "api.yes }} {{ api.no",
        "api.yes; api.no",
        "x.yes",
        "evidence.probes",
        "self",
        "api.yes | length",
        "api.yes is defined",
        "api.yes if api.no else api.gone",
        "api.number + 1 == 4",
        "api.text ~ 'x' == 'abcx'",
        "api.text.upper()",
        "api['text']['upper']()",
        "''.__class__.__mro__()",
        "unit",
        "unit()",
        "unit('a', 'b')",
        "unit(name='a', nonsense=1)",
        "some()",
        "some(api.list, evidence=1)",
        "some(*api.list)",
        "some(api.list, **api)",
        "lookup('pipe', 'id')",
        "range(10)",
        "api[0]",
        "api[api.text]",
        "api.gone == none",
        "{'a': 1} == api",
        "api.list[0:1]",
        "(" * 40 + "api.yes" + ")" * 40 + " and " + "not " * 40 + "api.yes",
        "not " * 300 + "api.yes",
        "a" * 1001,
        "api.yes\x00",
    ],
)
def test_what_is_no_condition(source: str) -> None:
    with pytest.raises(BadExpression) as caught:
        condition(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", [None, 3, True, [], {}, b"api.yes"])
def test_a_condition_is_a_text(source: Any) -> None:
    with pytest.raises(BadExpression):
        condition(source)


def test_nothing_of_the_evidence_is_evaluated() -> None:
    evidence = healthy_evidence()
    evil = "{{ lookup('pipe', 'id') }}"
    data(evidence, "jobs")["jobs"].append(job(name=evil, source="some(jobs.jobs)"))
    assert ask("some(jobs.jobs, name='{{ lookup(*')", evidence) is True
    assert ask("some(jobs.jobs, source='true')", evidence) is False


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("signature('%s', 'missing_module')", True),
        ("signature('%s', 'traceback')", False),
        ("signature('%s', 'traceback', 'missing_module')", True),
        ("signature('%s', 'missing_module', within=30)", True),
        ("signature('%s', 'missing_module', within=10)", False),
        ("signature('%s', 'missing_module', since_start=true)", True),
        ("signature('%s', 'missing_module', within='x')", None),
        ("signature('other.service', 'missing_module')", None),
    ],
)
def test_signatures(source: str, answer: Any) -> None:
    evidence = healthy_evidence()
    record = {"code": "missing_module", "count": 1, "last_seen_at": "2026-11-23T17:49:40Z", "age_seconds": 20.0}
    data(evidence, "journal")["units"][API]["signatures"] = [record]
    assert ask(source.replace("%s", API), evidence) is answer


@pytest.mark.parametrize(("whole", "answer"), [(True, False), (None, False), (False, None)])
def test_a_signature_that_is_not_in_the_lines_that_were_read_may_be_in_the_others(whole: Any, answer: Any) -> None:
    evidence = healthy_evidence()
    record = {"code": "missing_module", "count": 1, "last_seen_at": "2026-11-23T17:49:40Z", "age_seconds": 20.0}
    data(evidence, "journal")["units"][API].update(signatures=[record], whole=whole)
    assert ask("signature('%s', 'traceback')" % API, evidence) is answer
    assert ask("signature('%s', 'missing_module')" % API, evidence) is True


@pytest.mark.parametrize(
    ("started", "answer"),
    [("2026-11-23T17:49:39Z", True), ("2026-11-23T17:49:41Z", False), (None, None), ("yesterday", None)],
)
def test_a_signature_from_before_the_present_start(started: Any, answer: Any) -> None:
    evidence = healthy_evidence()
    record = {"code": "missing_module", "count": 1, "last_seen_at": "2026-11-23T17:49:40Z", "age_seconds": 20.0}
    data(evidence, "journal")["units"][API]["signatures"] = [record]
    data(evidence, "units")["units"][API]["started_at"] = started
    assert ask("signature('%s', 'missing_module', since_start=true)" % API, evidence) is answer


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("drift('env:*')", True),
        ("drift('dependencies*')", False),
        ("drift('dependencies*', 'env:*')", True),
        ("drift_other_than('env:*')", False),
        ("drift_other_than('dependencies*')", True),
    ],
)
def test_drift(source: str, answer: Any) -> None:
    evidence = healthy_evidence()
    data(evidence, "baseline_drift").update(drifted=True, failures=[{"key": "env:X", "message": "m"}])
    assert ask(source, evidence) is answer
    unseen(evidence, "baseline_drift")
    assert ask(source, evidence) is None


def test_problems_of_a_probe() -> None:
    evidence = healthy_evidence()
    assert ask("problem('database', 'not_found')", evidence) is False
    unseen(evidence, "database", "not_found")
    assert ask("problem('database', 'timed_out', 'not_found')", evidence) is True
    assert ask("problem('nonsense', 'not_found')", evidence) is None


@pytest.mark.parametrize(
    ("probe", "key", "source"),
    [
        ("database", "failure", "database.failure in ['connection_refused']"),
        ("api", "failure", "api.failure == 'timed_out'"),
    ],
)
def test_no_failure_is_an_answer_when_it_answered(probe: str, key: str, source: str) -> None:
    evidence = healthy_evidence()
    assert data(evidence, probe)[key] is None
    assert ask(source, evidence) is False
    data(evidence, probe).update(reachable=None, responds=None)
    assert ask(source, evidence) is None


def test_no_http_status_and_no_crawler_status_are_answers() -> None:
    evidence = healthy_evidence()
    data(evidence, "public_surface")["failures"] = [{"check": "api health", "status": None, "detail": ""}]
    data(evidence, "jobs")["jobs"].append(job(crawler_status=None))
    assert ask("some(public_surface.failures, status=500)", evidence) is False
    assert ask("some(jobs.jobs, crawler_status='infra_error')", evidence) is False
    data(evidence, "jobs")["source"] = "cli"
    assert ask("some(jobs.jobs, crawler_status='infra_error')", evidence) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["state", "path", "units", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
SOURCES = [
    "some(storage.paths, state='ok', path=['a', 'b*'])",
    "storage.base.state == 'ok' or storage.x < 3",
    "not (unit('x').state in ['a'] and drift('x*'))",
    "signature('x', 'state', within=3, since_start=true)",
    "some(storage.disk, x=at_least(3))",
    "some(storage.disk, x=before(storage.state))",
    "storage.units.x.state != 1",
]


@given(document=st.fixed_dictionaries({name: JSON for name in PROBES}), source=st.sampled_from(SOURCES))
def test_any_evidence_gives_one_of_three_answers(document: Any, source: str) -> None:
    probes = {name: {"status": "ok", "problems": [], "data": value} for name, value in document.items()}
    assert ask(source, {"schema_version": 1, "probes": probes}) in (True, False, None)


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_one_clear_refusal(source: str) -> None:
    with contextlib.suppress(BadExpression):
        assert condition(source).source == source


def test_partial_evidence_keeps_what_it_saw() -> None:
    evidence = healthy_evidence()
    partial(evidence, "storage")
    assert ask("storage.base.state == 'ok'", evidence) is True
    assert ask("some(storage.paths, state='ok')", evidence) is True
    assert ask("not some(storage.paths, state='stale')", evidence) is None


@pytest.mark.parametrize(
    ("finished_at", "changed_at", "expected"),
    [
        ("2026-11-23T17:00:00Z", "2026-11-23T18:00:00Z", True),
        ("2026-11-23T18:00:00Z", "2026-11-23T18:00:00Z", False),
        ("2026-11-23T20:00:00+01:00", "2026-11-23T18:00:00Z", False),
        ("2026-11-23T18:00:00+01:00", "2026-11-23T18:00:00Z", True),
        (None, "2026-11-23T18:00:00Z", None),
        ("yesterday", "2026-11-23T18:00:00Z", None),
        ("2026-11-23T17:00:00Z", None, None),
        ("2026-11-23T17:00:00Z", 7, None),
    ],
)
def test_a_moment_before_another(finished_at: Any, changed_at: Any, expected: Any) -> None:
    evidence = healthy_evidence()
    data(evidence, "jobs")["jobs"] = [job(finished_at=finished_at)]
    data(evidence, "deployment")["checkout_changed_at"] = changed_at
    assert ask("some(jobs.jobs, finished_at=before(deployment.checkout_changed_at))", evidence) is expected
