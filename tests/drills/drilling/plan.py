# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drills as drills.yml describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import yaml

HERE = Path(__file__).resolve().parents[1]
FILE = HERE / "drills.yml"
HANDS = HERE / "hands"
_STEP = {"answer", "hand", "refused", "say", "deploy"}
_DRILL = {"title", "faults", "steps", "trigger", "underlying", "checks", "before"}


class Step(NamedTuple):
    """One step of an incident: ``answer`` is what `respond` must say; ``hand``: what the person does then (a script of hands/);
    ``refused``: the code of a first refusal; ``say`` is said then, or at once, as well; ``deploy``: origin/main is deployed
    then, by its own playbook, though nothing that was found asks for it."""

    answer: str
    hand: Optional[str]
    refused: Optional[str]
    say: Mapping[str, Any]
    deploy: bool = False


class Drill(NamedTuple):
    """One incident. ``before`` and ``checks`` are scripts for the guest; every check must end well. ``steps`` None: whatever
    comes, with ``first`` as its first answer."""

    name: str
    title: str
    faults: Tuple[str, ...]
    steps: Optional[Tuple[Step, ...]]
    first: Optional[str]
    trigger: str
    underlying: str
    before: str
    checks: Tuple[str, ...]


class Unknown(Exception):
    """There is no such drill; the text says which there are."""


def data() -> Dict[str, Any]:
    return yaml.safe_load(FILE.read_text())


def said() -> Dict[str, Dict[str, Any]]:
    """What the operator says after a refusal, by its code."""
    found: Dict[str, Dict[str, Any]] = data()["said"]
    return found


def a_persons() -> List[str]:
    """The codes of refusals after which a person mends the fault."""
    found: List[str] = data()["a_persons"]
    return found


def of_fault(name: str) -> Drill:
    known = data()["faults"]
    if name not in known:
        raise Unknown("There is no fault %s. There are: %s" % (name, ", ".join(sorted(known))))
    trigger = "The fault %s of the drill" % name
    title = "Drill %s" % name.replace("_", " ")
    checks = tuple(known[name].get("checks", ()))
    return Drill(name, title, (name,), None, known[name]["first"], trigger, "It was broken for the drill", "", checks)


def of_incident(name: str) -> Drill:
    known = data()["incidents"]
    if name not in known:
        raise Unknown("There is no incident %s. There are: %s" % (name, ", ".join(sorted(known))))
    record = known[name]
    assert set(record) <= _DRILL, name
    steps: List[Step] = []
    for each in record["steps"]:
        assert set(each) <= _STEP, (name, each)
        words = each.get("hand"), each.get("refused"), each.get("say", {}), each.get("deploy", False)
        steps.append(Step(each["answer"], *words))
    return Drill(
        name,
        record["title"],
        tuple(record["faults"]),
        tuple(steps),
        steps[0].answer,
        record["trigger"],
        record["underlying"],
        record.get("before", ""),
        tuple(record["checks"]),
    )


def hand(name: str) -> str:
    return (HANDS / (name + ".sh")).read_text()
