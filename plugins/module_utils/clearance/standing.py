# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be seen of a host in some hundredths of a second: the commit, the working tree, when code and environment last
changed, and since when the processes run. Private to this collection.

It is seen when a clearance is granted, kept with it, and seen again before every act.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .. import host
from ..parse import git, systemd
from ..parse.errors import ParseError
from ..probe import Context, Problem, complaint
from ..probes.units import API, WORKER
from ..refusal import Refusal
from ..repository import Repository
from . import holder, running

UNITS = (API, WORKER)
_SECONDS = 10.0
_LOG_BYTES = 256 * 1024
_MOST_FILES = 20
_MONOTONIC = "ExecMainStartTimestampMonotonic"
# The virtual environment is not the commit's; it is looked at by itself.
_NOT_ENVIRONMENT = ":(exclude).venv"
_IGNORING = (".gitignore", "*/.gitignore")
_MOST_IGNORING = 200


class Process(NamedTuple):
    """The main process of a unit that runs. ``here``: it runs from the checkout and its virtual environment. ``replaced``: a
    library that it has in its memory is not what lies on the disk any more."""

    pid: int
    started_us: int
    here: bool
    replaced: bool = False


class Standing(NamedTuple):
    """Moments are microseconds since 1970, None where they could not be found out. ``tree`` is a digest of what is not as in the
    commit; ``differing`` names files of it. ``processes`` has the units whose processes run, None if systemd did not say."""

    head: str
    tree: str
    differing: Tuple[str, ...]
    code_changed_us: Optional[int]
    environment_changed_us: Optional[int]
    processes: Optional[Mapping[str, Process]]
    holder: Optional[holder.Unit]
    problems: Tuple[str, ...]

    @property
    def clean(self) -> bool:
        return not self.differing

    def current(self, unit: str) -> Optional[bool]:
        """Whether what the unit runs is from the checkout, and was started after the last change of code and environment. One
        that does not run is current: it will be started from what is there. None: not known."""
        if self.processes is None:
            return None
        process = self.processes.get(unit)
        if process is None:
            return True
        changes = (self.code_changed_us, self.environment_changed_us)
        if changes[0] is None or changes[1] is None:
            return None
        return process.here and not process.replaced and process.started_us >= max(changes[0], changes[1])

    def kept(self) -> Dict[str, Any]:
        """What a permit keeps of it: what has to be the same later."""
        names = ("head", "tree", "differing", "code_changed_us", "environment_changed_us")
        return {name: getattr(self, name) for name in names}


def look(context: Context) -> Standing:
    """:class:`Refusal` (``git_unreadable``) when git does not say all of what it is asked."""
    checkout = context.settings.checkout
    problems: List[Problem] = []
    try:
        repository = Repository(context, host.account_of(checkout), problems)
    except (OSError, KeyError) as error:
        raise git_unreadable(checkout, "The owner of %s is not known: %s" % (checkout, error)) from error
    head = repository.ask(git.commit, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")
    status = repository.ask(git.porcelain_z, "status", "--porcelain=v1", "-z", "--branch", "--untracked-files=normal")
    tracked = repository.ask(git.ls_files_v, "ls-files", "-z", "-v", "--full-name")
    # Python loads what lies there. Only what the commit itself says is no part of it is left out, and not what somebody told git.
    loose = repository.ask(
        git.ls_files_z,
        "ls-files",
        "-z",
        "--others",
        "--exclude-per-directory=.gitignore",
        "--",
        "*.py",
        _NOT_ENVIRONMENT,
    )
    own = repository.ask(git.ls_files_z, "ls-files", "-z", "--others", "--", *_IGNORING, _NOT_ENVIRONMENT)
    if head is None or status is None or tracked is None or loose is None or own is None:
        raise git_unreadable(checkout, problems[0].message)
    # What git was told not to look at could be anything.
    unseen = ["%s %s" % (tag, path) for tag, path in tracked if tag != "H"]
    shown = ["%s %s" % (entry["state"], entry["path"]) for entry in status["files"]]
    loose += _hiding(repository, own, {path for _tag, path in tracked})
    differing = shown + unseen + ["?? %s" % path for path in loose if not _within(path, shown)]
    said: List[str] = []
    processes, unit = _processes(context, running.packages([path for _tag, path in tracked]), said)
    return Standing(
        head=head,
        tree=hashlib.sha256(json.dumps(sorted(differing)).encode("ascii")).hexdigest(),
        differing=tuple(differing[:_MOST_FILES]),
        code_changed_us=_code_changed(checkout, head, [path for _tag, path in tracked], said),
        environment_changed_us=_environment_changed(checkout, said),
        processes=processes,
        holder=unit,
        problems=tuple(said),
    )


def _hiding(repository: Repository, own: List[str], tracked: Set[str]) -> List[str]:
    """Those of these files .gitignore, which no commit has, that hide Python files: as a rule itself with them."""
    if not own:
        return []
    places = {path: os.path.dirname(path) or "." for path in own[:_MOST_IGNORING]}
    said = repository.run("check-ignore", "-v", "--", *places.values())
    try:
        # 1: none of them is ignored.
        ignored = git.check_ignore_v(said.stdout) if said.rc == 0 else {}
    except ParseError:
        ignored = {}
    found = own[_MOST_IGNORING:]
    for path, place in places.items():
        if ignored.get(place) in tracked:
            continue  # The commit itself says that what lies there is no part of it.
        below = "*.py" if place == "." else re.sub(r"([\\*?\[])", r"\\\1", place) + "/*.py"
        hidden = repository.run("ls-files", "-z", "--others", "--", below, _NOT_ENVIRONMENT)
        # So many that not all were read are some; and where git does not say, nobody knows that there are none.
        if hidden.stdout or hidden.rc != 0:
            found.append(path)
    return found


def _within(path: str, shown: List[str]) -> bool:
    """Whether git status shows an untracked file, or a directory that it lies in."""
    return any(entry.startswith("?? ") and (path + "/").startswith(entry[3:].rstrip("/") + "/") for entry in shown)


def git_unreadable(checkout: str, why: str) -> Refusal:
    return Refusal(
        "git_unreadable",
        "git does not say what is in %s: %s" % (checkout, why.rstrip(".") + "."),
        "See why, as the owner of the checkout: git -C %s status. Nothing is done on a commit that is not known."
        % checkout,
    )


def _code_changed(checkout: str, head: str, tracked: List[str], problems: List[str]) -> Optional[int]:
    """The later of: when HEAD became this commit, and when one of the commit's Python files was last written."""
    path = checkout + "/.git/logs/HEAD"
    try:
        with open(path, "rb", buffering=0) as log:
            size = os.fstat(log.fileno()).st_size
            tail = os.pread(log.fileno(), _LOG_BYTES, max(size - _LOG_BYTES, 0))
            written = os.fstat(log.fileno()).st_mtime_ns
        moved, last, became = git.last_move(tail)
    except (OSError, ParseError) as error:
        problems.append("When HEAD last moved is not known: %s" % error)
        return None
    if became != head:
        problems.append("When HEAD last moved is not known: its log ends with %s." % became)
        return None
    # Of an older entry only the second is known.
    moments = [written // 1000 if last else (moved + 1) * 1_000_000]
    for name in tracked:
        if name.endswith(".py"):
            try:
                moments.append(os.lstat(os.path.join(checkout, name)).st_mtime_ns // 1000)
            except OSError:
                continue  # git status names it
    return max(moments)


def _environment_changed(checkout: str, problems: List[str]) -> Optional[int]:
    """When a package was last installed, changed or removed in the checkout's virtual environment, or a file written that says
    where Python looks for packages."""
    moments = []
    for path in glob.glob(glob.escape(checkout) + "/.venv/lib/python3*/site-packages"):
        try:
            moments.append(os.stat(path).st_mtime_ns // 1000)
            with os.scandir(path) as entries:
                # Written in its place, a file leaves its directory's time as it was. Directories are packages: Python itself
                # writes byte code into them.
                files = [entry.stat() for entry in entries if entry.is_file()]
            moments += [status.st_mtime_ns // 1000 for status in files]
        except OSError as error:
            problems.append("When the virtual environment last changed is not known: %s" % error)
            return None
    if not moments:
        problems.append("There is no virtual environment in %s/.venv." % checkout)
        return None
    return max(moments)


def started(properties: Mapping[str, str], told_us: int, now_us: int, now_monotonic_us: int) -> int:
    """When a process started by the clock of now, where that is earlier than what was told then: after the clock was put back,
    what has changed since would seem to be older. :class:`ParseError`."""
    monotonic = properties.get(_MONOTONIC, "")
    if not monotonic.isdecimal():
        raise ParseError("unparsable", "%s is no time: %s" % (_MONOTONIC, monotonic))
    return min(told_us, now_us - (now_monotonic_us - int(monotonic)))


def _processes(
    context: Context, packages: Sequence[str], problems: List[str]
) -> Tuple[Optional[Dict[str, Process]], Optional[holder.Unit]]:
    argv = ["/usr/bin/systemctl", "show", *UNITS, holder.UNIT, "--no-pager", "--timestamp=us+utc"]
    result = context.run([*argv, "--property=" + ",".join((*holder.PROPERTIES, _MONOTONIC))], _SECONDS)
    try:
        if result.failure is not None or result.rc != 0:
            raise ParseError("command_failed", complaint(result.stderr) or str(result.failure))
        shown = systemd.show(result.stdout)
        if running.is_misled(context.settings.checkout, context.variables, packages):
            # Its units are started with it the next time, and its commands are run with it.
            problems.append("%s leads Python to another copy of the service." % context.settings.env_file)
            return None, holder.unit(shown[holder.UNIT])
        found = {}
        now = time.time_ns() // 1000, time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        for name in UNITS:
            process = systemd.main_process(shown[name])
            if process is not None:
                pid, told = process
                seen = _seen(context.settings.checkout, pid, packages)
                found[name] = Process(pid, started(shown[name], told, *now), *seen)
        return found, holder.unit(shown[holder.UNIT])
    except (ParseError, KeyError) as error:
        problems.append("systemctl show: %s" % error)
        return None, None


def _seen(checkout: str, pid: int, packages: Sequence[str]) -> Tuple[bool, bool]:
    """Whether a process runs from the checkout, and whether what it has loaded was replaced; of one that has ended: not."""
    try:
        found = running.read(pid)
    except OSError:
        return False, False
    return running.is_here(checkout, found, packages), running.is_replaced(found)
