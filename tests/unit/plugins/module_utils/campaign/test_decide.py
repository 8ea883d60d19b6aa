# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which annual jobs are planned, by rows and dry run together; and what became of them, by the rows alone."""

from __future__ import annotations

import itertools
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.campaign import action, decide
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import annual
from hypothesis import given
from hypothesis import strategies as st

CAMPAIGN = {"campaign_kind": "annual", "campaign_year": 2026, "campaign_date": "2026-01-01", "scheduler_version": 1}
OPTIONS = {"initial_workers": 1, "max_container_restarts": 20}
CONFIG = {"seeds": ["https://example.org"], "tool_options": OPTIONS, **CAMPAIGN}
LOST = {"seeds": ["https://example.org"], "tool_options": OPTIONS}
WORKERS = ("tool_options.initial_workers", "1 -> 2")
METADATA = tuple((key, "None -> %s" % value) for key, value in CAMPAIGN.items())


def job(number: int = 7, **more: Any) -> decide.Job:
    return decide.Job(number, "phac", 2026, "phac-20260101", "queued", CONFIG)._replace(**more)


def verdict(*changes: Any, number: int = 7, said: str = "", strange: Any = ()) -> annual.Verdict:
    return annual.Verdict(number, said or ("WOULD UPDATE" if changes else "UNCHANGED"), tuple(changes), tuple(strange))


def decided(jobs: List[decide.Job], *verdicts: annual.Verdict, stderr: bytes = b"") -> decide.Decision:
    return decide.decide(jobs, {2026: decide.Said(verdicts, stderr)}, str)


def code(found: decide.Decision) -> str:
    """Of one job: planned, well, or why not."""
    if found.steps:
        return "planned"
    return "well" if found.well else next(iter(found.left.values())).code


TABLE = [
    (CONFIG, [verdict()], "well"),
    (CONFIG, [verdict(WORKERS)], "planned"),
    (LOST, [verdict(*METADATA)], "planned"),
    (LOST, [verdict(WORKERS, *METADATA)], "planned"),
    # What the command does not put back, or does not name, is for a person.
    (LOST, [verdict()], "needs_person"),
    (CONFIG, [], "needs_person"),
    (CONFIG, [verdict(WORKERS, number=8)], "needs_person"),
    # A text where a number belongs: in the row, also where the command would write over it; and from the deployed code.
    ({**CONFIG, "tool_options": {**OPTIONS, "page_limit": "abc"}}, [verdict(WORKERS)], "wrong_type"),
    ({**CONFIG, "tool_options": {**OPTIONS, "initial_workers": []}}, [], "wrong_type"),
    ({**CONFIG, "tool_options": "abc"}, [verdict()], "wrong_type"),
    ("abc", [verdict()], "wrong_type"),
    (CONFIG, [verdict(("tool_options.initial_workers", "1 -> many"))], "wrong_type"),
    (CONFIG, [verdict(("tool_options.depth", "None -> None"))], "wrong_type"),
    (LOST, [verdict(("campaign_year", "None -> next"))], "wrong_type"),
    (CONFIG, [verdict(("scheduler_version", "1 -> two"))], "wrong_type"),
    ({**CONFIG, "tool_options": {**OPTIONS, "fast": True}}, [verdict(("tool_options.fast", "True -> 0"))], "wrong_type"),
    # A number in quotes is one for the service, and is set right.
    ({**CONFIG, "tool_options": {"initial_workers": "2"}}, [verdict(("tool_options.initial_workers", "2 -> 2"))], "planned"),
    # By its bare name, and with an arrow in the value.
    (CONFIG, [verdict(("initial_workers", "1 -> 2"))], "planned"),
    ({**CONFIG, "zimit_passthrough_args": ["a -> b"]}, [verdict(("zimit_passthrough_args", "['a -> b'] -> ['c']"))], "planned"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "verdicts", "expected"), TABLE, ids=range(len(TABLE)))
def test_row_and_command_together(config: Any, verdicts: Any, expected: str) -> None:
    assert code(decided([job(config=config)], *verdicts)) == expected


@pytest.mark.parametrize(
    "verdicts",
    [
        [verdict(("tool_options.initial_workers", "3 -> 2"))],
        [verdict(("tool_options.initial_workers", "None -> 2"))],
        [verdict(WORKERS, WORKERS)],
        [verdict(WORKERS, strange=["  and more"])],
        [verdict(*METADATA)],
    ],
)
def test_what_does_not_fit_together_is_no_plan(verdicts: Any) -> None:
    with pytest.raises(decide.Contradiction):
        decided([job()], *verdicts)


def test_a_wrong_type_is_named_with_its_key_and_how_it_is_mended() -> None:
    found = decided([job(config={**CONFIG, "tool_options": {"max_container_restarts": "some"}})])
    assert "max_container_restarts=some" in found.left[7].why
    assert "patch-job-config --id 7 --set-tool-option KEY=NUMBER" in found.left[7].why


def test_a_job_beside_a_wrong_one_is_planned_all_the_same() -> None:
    wrong = job(8, config={**CONFIG, "tool_options": {"depth": "abc"}}, source="hc")
    found = decided([wrong, job()], verdict(WORKERS), stderr=b"ERROR: job_id=8 source=hc: invalid\n")
    assert [step.job.id for step in found.steps] == [7]
    assert found.left[8].code == "wrong_type"


def test_what_the_command_passes_over_is_told_in_its_own_words() -> None:
    found = decided([job()], stderr=b"ERROR: job_id=7 source=phac: invalid configuration: abc\n")
    assert "ends with 0: ERROR: job_id=7 source=phac: invalid configuration: abc" in found.left[7].why
    assert "annual-status --year 2026 --sources phac --json" in decided([job()]).left[7].why
    assert "It may be job 9" in decided([job()], verdict(number=9)).left[7].why


def test_an_unknown_status_and_a_source_that_is_an_option() -> None:
    assert code(decided([job(status="on hold")], verdict(WORKERS))) == "needs_person"
    assert code(decide.decide([job(source="--apply")], {}, str)) == "needs_person"


STEP = decide.decide(
    [job(config=LOST)], {2026: decide.Said((verdict(WORKERS, *METADATA),), b"")}, str
).steps[0]  # fmt: skip
DONE = {**LOST, **CAMPAIGN, "tool_options": {**OPTIONS, "initial_workers": 2}}


def test_the_plan_has_each_key_as_it_is_and_as_it_shall_be() -> None:
    before, after = decide.state(STEP, LOST, "queued"), decide.wished(STEP)
    assert (before["tool_options.initial_workers"], after["tool_options.initial_workers"]) == (1, 2)
    assert (before["campaign_year"], after["campaign_year"]) == (None, 2026)
    assert before.keys() == after.keys() == {"source", "year", "status", "tool_options.initial_workers", *CAMPAIGN}


BECAME = {
    "done": job(config=DONE),
    "same": job(config=LOST),
    "unseen": None,
    # The first start adds a backend, and drops the metadata.
    "started": job(
        status="running",
        config={**LOST, "tool_options": DONE["tool_options"], "execution_policy": {"primary_backend": "x"}},
    ),
    "half": job(config={**DONE, "tool_options": OPTIONS}),
    "more": job(config={**DONE, "seeds": []}),
    "text": job(config={**DONE, "tool_options": {**OPTIONS, "initial_workers": "2"}}),
    "truth": job(config={**DONE, "scheduler_version": True}),
}
OTHER = {"half", "more", "text", "truth"}


@pytest.mark.parametrize("words", list(itertools.product(BECAME, BECAME)), ids="-".join)
def test_judged_by_the_rows(words: Any) -> None:
    """Every two jobs: what is neither what it was nor what was planned shouts, then what was not seen, then the rest."""
    steps = [STEP, STEP._replace(job=job(8, config=LOST))]
    now: Dict[int, Optional[decide.Job]] = {
        number: None if BECAME[word] is None else BECAME[word]._replace(id=number)
        for number, word in zip((7, 8), words)
    }
    seen = decide.judge(steps, {number: each for number, each in now.items() if each is not None}, str)
    found = set(words)
    some = bool(found & {"done", "started"})
    if found & OTHER:
        expected: Any = ("unknown", True, "changed_otherwise")
    elif "unseen" in found:
        expected = ("unknown", True if some else None, None)
    elif "started" in found:
        expected = ("failed", True, "started_meanwhile")
    elif "same" in found:
        expected = ("failed", some, "not_all_changed" if some else "not_changed")
    else:
        expected = ("applied", True, None)
    assert (seen.outcome, seen.changed, seen.code) == expected
    assert "job 7" in seen.detail
    assert "job 8" in seen.detail


def test_other_spellings_of_nothing_are_the_same() -> None:
    """A command that writes an empty group where there was none has changed nothing beside."""
    now = job(config={**DONE, "execution_policy": {}})
    assert decide.judge([STEP], {7: now}, str).outcome == "applied"


keys = st.sampled_from([*CAMPAIGN, *OPTIONS, "tool_options"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["2", "abc", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(json_values)
def test_applied_is_never_said_of_another_row(config: Any) -> None:
    seen = decide.judge([STEP], {7: job(config=config)}, str)
    if seen.outcome == "applied":
        assert config["tool_options"]["initial_workers"] == 2
        assert all(config[key] == value for key, value in CAMPAIGN.items())


@given(json_values, st.sampled_from([WORKERS, METADATA[0], ("depth", "abc -> 2"), ("tool_options", "x -> y")]))
def test_any_configuration_gives_a_decision_or_a_contradiction(config: Any, change: Any) -> None:
    try:
        found = decided([job(config=config)], verdict(change))
    except decide.Contradiction:
        return
    assert len(found.steps) + len(found.left) + len(found.well) == 1


ANSWERS = [
    (0, b"phac: job_id=7 UPDATED\n  a: 1 -> 2\n", b"", None),
    (0, b"", b"ERROR: job_id=7 source=phac: invalid configuration: abc\n", "invalid configuration: abc"),
    (0, b"", b"", "it says nothing"),
    (0, b"phac: job_id=7 UNCHANGED\n", b"", "says UNCHANGED"),
    (0, b"phac: job_id=7 WOULD UPDATE\n  a: 1 -> 2\n", b"", "WOULD UPDATE"),
    (0, b"phac: job_id=9 UPDATED\n  a: 1 -> 2\n", b"", "changed job 9, which nobody planned"),
    (1, b"phac: job_id=7 UPDATED\n  a: 1 -> 2\n", b"ERROR: no database\n", "ended with 1: ERROR: no database"),
]


@pytest.mark.parametrize(("rc", "stdout", "stderr", "expected"), ANSWERS, ids=range(len(ANSWERS)))
def test_an_exit_code_of_0_is_no_answer(rc: int, stdout: bytes, stderr: bytes, expected: Optional[str]) -> None:
    found = action._complaint(STEP, rc, stdout, stderr)
    assert (found is None) is (expected is None)
    assert expected is None or expected in str(found)


@pytest.mark.parametrize(
    ("well", "left", "outcome", "changed"),
    [
        ((7, 8), (), "applied", None),
        ((), (7, 8), "failed", False),
        ((7,), (8,), "unknown", None),
        ((7,), (), "unknown", None),
        ((), (), "unknown", None),
    ],
)
def test_what_was_cut_off_is_told_by_what_is_left_to_do(well: Any, left: Any, outcome: str, changed: Any) -> None:
    steps = tuple(STEP._replace(job=job(number)) for number in left)
    seen = action.settled(decide.Decision(steps, {}, well), {7, 8})
    assert (seen.outcome, seen.changed) == (outcome, changed)
