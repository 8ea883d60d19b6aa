# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small notes of a recovery below ``/run``: what is held off and what is unmounted, for whoever goes on after it was cut off.

A reboot forgets them, and gives back what they tell of. Private to this collection.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Dict

from .. import runtime

_READ_BYTES = 64 * 1024


def write(name: str, said: Dict[str, Any]) -> None:
    """On the disk before this returns. :class:`Refusal`, OSError."""
    part = name + ".part"
    with runtime.directory() as parent:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(part, flags, 0o600, dir_fd=parent)
        try:
            rest = memoryview(json.dumps(said).encode("ascii"))
            while rest:
                rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)
        os.rename(part, name, src_dir_fd=parent, dst_dir_fd=parent)


def read(name: str) -> Dict[str, Any]:
    """What was written; empty where there is none. None is made: a plan reads, too."""
    if not os.path.isdir(runtime.DIRECTORY):
        return {}
    with runtime.directory() as parent:
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        except FileNotFoundError:
            return {}
        try:
            content = os.read(file, _READ_BYTES)
        finally:
            os.close(file)
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def forget(name: str) -> None:
    with runtime.directory() as parent, contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)
