# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the controller that are there whole or as they were, also after a power cut. Private to this collection."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from typing import Iterator, Optional

# Readable by their owner only: what is known of an incident is not for every account of a shared controller.
FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
# A run holds it for some milliseconds; one that is stopped in the middle must not hold up every other for ever.
LOCK_SECONDS = 20.0
_PAUSE_SECONDS = 0.01


def read(path: str, cap: int) -> Optional[bytes]:
    """The content of a regular file of at most ``cap`` bytes; None when there is none. OSError for anything else.

    A link is refused: replacing the file would leave what it points to behind.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("%s is not a regular file" % path)
        content = file.read(cap + 1)
    if len(content) > cap:
        raise OSError("%s is larger than %d KiB" % (path, cap // 1024))
    return content


def write(path: str, content: bytes) -> None:
    """Put a file in place of the one of that name, with its mode. Raises OSError.

    One writer at a time: a directory of its own, or :func:`locked`.
    """
    directory = os.path.dirname(path)
    try:
        mode = stat.S_IMODE(os.lstat(path).st_mode)
    except FileNotFoundError:
        mode = FILE_MODE
    # What a run that was ended has left is taken up by the next one.
    temporary = os.path.join(directory, ".%s.part" % os.path.basename(path))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(directory)


def remove(path: str) -> None:
    """Remove a file so that it is gone. Raises OSError."""
    os.unlink(path)
    sync_directory(os.path.dirname(path))


def sync_directory(directory: str) -> None:
    """A name that was made or removed is on the disk afterwards."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: str) -> None:
    """The directory and those above it, each on the disk. Raises OSError."""
    parent = os.path.dirname(path)
    if not os.path.isdir(path):
        make_directory(parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, DIRECTORY_MODE)
        sync_directory(parent)


@contextlib.contextmanager
def locked(directory: str) -> Iterator[None]:
    """One run at a time in that directory; the lock goes with the process. Raises OSError when it is not given back."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _got(descriptor):
            if time.monotonic() >= deadline:
                raise OSError("another run has held the lock of %s for %.0f seconds" % (directory, LOCK_SECONDS))
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _got(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
