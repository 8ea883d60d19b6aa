# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable that is almost one of ours is refused; ours, and those of a site, pass."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml
from ansible.parsing.splitter import parse_kv
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import mistyped
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[4]
OF_AWX = ("awx_", "tower_")


def options() -> set:
    found = set()
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
            found |= set(entry.get("options", ()))
    return found


def walk(value: Any) -> Iterator[Any]:
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(each)


def typed_in_roles() -> set:
    found = set()
    for path in [
        *ROOT.glob("roles/*/tasks/*.yml"),
        *ROOT.glob("roles/*/defaults/*.yml"),
        *ROOT.glob("playbooks/*.yml"),
    ]:
        text = path.read_text()
        for names in re.findall(r"remediation\.said'((?:, *'[a-z_]+')+)", text):
            found |= set(re.findall("[a-z_]+", names))
        for value in walk(yaml.safe_load(text)):
            if isinstance(value, dict) and isinstance(value.get("said"), dict):
                found |= set(value["said"].values())
    return found


def strings(node: ast.AST, constants: dict) -> set:
    """Every string below a node, those too that a name of the file stands for."""
    found = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            found.add(each.value)
        elif isinstance(each, ast.Name) and each.id in constants:
            found |= strings(constants[each.id], {})
    return found


def typed_in_plugins() -> set:
    """What the plugins read: the second argument of said(), and the names that are looked up in all that was given."""
    found = set()
    for path in [*ROOT.glob("plugins/action/*.py"), *ROOT.glob("plugins/plugin_utils/**/*.py")]:
        tree = ast.parse(path.read_text())
        constants = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said":
                found |= strings(node.args[1], constants) if len(node.args) > 1 else set()
    # An option of a module, in which others are named.
    return {name for name in found if not name.startswith(OF_AWX)} - {"said"}


def test_every_variable_that_is_read_is_known() -> None:
    assert {"triage_deadline", "incident_wish", "verify_outside_view"} <= options()
    assert {"incident", "title", "contained", "underlying", "approve", "repository"} <= typed_in_roles()
    assert {"incident", "remark", "triage", "operator"} <= typed_in_plugins()
    settings = yaml.safe_load((ROOT / "playbooks/vars/settings.yml").read_text())
    of_inventory = {"healtharchive_" + name for name in settings["healtharchive_module_defaults"]}
    assert len(of_inventory) > 10
    wanted = options() | typed_in_roles() | typed_in_plugins() | of_inventory
    wanted |= {"evidence", "healtharchive_public_ca_file", "remediation_auto_approve"}
    assert wanted - mistyped.known() == set()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("triage_deadlin", "triage_deadline"),
        ("triage-deadline", "triage_deadline"),
        ("incidnt", "incident"),
        ("Incident", "incident"),
        ("verify_outside_veiw", "verify_outside_view"),
        ("titel", "title"),
        ("seveirty", "severity"),
        ("aprove", "approve"),
        ("jobid", "job_id"),
        ("evidnece", "evidence"),
        ("healtharchive_public_api_bas", "healtharchive_public_api_base"),
    ],
)
def test_the_right_one_is_named(name: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mistyped, "load_extra_vars", lambda loader: {"title": "x", name: "y"})
    with pytest.raises(BadInput) as refused:
        mistyped.check(None)
    assert refused.value.code == "unknown_variable"
    assert name in str(refused.value)
    assert "-e %s=" % meant in refused.value.next_step


@pytest.mark.parametrize(
    "name",
    [
        *("env", "target", "target_host", "hosts", "user", "version", "state", "region", "reason", "ticket", "proxy"),
        *("my_incident", "site_title", "job", "deadline", "owner_of_site", "healtharchive_contact", "triage_mail_to"),
        *("ansible_user", "ansible_become_pass", "awx_job_id", "tower_job_id", "awx_user_name", "x", ""),
    ],
)
def test_variables_of_a_site_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mistyped, "load_extra_vars", lambda loader: {name: "y"})
    mistyped.check(None)


@pytest.mark.parametrize("typed", ["title=API down", "incident=x trigger=A package was missing", "dry"])
def test_a_text_that_was_split_is_refused(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ansible itself splits it; with two pairs of quotes it is whole."""
    monkeypatch.setattr(mistyped, "load_extra_vars", lambda loader: parse_kv(typed))
    with pytest.raises(BadInput) as refused:
        mistyped.check(None)
    assert refused.value.code == "text_split"
    assert typed.rsplit(" ", maxsplit=1)[-1] in str(refused.value)
    monkeypatch.setattr(mistyped, "load_extra_vars", lambda loader: parse_kv("title='API down' incident=x"))
    mistyped.check(None)


def test_no_variable_of_ours_is_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mistyped, "load_extra_vars", lambda loader: dict.fromkeys(mistyped.known()))
    mistyped.check(None)
    monkeypatch.setattr(mistyped, "load_extra_vars", lambda loader: {})
    mistyped.check(None)


def test_whoever_looks_at_what_was_given_looks_at_its_names() -> None:
    """In each role one of these plugins comes first."""
    readers = [ROOT / "plugins/action/triage_host.py"]
    for path in [*ROOT.glob("plugins/action/*.py"), *ROOT.glob("plugins/plugin_utils/*.py")]:
        readers += [path] if "forged.check(" in path.read_text() else []
    assert len(readers) > 6
    # It comes behind incident_record, in every role.
    without = {path.name for path in readers if "mistyped.check(" not in path.read_text()}
    assert without == {"incident_note.py"}


@given(st.text(max_size=60))
def test_any_name(name: str) -> None:
    meant = mistyped.almost(name)
    assert meant is None or (meant in mistyped.known() and abs(len(meant) - len(name)) <= 3)
