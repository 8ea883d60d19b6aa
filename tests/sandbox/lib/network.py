# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's only network: one point-to-point link to the machine, in a network namespace made before the boot.

There is no route out of it and no name server in it. The addresses are of a documentation range (TEST-NET-2).
"""

from __future__ import annotations

import os
from pathlib import Path

from . import machine

GUESTS = 63


def machine_address(index: int) -> str:
    """The machine's end of guest number `index` (0 to 62)."""
    return f"198.51.100.{4 * index + 1}"


def guest_address(index: int) -> str:
    """The guest's end of guest number `index` (0 to 62)."""
    return f"198.51.100.{4 * index + 2}"


def interface(index: int) -> str:
    """The link's name on the machine. Not ve-*: a networkd on the machine would take those for its own."""
    return f"ha-sandbox{index}"


def is_free(index: int) -> bool:
    """Whether nobody has the link, a guest of another state folder included."""
    return not (Path("/sys/class/net") / interface(index)).exists()


def _run(*argv: str) -> None:
    machine.run(argv, what="Making the guest's network")


def create(folder: Path, index: int) -> Path:
    """Make the link and a namespace that lives as long as its mount at the returned path in `folder`."""
    namespace, link = folder / "netns", interface(index)
    namespace.touch()
    _run("unshare", f"--net={namespace}", "true")
    inside = ("nsenter", f"--net={namespace}", "ip")
    _run(*inside, "link", "set", "lo", "up")
    _run(*inside, "link", "add", "host0", "type", "veth", "peer", "name", link, "netns", str(os.getpid()))
    _run(*inside, "addr", "add", f"{guest_address(index)}/30", "dev", "host0")
    _run(*inside, "link", "set", "host0", "up")
    _run("ip", "addr", "add", f"{machine_address(index)}/30", "dev", link)
    _run("ip", "link", "set", link, "up")
    return namespace


def remove(index: int) -> None:
    """Remove the link, if it is there; the namespace goes with the guest's other mounts."""
    if not is_free(index):
        _run("ip", "link", "delete", interface(index))
