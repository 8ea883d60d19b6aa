# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys, run the way an operator runs them; looked at through git, pip, SQL and systemctl, never through the collection."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

from . import commits, record
from .test_incident import Controller, Run, today

API, WORKER = "healtharchive-api", "healtharchive-worker"
UNIT = "healtharchive-remediation-deploy"
RUNTIME = "/run/healtharchive-remediation"
LOG = RUNTIME + "/deploy.log"


class Seen(NamedTuple):
    """What is on the host, by the second path."""

    head: str
    clean: bool
    packages: List[str]
    revision: str
    api: str
    worker: str
    api_pid: str
    worker_pid: str
    api_is_newer: bool
    worker_is_newer: bool
    unit: str


class Site:
    """A host with an open incident, and the operator who deploys on it."""

    def __init__(self, host: Any, controller: Controller) -> None:
        self.host = host
        self.controller = controller
        self.incident = today(host) + "-deploys"
        done = controller.run("open_incident", "-e", "title=Deploys", "-e", "severity=sev3")
        assert done.rc == 0, done.output

    def run(self, ref: str, *arguments: str, **environment: str) -> Run:
        return self.controller.run("deploy_pinned_ref", *self._said(ref, *arguments), **environment)

    def start(self, ref: str, *arguments: str, **environment: str) -> subprocess.Popen:
        return self.controller.start("deploy_pinned_ref", *self._said(ref, *arguments), **environment)

    def _said(self, ref: str, *arguments: str) -> List[str]:
        said = ["-e", "incident=" + self.incident, "-e", "deploy_ref=" + ref]
        # So many deploys a day are no recovery any more, and a test of them is none.
        return [*said, "-e", "budget_override_reason='a test'", *arguments]

    def approval(self, ref: str, *arguments: str) -> List[str]:
        """What the plan that is printed says to add."""
        planned = self.run(ref, *arguments)
        assert planned.rc == 0, planned.output
        return [*arguments, "-e", "approve=" + plan_of(planned.output)]

    def deploy(self, ref: str, *arguments: str) -> Run:
        return self.run(ref, *self.approval(ref, *arguments))

    def head(self) -> str:
        return self.host.ssh("git -C %s rev-parse HEAD" % commits.CHECKOUT).stdout.strip()

    def seen(self) -> Seen:
        script = r"""
        cd /opt/healtharchive
        git() { runuser -u haadmin -- git -C /opt/healtharchive "$@"; }
        git rev-parse HEAD
        git status --porcelain | wc -l
        runuser -u haadmin -- .venv/bin/pip freeze --exclude-editable | tr '\n' ' '; echo
        runuser -u postgres -- psql -qAt healtharchive -c 'SELECT version_num FROM alembic_version' 2>/dev/null || echo none
        for unit in healtharchive-api healtharchive-worker; do
            systemctl show $unit --value -p ActiveState; systemctl show $unit --value -p MainPID
            systemctl show $unit --timestamp=unix --value -p ExecMainStartTimestamp | tr -d @
        done
        git log -g -1 --date=unix --format=%gd HEAD | sed 's/.*{\(.*\)}/\1/'
        systemctl show healtharchive-remediation-deploy --value -p ActiveState"""
        lines = self.host.root(script).splitlines()
        head, changed, packages, revision, api, api_pid, api_at, worker, worker_pid, worker_at, moved, unit = lines
        newer = [bool(at) and int(at) >= int(moved) for at in (api_at, worker_at)]
        return Seen(head, changed == "0", packages.split(), revision, api, worker, api_pid, worker_pid, *newer, unit)

    def answers(self, path: str) -> str:
        url = "http://127.0.0.1:8001" + path
        return self.host.ssh("curl -s -o /dev/null -m 5 -w '%%{http_code}' '%s'" % url, check=False).stdout.strip()

    def actions(self) -> List[Dict[str, Any]]:
        found = record.events(self.host)
        return [event for event in found if event["kind"] in ("action_begun", "action_finished")]

    def outcomes(self, ref: str) -> List[str]:
        """Of the deploys of a commit, in order; "unfinished" for one without an end. No end is recorded twice."""
        found: Dict[str, str] = {}
        for event in self.actions():
            data = event["data"]
            if event["kind"] == "action_begun" and any(ref in argv for argv in data["argv"]):
                found[data["action_id"]] = "unfinished"
            elif event["kind"] == "action_finished" and data["action_id"] in found:
                assert found[data["action_id"]] == "unfinished"
                found[data["action_id"]] = data["outcome"]
        return list(found.values())

    def is_live(self, ref: str, revision: str, **other: Any) -> Seen:
        """Disk, environment, schema and processes agree on it."""
        seen = self.seen()
        assert (seen.head, seen.clean, seen.revision) == (ref, True, revision)
        assert (seen.api, seen.api_is_newer) == ("active", True)
        for name, value in {"worker": "active", "worker_is_newer": True, "unit": "inactive", **other}.items():
            assert getattr(seen, name) == value, (name, seen)
        assert self.answers("/api/health") == "200"
        return seen

    def go_back(self, output: str, before: str, *arguments: str) -> Run:
        """By the command that the summary of a failure prints."""
        printed = {line.strip() for line in output.splitlines() if "ansible-playbook " in line}
        (command,) = [line for line in printed if "healtharchive.remediation.deploy_pinned_ref" in line]
        assert command.split()[-1] == "deploy_ref=" + before
        done = self.deploy(before, *arguments)
        assert done.rc == 0, done.output
        assert self.outcomes(before)[-1] == "applied"
        return done


def plan_of(output: str) -> str:
    return re.findall(r", plan ([0-9a-f]{12})$", output, re.MULTILINE)[-1]


def ended(output: str) -> Optional[str]:
    """What the summary calls the outcome; None where none was printed."""
    found = re.findall(r"^=== [^:]+: [^:]+: ([A-Za-z]+)", output, re.MULTILINE)
    return found[-1] if found else None


def last_step(output: str) -> Optional[str]:
    """The step that was printed last while it ran."""
    found = re.findall(r": deploy +[0-9]+ s  (.{15}) ", output)
    return found[-1].strip() if found else None


def said(output: str, label: str) -> str:
    """What the summary says under a label, its wrapped lines as one."""
    found = re.search(r"^%s +(.*(?:\n {10}\S.*)*)" % re.escape(label), output, re.MULTILINE)
    return " ".join(found.group(1).split()) if found else ""


def failed_deploy(site: Site, ref: str, code: str, step: str, done: Optional[Run] = None) -> Run:
    done = done or site.deploy(ref)
    assert done.rc == 2
    assert "(%s)" % code in said(done.output, "FAILED")
    assert "'%s'" % step in said(done.output, "FAILED")
    assert site.outcomes(ref) == ["failed"]
    assert site.seen().unit == "inactive"
    return done


def following(revision: str) -> str:
    """The revision of the migration that a commit of the kind "migration" adds to this one."""
    return "%04d_example" % (int(revision[:4]) + 1)


def stopped_at(step: str) -> str:
    """Bash that waits until the script of the next deploy has come to a step, and stops it there."""
    wait = "until grep -q '%s' %s 2>/dev/null; do sleep 0.1; done; systemctl kill --signal=STOP %s; "
    return wait % (step, LOG, UNIT)


def site(host: Any, directory: Path) -> Iterator[Site]:
    """What a fixture yields. Afterwards the host is made new: what was deployed, migrated and pushed is nobody else's ground."""
    yield Site(host, Controller(host, directory))
    host.sandbox("reset", host.name)


class Cut:
    """Cuts a deploy off after so many seconds, in one way or the other."""

    def __init__(self, site: Site, way: str, seconds: float) -> None:
        self.site, self.way, self.seconds = site, way, seconds
        self.sockets = site.controller.directory / "sockets"
        self.sockets.mkdir(exist_ok=True)

    def start(self, ref: str, approval: List[str]) -> str:
        ssh = "-C -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=%s/link" % self.sockets
        process = self.site.start(ref, *approval, ANSIBLE_SSH_ARGS=ssh)
        timer = threading.Timer(self.seconds, self.cut, [process])
        timer.start()
        output = process.communicate(timeout=300)[0]
        timer.cancel()
        timer.join()
        self.end_link()
        return output

    def cut(self, process: subprocess.Popen) -> None:
        if self.way == "controller":
            # With its workers, and the link: as when the laptop loses its power.
            for child in descendants(process.pid):
                os.kill(child, signal.SIGKILL)
        self.end_link()
        if self.way == "boot":
            for child in descendants(process.pid):
                os.kill(child, signal.SIGKILL)
            # What a boot leaves: no unit, nothing below /run, and services that were started anew.
            self.site.host.root(
                "systemctl kill --signal=KILL %s 2>/dev/null || true; systemctl reset-failed %s 2>/dev/null || true; rm -rf %s; \
                 systemctl restart %s %s"
                % (UNIT, UNIT, RUNTIME, API, WORKER)
            )

    def end_link(self) -> None:
        argv = ["ssh", "-o", "ControlPath=%s/link" % self.sockets, "-O", "exit", "nobody"]
        subprocess.run(argv, capture_output=True, timeout=30)


def descendants(pid: int) -> List[int]:
    """The process and all that descends from it."""
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        try:
            with open("/proc/%d/task/%d/children" % (found[-1], found[-1])) as file:
                waiting += [int(child) for child in file.read().split()]
        except OSError:
            continue
    return found
