# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person mends when `respond` needs one: the fault that it speaks of, and nothing that a recovery is for."""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Sequence

from pairing import judge, recordings


def rules_alone(names: Iterable[str]) -> Dict[str, List[str]]:
    """What triage says of each fault when it is alone, first things first, by the recordings of tests/pairs."""
    known = judge.rules()
    wanted = {(name,) for name in names}
    return {
        each.broken[0]: [found["rule"] for found in judge.result(each.evidence, known)["classes"]]
        for each in recordings.load()
        if each.broken in wanted and each.evidence is not None
    }


def due(rule: str, broken: Sequence[str], alone: Mapping[str, Sequence[str]]) -> List[str]:
    """Of the faults that are there: those that the rule says first of all, else those that it may be about, else all. Pure."""
    first = [name for name in broken if list(alone.get(name, ()))[:1] == [rule]]
    among = [name for name in broken if rule in alone.get(name, ())]
    return first or among or list(broken)
