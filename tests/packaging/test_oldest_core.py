# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it ships, with the oldest ansible-core it names, on a sandbox host: no checkout, no settings of ours."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SANDBOX = ROOT / "tests" / "sandbox" / "sandbox"
GUEST = "oldest-core"
OLDEST = "2.16"


def run(argv: list[str], cwd: Path, **environment: str) -> str:
    """Run a command outside the checkout and without this test's Ansible settings; what it printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    inherited.pop("PYTHONPATH", None)
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def core() -> Path:
    """The commands of the oldest ansible-core."""
    for what in ("make", "path"):
        printed = run([str(ROOT / "tools" / "venv"), what], ROOT, CORE=OLDEST)
    return Path(printed.strip()) / "bin"


@pytest.fixture(scope="module")
def installed(core: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the built collection is installed to."""
    dist, collections = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("collections")
    galaxy = str(core / "ansible-galaxy")
    run([galaxy, "collection", "build", "--output-path", str(dist), str(ROOT)], dist)
    (tarball,) = dist.iterdir()
    run([galaxy, "collection", "install", str(tarball), "-p", str(collections)], dist)
    return collections


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory):
    """A guest of its own, in an inventory of which it is the only host."""
    run([str(SANDBOX), "up", GUEST], ROOT)
    path = tmp_path_factory.mktemp("inventory") / "guests"
    path.write_text(f'#!/bin/sh\nexec "{SANDBOX}" inventory {GUEST}\n')
    path.chmod(0o755)
    yield path
    run([str(SANDBOX), "down", GUEST], ROOT)


def test_the_oldest_core_is_the_one_that_the_collection_names(core: Path) -> None:
    named = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert named == f">={OLDEST}.0"
    assert f"[core {OLDEST}." in run([str(core / "ansible-playbook"), "--version"], ROOT)


def test_triage_runs_from_the_installed_collection(
    core: Path, installed: Path, inventory: Path, tmp_path: Path
) -> None:
    playbook = [str(core / "ansible-playbook"), "-i", str(inventory), "healtharchive.remediation.triage"]
    output = run(playbook, tmp_path, ANSIBLE_COLLECTIONS_PATH=str(installed))
    assert "[WARNING]" not in output
    assert "[DEPRECATION" not in output
    (evidence,) = tmp_path.glob(f"triage/{GUEST}/*/evidence.json")
    probes = json.loads(evidence.read_text())["probes"]
    assert {name: probe["status"] for name, probe in probes.items() if probe["status"] == "unknown"} == {}
    assert probes["api"]["data"]["responds"] is True
    (result,) = tmp_path.glob(f"triage/{GUEST}/*/result.json")
    assert json.loads(result.read_text())["verdict"] == "nothing_found"


def test_an_incident_is_opened_and_its_texts_are_data(
    core: Path, installed: Path, inventory: Path, tmp_path: Path
) -> None:
    """ansible-core before 2.19 evaluates what is in a variable in other ways than its successors."""
    marker = tmp_path / "evaluated"
    title = "{{ lookup('pipe', 'touch %s') }} [1,  2] {'a': None}" % marker
    said = tmp_path / "said.json"
    said.write_text(json.dumps({"title": title, "severity": "sev3", "slug": "oldest", "owner": "[1,  2]"}))
    playbook = [str(core / "ansible-playbook"), "-i", str(inventory), "healtharchive.remediation.open_incident"]
    output = run([*playbook, "-e", "@%s" % said], tmp_path, ANSIBLE_COLLECTIONS_PATH=str(installed))
    assert "[DEPRECATION" not in output
    shown = [str(SANDBOX), "ssh", GUEST, "--", "sudo cat /srv/healtharchive/ops/remediation/audit.jsonl"]
    (line,) = subprocess.run(shown, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    event = json.loads(line)
    assert (event["data"]["title"], event["data"]["owner"]) == (title, "[1,  2]")
    (note,) = (tmp_path / "incidents" / GUEST).glob("*.md")
    assert note.stem == event["incident"]
    assert not marker.exists()
