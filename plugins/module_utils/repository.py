# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""git in the service's checkout, asked without a trace. Private to this collection.

It runs as the checkout's owner: as root it would refuse the repository, and an empty answer would look like a match. Nothing in
the checkout is written: commits that it does not have yet are fetched into a throw-away object store.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from typing import Any, Callable, Iterator, List, Mapping, Optional

from . import host, redact
from .parse import git
from .parse.errors import ParseError
from .probe import Context, Problem, complaint, failed

GIT_SECONDS = 10.0
REMOTE_SECONDS = 15.0
MAIN = "refs/heads/main"
# No lock and no housekeeping in a repository that is only read, and none of the programs that its configuration names; no commit
# that somebody put in another's place, and no file taken for unchanged that was written to.
GIT_OPTIONS = (
    *("--no-optional-locks", "--no-replace-objects"),
    *("-c", "core.trustctime=true", "-c", "core.checkStat=default"),
    *("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "i18n.logOutputEncoding=UTF-8"),
    # Ancestors are read from the commits, and not from a file that somebody has written about them.
    *("-c", "core.commitGraph=false", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "fetch.recurseSubmodules=false", "-c", "submodule.recurse=false"),
)


class Repository:
    """git in the checkout, as its owner, without optional locks (``git status`` would rewrite the index).

    What cannot be answered becomes one of ``problems``.
    """

    def __init__(self, context: Context, owner: host.Account, problems: List[Problem]) -> None:
        self.context = context
        self.owner = owner
        self.problems = problems

    def run(
        self, *arguments: str, seconds: float = GIT_SECONDS, variables: Optional[Mapping[str, str]] = None
    ) -> host.Result:
        # Ancestors are those that the commits name, and the working tree is the one that is asked about.
        checkout = self.context.settings.checkout
        environment = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_GRAFT_FILE": "/dev/null",
            # A checkout without a repository is none, whatever lies above it.
            "GIT_CEILING_DIRECTORIES": os.path.dirname(checkout),
            **(variables or {}),
        }
        argv = ["/usr/bin/git", "-C", checkout, "--work-tree=" + checkout, *GIT_OPTIONS, *arguments]
        return self.context.run(argv, seconds, self.owner, environment=environment)

    def ask(self, parser: Callable[[bytes], Any], *arguments: str, **options: Any) -> Any:
        """What ``parser`` makes of the output; None, with a problem, when git or the parser says no."""
        result = self.run(*arguments, **options)
        what = "git " + arguments[0]
        if result.failure is not None:
            self.problems.append(failed(result, what))
        elif result.rc != 0:
            self.problems.append(
                Problem("command_failed", "%s ended with %d: %s" % (what, result.rc, complaint(result.stderr)))
            )
        else:
            try:
                return parser(result.stdout)
            except ParseError as error:
                self.problems.append(Problem(error.code, "%s: %s" % (what, error)))
        return None

    def has(self, sha: str, variables: Optional[Mapping[str, str]] = None) -> bool:
        return self.run("cat-file", "-e", sha + "^{commit}", variables=variables).rc == 0

    def is_ancestor(self, sha: str, of: str, variables: Optional[Mapping[str, str]] = None) -> Optional[bool]:
        """Whether the one commit is the other or comes before it; None when git does not say."""
        base = self.run("merge-base", "--is-ancestor", sha, of, variables=variables)
        return {0: True, 1: False}.get(base.rc)

    def main_of_origin(self) -> Optional[str]:
        """What ``main`` of the remote is at right now; None, with a problem, when it was not asked or did not say."""
        if not self._may_ask():
            return None
        main = self.ask(
            lambda out: git.ls_remote(out, MAIN), "ls-remote", "--exit-code", "origin", MAIN, seconds=REMOTE_SECONDS
        )
        return None if main is None else str(main)

    def _may_ask(self) -> bool:
        url = self.run("config", "--get", "remote.origin.url").stdout
        if redact.MASK.encode() not in url and re.search(rb"://[^/@\s]*:[^/@\s]*@", url) is None:
            return True
        # git hands the URL to its helper as an argument, where every account of the host can read it.
        self.problems.append(
            Problem(
                "not_configured", "origin is not asked: its URL holds a password, which the process list would show."
            )
        )
        return False

    @contextlib.contextmanager
    def with_main_of_origin(self) -> Iterator[Optional[Mapping[str, str]]]:
        """Variables for :meth:`run` with which git knows what ``main`` of the remote is at now: fetched beside the checkout, and
        thrown away afterwards. None, with a problem, when it could not be fetched."""
        if not self._may_ask():
            yield None
            return
        store = tempfile.mkdtemp(prefix="healtharchive-triage-", dir="/run")
        try:
            os.chown(store, self.owner.uid, self.owner.gid)
            objects = self.context.settings.checkout + "/.git/objects"
            variables = {"GIT_OBJECT_DIRECTORY": store, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects}
            # No refmap and no FETCH_HEAD: the refs of the checkout stay as they are.
            argv = ("fetch", "--quiet", "--no-tags", "--refmap=", "--no-write-fetch-head", "origin", MAIN)
            fetch = self.run(*argv, seconds=REMOTE_SECONDS, variables=variables)
            if fetch.rc != 0:
                message = "git fetch of origin/main: %s" % complaint(fetch.stderr)
                self.problems.append(Problem(fetch.failure or "command_failed", message))
            yield variables if fetch.rc == 0 else None
        finally:
            shutil.rmtree(store, ignore_errors=True)
