# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds as tables: for a terminal, and docs/soak.md from what the repository keeps of them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from pairing.plan import ROOT

from .course import NOT_MADE, PARKED, PERSON, RECOVERED, STUCK
from .laws import first

FILE = ROOT / "docs" / "soak.md"
KEPT = ROOT / "tests" / "soak" / "rounds.jsonl"

Row = Mapping[str, Any]

_INTRODUCTION = """# Soak: random faults, carried through `respond`

Written by `tools/run tests/soak/soak table` from `tests/soak/rounds.jsonl`: the rounds that were held, and no others.

```
make soak N=200 SEED=1                               # as root; some hours, 1 to 5 minutes a round; goes on where it ended
make soak N=3 SEED=1                                 # the first three of them
tools/run tests/soak/soak --seed 1 --first 7 --rounds 7    # round 7 alone
tools/run pytest tests/soak                          # the control: what breaks a law on a host is seen (half a minute)
```

A seed and the faults of the checkout give the rounds, so a round is repeated at its commit, or at one with the same faults: one
fault, a pair of them (those that [tests/pairs](../tests/pairs/README.md) can break together), or one fault that a recovery
answers again, up to three times. For each round:

- a sandbox host as new is broken, and each fault is seen to be there;
- an incident is opened by `respond`, which is run again and again: what it plans is approved by the plan's id, with
  `no_repo_change_reason` or, after a deploy, `required_commit`; a worker that was stopped on purpose may be started;
- where it needs a person, or a recovery is refused, the sandbox mends the fault that it speaks of, as the person would, each
  fault once, or again where the mending of the other brings it back, and `respond` goes on;
- it ends with the verification of `respond`, in at most 10 steps.

| outcome | |
|---|---|
| recovered | verified, by nothing but approved plans; or what was found may wait |
| parked | a recovery was refused because it was done often enough (`budget_spent`, `parked`) |
| needs a person | something in between was mended by hand |
| stuck | no end: a failure of the round |
| not made | the sandbox could not break it so: says nothing of the collection |

**The laws** are looked at by another path than the collection's, before a person mends something and at the end:

- no file of the archive root and of the storage box is lost or changed; of a job that runs, or that a plan has named, what is
  there only grows, but for the state that each crawl writes anew;
- no row of a job is lost, doubled, or changed without a plan that names it or the worker that runs it;
- a crawl beside, in a unit of its own, goes on in its process, and the worker runs if it did;
- each act in the audit log was shown as a plan before, had its clearance, and has one end, the one that was told; none was done
  more often than its budget;
- at the end no clearance, lock, unit or timer of the collection is left; API, database and worker run; what was mounted on
  the host as new is mounted, once, and beside it only what a plan has bound; the fault is gone, which its own file says. One that
  may wait (`first: verify` in `tests/drills/drills.yml`) may stay.

The commit is that of the checkout that the round was held with; `+`: it had changes. The rounds stand in the order in which they
were held. A later commit has other faults, and so other rounds of the same number.

What is killed, cut off or hangs in the middle is not tried here: see `make kills`, `make deploys`, `make storage`.
"""


def is_wrong(row: Row) -> bool:
    """Whether the round is a failure."""
    return bool(row["broken_laws"]) or row["outcome"] == STUCK


def verdict(row: Row) -> str:
    said = [str(row["outcome"])]
    said += [str(row["why"]).strip().splitlines()[-1]] if row["why"] else []
    said += ["LAWS: %s" % first(row["broken_laws"])] if row["broken_laws"] else []
    return "; ".join(said)


def counts(rows: Sequence[Row]) -> List[Tuple[str, int]]:
    found = Counter(str(row["outcome"]) for row in rows)
    numbers = [(name, found[name]) for name in (RECOVERED, PARKED, PERSON, STUCK, NOT_MADE)]
    return [("rounds", len(rows)), *numbers, ("with a broken law", sum(bool(row["broken_laws"]) for row in rows))]


def report(rows: Sequence[Row]) -> str:
    """For a terminal."""
    lines = ["", "%5s  %-52s %8s  %s" % ("round", "faults", "seconds", "outcome")]
    for row in rows:
        lines.append("%5d  %-52s %8d  %s" % (row["round"], _faults(row)[:52], row["seconds"], verdict(row)))
    return "\n".join([*lines, ", ".join("%s: %d" % count for count in counts(rows)), ""])


def kept() -> List[Dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()] if KEPT.exists() else []


def keep(seed: int, held: Iterable[Row]) -> None:
    """Put rounds beside what the repository has, which stays as it is; then write the guide. Of a round that went wrong, a person
    may say there what its cause was: ``note``."""
    found: Dict[Any, Row] = {}
    for row in [*kept(), *held]:
        found.setdefault((row["seed"], row["commit"], row["round"]), row)
    rows = list(found.values())
    KEPT.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in rows), encoding="utf-8")
    FILE.write_text(text(rows), encoding="utf-8")


def text(rows: Sequence[Row]) -> str:
    """docs/soak.md."""
    lines = [_INTRODUCTION]
    for seed in sorted({row["seed"] for row in rows}):
        of_seed = [row for row in rows if row["seed"] == seed]
        lines += ["## Seed %d" % seed, "", "| | |", "|---|---|"]
        lines += ["| %s | %d |" % count for count in counts(of_seed)]
        lines += ["", "| round | faults | steps | outcome | seconds | laws | commit |", "|---|---|---|---|---|---|---|"]
        lines += [_line(row) for row in of_seed]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _line(row: Row) -> str:
    outcome = str(row["outcome"]) + (": %s" % str(row["why"]).strip().splitlines()[-1] if row["why"] else "")
    outcome += " (%s)" % row["note"] if row.get("note") else ""
    laws = (
        "**%s**" % first(row["broken_laws"])
        if row["broken_laws"]
        else "-"
        if row["outcome"] in (NOT_MADE, STUCK)
        else "hold"
    )
    cells = (row["round"], _faults(row), ", ".join(row["steps"]), outcome, row["seconds"], laws, row["commit"])
    return "| %s |" % " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells)


def _faults(row: Row) -> str:
    return " + ".join(row["faults"]) + (", again" if row["times"] > 1 else "")
