# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File locks on folders, so that two runs never build or boot the same thing at once.

A folder that comes and goes is locked through its own inode: nothing extra is left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Callable, Iterator, Optional


def _same_folder(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def locked(folder: Path, while_waiting: Optional[Callable[[], None]] = None) -> Iterator[None]:
    """Hold `folder` (made if it is missing) for this process alone.

    `while_waiting` is called once when another process has it. The holder may remove the folder before it lets go:
    whoever waited then locks a folder that is no longer there, notices, and starts again on a new one.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if while_waiting is not None:
                    while_waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _same_folder(descriptor, folder):
                yield
                return
        finally:
            os.close(descriptor)
