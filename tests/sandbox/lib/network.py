# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's only network: one point-to-point link to the machine, in a network namespace made before the boot.

There is no route out of it and no name server in it. The addresses are of a documentation range (TEST-NET-2).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterable, Optional, Sequence

from . import machine
from .errors import SandboxError

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


def control_group(index: int) -> str:
    """A name that no other guest on this machine has, whatever state folder it lives in."""
    return f"sandbox{index}"


def _run(*argv: str) -> None:
    machine.run(argv, what="Making the guest's network")


def _exists(index: int) -> bool:
    return (Path("/sys/class/net") / interface(index)).exists()


def create(namespace: Path, wanted: Optional[int]) -> int:
    """Make the link and a network namespace that lives as long as its mount at `namespace`; the guest's number.

    A link's name can be had only once on a machine, so making it is what claims the number: the `wanted` one if
    it is free, or else the first that is.
    """
    namespace.touch()
    _run("unshare", f"--net={namespace}", "true")
    inside = ("nsenter", f"--net={namespace}", "ip")
    _run(*inside, "link", "set", "lo", "up")
    index = _claim(inside, [*([] if wanted is None else [wanted]), *range(GUESTS)])
    link = interface(index)
    _run(*inside, "addr", "add", f"{guest_address(index)}/30", "dev", "host0")
    _run(*inside, "link", "set", "host0", "up")
    _run("ip", "addr", "add", f"{machine_address(index)}/30", "dev", link)
    _run("ip", "link", "set", link, "up")
    return index


def _claim(inside: Sequence[str], numbers: Iterable[int]) -> int:
    refusal: Optional[SandboxError] = None
    for index in numbers:
        if _exists(index):
            continue
        try:
            _run(
                *inside,
                "link",
                "add",
                "host0",
                "type",
                "veth",
                "peer",
                "name",
                interface(index),
                "netns",
                str(os.getpid()),
            )
        except SandboxError as error:
            if not _exists(index):
                raise
            refusal = error  # somebody else was quicker
            continue
        return index
    raise SandboxError(
        "No address is free for the guest.",
        f"There are {GUESTS} for all guests of this machine.",
        *([refusal.message] if refusal else []),
    )


def is_claimed(namespace: Path) -> bool:
    """Whether the link, and with it the number, is this guest's."""
    if str(namespace) not in machine.mounts_below(namespace.parent):
        return False
    looked = machine.run(["nsenter", f"--net={namespace}", "ip", "link", "show"], what="Looking at the guest's network")
    return " host0@" in looked


def remove(namespace: Path) -> None:
    """Remove the link, from its inner end: it is this guest's own, whatever its number. Then the namespace."""
    if is_claimed(namespace):
        _run("nsenter", f"--net={namespace}", "ip", "link", "delete", "host0")
    if str(namespace) in machine.mounts_below(namespace.parent):
        _run("umount", str(namespace))
