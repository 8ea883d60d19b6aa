# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole output of a run says of a change that is refused, for every role that changes a host: its summary, once."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest
import yaml
from ansible_collections.healtharchive.remediation.tests.unit.roles.stand_ins import CHECKOUT, collection

INCIDENT = "2026-11-23-api-down"
# Each with the module that changes the host.
ROLES = {
    "deploy_pinned_ref": "deployment",
    "reconcile_config": "annual_tool_options",
    "recover_failed_jobs": "job",
    "recover_indexing": "indexing",
    "recover_output_directories": "output_directories",
    "recover_replay": "replay",
    "recover_services": "service",
    "recover_stale_jobs": "stale_jobs",
    "recover_stalled_crawl": "stalled_crawl",
    "recover_storage": "storage",
    "remediate_drift": "baseline_drift",
}
# Answers as the file says that STAND_IN names: to a plan, to an approval, or to anything else that is asked.
STAND_IN = """#!/usr/bin/python
# WANT_JSON
import json, os, sys
with open(sys.argv[1]) as file:
    given = json.load(file)
with open(os.environ["STAND_IN"]) as file:
    answers = json.load(file)[%r]
asked = "released" if given.get("state") == "released" else "approved" if given.get("approve") else "planned"
print(json.dumps(answers[asked]))
"""
DETAIL = "The storage box is gone, and everything else waits for it."
NEXT = "Bring storage back first."
REFUSED: Dict[str, Any] = {
    "failed": True,
    "changed": False,
    "outcome": "refused",
    "code": "storage_first",
    "detail": DETAIL,
    "next_step": NEXT,
    "evidence": {},
    "incident": INCIDENT,
    "msg": "%s %s" % (DETAIL, NEXT),
}
FAILED = {**REFUSED, "changed": True, "outcome": "failed", "code": "act_failed"}
PLANNED: Dict[str, Any] = {
    "changed": False,
    "outcome": "planned",
    "incident": INCIDENT,
    "plan_id": "0123456789ab",
    "unfinished_actions": [],
    "plan": {
        **{name: name for name in ("objective", "expected_impact", "rollback")},
        "commands": [["true"]],
        "subjects": ["it"],
        "before": {"it": 1},
        "after": {"it": 2},
    },
}
GRANTED: Dict[str, Any] = {
    "changed": True,
    "outcome": "applied",
    "state": "granted",
    "token": "x",
    "facts": {},
    "refusals": [],
    "remarks": [],
}
RELEASED = {"changed": True, "outcome": "applied", "state": "released", "detail": "It was given back."}


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This collection, with stand-ins for the modules that change a host."""
    stand_ins = {module: STAND_IN % module for module in (*ROLES.values(), "clearance")}
    return collection(tmp_path_factory.mktemp("collections"), stand_ins)


def output(
    collections: Path, directory: Path, answers: Dict[str, Any], *arguments: str, roles: Sequence[str] = tuple(ROLES)
) -> Dict[str, str]:
    """What is printed for each role, all of them run one after another."""
    (directory / "answers.json").write_text(json.dumps(answers))
    tasks: List[Dict[str, Any]] = []
    for role in roles:
        include = {
            "name": "ROLE %s" % role,
            "ansible.builtin.include_role": {"name": "healtharchive.remediation." + role},
        }
        # Else the first one that fails would be the last.
        tasks.append({"block": [include], "rescue": [{"name": "END", "ansible.builtin.meta": "noop"}]})
    play = {"hosts": "healtharchive", "gather_facts": False, "tasks": tasks}
    (directory / "play.yml").write_text(yaml.safe_dump([play]))
    local = "ansible_connection=local\nansible_python_interpreter=%s\nansible_become=false" % sys.executable
    (directory / "inventory").write_text("[healtharchive]\narchive\n[healtharchive:vars]\n%s\n" % local)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "STAND_IN": str(directory / "answers.json"),
    }
    program = Path(sys.executable).with_name("ansible-playbook")
    said = [
        "incident=" + INCIDENT,
        "job_id=12",
        "deploy_ref=" + "ab" * 20,
        "no_repo_change_reason=storage alone",
        *arguments,
    ]
    argv = [str(program), "-i", "inventory", "play.yml", "-e", json.dumps(dict(each.split("=") for each in said))]
    ran = subprocess.run(argv, cwd=directory, env=environment, capture_output=True, text=True, timeout=300, check=False)
    parts = re.split(r"^TASK \[ROLE (\w+)\].*$", ran.stdout + ran.stderr, flags=re.MULTILINE)
    assert parts[1::2] == [*roles], ran.stdout + ran.stderr
    return dict(zip(parts[1::2], parts[2::2]))


def is_said_once(text: str, outcome: str) -> None:
    assert len(re.findall(r"^ *=== archive: ", text, re.MULTILINE)) == 1, text
    before, _headline, after = text.partition("\n=== archive: ")
    summary = re.split(r"^(?:\[ERROR\]|fatal: )", after, maxsplit=1, flags=re.MULTILINE)[0]
    assert re.search("^%s +The storage box is gone" % outcome, summary, re.MULTILINE), text
    lines = [line.strip() for line in summary.splitlines() if line.strip()]
    for line in lines:
        assert text.count(line) == 1, "%s\n\n%s" % (line, text)
    # What Ansible itself says: of the module that was refused, and that the run has failed.
    assert (before + after).count("fatal: [archive]: FAILED!") == 2
    last = " ".join(after[after.index("fatal: [archive]: FAILED!") :].split())
    assert "storage_first" in last or "act_failed" in last
    assert "The summary above says why, and what comes next." in last


def test_a_refused_plan(collections: Path, tmp_path: Path) -> None:
    answers = {module: {"planned": REFUSED} for module in ROLES.values()}
    for text in output(collections, tmp_path, answers).values():
        is_said_once(text, "REFUSED")


def test_what_is_refused_or_fails_as_it_is_carried_out(collections: Path, tmp_path: Path) -> None:
    """Each in its turn: a run for each would take long, and they are told in the same way."""
    ends = dict(zip(ROLES, itertools.cycle((REFUSED, FAILED))))
    answers: Dict[str, Any] = {ROLES[role]: {"planned": PLANNED, "approved": end} for role, end in ends.items()}
    answers["clearance"] = {"planned": GRANTED, "released": RELEASED}
    for role, text in output(collections, tmp_path, answers, "approve=0123456789ab").items():
        # That the clearance is held, and that it was given back, is told as well.
        others = re.sub(
            r"^=== archive: clearance (?:GRANTED|released).* ===$", "", text, flags=re.MULTILINE | re.IGNORECASE
        )
        is_said_once(others, "REFUSED" if ends[role] is REFUSED else "FAILED")


def test_a_clearance_that_is_refused(collections: Path, tmp_path: Path) -> None:
    """Alike for all roles that need one: the precondition's own."""
    answers = {
        "service": {"planned": PLANNED},
        "clearance": {"planned": {**REFUSED, "state": "granted", "refusals": [], "facts": {}, "remarks": []}},
    }
    found = output(collections, tmp_path, answers, "approve=0123456789ab", roles=["recover_services"])
    is_said_once(found["recover_services"], "found")
