# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A local clone of the service's repository, through git's plumbing. Private to this collection.

Nothing that the clone's configuration or hooks name is run: the tree and the commit are made in a repository of our own
that only shares the clone's objects, and in the clone itself git is asked with its hooks, monitors and filters off. The
working tree, the index and every existing branch stay as they are, and nothing is sent anywhere.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from ...module_utils import host
from ...module_utils.parse import git
from ...module_utils.parse.errors import ParseError
from ...module_utils.parse.text import decode, one_line
from .refusal import Refused

_SECONDS = 60.0
_OFF = (
    *("--no-optional-locks", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "submodule.recurse=false"),
)
_IDENTITY = re.compile(r"(.+) <([^<>]*)> [0-9]+ [-+][0-9]{4}")
_MAIN = "refs/remotes/origin/main"


class Blob(NamedTuple):
    """A file of a commit."""

    mode: str
    content: bytes


class Identity(NamedTuple):
    """Who commits."""

    name: str
    email: str


class Clone:
    """A clone at its top directory. Every method raises :class:`.refusal.Refused`."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(os.path.expanduser(path))
        if not os.path.isdir(self.path):
            raise _no_clone(self.path, "there is no such directory")
        top = self._asked("rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--show-toplevel")
        if top.rc != 0 or top.failure is not None:
            raise _no_clone(self.path, one_line(decode(top.stderr).strip(), 200) or "git gave no answer")
        answers = decode(top.stdout).split("\n")
        if answers[:2] != ["false", "true"] or os.path.realpath(answers[2]) != self.path:
            raise _no_clone(self.path, "it is not the top directory of a working tree")
        self.objects = self._line("rev-parse", "--git-path", "objects")
        self.objects = os.path.join(self.path, self.objects)
        # A filter is a program that git would run to see whether a file has changed.
        self._filters: Dict[str, str] = {}
        for number, key in enumerate(self._filter_settings()):
            self._filters["GIT_CONFIG_KEY_%d" % number] = key
            self._filters["GIT_CONFIG_VALUE_%d" % number] = "false" if key.endswith(".required") else ""
        self._filters["GIT_CONFIG_COUNT"] = str(len(self._filters) // 2)

    def identity(self) -> Identity:
        """Whom git commits as here; it is not guessed from the account's or the machine's name."""
        asked = self._asked("-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT")
        match = _IDENTITY.fullmatch(decode(asked.stdout).strip()) if asked.rc == 0 else None
        if match is None:
            raise Refused(
                "identity_missing",
                "git does not know who commits in %s." % self.path,
                "Set user.name and user.email there (git -C %s config user.name NAME), then run it again." % self.path,
            )
        return Identity(match.group(1), match.group(2))

    def changes(self) -> List[str]:
        """Files of the working tree that are not as they were committed, untracked ones too."""
        arguments = ("status", "--porcelain=v1", "-z", "--branch", "--untracked-files=normal", "--ignore-submodules=dirty")
        try:
            return [each["path"] for each in git.porcelain_z(self._out(*arguments))["files"]]
        except ParseError as error:
            raise _unreadable(self.path, "git status", str(error)) from error

    def commit(self, revision: str) -> Optional[str]:
        """The commit of a ref; None when there is none."""
        asked = self._asked("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
        if asked.rc == 1 and not asked.stdout:
            return None
        try:
            return git.commit(self._good("git rev-parse", asked))
        except ParseError as error:
            raise _unreadable(self.path, "git rev-parse", str(error)) from error

    def base(self) -> str:
        """What a new branch begins from: the clone's origin/main, or HEAD where there is none."""
        found = self.commit(_MAIN) or self.commit("HEAD")
        if found is None:
            raise Refused("no_commit", "%s has no commit yet." % self.path, "Give a clone of the service's repository.")
        return found

    def branch_of_head(self) -> Optional[str]:
        """The ref that HEAD names, also when there is no commit on it; None when HEAD is detached."""
        asked = self._asked("symbolic-ref", "--quiet", "HEAD")
        return decode(asked.stdout).strip() if asked.rc == 0 else None

    def create_branch(self, branch: str, commit: str) -> None:
        """A new branch at that commit; refused when it has come into being meanwhile."""
        made = self._asked("update-ref", "refs/heads/" + branch, commit, "0" * 40)
        if made.rc != 0 or made.failure is not None:
            raise Refused(
                "branch_not_created",
                "The branch %s could not be created: %s." % (branch, one_line(decode(made.stderr).strip(), 200)),
                "Look at the branches of %s (git branch --list), then run it again." % self.path,
            )

    def _filter_settings(self) -> List[str]:
        asked = self._asked("config", "-z", "--name-only", "--get-regexp", r"^filter\..*\.(clean|smudge|process|required)$")
        if asked.rc == 1:
            return []
        return sorted(set(decode(self._good("git config", asked)).split("\0")) - {""})

    def _line(self, *arguments: str) -> str:
        return decode(self._out(*arguments)).rstrip("\n")

    def _out(self, *arguments: str) -> bytes:
        return self._good("git " + arguments[0], self._asked(*arguments))

    def _good(self, what: str, asked: host.Result) -> bytes:
        if asked.failure is not None or asked.rc != 0:
            raise _unreadable(self.path, what, asked.failure or one_line(decode(asked.stderr).strip(), 200))
        return asked.stdout

    def _asked(self, *arguments: str) -> host.Result:
        # The operator's own settings say who commits and which directories git may trust.
        own = {name: os.environ[name] for name in ("HOME", "XDG_CONFIG_HOME") if name in os.environ}
        environment = {
            **own,
            **getattr(self, "_filters", {}),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_CEILING_DIRECTORIES": os.path.dirname(self.path),
        }
        return host.run(["git", "-C", self.path, *_OFF, *arguments], _SECONDS, environment=environment)


class Workshop:
    """A throw-away repository over the clone's objects, in which trees and commits are made."""

    def __init__(self, clone: Clone, directory: str) -> None:
        self.clone = clone
        self.directory = directory
        self.own_objects = os.path.join(directory, "repository", "objects")
        self._out("init", "--quiet", "--bare", "--template=", os.path.join(directory, "repository"), inside=False)
        with open(os.path.join(self.own_objects, "info", "alternates"), "w", encoding="utf-8") as file:
            file.write(clone.objects + "\n")

    def file(self, commit: str, path: str) -> Optional[Blob]:
        """A file of a commit; None when it is not there."""
        entry = decode(self._out("ls-tree", "-z", commit, "--", path)).rstrip("\0")
        if not entry:
            return None
        mode, kind, sha = entry.partition("\t")[0].split(" ")
        if kind != "blob" or mode not in ("100644", "100755"):
            raise Refused(
                "not_a_file",
                "%s is no regular file in commit %s." % (path, commit[:12]),
                "Give a clone of the service's repository.",
            )
        return Blob(mode, self._out("cat-file", "blob", sha))

    def make(
        self, base: str, files: Mapping[str, Blob], message: str, identity: Identity, keep: bool
    ) -> str:
        """A commit upon ``base`` with these files. ``keep``: its objects go to the clone, else they are thrown away."""
        objects = self.clone.objects if keep else self.own_objects
        environment = {"GIT_OBJECT_DIRECTORY": objects, "GIT_INDEX_FILE": os.path.join(self.directory, "index")}
        self._out("read-tree", base, environment=environment)
        for path, blob in files.items():
            sha = self._object(blob.content, environment)
            cache = "%s,%s,%s" % (blob.mode, sha, path)
            self._out("update-index", "--add", "--cacheinfo", cache, environment=environment)
        tree = decode(self._out("write-tree", "--missing-ok", environment=environment)).strip()
        environment.update(
            GIT_AUTHOR_NAME=identity.name,
            GIT_AUTHOR_EMAIL=identity.email,
            GIT_COMMITTER_NAME=identity.name,
            GIT_COMMITTER_EMAIL=identity.email,
        )
        written = self._written(message.encode("utf-8"))
        made = self._out(
            "commit-tree", "--no-gpg-sign", "-p", base, "-F", written, tree, environment=environment
        )
        return git.commit(made)

    def _object(self, content: bytes, environment: Mapping[str, str]) -> str:
        made = self._out("hash-object", "-w", "--no-filters", "--", self._written(content), environment=environment)
        return decode(made).strip()

    def _written(self, content: bytes) -> str:
        path = os.path.join(self.directory, "content")
        with open(path, "wb") as file:
            file.write(content)
        return path

    def _out(self, *arguments: str, inside: bool = True, environment: Optional[Mapping[str, str]] = None) -> bytes:
        # A home without settings: nobody's configuration is read.
        own = {"HOME": self.directory, "XDG_CONFIG_HOME": self.directory, "GIT_CONFIG_NOSYSTEM": "1", **(environment or {})}
        where: Sequence[str] = ["--git-dir", os.path.join(self.directory, "repository")] if inside else []
        made = host.run(["git", *where, *arguments], _SECONDS, environment=own, cwd=self.directory)
        if made.failure is not None or made.rc != 0:
            why = made.failure or one_line(decode(made.stderr).strip(), 200)
            raise _unreadable(self.clone.path, "git " + arguments[0], why)
        return made.stdout


@contextlib.contextmanager
def workshop(clone: Clone) -> Iterator[Workshop]:
    """A workshop that is gone afterwards."""
    directory = tempfile.mkdtemp(prefix="healtharchive-")
    try:
        yield Workshop(clone, directory)
    finally:
        shutil.rmtree(directory)


def _no_clone(path: str, why: str) -> Refused:
    return Refused(
        "not_a_clone",
        "%s is no clone of the service's repository: %s." % (path, why),
        "Give the top directory of a local clone of the service's repository, with a working tree.",
    )


def _unreadable(path: str, what: str, why: Any) -> Refused:
    return Refused(
        "clone_unreadable",
        "The clone %s cannot be used, %s says: %s." % (path, what, why),
        "Mend the clone, or make a new one, and run it again.",
    )
