# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a seed to the rounds: the same seed and the same faults give the same ones, and fewer of them are the first of more."""

from __future__ import annotations

import random
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from drilling import plan as drills
from pairing import plan as pairs
from pairing import recordings

# Of the rounds: one fault again and again, one fault, two at once.
_AGAIN, _ALONE = 0.08, 0.35
TIMES = 3
# First answers of `respond` that no budget is about: what is answered so is not broken again.
_NO_ACT = ("person", "wait", "verify")


class Round(NamedTuple):
    """``faults`` in the order in which they are broken; ``times``: how often, each time after it was recovered."""

    number: int
    faults: Tuple[str, ...]
    times: int = 1


def rounds(seed: int) -> Iterator[Round]:
    """Without an end. Each fault and each pair comes once before any comes again."""
    first = {name: drills.of_fault(name).first for name in pairs.faults()}
    return drawn(seed, list(first), [name for name in first if first[name] not in _NO_ACT], possible())


def drawn(
    seed: int, singles: Sequence[str], recovered: Sequence[str], couples: Sequence[Tuple[str, ...]]
) -> Iterator[Round]:
    chance = random.Random(seed)
    alone = _deck(chance, [(name,) for name in sorted(singles)])
    again = _deck(chance, [(name,) for name in sorted(recovered)])
    both = _deck(chance, sorted(couples))
    number = 0
    while True:
        number += 1
        kind = chance.random()
        if kind < _AGAIN:
            yield Round(number, next(again), TIMES)
        else:
            yield Round(number, next(alone if kind < _ALONE else both))


def _deck(chance: random.Random, cards: List[Tuple[str, ...]]) -> Iterator[Tuple[str, ...]]:
    own = random.Random(chance.random())
    while True:
        shuffled = list(cards)
        own.shuffle(shuffled)
        yield from shuffled


def possible() -> List[Tuple[str, ...]]:
    """The pairs that tests/pairs could break, in the order in which it could; what it has not tried, in the order of its plan."""
    tried: Dict[frozenset, recordings.Recording] = {frozenset(each.broken): each for each in recordings.load()}
    found: List[Tuple[str, ...]] = []
    for pair in pairs.pairs(pairs.expected_classes()):
        known = tried.get(frozenset(pair))
        if known is None:
            found.append(pair)
        elif known.evidence is not None:
            found.append(known.broken)
    return found
