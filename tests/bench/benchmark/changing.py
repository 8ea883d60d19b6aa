# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the smallest change costs, from its plan to its end: the retry of one failed job, as an operator runs it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Sequence

from .contenders import COLLECTIONS, PLUGINS, Playbook
from .guests import ROOT, Failure, Guests
from .link import Link, inventory

JOB = 1
_FAILED = (
    "UPDATE archive_jobs SET status = 'failed', crawler_status = 'failed', crawler_exit_code = 1, retry_count = 2 "
    "WHERE id = %d"
)
_GRANT = "Ask the host for the clearance"
_TASK = re.compile(r"TASK \[(.*)\] \**")


class Retry:
    """The playbook that plans it, and the one that carries it out: clearance, retry, release. The worker is stopped, so that
    the job stays as it is left, and the commit that is demanded is the one that is there."""

    def __init__(self, these: Guests, guest: str, link: Link, folder: Path) -> None:
        self._guests, self._guest, self._link = these, guest, link
        self._folder = folder
        self._inventory = inventory([link], folder / "change.json")
        these.run(guest, "systemctl stop healtharchive-worker")
        self._playbook("open_incident", "title=Measured", "severity=sev3")()
        (note,) = (folder / "notes").glob("*/*.md")
        self.incident = note.stem
        self.commit = these.run(guest, "runuser -u haadmin -- git -C /opt/healtharchive rev-parse HEAD").strip()

    def __call__(self) -> float:
        return sum(playbook() for playbook in self._both())

    def ssh_commands(self) -> Dict[str, int]:
        """How many commands a whole one has run over the connection, by the task that ran them."""
        counted: "Counter[str]" = Counter()
        for playbook in self._both("-vvv"):
            playbook()
            counted += ssh_commands(playbook.output)
        return dict(counted)

    def _both(self, *options: str) -> Iterator[Playbook]:
        """First the one that plans; when that has run, the one that is approved."""
        put_back = 'runuser -u postgres -- psql -q healtharchive -c "%s"' % (_FAILED % JOB)
        self._guests.run(self._guest, put_back)
        said = ["incident=" + self.incident, "job_id=%d" % JOB, "budget_override_reason='it is measured'"]
        plan = self._playbook("recover_failed_jobs", *said, options=options)
        yield plan
        found = re.findall(r"approve=([0-9a-f]{12})", plan.output)
        if not found:
            raise Failure("Nothing was planned: %s" % plan.output)
        said += ["required_commit=" + self.commit, "approve=" + found[-1]]
        act = self._playbook("recover_failed_jobs", *said, options=options)
        yield act
        if not re.search(r"^=== .*: applied ===$", act.output, re.MULTILINE):
            raise Failure("It was not applied: %s" % act.output)

    def _playbook(self, name: str, *said: str, options: Sequence[str] = ()) -> Playbook:
        variables = [*said, "incident_output_directory=%s" % (self._folder / "notes")]
        words = [word for variable in variables for word in ("-e", variable)]
        return Playbook([self._link], self._inventory, "healtharchive.remediation." + name, *words, *options)


class Grant:
    """What tests/bench/granting.py measures on the guest: the seconds of a clearance's grant, and those of a check of it."""

    def __init__(self, these: Guests, guest: str, incident: str, commit: str) -> None:
        self.checks: List[float] = []
        self._guests, self._guest = these, guest
        self._command = "python3 /run/granting.py %s %s %s" % (COLLECTIONS, incident, commit)
        these.write_tree(guest, ROOT / "plugins", "module_utils", COLLECTIONS + PLUGINS)
        these.write_file(guest, "/run/granting.py", "0600", (ROOT / "tests" / "bench" / "granting.py").read_text())

    def __call__(self) -> float:
        taken = json.loads(self._guests.run(self._guest, self._command).splitlines()[-1])
        self.checks.append(taken["check"])
        return taken["grant"]


def ssh_commands(output: str) -> "Counter[str]":
    """How many commands Ansible ran over SSH, by task, of its output with -vvv."""
    counted: "Counter[str]" = Counter()
    task = ""
    for line in output.splitlines():
        begun = _TASK.match(line)
        if begun:
            task = begun.group(1)
        elif re.match(r"<[^>]+> SSH: EXEC ", line):
            counted[task] += 1
    return counted


def grant_commands(counted: Mapping[str, int]) -> int:
    """Those of them that are the grant of the clearance."""
    return sum(count for task, count in counted.items() if task.endswith(_GRANT))
