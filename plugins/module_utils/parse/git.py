# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of git. Each function names the argument list it expects; exit code 0 is the caller's to check.

Git must run as the checkout's owner and with ``--no-optional-locks``, or ``git status`` rewrites the index.
"""

from __future__ import annotations

import re
from typing import Any, Optional

from .errors import EMPTY, TRUNCATED, UNPARSABLE, ParseError
from .text import decode

_COMMIT = re.compile(rb"[0-9a-f]{40}")
_COMMIT_TEXT = re.compile(r"[0-9a-f]{40}")
_COUNT = re.compile(rb"[0-9]{1,9}\n")
_MOVE = re.compile(r"([0-9a-f]{40}) ([0-9a-f]{40}) [^\t\n]*> ([0-9]{1,12}) [+-][0-9]{4}(?:\t.*)?")
_IGNORED = re.compile(r"(.+?):[0-9]+:.*\t(.+)")
_UPSTREAM_STATE = re.compile(r" \[[^\]]*\]$")


def commit(stdout: bytes) -> str:
    """``git rev-parse --verify --end-of-options REVISION^{commit}``: one full commit id of 40 hexadecimal digits.

    Raises ParseError: ``empty``, ``unparsable``. An empty answer is never a match for anything.
    """
    if not stdout.strip():
        raise ParseError(EMPTY, "git named no commit")
    line = stdout[:-1] if stdout.endswith(b"\n") else stdout
    if _COMMIT.fullmatch(line) is None:
        raise ParseError(UNPARSABLE, "git did not answer with one full commit id: " + decode(stdout[:200]))
    return line.decode("ascii")


def ls_remote(stdout: bytes, ref: str) -> str:
    """``git ls-remote --exit-code REMOTE REF``: the commit of exactly that ref (``refs/heads/main``).

    Raises ParseError: ``empty``, ``truncated``, ``unparsable`` (also when the ref is missing or named twice).
    """
    if not stdout.strip():
        raise ParseError(EMPTY, "the remote named no ref")
    if not stdout.endswith(b"\n"):
        raise ParseError(TRUNCATED, "the end of git ls-remote's output is missing")
    found = []
    for line in decode(stdout).split("\n")[:-1]:
        sha, separator, name = line.partition("\t")
        if not separator or _COMMIT_TEXT.fullmatch(sha) is None:
            raise ParseError(UNPARSABLE, "git ls-remote printed: " + line)
        if name == ref:
            found.append(sha)
    if len(found) != 1:
        raise ParseError(UNPARSABLE, "git ls-remote names %s %d times" % (ref, len(found)))
    return found[0]


def porcelain_z(stdout: bytes) -> dict[str, Any]:
    """``git --no-optional-locks status --porcelain=v1 -z --branch --untracked-files=normal``.

    ``{"branch": str|None, "files": [{"state": "??", "path": str, "original": str|None}]}``; branch is None when HEAD is
    detached, original is the old path of a rename or copy. ``--branch`` makes git name the branch first, so that a
    clean tree is an answer and not the absence of one.

    Raises ParseError: ``empty``, ``truncated``, ``unparsable``.
    """
    if not stdout:
        raise ParseError(EMPTY, "git status printed nothing, not even the branch")
    if not stdout.endswith(b"\0"):
        raise ParseError(TRUNCATED, "the end of git status' output is missing")
    entries = decode(stdout).split("\0")[:-1]
    branch = _branch(entries[0])
    files = []
    position = 1
    while position < len(entries):
        entry = entries[position]
        position += 1
        if len(entry) < 4 or entry[2] != " " or not set(entry[:2]) <= set(" MTADRCU?!"):
            raise ParseError(UNPARSABLE, "git status printed: " + entry)
        original = None
        if "R" in entry[:2] or "C" in entry[:2]:
            if position == len(entries):
                raise ParseError(UNPARSABLE, "git status names a rename without its old path")
            original = entries[position]
            position += 1
        files.append({"state": entry[:2], "path": entry[3:], "original": original})
    return {"branch": branch, "files": files}


def log_z(stdout: bytes) -> list[dict[str, str]]:
    """``git -c i18n.logOutputEncoding=UTF-8 log -z --no-show-signature --format=%H%x00%s RANGE --``.

    ``[{"sha": str, "subject": str}]``, newest first as git prints them.
    Every field ends in NUL, which no subject can contain. No output is no commit; compare the length with ``count``, so
    that an answer that never came does not read like one. Raises ParseError: ``truncated``, ``unparsable``.
    """
    if not stdout:
        return []
    if not stdout.endswith(b"\0"):
        raise ParseError(TRUNCATED, "the end of git log's output is missing")
    fields = decode(stdout).split("\0")[:-1]
    if len(fields) % 2:
        raise ParseError(UNPARSABLE, "git log printed half a commit")
    commits = []
    for sha, subject in zip(fields[0::2], fields[1::2]):
        if _COMMIT_TEXT.fullmatch(sha) is None:
            raise ParseError(UNPARSABLE, "git log printed no commit id: " + sha)
        commits.append({"sha": sha, "subject": subject})
    return commits


def count(stdout: bytes) -> int:
    """``git rev-list --count RANGE --``: the number of commits. Raises ParseError: ``empty``, ``unparsable``."""
    if not stdout.strip():
        raise ParseError(EMPTY, "git counted nothing")
    if _COUNT.fullmatch(stdout) is None:
        raise ParseError(UNPARSABLE, "git rev-list --count printed: " + decode(stdout[:200]))
    return int(stdout)


def ls_files_v(stdout: bytes) -> list[tuple[str, str]]:
    """``git ls-files -z -v --full-name``: the tag of each tracked file, and its path.

    Any tag but ``H`` says that ``git status`` may not look at the file: a small letter for "assume unchanged", ``S`` for
    "skip the work tree". Raises ParseError: ``empty``, ``truncated``, ``unparsable``.
    """
    if not stdout:
        raise ParseError(EMPTY, "git ls-files named no file")
    if not stdout.endswith(b"\0"):
        raise ParseError(TRUNCATED, "the end of git ls-files' output is missing")
    files = []
    for entry in decode(stdout).split("\0")[:-1]:
        if len(entry) < 3 or not entry[0].isalpha() or entry[1] != " ":
            raise ParseError(UNPARSABLE, "git ls-files printed: " + entry)
        files.append((entry[0], entry[2:]))
    return files


def ls_files_z(stdout: bytes) -> list[str]:
    """``git ls-files -z --others``: paths; none is an answer. Raises ParseError: ``truncated``."""
    if stdout and not stdout.endswith(b"\0"):
        raise ParseError(TRUNCATED, "the end of git ls-files' output is missing")
    return decode(stdout).split("\0")[:-1]


def check_ignore_v(stdout: bytes) -> dict[str, str]:
    """``git check-ignore -v -- PATH...``: of each path that is ignored, the file that says so. A path that git must quote is not
    found by its name. Raises ParseError: ``truncated``, ``unparsable``."""
    if stdout and not stdout.endswith(b"\n"):
        raise ParseError(TRUNCATED, "the end of git check-ignore's output is missing")
    found = {}
    for line in decode(stdout).split("\n")[:-1]:
        match = _IGNORED.fullmatch(line)
        if match is None:
            raise ParseError(UNPARSABLE, "git check-ignore printed: " + line)
        found[match.group(2)] = match.group(1)
    return found


def last_move(log: bytes) -> tuple[int, bool, str]:
    """The end of ``.git/logs/HEAD``: when HEAD last became another commit, in seconds since 1970, whether that is its last
    entry, and which commit it became. A checkout of the commit that is there already moves nothing.

    The first line may be cut. Raises ParseError: ``empty``, ``truncated``, ``unparsable``.
    """
    if not log.strip():
        raise ParseError(EMPTY, "the log of HEAD is empty")
    if not log.endswith(b"\n"):
        raise ParseError(TRUNCATED, "the end of the log of HEAD is missing")
    lines = decode(log).split("\n")[:-1]
    for number, line in enumerate(reversed(lines)):
        match = _MOVE.fullmatch(line)
        if match is None:
            raise ParseError(UNPARSABLE, "the log of HEAD has a line that is none")
        if match.group(1) != match.group(2):
            return int(match.group(3)), number == 0, match.group(2)
    raise ParseError(EMPTY, "the log of HEAD names no other commit before this one")


def _branch(entry: str) -> Optional[str]:
    if not entry.startswith("## "):
        raise ParseError(UNPARSABLE, "git status did not name the branch first: " + entry)
    text = entry[3:]
    if text == "HEAD (no branch)":
        return None
    for prefix in ("No commits yet on ", "Initial commit on "):
        if text.startswith(prefix):
            text = text[len(prefix) :]
    # Neither "..." nor a space can occur in the name of a branch.
    name = _UPSTREAM_STATE.sub("", text).split("...", 1)[0]
    if not name or " " in name:
        raise ParseError(UNPARSABLE, "git status named an impossible branch: " + entry)
    return name
