# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests that are measured: booted here, and taken down here whatever happens."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Sequence

ROOT = Path(__file__).resolve().parents[3]
SANDBOX = ROOT / "tests" / "sandbox" / "sandbox"
LOADS = ROOT / "tests" / "bench" / "loads"
HELPERS = ROOT / "tests" / "sandbox" / "guest" / "helpers.sh"
_LOCK = Path("/run/lock/healtharchive-bench")
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
# A guest's systemd and its sessions hold some ten of them; 128, the usual limit, is for all guests together.
_INOTIFY_NEEDED = 1024


class Failure(Exception):
    """Something without which nothing can be measured."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _sandbox(*words: str, text: str = "", seconds: float = 300) -> str:
    """Run the sandbox program; its standard output."""
    done = subprocess.run(
        [str(SANDBOX), *words], input=text, capture_output=True, text=True, timeout=seconds, check=False
    )
    if done.returncode != 0:
        raise Failure("sandbox %s ended with %d: %s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
    return done.stdout


class Guests:
    """The guests of this run, by name. Names start with ``bench``; one that an earlier run left is made new."""

    def __init__(self) -> None:
        self.names: List[str] = []

    def up(self, name: str) -> None:
        self.names.append(name)
        if name in [line.split("\t")[0] for line in _sandbox("list").splitlines()]:
            _sandbox("reset", name, seconds=900)
        else:
            _sandbox("up", name, seconds=900)

    def down(self, names: Sequence[str]) -> None:
        """Every one is tried, whatever becomes of another."""
        failures: List[str] = []
        for name in names:
            try:
                _sandbox("down", name)
            except (Failure, subprocess.TimeoutExpired) as failure:
                failures.append(str(failure))
        self.names = [name for name in self.names if name not in names]
        if failures:
            raise Failure("\n".join(failures))

    def run_load(self, name: str, load: str, *arguments: str) -> None:
        """Run one of the scripts in ``loads`` as root on the guest, after the sandbox's own helpers."""
        script = "\n".join(["set -euo pipefail", HELPERS.read_text(), (LOADS / (load + ".sh")).read_text()])
        _sandbox("ssh", name, "--", "sudo", "bash", "-s", "--", *arguments, text=script, seconds=600)

    def write_file(self, name: str, path: str, mode: str, content: str) -> None:
        _sandbox("ssh", name, "--", "sudo install -m %s /dev/stdin %s" % (mode, path), text=content)

    def write_tree(self, name: str, parent: Path, folder: str, target: str) -> None:
        """The folder of this machine, below the target."""
        command = ["tar", "--create", "--exclude=__pycache__", "-C", str(parent), folder]
        packed = subprocess.run(command, capture_output=True, check=True).stdout
        unpack = "sudo mkdir -p {0} && sudo tar --extract -C {0}".format(target)
        argv = [str(SANDBOX), "ssh", name, "--", unpack]
        subprocess.run(argv, input=packed, capture_output=True, check=True, timeout=60)

    def run(self, name: str, command: str, seconds: float = 1800) -> str:
        """Run a command as root; its standard output."""
        return _sandbox("ssh", name, "--", "sudo " + command, seconds=seconds)

    def variables(self, name: str) -> Dict[str, Any]:
        """How Ansible reaches it, and its public addresses: host variables of the sandbox's inventory."""
        return json.loads(_sandbox("inventory", name))["_meta"]["hostvars"][name]

    def leader(self, name: str) -> int:
        """Its PID 1, as this machine numbers it."""
        state = Path(os.environ.get("HEALTHARCHIVE_SANDBOX_STATE") or "/var/tmp/healtharchive-sandbox")
        return json.loads((state / name / "guest.json").read_text())["leader"]


@contextlib.contextmanager
def guests() -> Iterator[Guests]:
    """The guests of one run, at most one run at a time on a machine."""
    with open(_LOCK, "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure("Another benchmark runs on this machine: its figures and ours would be of no use.") from None
        booted = Guests()
        try:
            yield booted
        finally:
            say("Taking the guests down")
            booted.down(list(booted.names))


@contextlib.contextmanager
def many_watches() -> Iterator[None]:
    """Let this machine carry many systemds at once; its limit is as it was afterwards."""
    before = _INOTIFY.read_text()
    if int(before) < _INOTIFY_NEEDED:
        _INOTIFY.write_text(str(_INOTIFY_NEEDED))
    try:
        yield
    finally:
        _INOTIFY.write_text(before)


def at_once(work: Callable[[str], None], names: Iterable[str]) -> None:
    """Do it for each name, two at a time: to boot and to fill a guest is to wait as much as to work. Measures nothing."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, name) for name in names]:
            done.result()


def boot(these: Guests, names: Sequence[str]) -> None:
    say("Booting %s" % " ".join(names))
    at_once(these.up, names)
