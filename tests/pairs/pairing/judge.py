# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What triage's rules make of the recorded evidence, and whether that is right."""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

import yaml
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.classification import classify_with
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.evidence import Evidence
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.rules import Knowledge, knowledge

from .plan import ROOT

_VARS = ROOT / "roles" / "triage" / "vars"
CONFIDENT = ("certain", "likely")


class Verdict(NamedTuple):
    """What was said of one or two faults.

    ``first`` is (class, rule, confidence) of the first thing said, None if nothing was; ``others`` are the rules after
    it. ``right_first``: its class is that of one of the faults, storage before any other. ``not_named``: faults whose own
    first rule is not among what was said, nor another of its class that the other fault does not bring about.
    ``wrong``: rules that are sure of a class that neither fault shows when it is alone, and that follow from nothing
    else that was said.
    """

    first: Optional[Tuple[str, str, str]]
    others: Tuple[str, ...]
    right_first: bool
    not_named: Tuple[str, ...]
    wrong: Tuple[str, ...]


def rules() -> Knowledge:
    """The rules that the role ships."""
    told = yaml.safe_load((_VARS / "rules.yml").read_text())
    facts = yaml.safe_load((_VARS / "facts.yml").read_text())
    return knowledge(told["triage_rules"], facts["triage_required_facts"], facts["triage_bad_evidence"])


def result(evidence: Any, known: Knowledge) -> Dict[str, Any]:
    """What triage makes of the evidence (docs/result.schema.json)."""
    return classify_with(Evidence(evidence), known)


def judge(
    broken: Sequence[str],
    said: Sequence[Mapping[str, Any]],
    alone: Mapping[str, Sequence[Mapping[str, Any]]],
    classes: Mapping[str, str],
) -> Verdict:
    """Judge what was ``said`` of the faults in ``broken`` by what is said of each ``alone``, and by the class of each."""
    wanted = {classes[name] for name in broken}
    if "storage" in wanted:
        wanted = {"storage"}
    reported = [each["rule"] for each in said]
    shown = {each["class"] for name in broken for each in alone[name]}
    first = said[0] if said else None
    return Verdict(
        first=(first["class"], first["rule"], first["confidence"]) if first else None,
        others=tuple(reported[1:]),
        right_first=first is not None and first["class"] in wanted,
        not_named=tuple(name for name in broken if not _is_named(name, broken, said, alone, classes)),
        wrong=tuple(
            each["rule"]
            for each in said
            if each["confidence"] in CONFIDENT and each["class"] not in shown and not each["caused_by"]
        ),
    )


def _is_named(
    name: str,
    broken: Sequence[str],
    said: Sequence[Mapping[str, Any]],
    alone: Mapping[str, Sequence[Mapping[str, Any]]],
    classes: Mapping[str, str],
) -> bool:
    own = {each["rule"] for each in alone[name][:1]}
    of_others = {each["rule"] for other in broken if other != name for each in alone[other]}
    return any(
        each["rule"] in own or (each["class"] == classes[name] and each["rule"] not in of_others) for each in said
    )
