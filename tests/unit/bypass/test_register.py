# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The register says what is tried, and what is tried is in the register."""

from __future__ import annotations

import ast
import importlib.util
import re
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
import ways

ROOT = Path(__file__).resolve().parents[3]
BYPASS = ROOT / "tests" / "bypass"
REGISTER = ROOT / "docs" / "bypass-register.md"
TABLES = (ways.FROM_CONTROLLER, ways.ON_HOST, ways.FOR_CLEARANCE, ways.WITH_ANY, ways.OTHERS)
WAYS = [way for table in TABLES for way in table]
# Who cannot be had: reading the sources is enough to know whether a code exists.
SOURCES = "".join(path.read_text() for path in (ROOT / "plugins").rglob("*.py"))


def written() -> str:
    """The register as tools/bypass-register prints it."""
    loader = SourceFileLoader("bypass_register", str(ROOT / "tools" / "bypass-register"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module.register()


def test_the_register_is_the_one_that_the_table_gives() -> None:
    assert written() == REGISTER.read_text(), "run: make docs"


def test_no_case_without_a_row_and_no_row_without_a_case() -> None:
    rows = re.findall(r"^\| (?:\*\*)?`(\w+)`", REGISTER.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(way.name for way in WAYS)
    assert len(set(rows)) == len(rows)
    assert len(rows) > 60


def test_make_test_tries_one_of_each_family_but_two() -> None:
    assert {way.family for way in WAYS} == set(ways.FAMILIES)
    sample = [way.family for way in WAYS if way.sample]
    assert sorted(sample) == sorted(set(ways.FAMILIES) - {"door", "deceived"})


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_code_is_one_of_the_collection(way) -> None:
    for code in (way.code, getattr(way, "bare", None), getattr(way, "deploy", None)):
        assert not code or '"%s"' % code in SOURCES


def test_what_takes_more_than_one_call_has_its_test() -> None:
    """And each test of that kind is in the table; the others are those of the tables that are data."""
    found = {
        node.name
        for path in BYPASS.glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    of_tables = {
        "test_the_collection_refuses",
        "test_the_host_refuses_by_itself",
        "test_nothing_but_the_guard_refused",
        "test_the_module_on_the_host_refuses",
        "test_no_clearance_is_granted",
        "test_no_other_module_is_a_way_round",
        "test_every_other_module_acts_when_nothing_is_wrong",
        "test_a_deploy_is_no_way_round",
        "test_a_deploy_is_made_when_nothing_is_wrong",
    }
    assert found == of_tables | {way.test for way in ways.OTHERS}


def test_every_module_that_changes_a_host_is_tried() -> None:
    """They are the modules that have the frame."""
    modules = (ROOT / "plugins" / "modules").glob("*.py")
    framed = {path.stem for path in modules if re.search(r"import changing\b", path.read_text(), re.MULTILINE)}
    assert framed == {"job", ways.DEPLOY.module, *(changing.module for changing in ways.CHANGING)}
    faults = {path.stem for path in (ROOT / "tests" / "sandbox" / "faults").glob("*.sh")}
    assert {changing.fault for changing in ways.CHANGING} <= {"", *faults}


def test_every_word_is_used() -> None:
    source = (BYPASS / "ways.py").read_text()
    for word in ways.WORDS:
        assert source.count(word) + source.count("${%s}" % word[1:]) > 1, word
