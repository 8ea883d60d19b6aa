# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process runs what is checked out: by its command, its directory, its environment, and what it has mapped. Private to
this collection.

Python takes a package from the first place that has it. The places that come before the virtual environment are looked at for a
copy of the service's own packages; that the virtual environment leads to the checkout is the environment's to prove.
"""

from __future__ import annotations

import os
import re
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

_LIBRARY = "/site-packages/"
_DELETED = " (deleted)"
_PYTHON = re.compile(r"python[0-9.]*")
# uvicorn's: where it looks for the application, before everywhere else.
_APP_DIRECTORY = "--app-dir"
# All that is kept of its environment, which has secrets too.
_VARIABLES = ("PYTHONHOME", "PYTHONPATH")
_SOURCES = re.compile(r"(src/)?([A-Za-z_][A-Za-z0-9_]*)/__init__\.py")


class Running(NamedTuple):
    """A process as the kernel shows it. ``mapped``: the files of Python's libraries that it has in its memory."""

    words: Tuple[str, ...]
    directory: str
    variables: Mapping[str, str]
    mapped: Tuple[str, ...]


def packages(tracked: Sequence[str]) -> Tuple[str, ...]:
    """The names of the packages that the commit has: those below ``src`` or, where there are none, at its top."""
    found = [match.groups() for match in map(_SOURCES.fullmatch, tracked) if match is not None]
    return tuple(sorted({name for below, name in found if below} or {name for _below, name in found}))


def read(pid: int) -> Running:
    """OSError for a process that has ended."""
    root = "/proc/%d/" % pid
    words = _fields(root + "cmdline")
    variables: Dict[str, str] = {}
    for field in _fields(root + "environ"):
        name, _equals, value = field.partition("=")
        if name in _VARIABLES:
            variables.setdefault(name, value)
    with open(root + "maps", "rb") as file:
        lines = os.fsdecode(file.read()).splitlines()
    # Address, rights, offset, device, number, and then the path, which may have spaces in it.
    paths = [line.split(None, 5)[5] for line in lines if _LIBRARY in line]
    return Running(tuple(words), os.readlink(root + "cwd"), variables, tuple(dict.fromkeys(paths)))


def is_here(checkout: str, running: Running, names: Sequence[str]) -> bool:
    """Whether it runs from the checkout and its virtual environment. ``names``: of the service's own packages."""
    inside = checkout.rstrip("/") + "/"
    if not _same(running.directory, checkout):
        # One that was moved away from under it, or removed, is another one than lies there now.
        gone = running.directory.startswith(inside.rstrip("/")) and running.directory.endswith(_DELETED)
        if gone or _is_checkout(running.directory) or not any(word.startswith(inside) for word in running.words):
            return False
    environment = inside + ".venv"
    first = running.words[0] if running.words else ""
    if "/" in first and _PYTHON.fullmatch(os.path.basename(first)):
        # A shell that waits for it says nothing of where its Python is from.
        if not _same(os.path.join(running.directory, os.path.dirname(first)), environment + "/bin"):
            return False
    if is_misled(checkout, running.variables, names, running.directory):
        return False
    library = os.path.realpath(environment) + "/"
    if not all(path.startswith(library) for path in running.mapped):
        return False
    return not any(_has_copy(place, checkout, names) for place in _places(running))


def is_misled(checkout: str, variables: Mapping[str, str], names: Sequence[str], directory: str = "") -> bool:
    """Whether a Python that is started in this environment takes the service from elsewhere than the checkout. ``directory``: the
    one that it is started in, by default the checkout."""
    path = variables.get("PYTHONPATH")
    places = [os.path.join(directory or checkout, place) for place in path.split(":")] if path else []
    return bool(variables.get("PYTHONHOME")) or any(_has_copy(place, checkout, names) for place in places)


def is_replaced(running: Running) -> bool:
    """Whether it has a library in its memory that is not what lies on the disk any more."""
    return any(path.endswith(_DELETED) for path in running.mapped)


def _places(running: Running) -> List[str]:
    """Where its Python may look before the virtual environment, beside what its environment says."""
    said = [running.directory]
    for number, word in enumerate(running.words):
        if word == _APP_DIRECTORY:
            said += running.words[number + 1 : number + 2]
        elif word.startswith(_APP_DIRECTORY + "="):
            said.append(word.partition("=")[2])
    return [os.path.join(running.directory, place) for place in said]


def _has_copy(place: str, checkout: str, names: Sequence[str]) -> bool:
    if (os.path.realpath(place) + "/").startswith(os.path.realpath(checkout) + "/"):
        return False
    return any(os.path.exists(os.path.join(place, name + end)) for name in names for end in ("", ".py"))


def _is_checkout(path: str) -> bool:
    return all(os.path.lexists(os.path.join(path, name)) for name in (".git", "pyproject.toml"))


def _same(path: str, other: str) -> bool:
    try:
        one, two = os.stat(path), os.stat(other)
    except OSError:
        return False
    return (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino)


def _fields(path: str) -> List[str]:
    with open(path, "rb") as file:
        return [os.fsdecode(field) for field in file.read().split(b"\0")[:-1]]
