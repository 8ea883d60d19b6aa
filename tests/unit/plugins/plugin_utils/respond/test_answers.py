# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers as the role brings them, beside the rules of triage; and what is no answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest
import yaml
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.respond import answers

ROOT = Path(__file__).resolve().parents[5]
GIVEN = yaml.safe_load((ROOT / "roles/respond/vars/answers.yml").read_text())["respond_answers"]
RULES = yaml.safe_load((ROOT / "roles/triage/vars/rules.yml").read_text())["triage_rules"]
KNOWN = answers.compile_answers(GIVEN)
CLASS = {rule["id"]: rule["class"] for rule in RULES}


def test_every_rule_of_triage_is_answered_and_nothing_else_is():
    assert [entry["rule"] for entry in GIVEN] == [rule["id"] for rule in RULES]


@pytest.mark.parametrize("rule", sorted(KNOWN))
def test_what_it_answers_with_is_there(rule):
    for answer in KNOWN[rule].answers:
        if answer.do not in (answers.PERSON, answers.WAIT):
            assert (ROOT / "roles" / answer.do / "tasks/main.yml").is_file()
            assert (ROOT / "playbooks" / (answer.do + ".yml")).is_file()


def test_every_recovery_answers_something():
    used = {answer.do for entry in KNOWN.values() for answer in entry.answers}
    assert used == {answers.DEPLOY, answers.PERSON, answers.WAIT, *answers.RECOVERIES}


@pytest.mark.parametrize("rule", [rule for rule in sorted(KNOWN) if CLASS[rule] in ("storage", "capacity")])
def test_storage_holds_back_what_is_about_crawls(rule):
    """Except replay, which no crawl notices. Mounts have a recovery, the rest is a person's."""
    mounts = ("hot_path_hung", "hot_path_stale", "storage_base_down", "hot_path_not_mounted", "storage_unit_failed")
    # What waits for the mounts, the database says: without it that comes first.
    expected = ["recover_services", "recover_storage"] if rule in mounts else [answers.PERSON]
    own = {"replay_mount_dead": "recover_replay", "annual_directory_on_local_disk": "recover_output_directories"}
    expected = [own[rule]] if rule in own else expected
    assert [answer.do for answer in KNOWN[rule].answers] == expected
    assert KNOWN[rule].holds_back == (None if rule == "replay_mount_dead" else answers.ONLY_JOBS)


@pytest.mark.parametrize("rule", [rule["id"] for rule in RULES if rule["layer"] == "evidence"])
def test_what_makes_evidence_doubtful_holds_back_everything(rule):
    assert KNOWN[rule].holds_back == answers.EVERYTHING
    assert not KNOWN[rule].waits


@pytest.mark.parametrize("rule", [rule["id"] for rule in RULES if rule["severity"] in ("sev0", "sev1")])
def test_nothing_grave_may_wait(rule):
    assert not KNOWN[rule].waits


def entry(**said: Any) -> Dict[str, Any]:
    """That of a missing dependency, with something else in it."""
    return {**next(each for each in GIVEN if each["rule"] == "dependency_missing"), **said}


def answer(**said: Any) -> Dict[str, Any]:
    """The same with something else in its first answer."""
    first, last = entry()["answers"]
    return entry(answers=[{**first, **said}, last])


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"rule": "a"}, "answers: is missing"),
        (entry(x=1), "x: is not a key"),
        (entry(answers=[]), "the last one must have no when"),
        (entry(answers=entry()["answers"][:1]), "the last one must have no when"),
        (entry(holds_back="some"), "holds_back: must be one of"),
        (entry(waits="yes"), "waits: must be true or false"),
        (answer(do="restart"), "do: must be one of"),
        (answer(do="person"), "commit: belongs to a deploy"),
        (answer(do="recover_services"), "commit: belongs to a deploy"),
        (answer(commit="HEAD"), "commit: must be one of"),
        (answer(jobs="failed"), "jobs: belongs to a recovery of jobs"),
        (answer(guide="this one"), "guide: must be one printable line, and belongs to a person"),
        (answer(when="nothing.at.all == 1"), "neither a probe nor a function"),
        (answer(why="{secret}"), "is none of the values"),
        (answer(why="{{ lookup('pipe', 'id') }}"), "Ansible would evaluate it"),
        ("text", "must be a mapping"),
    ],
)
def test_what_is_no_answer_is_told_in_one_line(record, told):
    with pytest.raises(answers.BadAnswer) as refused:
        answers.compile_answers([record])
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_rule_is_answered_once():
    with pytest.raises(answers.BadAnswer, match="answered twice"):
        answers.compile_answers([GIVEN[0], GIVEN[0]])
    with pytest.raises(answers.BadAnswer, match="must be a list"):
        answers.compile_answers(None)
