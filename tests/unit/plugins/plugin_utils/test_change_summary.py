# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads of a change: the whole plan, the exact command, and what differs when the world has moved."""

from __future__ import annotations

import copy
import json
import os
import shlex
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance.wish import COMMIT, REASON
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import change_summary, kept_plans
from hypothesis import given
from hypothesis import strategies as st

PLAN: Dict[str, Any] = {
    "action": "job_retry",
    "objective": "Have job 12 crawled again.",
    "commands": [["cli", "retry-job", "--id", "12"], ["cli", "two words"]],
    "subjects": ["job 12"],
    "before": {"job 12": {"status": "failed", "retry_count": 2}},
    "after": {"job 12": {"status": "retryable", "retry_count": 2}},
    "expected_impact": "It is crawled.",
    "rollback": "None.",
    "left_out": {"job 13": "it runs"},
    "symptom": "failed",
    "remarks": ["It was seen an hour ago."],
    "by_hand": [],
}
PLANNED: Dict[str, Any] = {
    "outcome": "planned",
    "changed": False,
    "incident": "2026-11-23-x",
    "head": "ab" * 20,
    "plan": PLAN,
    "plan_id": "0123456789ab",
    "unfinished_actions": [],
}


def command(name: str, *variables: str) -> str:
    return " ".join(["play", name, *(shlex.quote(each) for each in variables)])


def render(result: Dict[str, Any], check_mode: bool = False, approved: Any = None, **said: Any) -> str:
    return change_summary.render("host", result, "Retry", "recover", said, check_mode, command, approved)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_plan_is_a_change_request_of_four_fields():
    text = render(PLANNED, job_id=12)
    for line in (
        "=== host: Retry: PLANNED, nothing was changed ===",
        "incident 2026-11-23-x, commit abababababab, plan 0123456789ab",
        "objective Have job 12 crawled again.",
        "commands  cli retry-job --id 12",
        "          cli 'two words'",
        "impact    It is crawled.",
        "rollback  None.",
        "subjects  job 12: status failed -> retryable",
        "left out  job 13: it runs",
        "note      It was seen an hour ago.",
        "    play recover incident=2026-11-23-x job_id=12 approve=0123456789ab required_commit=%s" % COMMIT,
        "    play recover incident=2026-11-23-x job_id=12 approve=0123456789ab no_repo_change_reason=%s" % REASON,
    ):
        assert line in text.splitlines()
    # The two ways to say it cannot both be meant.
    assert text.count("required_commit") == text.count("no_repo_change_reason") == 1


@pytest.mark.parametrize("name", ["required_commit", "no_repo_change_reason"])
def test_what_was_said_of_the_commit_is_said_again(name):
    text = render(PLANNED, **{name: "two words"})
    assert '    play recover incident=2026-11-23-x \'{"%s": "two words"}\' approve=0123456789ab' % name in text
    assert COMMIT not in text
    assert REASON not in text


def test_a_check_says_so():
    assert "This was a check." in render(PLANNED, check_mode=True)


@pytest.mark.parametrize(
    ("result", "words", "next_command"),
    [
        ({"outcome": "applied", "detail": "It is retryable."}, "seen It is retryable.", "play verify incident=i"),
        ({"outcome": "nothing_to_do", "detail": "It waits."}, "seen It waits.", "play verify incident=i"),
        ({"outcome": "refused", "code": "job_locked", "detail": "No."}, "REFUSED No. (job_locked)", None),
        (
            {"outcome": "refused", "code": "incident_unknown", "detail": "No."},
            "REFUSED No.",
            "play open_incident title=WHAT_IS_WRONG",
        ),
        (
            {"outcome": "failed", "code": "act_failed", "detail": "No."},
            "FAILED No. (act_failed)",
            "play triage incident=i",
        ),
        (
            {"outcome": "unknown", "code": "link_broke", "detail": "Who knows."},
            "UNKNOWN Who knows.",
            "play triage incident=i",
        ),
    ],
)
def test_what_became_of_it_and_what_is_next(result, words, next_command):
    text = render({**result, "incident": "i", "next_step": "Wait a little."})
    assert words in flat(text)
    if result["outcome"] not in ("applied", "nothing_to_do"):
        assert "next Wait a little." in flat(text)
    if next_command is not None:
        assert "    " + next_command in text.splitlines()


LONG = "sudo rsync --recursive --links --times --ignore-existing /srv/%s/ /srv/storagebox/%s/" % ("a" * 300, "b" * 300)
BY_HAND = {
    "subject": "job 13",
    "why": "It is on the local disk.",
    "steps": [{"do": "see", "text": "No crawl may run."}, {"do": "run", "text": LONG}, {"do": "run", "text": "findmnt /x"}],
}


def test_what_a_person_types_is_printed_whole_and_each_on_a_line_of_its_own():
    refused = {"outcome": "refused", "code": "needs_person", "detail": "No.", "next_step": "Type: it.", "incident": "i"}
    for text in (
        render({**PLANNED, "plan": {**PLAN, "by_hand": [BY_HAND]}}),
        render({**refused, "evidence": {"by_hand": [BY_HAND]}}),
    ):
        lines = text.splitlines()
        assert "by hand   job 13: It is on the local disk." in lines
        at = lines.index("    " + LONG)
        assert lines[at - 1] == "          No crawl may run."
        assert lines[at + 1] == "    findmnt /x"
        # Not twice: the sentence of it is for who reads no lists.
        assert "left out" not in text
        assert "as the operator" in text


def test_a_sentence_that_says_what_to_do_is_not_cut():
    words = "word " * 200 + "END"
    for result in (
        {"outcome": "refused", "code": "x", "detail": words, "next_step": words},
        {"outcome": "failed", "code": "x", "detail": words, "next_step": words},
        {**PLANNED, "plan": {**PLAN, "rollback": words, "left_out": {"job 13": words}}},
    ):
        assert render(result).count("END") == 2


def test_what_was_cut_off_comes_first():
    cut = {"action": "job_retry", "subjects": ["job 3"], "begun_at": "2026-11-23T10:00:00Z", "incident": "i"}
    settled = {**cut, "outcome": "applied", "detail": "It is retryable."}
    text = flat(render({**PLANNED, "unfinished_actions": [cut], "settled": [settled]}))
    assert text.index("UNFINISHED job_retry on job 3") < text.index("settled job_retry") < text.index("objective")


def test_many_subjects_are_all_named():
    names = ["job %d" % number for number in range(500)]
    plan = {**PLAN, "subjects": names, "before": {}, "after": {}, "left_out": {name: "it runs" for name in names}}
    text = render({**PLANNED, "plan": plan})
    assert len(text.splitlines()) < 200
    assert "and 460 more" in text


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


NAMES = (
    *("outcome", "plan", "plan_id", "evidence", "detail", "head", "incident", "code", "next_step"),
    *("unfinished_actions", "settled", "left_out"),
)
RESULTS = st.fixed_dictionaries({}, optional={name: ANYTHING for name in NAMES})
PLANS = st.fixed_dictionaries({}, optional={name: ANYTHING for name in PLAN})


@given(RESULTS, PLANS)
def test_whatever_a_result_holds_is_printed_in_printable_lines(result, plan):
    for each in (result, {**result, "plan": plan}):
        for line in render(each).splitlines():
            assert line.isprintable()


@given(PLANS, PLANS)
def test_whatever_two_plans_hold_can_be_compared(one, other):
    kept_plans.differences({"plan": one}, {"plan": other})


# What differs.


def changed(**fields: Any) -> List[str]:
    now = copy.deepcopy({**PLANNED, "plan": {**PLAN, **fields.pop("plan", {})}, **fields})
    return kept_plans.differences(PLANNED, now)


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        ({}, []),
        ({"head": "cd" * 20}, ["the commit: it was %s, it is %s" % ("ab" * 20, "cd" * 20)]),
        (
            {"plan": {"before": {"job 12": {"status": "failed", "retry_count": 3}}}},
            ["job 12: its retry_count was 2, it is 3"],
        ),
        (
            {"plan": {"subjects": ["job 13"], "left_out": {}}},
            [
                "job 12: it was in the plan and is not any more",
                "job 13: it was not in the plan",
                "job 13: it was left out (it runs)",
            ],
        ),
        ({"plan": {"left_out": {"job 13": "it is locked"}}}, ["job 13: it is left out now (it is locked)"]),
        ({"plan": {"commands": [["cli"]]}}, ["commands: it was %s, it is [['cli']]" % PLAN["commands"]]),
    ],
)
def test_what_makes_it_another_plan(now, lines):
    assert changed(**now) == lines


def test_a_plan_that_is_kept_is_compared(tmp_path):
    kept_plans.keep(str(tmp_path), "archive/1", PLANNED)
    (file,) = tmp_path.glob("*/plans/*.json")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    approved = kept_plans.find(str(tmp_path), "archive/1", PLANNED["plan_id"])
    now = {**PLAN, "before": {"job 12": {"status": "index_failed", "retry_count": 2}}}
    refused = {"outcome": "refused", "code": "plan_changed", "incident": "2026-11-23-x", "head": "ab" * 20, "detail": "Moved.",
               "next_step": "Read it.", "evidence": {"plan": now, "plan_id": "ba9876543210"}}  # fmt: skip
    text = render(refused, approved=approved)
    assert "differs   job 12: its status was failed, it is index_failed" in text.splitlines()
    assert "approve=ba9876543210" in text
    # Without it, as where the controller's disk is thrown away, the plan of now is shown all the same.
    assert "objective" in render(refused)


@pytest.mark.parametrize(
    "plan_id", [None, "", "../../../etc/passwd", "0123456789AB", "0123456789ab0", 12, "ffffffffffff"]
)
def test_no_other_file_is_read_or_written(tmp_path, plan_id):
    kept_plans.keep(str(tmp_path), "host", PLANNED)
    assert kept_plans.find(str(tmp_path), "host", plan_id) is None
    if plan_id != "ffffffffffff":
        kept_plans.keep(str(tmp_path), "host", {**PLANNED, "plan_id": plan_id})
        assert len(list(tmp_path.glob("**/*.json"))) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", json.dumps({"plan": 1}), "[" * 100000])
def test_a_file_that_is_broken_is_none(tmp_path, content):
    kept_plans.keep(str(tmp_path), "host", PLANNED)
    (file,) = tmp_path.glob("*/plans/*.json")
    file.write_text(content)
    assert kept_plans.find(str(tmp_path), "host", PLANNED["plan_id"]) is None


def test_the_oldest_are_forgotten(tmp_path):
    for number in range(105):
        kept_plans.keep(str(tmp_path), "host", {**PLANNED, "plan_id": "%012x" % number})
        os.utime(tmp_path / "host" / "plans" / ("%012x.json" % number), (number, number))
    names = sorted(path.stem for path in tmp_path.glob("*/plans/*.json"))
    assert len(names) == 100
    assert names[-1] == "%012x" % 104


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"a": 1, "b": "x-1.y"}, ["a=1", "b=x-1.y"]),
        ({"a": True}, ['{"a": true}']),
        ({"a": [1, 2]}, ['{"a": [1, 2]}']),
        (
            {"a": "{{ x }}", "b": "it's", "c": "", "d": "x=y"},
            ['{"a": "{{ x }}"}', '{"b": "it\'s"}', '{"c": ""}', '{"d": "x=y"}'],
        ),
    ],
)
def test_what_is_given_with_e_is_what_was_said(said, words):
    assert change_summary.variables(said) == words
