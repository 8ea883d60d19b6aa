# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a host shows: a result or one clear refusal, no false health, nothing unprintable."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.evidence import PROBES
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.summary import render
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    FAULTS,
    data,
    healthy_evidence,
    judge,
    unseen,
)
from hypothesis import given
from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


def check(evidence: Any) -> Any:
    """The result, or None for one clear refusal; everything in it can be printed."""
    result, refusal = None, ""
    try:
        result = judge(evidence)
    except ValueError as error:
        refusal = str(error)
    if result is None:
        assert refusal.startswith("evidence: ")
        assert refusal.isprintable()
        return None
    assert result["verdict"] in ("found", "nothing_found", "unknown")
    assert (result["verdict"] == "found") is bool(result["classes"])
    text = render("host", evidence, result, "/tmp/x")
    assert all(line.isprintable() for line in text.split("\n"))
    assert all(len(line) <= 110 or line.startswith("    ") for line in text.split("\n"))
    return result


@given(JSON)
def test_any_document(document: Any) -> None:
    check(document)


@given(st.dictionaries(st.sampled_from(["status", "data", "problems", "seconds"]), JSON))
def test_any_probe_record(record: Any) -> None:
    evidence = healthy_evidence()
    evidence["probes"]["jobs"] = record
    result = check(evidence)
    assert result is None or result["verdict"] != "nothing_found" or record.get("status") in ("ok", "partial")


@st.composite
def changed_evidence(draw: Any) -> Any:
    """A healthy host's or a faulty host's evidence in which some value, somewhere, is another one."""
    evidence = healthy_evidence()
    # Without PostgreSQL nothing is known of jobs: that fault comes last.
    for name in sorted(
        draw(st.sets(st.sampled_from(sorted(FAULTS)), max_size=2)),
        key=lambda name: name in ("postgresql_down", "wrong_database_password"),
    ):
        FAULTS[name][0](evidence)
    for _number in range(draw(st.integers(min_value=1, max_value=3))):
        place: Any = evidence
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], (dict, list)) and place[key] and draw(st.integers(0, 5)):
                place = place[key]
                continue
            place[key] = draw(JSON)
            break
    return evidence


@given(changed_evidence())
def test_any_change_of_real_evidence(evidence: Any) -> None:
    check(evidence)


@given(evidence=changed_evidence(), probe=st.sampled_from(PROBES))
def test_never_healthy_with_an_unseen_probe(evidence: Any, probe: str) -> None:
    if isinstance(evidence.get("probes"), dict) and isinstance(evidence["probes"].get(probe), dict):
        unseen(evidence, probe)
        result = check(evidence)
        assert result is None or result["verdict"] != "nothing_found"


@given(
    path=st.sampled_from(
        [
            (probe, key)
            for probe in PROBES
            for key in data(healthy_evidence(), probe)
            if (probe, key)
            not in (
                # Told to people, or an answer by its null: they prove nothing about health.
                ("environment", "path"),
                ("environment", "owner"),
                ("environment", "group"),
                ("environment", "mode"),
                ("environment", "environment_name"),
                ("environment", "findings"),
                ("database", "backend"),
                ("database", "failure"),
                ("database", "detail"),
                ("api", "failure"),
                ("api", "status"),
                ("api", "seconds"),
                ("replay", "failure"),
                ("replay", "seconds"),
                ("replay", "collections"),
                ("public_surface", "finished"),
                ("public_surface", "ok"),
                ("public_surface", "failures"),
                ("public_surface", "api_base"),
                ("public_surface", "frontend_base"),
                ("jobs", "source"),
                ("jobs", "cannot_know"),
                ("jobs", "counts"),
                ("jobs", "truncated"),
                ("baseline_drift", "mode"),
                ("baseline_drift", "failures"),
                ("baseline_drift", "warnings"),
                ("storage", "manifest"),
                ("deployment", "head"),
                ("deployment", "subject"),
                ("deployment", "branch"),
                ("deployment", "dirty_files"),
                ("deployment", "origin_main"),
                ("deployment", "origin_main_from"),
                ("deployment", "head_on_origin_main"),
                ("deployment", "undeployed"),
                ("deployment", "checkout_changed_at"),
                # `whole` and the number of unfinished actions decide.
                ("record", "path"),
                ("record", "size_bytes"),
                ("record", "checked_bytes"),
                ("record", "first_broken_line"),
                ("record", "torn_end"),
                ("record", "unfinished_actions"),
                ("record", "open_incidents"),
                # Not asked; what was asked decides `sound`.
                ("outside_view", "api"),
                ("outside_view", "frontend"),
            )
        ]
    )
)
def test_a_fact_that_is_null_is_not_health(path: tuple[str, str]) -> None:
    evidence = healthy_evidence()
    data(evidence, path[0])[path[1]] = None
    assert judge(evidence)["verdict"] != "nothing_found"


@given(changed_evidence())
def test_the_evidence_is_not_changed_and_the_answer_is_always_the_same(evidence: Any) -> None:
    before = copy.deepcopy(evidence)
    try:
        result = judge(evidence)
    except ValueError:
        return
    assert repr(evidence) == repr(before)
    assert judge(before) == result
