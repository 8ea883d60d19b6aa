# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's table of mounts, ``/proc/self/mountinfo`` (proc(5)).

It is read without touching any mount, so a hung or stale one cannot stop it.
"""

from __future__ import annotations

import re
from typing import Optional

from .errors import EMPTY, TRUNCATED, UNPARSABLE, ParseError
from .text import decode

_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_DEVICE = re.compile(rb"[0-9]+:[0-9]+")


def mountinfo(content: bytes) -> list[dict[str, str]]:
    """Every mount, oldest first: ``{"mount_point", "root", "device", "options", "fstype", "source", "super_options"}``.

    ``root`` is the directory of the mounted file system that is visible at the mount point (``/`` unless it is a bind
    mount). Escapes such as ``\\040`` are resolved. Raises ParseError: ``empty``, ``truncated``, ``unparsable``.
    """
    if not content.strip():
        raise ParseError(EMPTY, "mountinfo is empty")
    if not content.endswith(b"\n"):
        raise ParseError(TRUNCATED, "the end of mountinfo is missing")
    return [_mount(line) for line in content.split(b"\n")[:-1]]


def mounted_at(mounts: list[dict[str, str]], path: str) -> Optional[dict[str, str]]:
    """The mount that is visible at exactly this path, the last of several. None: it is not a mount point."""
    for mount in reversed(mounts):
        if mount["mount_point"] == path:
            return mount
    return None


def _mount(line: bytes) -> dict[str, str]:
    # The source may be empty, and the options of some file systems contain spaces: fields are taken from the left.
    before, separator, after = line.partition(b" - ")
    fields = before.split(b" ")
    rest = after.split(b" ", 2)
    if not separator or len(fields) < 6 or len(rest) != 3 or _DEVICE.fullmatch(fields[2]) is None:
        raise ParseError(UNPARSABLE, "mountinfo has the line: " + decode(line))
    return {
        "mount_point": _unescape(fields[4]),
        "root": _unescape(fields[3]),
        "device": decode(fields[2]),
        "options": decode(fields[5]),
        "fstype": _unescape(rest[0]),
        "source": _unescape(rest[1]),
        "super_options": decode(rest[2]),
    }


def _unescape(field: bytes) -> str:
    return decode(_OCTAL.sub(lambda match: bytes((int(match.group(1), 8),)), field))
