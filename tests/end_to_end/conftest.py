# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox host, and triage run on it the way an operator runs it: `ansible-playbook` over SSH."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Sequence

import pytest

ROOT = Path(__file__).resolve().parents[2]
SANDBOX = ROOT / "tests" / "sandbox" / "sandbox"
# Guests belong to the machine: two checkouts may be tested at once.
GUEST = os.environ.get("HEALTHARCHIVE_TEST_GUEST", "end-to-end-%d" % os.getpid())


class Triage(NamedTuple):
    """One run of the playbook: what the operator saw, and what it left behind."""

    rc: int
    output: str
    seconds: float
    evidence: Optional[Dict[str, Any]]
    result: Optional[Dict[str, Any]]

    @property
    def first(self) -> Optional[Dict[str, Any]]:
        """The first class that was found."""
        return self.result["classes"][0] if self.result and self.result["classes"] else None

    def probe(self, name: str) -> Dict[str, Any]:
        return self.evidence["probes"][name]


class Host:
    """The sandbox host, looked at and changed without the collection: the second path."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ssh(self, command: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run a shell line on the host as the operator, over SSH."""
        argv = [str(SANDBOX), "ssh", self.name, "--", command]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert not check or done.returncode == 0, "%s: rc %d\n%s%s" % (
            command,
            done.returncode,
            done.stdout,
            done.stderr,
        )
        return done

    def sandbox(self, *words: str) -> None:
        subprocess.run([str(SANDBOX), *words], stdin=subprocess.DEVNULL, check=True, timeout=300)

    def root(self, script: str) -> str:
        """Run a bash script of any length on the host as root; no command line holds it. What it prints."""
        command = "f=$(mktemp -p /dev/shm) && cat >$f && sudo bash -euo pipefail $f </dev/null; c=$?; rm $f; exit $c"
        argv = [str(SANDBOX), "ssh", self.name, "--", command]
        done = subprocess.run(argv, input=script, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, "rc %d\n%s%s" % (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def sql(self, statement: str) -> None:
        """Run SQL on the host as the database's superuser."""
        psql = "runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 healtharchive"
        self.root("%s <<'END OF STATEMENT'\n%s\nEND OF STATEMENT\n" % (psql, statement))

    def triage(
        self, directory: Path, *arguments: str, inventory: Optional[Path] = None, through: Sequence[str] = ()
    ) -> Triage:
        """Run the triage playbook; its reports go to the directory. ``through`` is what the command is started by."""
        argv = [
            *through,
            "ansible-playbook",
            "-i",
            str(inventory or ROOT / "inventories" / "sandbox"),
            "--limit",
            self.name,
        ]
        argv += [
            "healtharchive.remediation.triage",
            "-e",
            json.dumps({"triage_output_directory": str(directory)}),
            *arguments,
        ]
        started = time.monotonic()
        done = subprocess.run(
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=300, env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip
        seconds = time.monotonic() - started
        print(done.stdout)
        return Triage(done.returncode, done.stdout, seconds, _load(directory, "evidence"), _load(directory, "result"))


def _load(directory: Path, name: str) -> Optional[Dict[str, Any]]:
    found = sorted(directory.glob("*/*/%s.json" % name))
    return json.loads(found[-1].read_text()) if found else None


@pytest.fixture(scope="session")
def host():
    """One host for the whole session, taken down at its end."""
    subprocess.run([str(SANDBOX), "up", GUEST], stdin=subprocess.DEVNULL, check=True, timeout=900)
    yield Host(GUEST)
    subprocess.run([str(SANDBOX), "down", GUEST], stdin=subprocess.DEVNULL, check=True, timeout=120)


@pytest.fixture
def broken(host):
    """Call it with a fault's name to break the host; afterwards the host is mended."""
    names = []

    def break_it(name: str) -> None:
        names.append(name)
        host.sandbox("break", name, "--name", host.name)

    yield break_it
    for name in reversed(names):
        host.sandbox("mend", name, "--name", host.name)
