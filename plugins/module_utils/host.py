# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place that runs a command on the host.

Every command has a deadline in seconds and a cap on its output in bytes, runs as a named account in an environment
that is built from nothing, and takes everything that it started with it when it ends. Private to this collection.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import selectors
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

OUTPUT_CAP_BYTES = 1024 * 1024
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The exit code of a command that has none: equal to no code that a process can end with, signals included.
NO_EXIT_CODE = -1000
_PR_SET_CHILD_SUBREAPER = 36
# How long a killed process may take to be gone, in seconds. One that sits in an uninterruptible wait stays behind:
# nothing can end it, and triage must not wait for it.
_REAP_SECONDS = 1.0
# Descriptors that every command is given, see :func:`lent`.
_lent: Set[int] = set()


class _Gate:
    """Whether commands may be started. What ends all that was started must not be overtaken by a thread that starts one more."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False
        self._starting = 0

    @contextlib.contextmanager
    def starting(self) -> Iterator[bool]:
        with self._changed:
            allowed = not self._closed
            self._starting += allowed
        try:
            yield allowed
        finally:
            with self._changed:
                self._starting -= allowed
                self._changed.notify_all()

    def open(self) -> None:
        with self._changed:
            self._closed = False

    def close(self, seconds: float) -> None:
        """From now on none is started, and those that were about to have been, or never will within ``seconds``."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._starting == 0, seconds)


_gate = _Gate()


class Account(NamedTuple):
    """An account of the host: what a command needs to run as it."""

    name: str
    uid: int
    gid: int
    groups: Sequence[int]
    home: str


class Result(NamedTuple):
    """What became of one command.

    ``rc`` is the exit code, negative for a signal as in :mod:`subprocess`, and ``NO_EXIT_CODE`` when the command did not
    start or was ended by us. ``failure`` is None, ``timed_out``, ``output_truncated``, ``not_found``,
    ``permission_denied`` or ``not_started`` (anything else that kept it from starting).
    """

    argv: Sequence[str]
    rc: int
    stdout: bytes
    stderr: bytes
    seconds: float
    failure: Optional[str]


def account(name: str) -> Account:
    """The account of that name; KeyError if there is none."""
    return _account(pwd.getpwnam(name))


def account_of(path: str) -> Account:
    """The account that owns a path; OSError if the path cannot be read, KeyError if its owner has no account."""
    return _account(pwd.getpwuid(os.stat(path).st_uid))


def _account(entry: pwd.struct_passwd) -> Account:
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, tuple(groups), entry.pw_dir)


def base_environment(who: Optional[Account]) -> Dict[str, str]:
    """The environment that every command starts from: nothing of ours or the caller's is inherited.

    UTC for the process and for its database session, because the service prints times without an offset
    (contract 2.4); no byte code is written, because a read must not leave files behind.
    """
    environment = {
        "PATH": SYSTEM_PATH,
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PGTZ": "UTC",
        "NO_COLOR": "1",
        "PAGER": "cat",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "SYSTEMD_PAGER": "",
        "SYSTEMD_COLORS": "0",
    }
    if who is not None:
        environment.update(HOME=who.home, USER=who.name, LOGNAME=who.name)
    return environment


def run(
    argv: Sequence[str],
    seconds: float,
    who: Optional[Account] = None,
    environment: Optional[Mapping[str, str]] = None,
    cwd: str = "/",
    cap: int = OUTPUT_CAP_BYTES,
    take: Optional[Callable[[bytes], None]] = None,
) -> Result:
    """Run one command for at most ``seconds``, as ``who`` (None: as this process), and return what became of it.

    ``environment`` adds to :func:`base_environment` and overrides nothing of it. Standard input is empty. At ``cap``
    bytes on either stream the command is ended: an endless writer must not cost memory or time. ``take`` gets standard
    output piece by piece as it comes, and the result has none of it then: for output that is too much to hold. What it
    raises is raised here, when the command has been ended. Never raises for what the command does.
    """
    started = time.monotonic()
    merged = {**(environment or {}), **base_environment(who)}
    identity: Dict[str, Any] = {}
    if who is not None:
        identity = {"user": who.uid, "group": who.gid, "extra_groups": list(who.groups)}
    try:
        with _gate.starting() as allowed:
            if not allowed:
                said = b"Everything that was started is being ended."
                return Result(argv, NO_EXIT_CODE, b"", said, time.monotonic() - started, "not_started")
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=merged,
                start_new_session=True,
                pass_fds=tuple(_lent),
                **identity,
            )
    except OSError as error:
        refusal = _refusal(error, argv[0])
        return Result(argv, NO_EXIT_CODE, b"", str(error).encode(), time.monotonic() - started, refusal)
    try:
        output, failure = _read(process, started + seconds, cap, take)
    finally:
        _end_group(process)
    rc = process.returncode if failure is None else NO_EXIT_CODE
    return Result(argv, rc, output["stdout"], output["stderr"], time.monotonic() - started, failure)


@contextlib.contextmanager
def lent(descriptor: int) -> Iterator[None]:
    """Give every command that is run meanwhile this descriptor: a lock on it is free only when all of them have ended, also
    when this process is killed and they go on."""
    _lent.add(descriptor)
    try:
        yield
    finally:
        _lent.discard(descriptor)


def _refusal(error: OSError, program: str) -> str:
    """Why a command did not start; only the program's own absence is ``not_found``: it says that something is missing."""
    if isinstance(error, FileNotFoundError) and error.filename == program:
        return "not_found"
    if isinstance(error, PermissionError):
        return "permission_denied"
    return "not_started"


def _read(
    process: subprocess.Popen[bytes], deadline: float, cap: int, take: Optional[Callable[[bytes], None]]
) -> Tuple[Dict[str, bytes], Optional[str]]:
    """Read both streams until the command has ended; the failure is None, ``timed_out`` or ``output_truncated``."""
    chunks: Dict[str, List[bytes]] = {"stdout": [], "stderr": []}
    keep = {"stdout": take or chunks["stdout"].append, "stderr": chunks["stderr"].append}
    sizes = {"stdout": 0, "stderr": 0}
    failure: Optional[str] = None
    with selectors.DefaultSelector() as selector:
        for name in chunks:
            selector.register(getattr(process, name), selectors.EVENT_READ, name)
        ended = False
        while selector.get_map() and failure is None:
            left = deadline - time.monotonic()
            ready = selector.select(0 if ended else min(max(left, 0), 0.2))
            # A child that outlives the command may hold the pipes open: the command's own end is what counts. What it
            # wrote last may have come between the look at the pipes and the look at its end, so they are asked once more.
            if not ready and ended:
                break
            ended = ended or process.poll() is not None
            if left <= 0:
                failure = "timed_out"
                break
            for key, _events in ready:
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                keep[key.data](chunk[: cap - sizes[key.data]])
                sizes[key.data] += len(chunk)
                if sizes[key.data] > cap:
                    failure = "output_truncated"
    if failure is None:
        try:
            process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            failure = "timed_out"
    return {name: b"".join(parts) for name, parts in chunks.items()}, failure


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the command's session; it is never waited for longer than a moment."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        process.wait(_REAP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def adopt_orphans() -> None:
    """Make this process the parent of orphans of its commands, so that :func:`end_descendants` finds them.

    A command that forks twice and starts a session of its own would otherwise outlive us.
    """
    _gate.open()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_descendants() -> None:
    """Kill every process that descends from this one (see :func:`adopt_orphans`), and wait a moment until they have ended.
    Afterwards none is started: a thread that was late would leave one behind.

    Who ends hands its children on to us first, so when no child of ours lives, nothing of it does: also not what forks
    and ends again and again. What had ended by the time it was looked at may have handed one on after the list was read:
    only a list without anybody new, all of them ended, is the end.
    """
    _gate.close(_REAP_SECONDS)
    known: Set[int] = set()
    dead: Set[int] = set()
    end = time.monotonic() + _REAP_SECONDS
    while True:
        children = _children()
        new = children - known
        # Of one that has ended, too: what it has handed on, and is nowhere for longer than a moment, is of its group.
        for pid in new:
            _kill_with_its_group(pid)
        dead |= {pid for pid in children - dead if not _lives(pid)}
        # One that waits in the kernel for what never comes cannot be ended, and is left to itself.
        if (not new and children <= dead) or time.monotonic() >= end:
            return
        known |= children
        time.sleep(0.001)


def _kill_with_its_group(pid: int) -> None:
    """The whole process group at once, which no fork in it outruns. It is a command's: all in it is ours to end."""
    try:
        group = os.getpgid(pid)
        if group == os.getpgrp():
            os.kill(pid, signal.SIGKILL)
        else:
            os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _children() -> Set[int]:
    """The children of this process, by the kernel's own lists; of a kernel without these, all that descends from it."""
    found: Set[int] = set()
    try:
        for thread in os.listdir("/proc/self/task"):
            with open("/proc/self/task/%s/children" % thread, encoding="ascii") as handle:
                found.update(int(pid) for pid in handle.read().split())
    except (OSError, ValueError):
        return _descendants(os.getpid())
    return found


def _lives(pid: int) -> bool:
    try:
        return _stat(pid)[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False


def _stat(pid: int) -> List[bytes]:
    """State, parent and the other fields of a process that follow its name, which may hold spaces and parentheses."""
    with open("/proc/%d/stat" % pid, "rb") as handle:
        return handle.read().rpartition(b")")[2].split()


def _descendants(root: int) -> Set[int]:
    children: Dict[int, List[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parent = int(_stat(int(name))[1])
            except (OSError, ValueError, IndexError):
                continue
            children.setdefault(parent, []).append(int(name))
    found: Set[int] = set()
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), []):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def python(script: str, *arguments: str) -> List[str]:
    """The argv of a short script for the Python that runs this module, without site packages (about 12 ms)."""
    return [sys.executable, "-I", "-S", "-c", script, *arguments]
