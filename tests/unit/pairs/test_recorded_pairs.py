# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of this checkout on the recorded evidence of each fault and of each pair of faults of real sandbox hosts."""

from __future__ import annotations

import pytest
from pairing import judge, model, plan, recordings, table

RECORDED = recordings.load()
SINGLES, PAIRS = table.judged(RECORDED)
MODELLED = table.modelled(RECORDED)
CLASSES = plan.expected_classes()


def of_storage(broken: tuple[str, ...]) -> bool:
    return "storage" in {CLASSES[name] for name in broken}


def shown(found: list[table.Judged]) -> list[str]:
    return ["%s: %s" % (" + ".join(each.broken), each.verdict) for each in found]


def test_every_fault_and_most_pairs_are_recorded() -> None:
    assert {each.broken[0] for each in SINGLES} == set(plan.faults())
    known = {frozenset(each.broken) for each in RECORDED}
    with_storage = {frozenset(pair) for pair in plan.pairs(CLASSES) if of_storage(pair)}
    assert with_storage - known == set()
    assert len(PAIRS) + len(MODELLED) >= 400


def test_nothing_is_found_where_nothing_is_broken() -> None:
    (well,) = [each for each in RECORDED if not each.broken]
    assert judge.result(well.evidence, judge.rules())["classes"] == []


@pytest.mark.parametrize("single", SINGLES, ids=lambda each: each.broken[0])
def test_the_right_class_comes_first_for_each_fault(single: table.Judged) -> None:
    assert single.verdict.right_first, single.verdict
    assert single.verdict.first is not None
    assert single.verdict.first[2] in ("certain", "likely")


def test_the_right_class_comes_first_for_each_pair_and_storage_before_any_other() -> None:
    assert shown([each for each in PAIRS if not each.verdict.right_first]) == []


def test_both_are_named_where_one_is_storage() -> None:
    assert shown([each for each in PAIRS if of_storage(each.broken) and each.verdict.not_named]) == []


def test_nothing_wrong_is_said_with_confidence() -> None:
    assert shown([each for each in PAIRS if each.verdict.wrong]) == []


def test_the_model_says_first_what_real_pairs_say_first() -> None:
    """It stands for pairs that were not broken yet only as long as it is right for those that were."""
    known = judge.rules()
    said = {each.broken: each.verdict.first for each in PAIRS}
    alone = {each.broken[0]: each.evidence for each in RECORDED if len(each.broken) == 1}
    (well,) = [each.evidence for each in RECORDED if not each.broken]
    compared = []
    for broken in sorted(said)[::4]:
        evidence = model.together(well, alone[broken[0]], alone[broken[1]])
        if evidence is not None:
            first = judge.result(evidence, known)["classes"][0]
            compared.append((broken, (first["class"], first["rule"], first["confidence"]), said[broken]))
    assert len(compared) >= 20
    assert [each for each in compared if each[1] != each[2]] == []


def test_no_modelled_pair_has_a_wrong_class_first_or_with_confidence() -> None:
    assert shown([each for each in MODELLED if not each.verdict.right_first or each.verdict.wrong]) == []


def test_the_table_is_that_of_these_recordings_and_rules() -> None:
    expected = table.text(RECORDED, SINGLES, PAIRS, MODELLED)
    assert table.FILE.read_text() == expected, "write it again: tools/run tests/pairs/pairs table"
