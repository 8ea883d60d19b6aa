# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who records something, and at which commit of the service: asked on the host. Private to this collection."""

from __future__ import annotations

import os
import pwd
from typing import Optional

from . import host
from .events import Origin
from .parse import git
from .parse.errors import ParseError
from .repository import GIT_OPTIONS

_GIT_SECONDS = 10.0


def find(checkout: str, operator: Optional[str], controller: Optional[str], run: Optional[str]) -> Origin:
    """``operator``, ``controller`` and ``run`` are what the caller says of itself."""
    return Origin(_account(), operator, controller, run, head(checkout))


def _account() -> Optional[str]:
    """The account that logged in: sudo names it, and so does the kernel where nothing went through sudo."""
    named = os.environ.get("SUDO_USER")
    if named:
        return named
    try:
        with open("/proc/self/loginuid", encoding="ascii") as handle:
            login = int(handle.read())
        # 2^32 - 1: nobody logged in.
        return pwd.getpwuid(login if login < 2**32 - 1 else os.getuid()).pw_name
    except (OSError, ValueError, KeyError):
        return None


def head(checkout: str) -> Optional[str]:
    """The commit of the checkout; None if git does not say one."""
    try:
        owner = host.account_of(checkout)
    except (OSError, KeyError):
        return None
    argv = ["/usr/bin/git", "-C", checkout, *GIT_OPTIONS, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}"]
    result = host.run(argv, _GIT_SECONDS, owner)
    try:
        return git.commit(result.stdout) if result.rc == 0 else None
    except ParseError:
        return None
