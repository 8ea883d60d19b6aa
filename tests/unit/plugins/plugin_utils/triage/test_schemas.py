# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schemas in docs/ describe what is really written, and the guide names all that they hold."""

from __future__ import annotations

import copy
import json
import re
from typing import Any, Iterator

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.journal import CODES
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.classification import CONFIDENCES
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.rules import CLASSES, RUBRIC
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage import samples
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    FAULTS,
    ROLE,
    data,
    healthy_evidence,
    judge,
)
from jsonschema import Draft202012Validator

DOCS = ROLE.parents[1] / "docs"
GUIDE = (DOCS / "evidence.md").read_text()
EVIDENCE = json.loads((DOCS / "evidence.schema.json").read_text())
RESULT = json.loads((DOCS / "result.schema.json").read_text())
# From sandbox hosts, as triage wrote them.
RECORDED = sorted((ROLE.parents[1] / "tests" / "unit" / "transcripts").glob("evidence-*.json"))


def closed(schema: Any) -> Any:
    """The same schema, but what it does not name is an error: a new member must be described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        found["additionalProperties"] = False
    return found


def problems(schema: Any, document: Any) -> list[str]:
    found = Draft202012Validator(closed(schema)).iter_errors(json.loads(json.dumps(document)))
    return ["%s: %s" % ("/".join(map(str, error.absolute_path)), error.message) for error in found]


def documents() -> Iterator[tuple[str, Any]]:
    yield "healthy", healthy_evidence()
    for name, (fault, *_expected) in FAULTS.items():
        evidence = healthy_evidence()
        fault(evidence)
        yield name, evidence
    for path in RECORDED:
        yield path.stem, json.loads(path.read_text())


@pytest.mark.parametrize("schema", [EVIDENCE, RESULT], ids=["evidence", "result"])
def test_it_is_a_schema(schema: Any) -> None:
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


def test_there_are_recorded_documents() -> None:
    assert len(RECORDED) >= 3


@pytest.mark.parametrize(("name", "evidence"), list(documents()))
def test_evidence_and_result_are_what_the_schemas_say(name: str, evidence: Any) -> None:
    assert problems(EVIDENCE, evidence) == []
    assert problems(RESULT, judge(evidence)) == []


def broken(path: str, value: Any) -> Any:
    evidence = healthy_evidence()
    place = evidence
    *parents, last = path.split("/")
    for key in parents:
        place = place[key]
    if value is KeyError:
        del place[last]
    else:
        place[last] = value
    return evidence


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema_version", 2),
        ("schema_version", KeyError),
        ("collected_at", "yesterday"),
        ("probes/api", KeyError),
        ("probes/api/status", "fine"),
        ("probes/api/data", None),
        ("probes/api/status", "unknown"),
        ("probes/api/data/responds", None),
        ("probes/api/data/responds", KeyError),
        ("probes/api/data/surprise", 1),
        ("probes/deployment/data/head", "main"),
        ("probes/storage/data/base/state", "fine"),
        ("probes/environment/data/mode", "rw-"),
    ],
)
def test_what_is_not_so_is_noticed(path: str, value: Any) -> None:
    assert problems(EVIDENCE, broken(path, value)) != []


def test_a_later_member_is_no_error_for_a_reader() -> None:
    evidence = copy.deepcopy(healthy_evidence())
    data(evidence, "api")["surprise"] = 1
    Draft202012Validator(EVIDENCE).validate(evidence)


def test_a_result_without_its_classes_is_noticed() -> None:
    evidence = healthy_evidence()
    samples.worker_inactive(evidence)
    assert problems(RESULT, {**judge(evidence), "classes": []}) != []
    assert problems(RESULT, {**judge(healthy_evidence()), "classes": judge(evidence)["classes"]}) != []


def keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for value in schema.values():
            yield from keys(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from keys(each)


def test_the_guide_names_every_member_and_word() -> None:
    words = set(keys(EVIDENCE))
    assert {"probes", "at_head", "log_age_seconds"} <= words
    named = {word for quoted in re.findall(r"`([^`\n]+)`", GUIDE) for word in re.split(r"[^a-z0-9_]+", quoted)}
    assert sorted(words - named) == []


def test_the_words_are_those_of_the_code() -> None:
    of_a_class = RESULT["properties"]["classes"]["items"]["properties"]
    assert of_a_class["class"]["enum"] == list(CLASSES)
    assert of_a_class["confidence"]["enum"] == list(CONFIDENCES)
    assert of_a_class["severity"]["enum"] == list(RUBRIC)
    units = EVIDENCE["$defs"]["journal"]["properties"]["units"]["additionalProperties"]
    assert sorted(units["properties"]["signatures"]["items"]["properties"]["code"]["enum"]) == sorted(CODES)
