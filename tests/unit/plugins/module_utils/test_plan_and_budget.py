# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The id of a plan and the count of a budget: the same world the same id, another world another, and no act is forgotten."""

from __future__ import annotations

import copy
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import budget
from ansible_collections.healtharchive.remediation.plugins.module_utils.budget import Budget, Spent
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import times
from ansible_collections.healtharchive.remediation.plugins.module_utils.plan import ID_LENGTH, Plan, difference, plan_id
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from hypothesis import given
from hypothesis import strategies as st

WHERE = ("0" * 32, "2026-11-23-api-down", "ab" * 20)
TEXT = st.text(max_size=8)
VALUES = st.none() | st.booleans() | st.integers() | TEXT
STATES = st.dictionaries(TEXT, VALUES | st.dictionaries(TEXT, VALUES, max_size=2), max_size=3)
PLANS = st.builds(
    Plan,
    action=TEXT,
    objective=TEXT,
    commands=st.lists(st.lists(TEXT, max_size=3).map(tuple), max_size=3).map(tuple),
    subjects=st.lists(TEXT, max_size=3).map(tuple),
    before=STATES,
    after=STATES,
    expected_impact=TEXT,
    rollback=TEXT,
    left_out=st.dictionaries(TEXT, TEXT, max_size=2),
    symptom=st.none() | TEXT,
    remarks=st.lists(TEXT, max_size=2).map(tuple),
    by_hand=st.lists(st.dictionaries(TEXT, TEXT, max_size=2), max_size=2).map(tuple),
)
# What is left for a person is in `left_out`, too.
MEANT = [field for field in Plan._fields if field not in ("remarks", "by_hand")]


@given(PLANS, TEXT)
def test_the_same_world_has_the_same_id(plan, remark):
    again = copy.deepcopy(plan)
    # The order in which it was found, and what is for people only, make no other plan.
    again = again._replace(before=dict(reversed(list(again.before.items()))), remarks=(remark,))
    assert plan_id(plan, *WHERE) == plan_id(again, *WHERE)
    assert len(plan_id(plan, *WHERE)) == ID_LENGTH


@given(PLANS, PLANS)
def test_another_world_has_another_id(one, other):
    same = all(_exact(getattr(one, field)) == _exact(getattr(other, field)) for field in MEANT)
    assert (plan_id(one, *WHERE) == plan_id(other, *WHERE)) is same


@given(PLANS, PLANS, st.sampled_from(MEANT))
def test_every_field_counts(one, other, field):
    changed = one._replace(**{field: getattr(other, field)})
    same = _exact(getattr(one, field)) == _exact(getattr(other, field))
    assert (plan_id(one, *WHERE) == plan_id(changed, *WHERE)) is same


def _exact(value: Any) -> str:
    """Python takes 1 for True; a plan does not."""
    if isinstance(value, dict):
        return "{%s}" % sorted((name, _exact(each)) for name, each in value.items())
    return repr(value)


def test_words_are_not_run_together():
    plan = Plan("a", "b", (("x", "y"),), ("s",), {}, {}, "i", "r")
    ids = {
        plan_id(plan._replace(**change), *WHERE)
        for change in (
            {},
            {"commands": (("x y",),)},
            {"commands": (("x",), ("y",))},
            {"commands": (("x", "y", ""),)},
            {"action": "ab", "objective": ""},
            {"before": {"s": 1}},
            {"after": {"s": 1}},
            {"symptom": ""},
        )
    }
    assert len(ids) == 8


@pytest.mark.parametrize("index", range(3))
def test_a_plan_is_of_one_host_one_incident_and_one_commit(index):
    plan = Plan("a", "b", (), (), {}, {}, "i", "r")
    elsewhere = list(WHERE)
    elsewhere[index] = elsewhere[index].replace("0", "1").replace("a", "c")
    assert plan_id(plan, *WHERE) != plan_id(plan, *elsewhere)


@given(STATES, STATES)
def test_a_difference_has_a_line_for_each_subject(before, after):
    shown = difference(before, after)
    assert (shown["before"].count(": ") >= len(before), shown["after"].endswith("\n") or not after) == (True, True)
    assert (shown["before"] == shown["after"]) is (_exact(before) == _exact(after))


# The budget.

NOW = 1800000000.0
WINDOW = 3600
LIMIT = Budget(per_host=3, per_subject=2, window_seconds=WINDOW)


def begun(number: int, age: float, action: str = "retry", subjects: Any = ("job 1",)) -> Dict[str, Any]:
    data = {"action_id": "a%d" % number, "action": action, "subjects": list(subjects)}
    by = {"run": "run %d" % number}
    return {"kind": "action_begun", "recorded_at": times.from_epoch(NOW - age), "by": by, "data": data}


def finished(number: int, outcome: str, run: Any = None, changed: Any = None) -> Dict[str, Any]:
    """``run``: of whom it was recorded; None: of who began it."""
    data = {"action_id": "a%d" % number, "outcome": outcome, "changed": changed}
    by = {"run": "run %d" % number if run is None else run}
    return {"kind": "action_finished", "recorded_at": times.from_epoch(NOW), "by": by, "data": data}


def nobody(event: Dict[str, Any]) -> Dict[str, Any]:
    return {**event, "by": {"run": None}}


def spent(events: List[Dict[str, Any]], action: str = "retry") -> Spent:
    return budget.spent(events, action, NOW, LIMIT)


@pytest.mark.parametrize(
    ("events", "acts", "subjects"),
    [
        ([], 0, {}),
        ([begun(1, 10)], 1, {"job 1": 1}),
        ([begun(1, 10), finished(1, "applied")], 1, {"job 1": 1}),
        ([begun(1, 10), finished(1, "failed")], 1, {"job 1": 1}),
        ([begun(1, 10), finished(1, "unknown")], 1, {"job 1": 1}),
        ([begun(1, 10), finished(1, "refused")], 0, {}),
        ([begun(1, 10), finished(1, "nothing_to_do")], 0, {}),
        ([begun(1, WINDOW - 1)], 1, {"job 1": 1}),
        ([begun(1, WINDOW)], 0, {}),
        # The clock was put back since.
        ([begun(1, -99999)], 1, {"job 1": 1}),
        ([begun(1, 10, "deploy")], 0, {}),
        ([begun(1, 10, subjects=("job 1", "job 2", "job 1"))], 1, {"job 1": 1, "job 2": 1}),
        ([begun(1, 10, subjects=())], 1, {}),
        ([finished(1, "refused"), begun(1, 10)], 1, {"job 1": 1}),
        # Cut off before it had any effect, and settled by the run that does it again: once.
        ([begun(1, 10), finished(1, "failed", "run 2")], 0, {}),
        ([begun(1, 10), finished(1, "failed", "run 2", False), begun(2, 5)], 1, {"job 1": 1}),
        ([begun(1, 20), finished(1, "failed", "run 2"), begun(2, 10), finished(2, "failed", "run 3")], 1, {"job 1": 1}),
        ([begun(1, 10), finished(1, "failed", "run 2", True)], 1, {"job 1": 1}),
        ([begun(1, 10), finished(1, "unknown", "run 2")], 1, {"job 1": 1}),
        ([begun(1, 10), nobody(finished(1, "failed"))], 0, {}),
        ([nobody(begun(1, 10)), nobody(finished(1, "failed"))], 1, {"job 1": 1}),
        ([{"kind": "remark", "recorded_at": times.from_epoch(NOW), "data": {"text": "x"}}], 0, {}),
    ],
)
def test_what_counts(events, acts, subjects):
    assert spent(events) == Spent(acts, subjects)


@pytest.mark.parametrize(
    ("found", "subjects", "allowed"),
    [
        (Spent(0, {}), ["job 1"], True),
        (Spent(2, {"job 1": 1, "job 2": 1}), ["job 1"], True),
        (Spent(2, {"job 1": 2}), ["job 1"], False),
        (Spent(2, {"job 1": 2}), ["job 2"], True),
        (Spent(2, {"job 1": 2}), ["job 2", "job 1"], False),
        (Spent(3, {}), ["job 9"], False),
        (Spent(9, {"job 1": 9}), [], False),
    ],
)
def test_what_is_allowed(found, subjects, allowed):
    if allowed:
        budget.check(found, "retry", subjects, LIMIT, None)
    else:
        with pytest.raises(Refusal) as refused:
            budget.check(found, "retry", subjects, LIMIT, None)
        assert refused.value.code == "budget_spent"
        assert "call" in refused.value.next_step
    budget.check(found, "retry", subjects, LIMIT, "the disk was full then")


ACTS = st.lists(
    st.tuples(
        st.floats(-100, 2 * WINDOW),
        st.sampled_from(["retry", "deploy"]),
        st.lists(st.sampled_from(["job 1", "job 2"]), max_size=3),
        st.sampled_from([None, "applied", "failed", "unknown", "refused", "nothing_to_do"]),
    ),
    max_size=12,
)


@given(ACTS)
def test_no_act_is_forgotten_and_none_is_counted_twice(acts):
    events = []
    for number, (age, action, subjects, outcome) in enumerate(acts):
        events.append(begun(number, age, action, subjects))
        events += [] if outcome is None else [finished(number, outcome)]
    counted = [
        subjects
        for age, action, subjects, outcome in acts
        if action == "retry" and outcome not in ("refused", "nothing_to_do") and (NOW - age) // 1 > NOW - WINDOW
    ]
    found = spent(events)
    assert found.acts == len(counted)
    assert found.subjects == {
        subject: sum(subject in subjects for subjects in counted)
        for subject in {name for each in counted for name in each}
    }


@pytest.mark.parametrize(
    ("acts", "hours", "told"),
    [(1, 1, "once on this host in the last hour"), (2, 24, "2 times on this host in the last 24 hours")],
)
def test_what_was_done_is_counted_in_words(acts, hours, told):
    with pytest.raises(Refusal) as caught:
        budget.check(budget.Spent(acts, {}), "retry", [], budget.Budget(acts, 5, hours * 3600), None)
    assert told in str(caught.value)
