# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that change a host, run as a playbook's tasks, and the host looked at beside them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from .conftest import ROOT

COLLECTION = "healtharchive.remediation."
INVENTORY = str(ROOT / "inventories" / "sandbox")
# Rows, locks and our own files; what ticks by itself (logs, modification times of the service's own files) is not in it.
_ROWS = "sudo -u postgres psql -d healtharchive -Atc 'select to_jsonb(archive_jobs) from archive_jobs order by id'"
_FILES = (
    "sudo find /srv/healtharchive/ops /run/healtharchive-remediation /tmp/healtharchive* -printf '%p %u:%g %m %T@ %s\\n' | sort;"
    " sudo find /srv/healtharchive/ops -type f -exec sha256sum {} + | sort -k2;"
    " systemctl list-units --all --plain --no-legend --state=active 'healtharchive*' | awk '{print $1, $3}'"
)


class Played(NamedTuple):
    """One run of a playbook."""

    rc: int
    output: str

    @property
    def words(self) -> str:
        """What was printed, without its line ends."""
        return " ".join(self.output.split())


def state(host: Any) -> str:
    """What a change changes: rows, locks, the record, what is below /run, units."""
    return host.ssh(_ROWS).stdout + host.ssh("{ %s ; } 2>&1" % _FILES).stdout


def rows(host: Any) -> Dict[int, Dict[str, Any]]:
    """Every job as the database has it."""
    found = [json.loads(line) for line in host.ssh(_ROWS).stdout.splitlines()]
    return {row["id"]: row for row in found}


def play(host: Any, name: str, directory: Path, *flags: str, **said: Any) -> Played:
    """Run a playbook of the collection; what it writes on the controller goes to the directory."""
    variables = {"incident_output_directory": str(directory), **said}
    argv = ["ansible-playbook", "-i", INVENTORY, "--limit", host.name, COLLECTION + name]
    done = _run([*argv, "-e", json.dumps(variables), *flags])
    return Played(done.returncode, done.stdout)


def approvals(played: Played) -> List[str]:
    """The ids of the plans that a summary gives to be approved."""
    return list(dict.fromkeys(re.findall(r"approve=([0-9a-f]+)", played.output)))


def tasks(host: Any, directory: Path, *given: Tuple[str, Dict[str, Any]], **said: Any) -> List[Dict[str, Any]]:
    """What each module returned, run one after another in one play; a refusal does not keep the next from being run. A text
    ``{{ results[N].token }}`` takes what an earlier one returned."""
    results = directory / "results.json"
    blocks = []
    for number, (module, options) in enumerate(given):
        task = {"name": "Run", COLLECTION + module: options, "register": "result_%d" % number}
        blocks.append({"name": "Try", "block": [task], "rescue": [{"name": "Go on", "ansible.builtin.meta": "noop"}]})
    names = ["result_%d" % number for number in range(len(given))]
    copy = {"content": "{{ [%s] | to_json }}" % ", ".join(names), "dest": str(results), "mode": "0600"}
    last = {"name": "Say", "ansible.builtin.copy": copy, "delegate_to": "localhost", "become": False}
    playbook = [{"name": "Try", "hosts": host.name, "become": True, "gather_facts": False, "tasks": [*blocks, last]}]
    file = directory / "tasks.yml"
    file.write_text(json.dumps(playbook))
    results.unlink(missing_ok=True)
    done = _run(["ansible-playbook", "-i", INVENTORY, str(file), "-e", json.dumps(said)])
    assert results.exists(), done.stdout
    return json.loads(results.read_text())


def _run(argv: Sequence[str]) -> subprocess.CompletedProcess:
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DEPRECATION_WARNINGS": "0"}
    done = subprocess.run(
        argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300, env=environment,
    )  # fmt: skip
    print(done.stdout)
    return done
