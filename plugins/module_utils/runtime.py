# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of ours lives until the next boot: below ``/run``, for root alone. Private to this collection."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from typing import Any, Dict, Iterator, Mapping

from . import host
from .parse.text import one_line
from .refusal import Refusal

DIRECTORY = "/run/healtharchive-remediation"
_ACTING = "acting.lock"
_READ_BYTES = 4096
_WORD_LIMIT = 200


@contextlib.contextmanager
def directory() -> Iterator[int]:
    """The directory, open, created if need be; :class:`Refusal` when it is not root's alone."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(DIRECTORY, 0o700)
        descriptor = os.open(DIRECTORY, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Refusal(
            "runtime_unsafe",
            "%s cannot be used: %s." % (DIRECTORY, error.strerror),
            "See what is there (stat %s) and why; remove it when you know." % DIRECTORY,
        ) from error
    try:
        status = os.fstat(descriptor)
        if status.st_uid != 0 or stat.S_IMODE(status.st_mode) & 0o077:
            raise Refusal(
                "runtime_unsafe",
                "%s is not root's alone, so nothing in it can be believed." % DIRECTORY,
                "See who made it (stat %s). Only root can have; remove it when you know why." % DIRECTORY,
            )
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def acting(who: Mapping[str, Any]) -> Iterator[None]:
    """The right to act, which one of us has at a time; ``who`` is what others are told meanwhile.

    :class:`Refusal` (``busy``) at once when somebody else has it. The kernel takes it back when this process and every
    command that it started have ended: who is killed in the middle leaves no half of an act behind beside the next one.
    """
    with directory() as parent:
        # Read-only: the service's own commands get this descriptor too, and must not be able to write to the file.
        lock = os.open(_ACTING, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                other = _told(lock)
                raise Refusal(
                    "busy",
                    "Somebody else is acting on this host right now: %s." % (_words(other) or "who, is not known"),
                    "Wait until it has ended, then look again: triage shows what it did.",
                    acting=other,
                ) from error
            _tell(parent, who)
            with host.lent(lock):
                yield
        finally:
            os.close(lock)


def _tell(parent: int, who: Mapping[str, Any]) -> None:
    said = {name: one_line(value, _WORD_LIMIT) for name, value in who.items() if value is not None}
    file = os.open(_ACTING, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.write(file, json.dumps(said).encode("ascii"))
    finally:
        os.close(file)


def _told(lock: int) -> Dict[str, Any]:
    try:
        found = json.loads(os.pread(lock, _READ_BYTES, 0))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _words(who: Mapping[str, Any]) -> str:
    return ", ".join("%s %s" % (name, who[name]) for name in sorted(who) if who[name])
