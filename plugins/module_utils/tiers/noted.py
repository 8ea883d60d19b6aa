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
from ..refusal import Refusal

_READ_BYTES = 64 * 1024


def write(name: str, said: Dict[str, Any]) -> None:
    """Whole or not at all, for whoever is killed right after. :class:`Refusal`, OSError."""
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
    """What was written; empty where there is none. None is made: a plan reads, too. :class:`Refusal` where it cannot be read:
    that is not the same as nothing held off."""
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
        found = None
    if not isinstance(found, dict):
        path = "%s/%s" % (runtime.DIRECTORY, name)
        raise Refusal(
            "note_unreadable",
            "What a recovery that was cut off has left behind is in %s, which cannot be read." % path,
            "Look at it by hand (cat %s), give back what it tells of, and remove it. Then plan again." % path,
        )
    return found


def forget(name: str) -> None:
    with runtime.directory() as parent, contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)
