# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permit itself: a file below ``/run`` for root alone, which no boot outlives. Private to this collection.

It has a digest of the token and not the token. Its end is told by two clocks: one that people see, and one that nobody can put
back.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import stat
import time
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from .. import runtime
from ..parse import times
from ..parse.errors import ParseError
from ..parse.json_object import json_object
from ..refusal import Refusal

NAME = "clearance.json"
_VERSION = 1
_CAP_BYTES = 64 * 1024


class Stored(NamedTuple):
    """What is in the file. ``*_boottime`` are seconds of CLOCK_BOOTTIME; ``limit`` is beyond what it cannot be renewed."""

    clearance_id: str
    token_digest: str
    incident: str
    operator: Optional[str]
    controller: Optional[str]
    run: Optional[str]
    granted_at: str
    expires_at: str
    expires_boottime: float
    limit_at: str
    limit_boottime: float
    boot_id: str
    # Of the unit that holds the lock: another one is another clearance's.
    invocation: str
    checkout: str
    lock_file: str
    env_file: str
    service_user: str
    ops_directory: str
    required_commits: Tuple[str, ...]
    no_repo_change_reason: Optional[str]
    standing: Mapping[str, Any]

    @property
    def holder(self) -> str:
        """Who has it, in words."""
        who = self.operator or "somebody"
        where = " on %s" % self.controller if self.controller else ""
        run = " (run %s)" % self.run if self.run else ""
        return who + where + run

    @property
    def head(self) -> str:
        return str(self.standing["head"])

    def seconds_left(self) -> float:
        """By the clock that says less; negative when it is over."""
        return _left(self.expires_at, self.expires_boottime)

    def seconds_to_limit(self) -> float:
        return _left(self.limit_at, self.limit_boottime)

    def is_for(self, token: str) -> bool:
        return secrets.compare_digest(self.token_digest, digest(token))


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def new_token() -> str:
    return secrets.token_hex(32)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read() -> Optional[Stored]:
    """The permit of this host, None if there is none. :class:`Refusal` when what is there is none. To look creates nothing."""
    if not os.path.lexists(runtime.DIRECTORY):
        return None
    with runtime.directory() as directory:
        try:
            descriptor = os.open(NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(str(error.strerror)) from error
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o077:
                raise _unreadable("it is not root's alone")
            content = file.read(_CAP_BYTES + 1)
    try:
        return _stored(content)
    except (ParseError, KeyError, TypeError, ValueError) as error:
        raise _unreadable("it has another form") from error


def write(stored: Stored) -> None:
    """All of it or nothing. :class:`Refusal`."""
    content = json.dumps({"version": _VERSION, **stored._asdict()}, sort_keys=True).encode("ascii")
    temporary = "%s.%s" % (NAME, secrets.token_hex(4))
    with runtime.directory() as directory:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(temporary, flags, 0o600, dir_fd=directory)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.rename(temporary, NAME, src_dir_fd=directory, dst_dir_fd=directory)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=directory)
            raise _unwritable(error) from error


def remove() -> None:
    """What is not there is removed. :class:`Refusal`."""
    with runtime.directory() as directory:
        try:
            os.unlink(NAME, dir_fd=directory)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _unwritable(error) from error


def _left(at: str, moment: float) -> float:
    return min(times.to_epoch(at) - time.time(), moment - boottime())


def _stored(content: bytes) -> Stored:
    found: Dict[str, Any] = json_object(content, "it")
    if found.pop("version") != _VERSION or set(found) != set(Stored._fields):
        raise ValueError("another version")
    found["required_commits"] = tuple(found["required_commits"])
    stored = Stored(**found)
    for name in (
        *("clearance_id", "token_digest", "incident", "granted_at", "expires_at", "limit_at"),
        *("boot_id", "invocation", "checkout", "lock_file", "env_file", "service_user", "ops_directory"),
    ):
        if not isinstance(found[name], str):
            raise TypeError(name)
    if len(stored.token_digest) != 64 or len(stored.head) != 40 or not isinstance(stored.standing["tree"], str):
        raise ValueError("another form")
    stored.seconds_left()
    stored.seconds_to_limit()
    return stored


def _unwritable(error: OSError) -> Refusal:
    return Refusal(
        "clearance_unwritable",
        "%s/%s cannot be written: %s." % (runtime.DIRECTORY, NAME, error.strerror),
        "See why: df -h /run; ls -la %s" % runtime.DIRECTORY,
    )


def _unreadable(why: str) -> Refusal:
    path = "%s/%s" % (runtime.DIRECTORY, NAME)
    return Refusal(
        "clearance_unreadable",
        "%s, the clearance of this host, cannot be believed: %s." % (path, why),
        "See who wrote it (stat %s). The playbook release_clearance with force_reason removes it." % path,
    )
