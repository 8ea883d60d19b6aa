# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories and files of ours below a directory that others may write to. Private to this collection.

Everything is opened by its name in an open directory, and no link is followed: what a path leads to can be exchanged
between two looks, what is open cannot. What others own, or everybody may write to, is not used.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat
from typing import Optional

# As the service's ops directories (contract 1.1).
DIRECTORY_MODE = 0o2770
FILE_MODE = 0o660
# What a creation leaves that was cut short: empty, and completed by the next one.
_NEW_DIRECTORY_MODE = 0o700
_NEW_FILE_MODE = 0o600


class Unsafe(Exception):
    """Something is not what it must be; one line says what."""


def directory(parent: int, name: str, path: str, create: bool) -> Optional[int]:
    """The directory of that name, open for reading; None if there is none and none is to be created.

    A new one gets the group of ``parent``. ``path`` is for messages. :class:`Unsafe`, OSError.
    """
    if create:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, _NEW_DIRECTORY_MODE, dir_fd=parent)
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except FileNotFoundError:
        if create:
            raise
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Unsafe("%s is a link, or no directory." % path) from error
        raise
    try:
        status = os.fstat(descriptor)
        check_owner(status, path)
        # In a directory with the set-group-id bit a new one has it too. One that holds something is not new: who may rename
        # in the parent could put another's private directory here.
        new = stat.S_IMODE(status.st_mode) & ~stat.S_ISGID == _NEW_DIRECTORY_MODE
        if create and new and not os.listdir(descriptor):
            _settle(descriptor, parent, DIRECTORY_MODE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def file(parent: int, name: str, path: str, flags: int) -> Optional[int]:
    """The regular file of that name, open; None if there is none. :class:`Unsafe`, OSError."""
    try:
        # A pipe in its place must not hold us up.
        descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise Unsafe("%s is no regular file." % path) from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unsafe("%s is no regular file." % path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def created_file(parent: int, name: str, path: str, flags: int) -> int:
    """The same, created if need be with the group of ``parent``; ours alone. :class:`Unsafe`, OSError."""
    descriptor = file(parent, name, path, flags)
    if descriptor is None:
        with contextlib.suppress(FileExistsError):  # somebody else may be a moment faster
            os.close(os.open(name, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _NEW_FILE_MODE, dir_fd=parent))
        descriptor = file(parent, name, path, flags)
        if descriptor is None:
            raise Unsafe("%s was taken away while it was created." % path)
    try:
        status = os.fstat(descriptor)
        check_owner(status, path)
        if status.st_nlink != 1:
            raise Unsafe("%s has other names too." % path)
        if stat.S_IMODE(status.st_mode) == _NEW_FILE_MODE:
            # It gets its mode before anything is written: what is private and has content was put here under this name.
            if status.st_size:
                raise Unsafe("%s is somebody's private file." % path)
            _settle(descriptor, parent, FILE_MODE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def check_owner(status: os.stat_result, path: str) -> None:
    """What others own or everybody may change could be anything; another mode is the site's affair. :class:`Unsafe`."""
    if status.st_uid != os.geteuid():
        raise Unsafe("%s belongs to %s." % (path, _account(status.st_uid)))
    if status.st_mode & stat.S_IWOTH:
        raise Unsafe("Everybody may write to %s." % path)


def _settle(descriptor: int, parent: int, mode: int) -> None:
    """Give it group and mode, and see that it is on the disk, its name too."""
    os.fchown(descriptor, -1, os.fstat(parent).st_gid)
    os.fchmod(descriptor, mode)
    os.fsync(descriptor)
    os.fsync(parent)


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "account %d" % uid
