# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies beside a transient unit: what it was begun for, and what it prints. Below ``/run``, for root alone; a boot takes all
of it away. To look at it creates nothing. Private to this collection.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import Any, Dict, Optional

from .. import runtime
from ..parse.errors import ParseError
from ..parse.json_object import json_object

# Of what is printed, from its beginning and from its end.
_HEAD_BYTES, _TAIL_BYTES = 256 * 1024, 4 * 1024 * 1024
_READ_BYTES = 1024 * 1024


def read(name: str) -> Dict[str, Any]:
    """What was written under that name in this boot; empty where there is nothing, or it cannot be read."""
    if not os.path.lexists(runtime.DIRECTORY):
        return {}
    with runtime.directory() as directory:
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            with os.fdopen(descriptor, "rb") as file:
                return json_object(file.read(_READ_BYTES), name)
        except (OSError, ParseError):
            return {}


def write(directory: int, name: str, content: bytes) -> None:
    """All of it or nothing. OSError."""
    temporary = "%s.%s" % (name, secrets.token_hex(4))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=directory)
        raise


def printed(name: str) -> Optional[bytes]:
    """What was printed into the file of that name, its middle left out if it is much; None where there is none in this boot."""
    if not os.path.lexists(runtime.DIRECTORY):
        return None
    with runtime.directory() as directory:
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(_HEAD_BYTES)
            rest = size - len(head)
            if rest > _TAIL_BYTES:
                # From a whole line on.
                file.seek(size - _TAIL_BYTES)
                file.readline()
                head = head.rpartition(b"\n")[0] + b"\n"
            return head + file.read(_TAIL_BYTES)
