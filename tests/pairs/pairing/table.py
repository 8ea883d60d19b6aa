# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The confusion table: what was broken, and what triage said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from . import judge, plan, recordings

FILE = plan.ROOT / "tests" / "pairs" / "confusion.md"

_INTRODUCTION = """# What triage says of each fault and of each pair

Written by `make pairs` from the evidence in `recordings.jsonl.xz` and the rules of this checkout ([README.md](README.md)).
*First* is the class, the rule and the confidence that stand first. *Not named* is a fault whose own first rule
is not among what was said, nor another rule of its class that the other fault does not bring about. *Wrong* is a rule that is
certain or likely of a class that neither fault shows when it is alone, and that follows from nothing else that was said.
"""


class Judged(NamedTuple):
    """A recording, and what the rules of today make of it."""

    broken: Tuple[str, ...]
    verdict: judge.Verdict


def judged(found: Iterable[recordings.Recording]) -> Tuple[List[Judged], List[Judged]]:
    """(single faults, pairs), those that could be made."""
    known, classes = judge.rules(), plan.expected_classes()
    said = {each.broken: judge.result(each.evidence, known)["classes"] for each in found if each.evidence is not None}
    alone = {broken[0]: said[broken] for broken in said if len(broken) == 1}
    results = [
        Judged(broken, judge.judge(broken, said[broken], alone, classes))
        for broken in sorted(said)
        if broken and all(name in alone for name in broken)
    ]
    return [each for each in results if len(each.broken) == 1], [each for each in results if len(each.broken) == 2]


def write(state: Path) -> None:
    """Put what a run has made beside what the repository has, newest first; then write the table of all."""
    found: Dict[Tuple[str, ...], recordings.Recording] = {}
    earlier = recordings.load() if recordings.FILE.exists() else []
    for each in [*earlier, *recordings.from_state(state)]:
        found[tuple(sorted(each.broken))] = each
    recordings.save(found.values())
    FILE.write_text(text(list(found.values()), *judged(found.values())))


def text(
    found: Sequence[recordings.Recording],
    singles: Sequence[Judged],
    pairs: Sequence[Judged],
) -> str:
    """The whole table as Markdown."""
    classes = plan.expected_classes()
    wanted = {frozenset(pair) for pair in plan.pairs(classes)}
    made = {frozenset(each.broken) for each in pairs}
    refused = [each for each in found if each.evidence is None and frozenset(each.broken) in wanted]
    tried = made | {frozenset(each.broken) for each in refused}
    untried = wanted - tried
    storage = [each for each in pairs if "storage" in {classes[name] for name in each.broken}]
    lines = [_INTRODUCTION, "| | made | right first | both named | nothing wrong |", "|---|---|---|---|---|"]
    for name, group in (
        ("single faults", singles),
        ("pairs with a storage fault", storage),
        ("all pairs", pairs),
    ):
        counts = [len(group), sum(each.verdict.right_first for each in group)]
        counts += [sum(not each.verdict.not_named for each in group), sum(not each.verdict.wrong for each in group)]
        lines.append("| %s | %s |" % (name, " | ".join(map(str, counts))))
    lines += [
        "",
        "%d pairs, %d made, %d cannot be made, %d not tried."
        % (len(wanted), len(made), len(refused), len(untried)),
    ]
    lines += ["", "## Classes", "", *_matrix(pairs, classes)]
    lines += ["", "## Single faults", "", *_rows(singles), "", "## Pairs", "", *_rows(pairs)]
    lines += ["", "## Pairs that cannot be made", "", "| pair | why |", "|---|---|"]
    lines += ["| %s | %s |" % (" + ".join(each.broken), _cell("; ".join(each.why))) for each in refused]
    if untried:
        lines += ["", "## Not tried", ""]
        lines += sorted("- " + " + ".join(sorted(pair)) for pair in untried)
    return "\n".join(lines) + "\n"


def _matrix(pairs: Sequence[Judged], classes: Mapping[str, str]) -> List[str]:
    """How often which class came first, by the classes that were broken."""
    given = sorted({each.verdict.first[0] if each.verdict.first else "nothing" for each in pairs})
    counts: Dict[Tuple[str, ...], Counter[str]] = {}
    for each in pairs:
        key = tuple(sorted(classes[name] for name in each.broken))
        counts.setdefault(key, Counter())[each.verdict.first[0] if each.verdict.first else "nothing"] += 1
    lines = ["| broken | %s |" % " | ".join(given), "|---|%s" % ("---|" * len(given))]
    for key in sorted(counts):
        lines.append("| %s | %s |" % (" + ".join(key), " | ".join(str(counts[key][name] or "") for name in given)))
    return lines


def _rows(found: Sequence[Judged]) -> List[str]:
    lines = ["| broken | first | also | not named | wrong |", "|---|---|---|---|---|"]
    for each in found:
        verdict = each.verdict
        first = "%s: %s (%s)" % verdict.first if verdict.first else "nothing"
        cells: List[Any] = [
            " + ".join(each.broken), first if verdict.right_first else "**%s**" % first, ", ".join(verdict.others),
            ", ".join(verdict.not_named), ", ".join(verdict.wrong),
        ]  # fmt: skip
        lines.append("| %s |" % " | ".join(_cell(cell) for cell in cells))
    return lines


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
