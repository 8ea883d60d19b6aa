# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of the incident: the log, the notes and the branch, looked at as files and with git."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

WORK = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
DIRECTORY = "/srv/healtharchive/ops/remediation"


@pytest.fixture(scope="module")
def lines(host) -> list[str]:
    """The lines of the audit log."""
    with host.sudo():
        return host.check_output("cat %s/audit.jsonl", DIRECTORY).splitlines()


@pytest.fixture(scope="module")
def note() -> Path:
    """The one note on the controller."""
    (path,) = (WORK / "incidents").glob("*/*.md")
    return path


def git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(WORK / "clone"), *words], check=True, capture_output=True, text=True)
    return done.stdout


def test_every_step_is_a_line_that_continues_the_one_before(lines):
    events = [json.loads(line) for line in lines]
    assert [event["kind"] for event in events] == [
        *("incident_opened", "triage_run", "verified", "verified", "incident_closed"),
    ]
    before = "0" * 64
    for number, (line, event) in enumerate(zip(lines, events), start=1):
        assert (event["sequence"], event["previous"]) == (number, before)
        before = hashlib.sha256(line.encode("ascii")).hexdigest()
    assert [event["data"]["passed"] for event in events if event["kind"] == "verified"] == [False, True]


def test_the_severity_is_what_triage_suggested(lines):
    (result,) = (WORK / "triage").glob("**/result.json")
    first = json.loads(result.read_text())["classes"][0]
    opened = json.loads(lines[0])["data"]
    assert (opened["severity"], opened["severity_reason"]) == (first["severity"], first["severity_reason"])


def test_the_commit_is_the_one_that_git_shows(host, lines):
    with host.sudo("haadmin"):
        head = host.check_output("git -C /opt/healtharchive rev-parse HEAD")
    assert {json.loads(line)["head"] for line in lines} == {head}


def test_the_account_is_the_one_that_logged_in(lines):
    assert {json.loads(line)["by"]["account"] for line in lines} == {"haadmin"}


def test_owners_and_modes_are_those_of_the_service(host):
    with host.sudo():
        for name, mode in (("", 0o2770), ("/audit.jsonl", 0o660), ("/incidents", 0o2770)):
            file = host.file(DIRECTORY + name)
            assert (file.user, file.group, file.mode) == ("root", "healtharchive", mode)


def test_the_note_on_the_host_is_the_note_here(host, note):
    with host.sudo():
        assert host.file("%s/incidents/%s" % (DIRECTORY, note.name)).content_string == note.read_text()
    text = note.read_text()
    assert text.startswith("# Incident: Worker stands (%s)" % note.name[:10])
    assert "Status: closed" in text.splitlines()
    assert "- Trigger: It was stopped" in text.splitlines()
    with host.sudo("haadmin"):
        template = host.file("/opt/healtharchive/docs/_templates/incident-template.md").content_string
    headings = [line for line in template.splitlines() if line.startswith("## ")]
    assert len(headings) > 8
    assert [line for line in text.splitlines() if line.startswith("## ")] == headings


def test_the_branch_holds_the_note_and_its_line_in_the_index(note):
    branch = "incident/" + note.stem
    folder = "docs/operations/incidents/"
    assert git("diff", "--name-only", "main", branch).split() == [folder + note.name, folder + "README.md"]
    assert git("show", "%s:%s%s" % (branch, folder, note.name)) == note.read_text()
    assert "](%s)" % note.name in git("show", "%s:%sREADME.md" % (branch, folder))
    assert git("status", "--porcelain") == ""
    assert git("log", "--format=%an", "-1", branch).strip() == "Operator"
