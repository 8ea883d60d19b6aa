# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where job locks lie, by the account of everybody who uses them: one answer, or nothing is recovered (contract 1.6).

With two directories, the one who recovers sees a lock as free that the one who crawls holds in the other, and takes the job away
from a living crawl. Private to this collection.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from .. import envfile, files, host, look
from ..parse import systemd
from ..parse.errors import ParseError
from ..parse.text import one_line
from ..probe import Context
from ..probes.units import API, WORKER
from ..refusal import Refusal

VARIABLE = "HEALTHARCHIVE_JOB_LOCK_DIR"
_SECONDS = 10.0
_ENVIRON_CAP_BYTES = 256 * 1024
_FILE_CAP_BYTES = 256 * 1024
_UNIT_VALUE = re.compile(r'(?:^|[ "])%s=([^ "]*)' % VARIABLE)
_UNIT_FILE = re.compile(r"-?(/.*?)(?: \(ignore_errors=(?:yes|no)\))?")
_SHOWN_READERS = 5


class Reader(NamedTuple):
    """Somebody who uses job locks. ``directory`` None: where, cannot be told. ``same``: whether the path leads there where we
    lead it (a unit may have a file system of its own)."""

    who: str
    directory: Optional[str]
    same: bool = True


def agreed(context: Context) -> str:
    """The directory that all of them use, and that can be used. :class:`Refusal`."""
    directory = decide(list(_readers(context)))
    _refuse_unusable(context, directory)
    return directory


def decide(readers: List[Reader]) -> str:
    """Pure. :class:`Refusal` (``lock_directories_unknown``, ``lock_directories_differ``)."""
    by_directory: Dict[str, List[str]] = {}
    for reader in readers:
        name = "?" if reader.directory is None else reader.directory
        if not reader.same:
            name += " (in a file system of its own)"
        by_directory.setdefault(name, []).append(reader.who)
    found = {name: _shown(who) for name, who in sorted(by_directory.items())}
    if "?" in by_directory:
        raise Refusal(
            "lock_directories_unknown",
            "Where job locks lie cannot be told for %s, so no lock can be believed." % ", ".join(found["?"]),
            "In the environment file write %s=DIRECTORY, on one line, without export and without anything that a shell would "
            "expand; then triage again." % VARIABLE,
            lock_directories=found,
        )
    if len(by_directory) != 1:
        raise Refusal(
            "lock_directories_differ",
            "Job locks lie in %d places: %s. Whoever looks in the one does not see who holds a lock in the other, and would take "
            "a job away from a living crawl."
            % (len(found), "; ".join("%s for %s" % (name, ", ".join(who)) for name, who in found.items())),
            "Make it one place: in the environment file write %s=DIRECTORY without export in front of it (systemd does not read "
            "such a line), and restart what was started with another, the worker when no crawl runs." % VARIABLE,
            lock_directories=found,
        )
    return next(iter(by_directory))


def _shown(who: List[str]) -> List[str]:
    more = len(who) - _SHOWN_READERS
    return who[:_SHOWN_READERS] + (["%d more" % more] if more > 0 else [])


def _readers(context: Context) -> Iterator[Reader]:
    default = context.settings.job_lock_directory
    environment = context.environment
    path = context.settings.env_file
    if environment is None:
        yield Reader(path, None)
        return
    yield Reader("the CLI as it is run here (%s as systemd reads it)" % path, _path(environment.services, default))
    known = VARIABLE not in environment.shell_unknown
    yield Reader("a shell that sources %s" % path, _path(environment.shell, default) if known else None)
    for unit in (API, WORKER):
        yield from _unit(context, unit, default)
    yield from _processes(context, default)


def _path(variables: Mapping[str, str], default: str) -> Optional[str]:
    value = variables.get(VARIABLE) or default
    return os.path.realpath(value) if value.startswith("/") and value.isprintable() and len(value) <= 1000 else None


def _unit(context: Context, unit: str, default: str) -> Iterator[Reader]:
    """As systemd would start it now."""
    argv = ["/usr/bin/systemctl", "show", unit, "--no-pager", "--property=Id,LoadState,Environment,EnvironmentFiles"]
    result = context.run(argv, _SECONDS)
    try:
        shown = systemd.show(result.stdout)[unit] if result.rc == 0 else None
    except (ParseError, KeyError):
        shown = None
    if shown is None:
        yield Reader(unit, None)
    elif shown.get("LoadState") == "loaded":
        yield Reader(unit, _of_unit(shown, default))


def _of_unit(shown: Mapping[str, str], default: str) -> Optional[str]:
    """Files are read in their order and override the variables of the unit itself."""
    variables: Dict[str, str] = {}
    for value in _UNIT_VALUE.findall(shown.get("Environment", "")):
        variables[VARIABLE] = value
    for line in shown.get("EnvironmentFiles", "").split("\n"):
        match = _UNIT_FILE.fullmatch(line)
        if match is None:
            if line:
                return None
            continue
        try:
            parsed = envfile.parse(files.read_regular(match.group(1), _FILE_CAP_BYTES))
        except FileNotFoundError:
            continue
        except OSError:
            return None
        variables.update((name, value) for name, value in parsed.services.items() if name == VARIABLE)
    return _path(variables, default)


def _processes(context: Context, default: str) -> Iterator[Reader]:
    """As the service's own programs that run were started, however long ago and by whomever: what locks a job is the CLI."""
    program = os.fsencode(context.settings.cli)
    ours = os.getpid()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == ours:
            continue
        try:
            words = _read("/proc/%s/cmdline" % name).split(b"\0")
            # By itself or by an interpreter.
            if not any(_is(word, program) for word in words[:2]):
                continue
            content = _read("/proc/%s/environ" % name)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        except OSError:
            yield Reader("process %s" % name, None)
            continue
        if not content:
            continue  # it is ending: the kernel has taken its memory away
        pairs = (part.decode("utf-8", "replace").partition("=") for part in content.split(b"\0"))
        directory = _path({key: value for key, _equals, value in pairs}, default)
        command = b" ".join(words[:4]).decode("utf-8", "replace")
        who = "process %s (%s)" % (name, one_line(context.redactor.text(command), 120))
        same = directory is None or _same(name, directory)
        if same or not _has_ended(name):
            yield Reader(who, directory, same)


def _is(word: bytes, program: bytes) -> bool:
    """Also where it is called from its checkout, by a part of its path. The bare name is that of a database and a user, too."""
    path = os.path.normpath(word)
    return path == program or (b"/" in path and program.endswith(b"/" + path))


def _read(path: str) -> bytes:
    with open(path, "rb") as handle:
        return handle.read(_ENVIRON_CAP_BYTES)


def _same(pid: str, directory: str) -> bool:
    return _identity("/proc/%s/root%s" % (pid, directory)) == _identity(directory)


def _has_ended(pid: str) -> bool:
    """What has ended has no files, and locks nothing."""
    try:
        os.stat("/proc/%s/root/." % pid)
    except (FileNotFoundError, ProcessLookupError):
        return True
    except OSError:
        return False
    return False


def _identity(path: str) -> Optional[Tuple[int, int]]:
    with contextlib.suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None


def _refuse_unusable(context: Context, directory: str) -> None:
    """Where the service cannot use its directory it takes another one, silently (contract 1.6)."""
    above = os.path.dirname(directory)
    user = context.settings.service_user
    looks = look.look({directory: None, above: None}, context.seconds(_SECONDS), host.account(user))
    there, parent = looks[directory], looks[above]
    missing = there.errno == errno.ENOENT and parent.is_directory is True
    if there.writable is True and (there.is_directory is True or missing):
        return
    raise Refusal(
        "lock_directory_unusable",
        "%s cannot use the job lock directory %s, and the service then takes another one without a word."
        % (user, directory),
        "Give %s the right to write there, or correct %s in the environment file." % (user, VARIABLE),
        lock_directory=directory,
    )
