# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of this checkout on the recorded evidence of each fault and of each pair of faults of real sandbox hosts."""

from __future__ import annotations

import pytest
from pairing import judge, plan, recordings, table

RECORDED = recordings.load()
SINGLES, PAIRS = table.judged(RECORDED)
CLASSES = plan.expected_classes()


def of_storage(broken: tuple[str, ...]) -> bool:
    return "storage" in {CLASSES[name] for name in broken}


def shown(found: list[table.Judged]) -> list[str]:
    return ["%s: %s" % (" + ".join(each.broken), each.verdict) for each in found]


def test_every_fault_and_every_pair_is_recorded() -> None:
    assert {each.broken[0] for each in SINGLES} == set(plan.faults())
    known = {frozenset(each.broken) for each in RECORDED}
    assert {frozenset(pair) for pair in plan.pairs(CLASSES)} - known == set()
    assert len(PAIRS) >= 500


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


def test_the_table_is_that_of_these_recordings_and_rules() -> None:
    expected = table.text(RECORDED, SINGLES, PAIRS)
    assert table.FILE.read_text() == expected, "write it again: tools/run tests/pairs/pairs table"
