# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Per-job locks: flocks on files that persist (contract 1.6)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from healtharchive.settings import settings


class LockHeldError(Exception):
    """Another process holds the job's lock."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def _directory() -> Path:
    directory = settings().job_lock_directory
    try:
        directory.mkdir(mode=0o1777)
        # mkdir's mode is cut by the umask, and every account must be able to lock.
        directory.chmod(0o1777)
    except FileExistsError:
        pass
    except OSError:
        return Path("/tmp")
    return directory


def lock_path(job_id: int) -> Path:
    """Where the job's lock file is (or will be)."""
    return _directory() / f"job-{job_id}.lock"


def _open(path: Path) -> int:
    try:
        # The kernel refuses create-mode opens of other people's files in sticky directories.
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        os.fchmod(descriptor, 0o666)
        return descriptor


@contextmanager
def job_lock(job_id: int) -> Iterator[Path]:
    """Hold the job's lock; raises ``LockHeldError`` when it is held, ``OSError`` when it cannot be opened."""
    path = lock_path(job_id)
    descriptor = _open(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeldError(path) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"pid={os.getpid()}\n".encode())
        yield path
    finally:
        os.close(descriptor)


def held_reason(job_id: int) -> str | None:
    """Why the job counts as running, or ``None`` when its lock is free. Creates and rewrites the lock file."""
    try:
        with job_lock(job_id):
            return None
    except LockHeldError as held:
        return f"lock held: {held.path}"
    except OSError as error:
        return f"lock probe failed: {error}"
