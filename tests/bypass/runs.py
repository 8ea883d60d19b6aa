# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible, started the way an attempt starts it, and what became of each task: told by a callback, not read off the terminal."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

import yaml
from end_to_end.conftest import ROOT, SANDBOX

COLLECTION = "healtharchive.remediation"
CALLBACKS = Path(__file__).resolve().parent / "callbacks"


class Result(NamedTuple):
    """What became of one task on one host. ``status``: ok, failed, unreachable or skipped; ``code``: why it was refused."""

    status: str
    host: str
    task: str
    action: str
    code: Optional[str]
    outcome: Optional[str]
    msg: Optional[str]
    changed: Optional[bool]
    plan_id: Optional[str]
    token: Optional[str]


class Ran(NamedTuple):
    """One run of Ansible."""

    rc: int
    output: str
    results: List[Result]

    def of(self, action: str) -> List[Result]:
        """The results of a module or action of the collection."""
        return [each for each in self.results if each.action == "%s.%s" % (COLLECTION, action)]

    @property
    def refusals(self) -> List[Result]:
        """What the collection refused, in order; also where a playbook says that it was no failure."""
        return [each for each in self.results if each.code is not None]


class Controller:
    """A directory to run Ansible in, with an inventory of the sandbox hosts that are named."""

    def __init__(self, directory: Path, guests: Sequence[str], collections: str) -> None:
        self.directory = directory
        self.collections = collections
        self.inventory = directory / "inventory.yml"
        hosts: Dict[str, Dict[str, Any]] = {}
        for guest in guests:
            asked = subprocess.run(
                [str(SANDBOX), "inventory", guest], capture_output=True, text=True, check=True
            ).stdout
            hosts.update(json.loads(asked)["_meta"]["hostvars"])
        self.inventory.write_text(json.dumps({"healtharchive": {"hosts": hosts}}))

    def run(
        self,
        program: str,
        *arguments: str,
        environment: Optional[Mapping[str, str]] = None,
        settings: Optional[Mapping[str, Mapping[str, str]]] = None,
        typed: str = "",
    ) -> Ran:
        """``settings``: sections of ansible.cfg, over those of the checkout; ``typed``: what is typed at a prompt."""
        configuration = configparser.ConfigParser(interpolation=None)
        configuration.read(ROOT / "ansible.cfg")
        for section, values in (settings or {}).items():
            if not configuration.has_section(section):
                configuration.add_section(section)
            configuration[section].update(values)
        with (self.directory / "ansible.cfg").open("w") as file:
            configuration.write(file)
        told = self.directory / "results"
        told.unlink(missing_ok=True)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        mine = {
            "ANSIBLE_CONFIG": str(self.directory / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": self.collections,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACKS_ENABLED": "tell_results",
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            # For ad-hoc commands too.
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "TELL_RESULTS": str(told),
        }
        started = time.monotonic()
        done = subprocess.run(
            [program, "-i", str(self.inventory), *arguments], cwd=self.directory, input=typed, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, env={**inherited, **mine, **(environment or {})},
        )  # fmt: skip
        seconds = time.monotonic() - started
        print("$ %s %s -> %d, %.1f s\n%s" % (program, " ".join(arguments), done.returncode, seconds, done.stdout))
        lines = told.read_text().splitlines() if told.exists() else []
        return Ran(done.returncode, done.stdout, [Result(**json.loads(line)) for line in lines])

    def playbook(self, name: str, *arguments: str, **how: Any) -> Ran:
        """One of the collection's."""
        return self.run("ansible-playbook", "%s.%s" % (COLLECTION, name), *arguments, **how)

    def play(self, plays: Any, *arguments: str, **how: Any) -> Ran:
        """A playbook of somebody's own."""
        path = self.directory / "own.yml"
        path.write_text(yaml.safe_dump(plays, sort_keys=False))
        return self.run("ansible-playbook", str(path), *arguments, **how)

    def module(self, host: str, name: str, options: Mapping[str, Any], *arguments: str, **how: Any) -> Ran:
        """A module of the collection, ad hoc."""
        words = ("-b", host, "-m", "%s.%s" % (COLLECTION, name), "-a", json.dumps(dict(options)))
        return self.run("ansible", *words, *arguments, **how)


def without_courtesy(folder: Path) -> str:
    """A copy of the collection, as somebody could make one, of which what looks at the controller's own settings and variables is
    cut out: what refuses then is the host."""
    copy = folder / "ansible_collections" / "healtharchive" / "remediation"
    for part in ("plugins", "roles", "playbooks", "meta"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "galaxy.yml", copy)
    for file, function in (
        ("changing.py", "check_settings"),
        ("incident/forged.py", "check"),
        ("mistyped.py", "check"),
    ):
        path = copy / "plugins" / "plugin_utils" / file
        assert "def %s(" % function in path.read_text()
        with path.open("a") as text:
            text.write("\n\ndef %s(*_anything):\n    pass\n" % function)
    return str(folder)
