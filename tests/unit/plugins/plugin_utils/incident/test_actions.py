# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three actions in a play whose host cannot be reached: on the controller alone, truthful, and nothing is evaluated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest
import yaml
from ansible_collections.healtharchive.remediation.plugins import modules
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.incident.test_publication import (
    INDEX,
    README,
)

TITLE = "The host does not answer {{ lookup('pipe', 'touch evaluated') }}"
ID = "2026-11-23-down"
PLAY = """
- hosts: healtharchive
  gather_facts: false
  vars_files: [vars.yml]
  tasks:
    - healtharchive.remediation.incident_scratchpad:
        state: recorded
        output_directory: incidents
        title: "{{ wanted_title }}"
        slug: down
        severity: sev0
        area: infra
        started_at: "2026-11-23T17:31:00Z"
        operator: anna
        events:
          - kind: remark
            data: {text: "{{ wanted_title }}"}
      register: recorded
    - healtharchive.remediation.incident_note:
        incident: "{{ recorded.incident | combine({'state': 'contained', 'resolved_at': '2026-11-23T18:00:00Z'}) }}"
        events: "{{ recorded.events }}"
        output_directory: incidents
      register: note
    - healtharchive.remediation.incident_branch:
        repository: clone
        output_directory: incidents
        incident: "{{ recorded.incident }}"
        leave_out: [anna]
      register: branch
      when: not ansible_check_mode
    - healtharchive.remediation.incident_branch:
        repository: clone
        output_directory: incidents
        incident: {id: "../../x"}
      register: refused
      ignore_errors: true
    - healtharchive.remediation.incident_scratchpad:
        output_directory: incidents
      register: waiting
    - healtharchive.remediation.incident_scratchpad:
        state: joined
        output_directory: incidents
        incident: "{{ recorded.incident_id }}"
        confirmed: "{{ recorded.events | map(attribute='event_id') }}"
      register: joined
    - ansible.builtin.copy:
        dest: "{{ playbook_dir }}/results.json"
        content: "{{ [recorded, note, branch, refused, waiting, joined] | to_json }}"
        mode: "0600"
      delegate_to: localhost
      check_mode: false
      diff: false
"""


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Anna", "-c", "user.email=anna@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


@pytest.fixture
def here(tmp_path: Path) -> Path:
    clone = tmp_path / "clone"
    (clone / INDEX).parent.mkdir(parents=True)
    (clone / INDEX).write_text(README)
    git(clone, "init", "--quiet", "--initial-branch=main")
    git(clone, "config", "user.name", "Anna")
    git(clone, "config", "user.email", "anna@example.org")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "first")
    # An address of documentation that nothing answers at, and no ssh to ask it with.
    connection = "ansible_host=192.0.2.1 ansible_connection=ssh ansible_ssh_executable=/bin/false"
    (tmp_path / "inventory").write_text("[healtharchive]\narchive %s\n" % connection)
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "vars.yml").write_text("wanted_title: !unsafe %s\n" % json.dumps(TITLE))
    return tmp_path


def play(directory: Path, *arguments: str) -> Dict[str, Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run(
        [program, "-i", "inventory", "play.yml", *arguments],
        cwd=directory,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    names = ("recorded", "note", "branch", "refused", "waiting", "joined")
    return {"output": done.stdout, **dict(zip(names, json.loads((directory / "results.json").read_text())))}


def test_a_play_whose_host_cannot_be_reached(here: Path) -> None:
    planned = play(here, "--check", "--diff")
    assert not (here / "incidents").exists()
    assert [planned[name]["changed"] for name in ("recorded", "note", "joined")] == [True, True, False]
    assert "+# Incident: The host does not answer" in planned["output"]

    done = play(here, "--diff")
    assert [done[name]["changed"] for name in ("recorded", "note", "branch", "joined")] == [True] * 4
    assert done["recorded"]["incident_id"] == ID
    assert done["recorded"]["incident"]["title"] == TITLE
    assert [each["incident"] for each in done["waiting"]["pending"]] == [ID]
    assert done["joined"]["pending"] == []
    assert done["refused"]["failed"]
    assert done["refused"]["code"] == "bad_incident"
    assert done["refused"]["next_step"] in done["refused"]["msg"]
    assert [problem["code"] for problem in done["note"]["problems"]] == ["template_unusable"]
    assert "a problem with the servers of the archive" in done["note"]["public_draft"]
    note = (here / "incidents" / "archive" / (ID + ".md")).read_text()
    assert done["note"]["path"] == str(here / "incidents" / "archive" / (ID + ".md"))
    assert note.count("\\{\\{ lookup('pipe', 'touch evaluated') \\}\\}") == 2
    published = git(here / "clone", "show", "%s:docs/operations/incidents/%s.md" % (done["branch"]["branch"], ID))
    assert published == note.replace("anna", "(left out)")
    assert not (here / "evaluated").exists()
    # Only what was recorded is left, in the clone only the branch.
    assert sorted(path.name for path in here.iterdir() if not path.name.startswith(".")) == sorted(
        ["clone", "incidents", "inventory", "play.yml", "results.json", "vars.yml"]
    )
    assert git(here / "clone", "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["incident_note", "incident_scratchpad", "incident_branch"])
def test_the_documentation_names_the_options_that_the_action_takes(name: str) -> None:
    folder = Path(next(iter(modules.__path__)))
    source = (folder / (name + ".py")).read_text()
    documented = yaml.safe_load(source.split('DOCUMENTATION = r"""')[1].split('"""')[0])["options"]
    action = (folder.parent / "action" / (name + ".py")).read_text()
    specification = action.split("argument_spec={")[1].split("\n            }")[0]
    taken = {line.split('"')[1] for line in specification.splitlines() if line.strip().startswith('"')}
    if "_TEXTS" in specification:
        taken |= set(yaml.safe_load("[%s]" % action.split("_TEXTS = (")[1].split(")")[0]))
    assert set(documented) == taken
