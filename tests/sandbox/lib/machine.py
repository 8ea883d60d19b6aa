# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that the sandbox runs on: what it must have, and how commands are run on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

from . import control_groups
from .errors import SandboxError

# command -> Debian and Ubuntu package
TO_RUN = {
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "mount": "mount",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
TO_BUILD = {"debootstrap": "debootstrap", "dpkg": "dpkg"}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
KEYRING_PACKAGE = "debian-archive-keyring"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _missing(commands: Mapping[str, str]) -> Dict[str, str]:
    search = os.pathsep.join([os.environ.get("PATH", ""), PATH])
    return {command: package for command, package in commands.items() if shutil.which(command, path=search) is None}


def require(to_build: bool) -> None:
    """Say everything that is missing at once, with the commands that get it; nothing has been changed yet."""
    if sys.version_info < (3, 9):
        raise SandboxError(f"Python 3.9 or newer is needed, this is {sys.version.split()[0]}.")
    if not sys.platform.startswith("linux"):
        raise SandboxError("The sandbox host needs Linux (it is tested on Debian 12).")
    if os.geteuid() != 0:
        raise SandboxError(
            "The sandbox host must be started as root: it mounts file systems and boots a guest.",
            "Try again with sudo in front of the command.",
        )
    missing = _missing({**TO_RUN, **TO_BUILD} if to_build else TO_RUN)
    if to_build and not KEYRING.exists():
        missing[str(KEYRING)] = KEYRING_PACKAGE
    if missing:
        raise SandboxError(
            "These are missing on this machine: " + ", ".join(sorted(missing)) + ".",
            "Get them with: apt-get update && apt-get install " + " ".join(sorted(set(missing.values()))),
        )
    for file_system in ("overlay", "fuse"):
        if not _has_file_system(file_system):
            raise SandboxError(
                f"This machine's kernel has no '{file_system}' file system.", f"Try: modprobe {file_system}"
            )


def _has_file_system(name: str) -> bool:
    def listed() -> bool:
        return any(line.split()[-1] == name for line in Path("/proc/filesystems").read_text().splitlines())

    if not listed() and shutil.which("modprobe", path=PATH):
        subprocess.run(["modprobe", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return listed()


def environment() -> Dict[str, str]:
    """A plain environment for the tools: their English, and a PATH that has sbin in it."""
    result = dict(os.environ)
    result["PATH"] = os.pathsep.join([result.get("PATH", ""), PATH]).lstrip(os.pathsep)
    result["LC_ALL"] = "C.UTF-8"
    return result


def run(argv: Sequence[str], *, what: str, stdin: Optional[str] = None, seconds: float = 60) -> str:
    """Run a command of the machine that must succeed; its standard output. `what` names the step in the error."""
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"{what}: no end after {seconds:g} s: {' '.join(argv)}") from error
    if done.returncode != 0:
        raise SandboxError(
            f"{what} failed (exit code {done.returncode}): {' '.join(argv)}",
            *(done.stderr or done.stdout).strip().splitlines()[-15:],
        )
    return done.stdout


def nspawn() -> List[str]:
    """systemd-nspawn with the options that every use of it shares; start it in a control group of its own.

    It is never registered: machined is not needed.
    """
    argv = [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--link-journal=no",
        "--timezone=off",
        "--resolv-conf=off",
        "--console=pipe",
    ]
    return argv + ["--keep-unit"] if control_groups.needed() else argv


def mounts_below(folder: Path) -> List[str]:
    """Mount points at or below `folder`, the deepest first."""
    prefix = str(folder)
    points = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4].encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
        if point == prefix or point.startswith(prefix + "/"):
            points.append(point)
    return sorted(points, key=len, reverse=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder that this program made; never across a mount."""
    if not os.path.lexists(folder):
        return
    left = mounts_below(folder)
    if left:
        raise SandboxError(f"{folder} is not removed: something is still mounted in it.", *left)
    run(["rm", "-rf", "--one-file-system", "--", str(folder)], what="Removing a folder", seconds=300)
