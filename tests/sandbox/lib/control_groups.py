# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group for each guest on a machine without systemd.

Each guest's systemd takes the control group that it is started in for its own and keeps its units in it. With a systemd
on the machine, systemd-nspawn asks that for a scope. Without one it uses the caller's group, and two guests would find
each other's units in theirs: so it is started in a new group.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Dict, Iterator, List, Sequence


def needed() -> bool:
    """Whether there is no systemd on this machine that could make a scope."""
    return not Path("/run/systemd/system").is_dir()


def _hierarchies() -> Iterator[Path]:
    """This process's own group in the hierarchies that systemd uses: name=systemd (version 1) and version 2."""
    mounted: Dict[str, Path] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _source, point, kind, options = line.split()[:4]
        if kind == "cgroup2":
            mounted.setdefault("", Path(point))
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            mounted.setdefault("name=systemd", Path(point))
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if controllers in mounted:
            yield mounted[controllers] / path.lstrip("/")


def _folders(name: str) -> List[Path]:
    return [folder / f"healtharchive-{name}" for folder in _hierarchies()] if needed() else []


def started_in(name: str, argv: Sequence[str]) -> List[str]:
    """Make the group `name`; the command that runs `argv` in it."""
    folders = _folders(name)
    for folder in folders:
        folder.mkdir(exist_ok=True)
    # 0 is the writer itself, in whatever process namespace it is
    enter = [f"echo 0 >{shlex.quote(str(folder / 'cgroup.procs'))}" for folder in folders]
    return ["sh", "-euc", "\n".join([*enter, 'exec "$@"']), "sh", *argv] if folders else list(argv)


def remove(name: str) -> None:
    """Remove the group and all groups below it; they are empty once the guest's processes are gone."""
    for folder in _folders(name):
        for path, _folders_below, _files in os.walk(folder, topdown=False):
            os.rmdir(path)
