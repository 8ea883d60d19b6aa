# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note of an incident on the host: a file that people edit, replaced as a whole or not at all. Private to this collection."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from typing import Optional, Tuple

from . import directories

DIRECTORY = "incidents"
# A longer one was not written by people.
_LONGEST_BYTES = 8 * 1024 * 1024

Identity = Tuple[int, int, int, int]


class Unwritten(Exception):
    """The note is left as it is: a stable code, and one line that says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NoteFile:
    """``record``: the open directory of the record, or None where there is none yet. ``path`` is for messages."""

    def __init__(self, record: Optional[int], directory: str, incident: str) -> None:
        self._record = record
        self._directory = os.path.join(directory, DIRECTORY)
        self._name = incident + ".md"
        self.path = os.path.join(self._directory, self._name)
        self._seen: Optional[Identity] = None

    def read(self) -> Optional[bytes]:
        """What it holds, None if there is none. :class:`Unwritten` if it must be left alone."""
        parent = self._open(create=False)
        if parent is None:
            return None
        try:
            descriptor = directories.file(parent, self._name, self.path, os.O_RDONLY)
            if descriptor is None:
                return None
            with os.fdopen(descriptor, "rb") as handle:
                status = os.fstat(descriptor)
                # A second name could be that of a file which nobody else may read.
                if status.st_nlink != 1:
                    raise directories.Unsafe("%s has a second name." % self.path)
                content = handle.read(_LONGEST_BYTES + 1)
        except directories.Unsafe as error:
            raise Unwritten("note_unsafe", str(error)) from error
        except OSError as error:
            raise Unwritten("note_unreadable", "%s cannot be read: %s." % (self.path, error.strerror)) from error
        finally:
            os.close(parent)
        if len(content) > _LONGEST_BYTES:
            raise Unwritten("note_too_long", "%s is longer than %d bytes." % (self.path, _LONGEST_BYTES))
        self._seen = _identity(status)
        return content

    def write(self, content: bytes) -> None:
        """Replace it, unless somebody saved it since it was read. :class:`Unwritten`."""
        parent = self._open(create=True)
        if parent is None:
            raise Unwritten("note_unwritable", "There is no directory of the record to write %s to." % self.path)
        temporary = ".%s.%s" % (self._name, secrets.token_hex(4))
        try:
            self._write(parent, temporary, content)
            if self._now(parent) != self._seen:
                raise Unwritten("note_busy", "%s was saved by somebody at this moment: run it again." % self.path)
            os.replace(temporary, self._name, src_dir_fd=parent, dst_dir_fd=parent)
            os.fsync(parent)
        except OSError as error:
            raise Unwritten("note_unwritable", "%s cannot be written: %s." % (self.path, error.strerror)) from error
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=parent)
            os.close(parent)

    @staticmethod
    def _write(parent: int, name: str, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=parent), "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fchown(handle.fileno(), -1, os.fstat(parent).st_gid)
            os.fchmod(handle.fileno(), directories.FILE_MODE)
            os.fsync(handle.fileno())

    def _now(self, parent: int) -> Optional[Identity]:
        try:
            return _identity(os.stat(self._name, dir_fd=parent, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def _open(self, create: bool) -> Optional[int]:
        if self._record is None:
            return None
        try:
            return directories.directory(self._record, DIRECTORY, self._directory, create)
        except directories.Unsafe as error:
            raise Unwritten("note_unsafe", str(error)) from error
        except OSError as error:
            code = "note_unwritable" if error.errno != errno.EACCES else "note_unreadable"
            raise Unwritten(code, "%s cannot be used: %s." % (self._directory, error.strerror)) from error


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
