# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides say what the code does: names that one has, the other has too."""

from __future__ import annotations

import re
from typing import Any, Iterator

import yaml
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.journal import CODES
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.classification import (
    CONFIDENCES,
    classify,
)
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.functions import FUNCTIONS
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.rules import (
    CLASSES,
    LAYERS,
    RUBRIC,
    compile_rules,
)
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.values import COMMAND_VALUES, TEXT_VALUES
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    BAD_EVIDENCE,
    REQUIRED_FACTS,
    ROLE,
    RULES,
    WORKER,
    healthy_evidence,
    job,
    judge,
    unit,
)

DOCS = ROLE.parents[1] / "docs"
TRIAGE = (DOCS / "triage.md").read_text()
EVIDENCE = (DOCS / "evidence.md").read_text()


def in_backticks(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


def after(heading: str) -> str:
    """The paragraph that begins with these words."""
    return TRIAGE.split(heading)[1].split("\n\n")[0]


def test_the_values_are_listed() -> None:
    assert in_backticks(after("For texts and commands:")) == set(COMMAND_VALUES)
    assert in_backticks(after("For texts only:")) == set(TEXT_VALUES) - set(COMMAND_VALUES)


def test_the_words_are_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ", TRIAGE, re.MULTILINE)
    assert [row for row in rows if row in CONFIDENCES] == list(CONFIDENCES)
    keys = {key for rule in RULES for key in rule}
    assert keys <= in_backticks(TRIAGE.split("## Rules of your own")[1])
    assert in_backticks(TRIAGE) >= {*CLASSES, *RUBRIC.keys() - {"sev1", "sev2"}}
    assert all(layer in after("Storage comes first, then the layers") for layer in LAYERS if layer != "storage")
    assert all("`%s(" % name in TRIAGE for name in FUNCTIONS)


def test_the_example_is_a_rule() -> None:
    example = yaml.safe_load(TRIAGE.split("```yaml")[1].split("```")[0])
    own = example["triage_extra_rules"]
    replaced = [rule["id"] for rule in own if rule["id"] in {each["id"] for each in RULES}]
    assert len(compile_rules(RULES, own)) == len(RULES) + len(own) - len(replaced)
    evidence = healthy_evidence()
    units = evidence["probes"]["units"]["data"]["units"]
    units["healtharchive-replay.service"] = unit("inactive", unit_file_state="disabled")
    units[WORKER] = unit("inactive")
    classes = classify(evidence, RULES, REQUIRED_FACTS, BAD_EVIDENCE, own)["classes"]
    shown = {each["rule"]: each for each in classes}
    assert shown["replay_unit_disabled"]["summary"] == "Replay is installed but not enabled."
    assert replaced == ["worker_stopped"]
    assert shown["worker_stopped"]["summary"] == "The worker is inactive, as every night."
    ours = {each["rule"]: each for each in judge(evidence)["classes"]}
    assert "replay_unit_disabled" not in ours
    assert "night" not in ours["worker_stopped"]["summary"]


def fields(value: Any) -> Iterator[str]:
    """Every member's name, except names of units, probes and settings."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not name.endswith(".service"):
                yield name
            yield from fields(inner)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item)


def test_every_field_of_the_evidence_is_described() -> None:
    evidence = healthy_evidence()
    evidence["probes"]["jobs"]["data"]["jobs"] = [job()]
    named = {word for quoted in in_backticks(EVIDENCE) for word in re.split(r"[^a-z0-9_]+", quoted)}
    assert set(fields(evidence)) - named - {"indexed"} == set()


def test_every_signature_is_described() -> None:
    assert set(CODES) <= in_backticks(EVIDENCE)
