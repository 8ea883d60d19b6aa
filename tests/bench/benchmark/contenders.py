# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: each contender runs once, is checked to have done its work, and tells its seconds."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from .guests import ROOT, Failure, Guests
from .link import Link, inventory

_CHECKOUT = "/opt/healtharchive"
_CLI = _CHECKOUT + "/.venv/bin/healtharchive"
_ENV_FILE = "/etc/healtharchive/backend.env"


class Step(NamedTuple):
    """One command of the service's incident runbook (contract 4.1)."""

    title: str
    command: str
    root: bool = False
    in_checkout: bool = False
    with_environment: bool = False


def steps(public_api: str, public_frontend: str) -> List[Step]:
    """The runbook's reads, in its order."""
    verify = ".venv/bin/python3 scripts/verify_public_surface.py --api-base %s --frontend-base %s"
    return [
        Step("Public surface", verify % (public_api, public_frontend), in_checkout=True),
        Step("Units", "systemctl status --no-pager healtharchive-api healtharchive-worker"),
        Step("Journal of the API", "journalctl -u healtharchive-api -n 200 --no-pager", root=True),
        Step("Journal of the worker", "journalctl -u healtharchive-worker -n 200 --no-pager", root=True),
        Step("Drift", ".venv/bin/python3 scripts/check_baseline_drift.py --mode local --no-write", in_checkout=True),
        Step("Jobs", _CLI + " list-jobs --limit 50", with_environment=True),
        Step("Stale jobs", _CLI + " recover-stale-jobs --older-than-minutes 180", with_environment=True),
    ]


def _steps_of(link: Link) -> List[Step]:
    return steps(link.variables["healtharchive_public_api_base"], link.variables["healtharchive_public_frontend_base"])


def typed(step: Step) -> str:
    """The step as a line that an operator types after ``ssh host --``."""
    line = "sudo " + step.command if step.root else step.command
    if step.in_checkout:
        line = "cd %s && %s" % (_CHECKOUT, line)
    if step.with_environment:
        line = "set -a; . %s; set +a; %s" % (_ENV_FILE, line)
    return line


def task(step: Step) -> Dict[str, Any]:
    """The step as a task of a playbook that does nothing but run it."""
    action: Dict[str, Any] = {"ansible.builtin.command": {"cmd": step.command}}
    if step.in_checkout:
        action["ansible.builtin.command"]["chdir"] = _CHECKOUT
    if step.with_environment:
        action = {"ansible.builtin.shell": {"cmd": typed(step)}}
    return {"name": step.title, **action, "become": step.root, "changed_when": False}


class Runbook:
    """The commands typed one after another, each as one ``ssh host -- command`` over the open connection."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def __call__(self) -> float:
        self.link.warm()
        started = time.monotonic()
        done = [(step, self.link.run(typed(step))) for step in _steps_of(self.link)]
        seconds = time.monotonic() - started
        for step, result in done:
            if result.returncode != 0 or not result.stdout:
                raise Failure(
                    "%s ended with %d: %s" % (step.title, result.returncode, result.stderr.decode(errors="replace"))
                )
        return seconds


class Playbook:
    """One run of ansible-playbook, from its start to its end; ``output`` is what the last one printed."""

    def __init__(self, links: Sequence[Link], inventory_file: Path, *arguments: str) -> None:
        self.output = ""
        self.links = links
        self.argv = ["ansible-playbook", "-i", str(inventory_file), *arguments]

    def __call__(self) -> float:
        for link in self.links:
            link.warm()
        started = time.monotonic()
        done = subprocess.run(
            self.argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False
        )
        seconds = time.monotonic() - started
        if done.returncode != 0:
            raise Failure("%s ended with %d: %s%s" % (" ".join(self.argv), done.returncode, done.stdout, done.stderr))
        self.output = done.stdout
        return seconds


def naive(link: Link, folder: Path) -> Playbook:
    """A playbook with one task for each step of the runbook, and nothing else: not even facts."""
    play = {"hosts": "healtharchive", "gather_facts": False, "tasks": [task(step) for step in _steps_of(link)]}
    path = folder / ("naive-%s.json" % link.name)
    path.write_text(json.dumps([play], indent=1))
    return Playbook([link], inventory([link], folder / ("naive-%s-inventory.json" % link.name)), str(path))


class Triage:
    """The triage playbook, as the README says to run it; ``evidence`` is what its last run found, by host."""

    def __init__(self, links: Sequence[Link], folder: Path, name: str, crowded: bool = False, **variables: Any) -> None:
        """``crowded``: guests share the machine's cores, so a probe may meet its deadline: ``timed_out`` counts them."""
        self.reports = folder / ("reports-" + name)
        self.timed_out = 0
        self._crowded = crowded
        self.evidence: Dict[str, Dict[str, Any]] = {}
        self._links = links
        self._playbook = Playbook(
            links,
            inventory(links, folder / (name + ".json"), variables),
            "healtharchive.remediation.triage",
            "-e",
            json.dumps({"triage_output_directory": str(self.reports)}),
        )

    def __call__(self) -> float:
        shutil.rmtree(self.reports, ignore_errors=True)
        seconds = self._playbook()
        self.evidence = {link.name: self._found(link.name) for link in self._links}
        return seconds

    def _found(self, host: str) -> Dict[str, Any]:
        """The evidence of a run; a run in which a probe failed has not done its work."""
        (path,) = self.reports.glob(host + "/*/evidence.json")
        evidence = json.loads(path.read_text())
        lost = {name: probe["problems"] for name, probe in evidence["probes"].items() if probe["status"] != "ok"}
        if self._crowded:
            late = [name for name, problems in lost.items() if {each["code"] for each in problems} == {"timed_out"}]
            self.timed_out += len(late)
            lost = {name: problems for name, problems in lost.items() if name not in late}
        if lost:
            raise Failure("Triage of %s has not seen everything: %s" % (host, json.dumps(lost)))
        return evidence

    def probe(self, name: str, host: Optional[str] = None) -> Dict[str, Any]:
        """The data of one probe in the last run."""
        return self.evidence[host or self._links[0].name]["probes"][name]["data"]


def recover(these: Guests, guest: str, pairs: int, jobs: int) -> Dict[str, List[float]]:
    """What tests/bench/recovering.py measures on the guest: the seconds of each contender, in the order of the pairs."""
    program = (ROOT / "tests" / "bench" / "recovering.py").read_text()
    these.write_tree(guest, ROOT / "plugins", "module_utils", COLLECTIONS + PLUGINS)
    these.write_file(guest, "/run/recovering.py", "0600", program)
    return json.loads(
        these.run(guest, "python3 /run/recovering.py %s %d %d" % (COLLECTIONS, pairs, jobs)).splitlines()[-1]
    )


COLLECTIONS = "/run/collections"
PLUGINS = "/ansible_collections/healtharchive/remediation/plugins"
