# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a file that may not be what its name says. Private to this collection."""

from __future__ import annotations

import os
import stat

CAP_BYTES = 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_regular(path: str, cap: int = CAP_BYTES) -> bytes:
    """The first ``cap`` bytes of a regular file; OSError for anything else: to open a pipe would wait for its writer."""
    return _read(os.open(path, _FLAGS), path, cap)


def read_below(directory: str, path: str, cap: int = CAP_BYTES) -> bytes:
    """The same for a path below a directory that somebody else owns: no link below it is followed out of it."""
    *parents, name = path.split("/")
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for parent in parents:
        above = descriptor
        try:
            descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        finally:
            os.close(above)
    try:
        return _read(os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=descriptor), path, cap)
    finally:
        os.close(descriptor)


def _read(descriptor: int, path: str, cap: int) -> bytes:
    with os.fdopen(descriptor, "rb") as handle:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("%s is not a regular file" % path)
        return handle.read(cap)
