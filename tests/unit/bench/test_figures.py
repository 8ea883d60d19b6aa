# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark makes of its samples."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from benchmark import figures
from hypothesis import given
from hypothesis import strategies as st

SECONDS = st.floats(min_value=0.01, max_value=1000)


def test_the_ratio_is_of_pairs_and_not_of_medians():
    # The machine became four times slower half way: each pair still says 0.5.
    assert figures.ratio([1, 1, 4], [2, 2, 8]) == 0.5
    assert figures.ratio([1, 100, 3], [2, 2, 6]) == 0.5


@pytest.mark.parametrize(("measured", "reference"), [([], []), ([1.0], []), ([1.0, 2.0], [1.0])])
def test_samples_without_a_pair_are_refused(measured, reference):
    with pytest.raises(ValueError, match="paired"):
        figures.ratio(measured, reference)


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=15))
def test_the_ratio_lies_between_those_of_the_pairs(pairs):
    all_ratios = [first / second for first, second in pairs]
    found = figures.ratio([first for first, _second in pairs], [second for _first, second in pairs])
    assert min(all_ratios) - 0.001 <= found <= max(all_ratios) + 0.001


@given(st.integers(1, 5), st.integers(0, 20))
def test_each_contender_is_first_equally_often(count, rounds):
    names = [str(number) for number in range(count)]
    first = Counter(figures.rotated(names, turn)[0] for turn in range(rounds * count))
    assert all(first[name] == rounds for name in names)
    assert sorted(figures.rotated(names, rounds)) == sorted(names)


def test_seconds_are_medians():
    assert figures.seconds({"triage": [3.0, 1.0, 100.0]}) == {"triage_seconds": 3.0}


def test_the_result_is_one_line_with_every_ratio():
    line = figures.document({"growth_jobs": 1.2, "pairs": 7})
    assert "\n" not in line
    result = json.loads(line)
    assert result["growth_jobs"] == 1.2
    assert result["pairs"] == 7
    assert set(figures.RATIOS) <= set(result)
    assert result["fleet20_vs_one"] is None
