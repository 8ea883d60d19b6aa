# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles incident and verify as they are written: options, defaults, and no template that names what people say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[3]
ROLES = tuple(sorted(path.name for path in (ROOT / "roles").iterdir()))
# Read as they were typed (plugin_utils/said.py). Ansible would evaluate them wherever a task names them.
TYPED = {
    *("title", "severity", "severity_reason", "area", "owner", "slug", "started_at", "incident", "remark", "operator"),
    *("trigger", "underlying", "contained", "triage", "repository"),
    *("required_commit", "no_repo_change_reason", "force_reason"),
}
# Their values are expressions without braces.
CONDITIONS = {"when", "that", "until", "failed_when", "changed_when"}
# Only parses: it need not know Ansible's filters and tests.
JINJA = Environment()
FILES = [
    path
    for folder in ("roles", "playbooks")
    for path in sorted((ROOT / folder).rglob("*.yml"))
    if "meta" not in path.parts
]


def specification(role: str) -> dict:
    return yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text())["argument_specs"]


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_argument_specs(role):
    path = ROOT / "roles" / role / "defaults/main.yml"
    # A role without options has none of its own.
    defaults = yaml.safe_load(path.read_text()) if path.exists() else {}
    declared: dict = {}
    for entry in specification(role).values():
        for name, option in entry["options"].items():
            assert declared.setdefault(name, option["default"]) == option["default"]
    assert declared == defaults


def test_every_entry_point_has_its_specification():
    used = set()
    for path in FILES:
        for value in walk(yaml.safe_load(path.read_text())):
            if isinstance(value, dict) and value.get("name") == "healtharchive.remediation.incident":
                used.add(value["tasks_from"])
    assert used == set(specification("incident"))
    for entry in used:
        assert (ROOT / "roles/incident/tasks" / (entry + ".yml")).is_file()


def walk(value: Any) -> Iterator[Any]:
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(each)


def variables(document: Any) -> set:
    """The names of all variables that a template or a condition of the document names."""
    templates = []
    for value in walk(document):
        if isinstance(value, dict):
            for name in CONDITIONS & set(value):
                listed = value[name] if isinstance(value[name], list) else [value[name]]
                templates += ["{{ %s }}" % each for each in listed if isinstance(each, str)]
        elif isinstance(value, str) and "{{" in value:
            templates.append(value)
    names = set()
    for template in templates:
        names |= {node.name for node in JINJA.parse(template).find_all(nodes.Name)}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_template_names_what_people_say(path):
    assert variables(yaml.safe_load(path.read_text())) & TYPED == set()


@pytest.mark.parametrize(
    "document",
    [{"x": "{{ title }}"}, {"when": "incident is defined"}, [{"that": ["owner == 'x'"]}], "{{ a.b + trigger }}"],
)
def test_that_check_would_notice_one(document):
    assert variables(document) & TYPED
