# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of the policy looked at, and given owner, group and mode: each in a child that is ended when it hangs.

A path is walked from the root by open directories, and no symbolic link is followed: what is changed is what was looked at, also
where somebody exchanges it for a link in between. Private to this collection.
"""

from __future__ import annotations

import grp
import json
import pwd
import stat
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from .. import files, killable
from ..parse import mounts
from ..parse.errors import ParseError
from .decide import Seen

_SECONDS = 6.0
_ANSWER_CAP_BYTES = 4096
_MOUNTINFO = "/proc/self/mountinfo"

# The link of /proc leads to just what is open, also where that is open as a name only (O_PATH).
_SCRIPT = r"""
import json, os, stat
def opened(path):
    parts = [part for part in path.split("/") if part]
    here = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts:
        there = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
        os.close(here)
        here = there
        if stat.S_ISLNK(os.fstat(here).st_mode):
            return None
    return here
def shown(here):
    found = os.fstat(here)
    return {"uid": found.st_uid, "gid": found.st_gid, "mode": found.st_mode, "names": found.st_nlink,
            "inode": [found.st_dev, found.st_ino], "device": "%d:%d" % (os.major(found.st_dev), os.minor(found.st_dev))}
def answer(question):
    path, wish = question
    try:
        here = opened(path)
    except FileNotFoundError:
        return b"{\"absent\": true}"
    except NotADirectoryError:
        return b"{\"absent\": true}"
    if here is None:
        return b"{\"link\": true}"
    before = shown(here)
    if wish is not None:
        if before["inode"] != wish["inode"]:
            return json.dumps({"moved": True, **before}).encode()
        itself = "/proc/self/fd/%d" % here
        try:
            if [before["uid"], before["gid"]] != [wish["uid"], wish["gid"]]:
                os.chown(itself, wish["uid"], wish["gid"])
            # After the owner: a change of that may take bits away.
            os.chmod(itself, wish["mode"])
        except OSError as error:
            return json.dumps({"error": str(error), **shown(here)}).encode()
    return json.dumps(shown(here)).encode()
"""


class Look(NamedTuple):
    """What was seen of each path, and which thing that was: device and inode."""

    seen: Mapping[str, Seen]
    inodes: Mapping[str, Any]


def look(paths: Iterable[str]) -> Look:
    """Each path as it is. What could not be seen in time is ``unseen``."""
    wanted = sorted(set(paths))
    answers = _ask([[path, None] for path in wanted])
    types = _fstypes()
    seen: Dict[str, Seen] = {}
    inodes: Dict[str, Any] = {}
    for path, found in zip(wanted, answers):
        seen[path] = _seen(found, types)
        if found is not None and "inode" in found:
            inodes[path] = found["inode"]
    return Look(seen, inodes)


def put(path: str, inode: Any, after: Seen) -> Optional[str]:
    """Give what was looked at owner, group and mode. What is wrong, in a line; None: nothing."""
    wish = {"inode": inode, "uid": _uid(after.owner), "gid": _gid(after.group), "mode": after.mode}
    (found,) = _ask([[path, wish]])
    if found is None:
        return "%s does not answer." % path
    if "inode" not in found or found.get("moved"):
        return "%s is another one than was looked at: it was left alone." % path
    return "%s: %s." % (path, found["error"]) if "error" in found else None


def users() -> FrozenSet[str]:
    return frozenset(each.pw_name for each in pwd.getpwall())


def groups() -> FrozenSet[str]:
    return frozenset(each.gr_name for each in grp.getgrall())


def _ask(questions: Sequence[Any]) -> List[Optional[Dict[str, Any]]]:
    try:
        answers = killable.ask(_SCRIPT, questions, _SECONDS, _ANSWER_CAP_BYTES)
    except killable.NotAsked:
        return [None] * len(questions)
    return [None if answer is None else json.loads(answer) for answer in answers]


def _seen(found: Optional[Mapping[str, Any]], types: Mapping[str, str]) -> Seen:
    if found is None:
        return Seen("unseen")
    for kind in ("absent", "link"):
        if kind in found:
            return Seen(kind)
    kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file"}
    return Seen(
        kinds.get(stat.S_IFMT(found["mode"]), "other"),
        _name(pwd.getpwuid, found["uid"]),
        _name(grp.getgrgid, found["gid"]),
        stat.S_IMODE(found["mode"]),
        found["names"],
        types.get(found["device"], ""),
    )


def _fstypes() -> Dict[str, str]:
    """By device. A file system that is mounted nowhere has none, which is that of an overlay's own parts."""
    try:
        return {each["device"]: each["fstype"] for each in mounts.mountinfo(_all(_MOUNTINFO))}
    except (OSError, ParseError):
        return {}


def _all(path: str) -> bytes:
    with open(path, "rb") as handle:
        return handle.read(files.CAP_BYTES)


def _name(database: Any, number: int) -> str:
    try:
        return str(database(number)[0])
    except KeyError:
        return str(number)


def _uid(name: str) -> int:
    return int(name) if name.isdigit() else pwd.getpwnam(name).pw_uid


def _gid(name: str) -> int:
    return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid
