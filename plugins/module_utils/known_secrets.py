# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must never be shown, collected on the host before anything is read. Private to this collection.

The environment file alone is not enough: services go on with the environment that they were started with when the file
is gone, and other files of its directory hold keys and tokens (contract 1.1).
"""

from __future__ import annotations

import contextlib
import os
from typing import Dict, FrozenSet, List, Set

from . import envfile, files, host
from .parse import systemd
from .parse.errors import ParseError
from .redact import SHORTEST_SECRET

_FILE_CAP_BYTES = 256 * 1024
_MOST_FILES = 100
_SECONDS = 5.0
# Where the storage box's key lies (contract 1.1).
_IDENTITY = "STORAGEBOX_IDENTITY"


def collect(env_file: str, units: List[str]) -> FrozenSet[str]:
    """The secret values of the environment file, of the files beside and below it, and of the units' processes.

    Empty when nothing could be read: then no free text may be shown.
    """
    found: Set[str] = set()
    directory = os.path.dirname(env_file)
    for path in _files(directory):
        try:
            content = files.read_regular(path, _FILE_CAP_BYTES)
        except OSError:
            continue
        found |= _key_lines(content)
        identity = envfile.parse(content).services.get(_IDENTITY) if path.endswith(".env") else None
        if identity and os.path.isabs(identity):
            with contextlib.suppress(OSError):
                found |= _key_lines(files.read_regular(identity, _FILE_CAP_BYTES))
        # A file with one value in it is a token (contract 1.1, observability); one with assignments an environment.
        values = envfile.parse(content).secret_values()
        whole = content.decode("utf-8", "replace").strip()
        if not values and "\n" not in whole and "=" not in whole and len(whole) >= SHORTEST_SECRET:
            values = frozenset({whole})
        if path == env_file or os.path.basename(path).endswith(".env") or os.path.dirname(path) != directory:
            found |= values
    for variables in _environments(units):
        found |= envfile.secret_values_of(variables)
    return frozenset(found)


def _key_lines(content: bytes) -> Set[str]:
    """The lines of a private key: a log has one at a time. None of anything else."""
    if b"PRIVATE KEY-----" not in content:
        return set()
    lines = (line.strip() for line in content.decode("utf-8", "replace").splitlines())
    return {line for line in lines if len(line) >= SHORTEST_SECRET and not line.startswith("-----")}


def _files(directory: str) -> List[str]:
    paths = []
    for parent, _directories, names in os.walk(directory):
        paths += [os.path.join(parent, name) for name in sorted(names)]
        if len(paths) > _MOST_FILES:
            break
    return paths[:_MOST_FILES]


def _environments(units: List[str]) -> List[Dict[str, str]]:
    """The environments that the units' main processes were started with."""
    argv = ["/usr/bin/systemctl", "show", *units, "--no-pager", "--property=Id,MainPID"]
    result = host.run(argv, _SECONDS)
    try:
        shown = systemd.show(result.stdout) if result.rc == 0 else {}
    except ParseError:
        shown = {}
    environments = []
    for properties in shown.values():
        pid = properties.get("MainPID", "0")
        if pid.isdigit() and pid != "0":
            environments.append(_environment(pid))
    return environments


def _environment(pid: str) -> Dict[str, str]:
    try:
        with open("/proc/%s/environ" % pid, "rb") as handle:
            content = handle.read(_FILE_CAP_BYTES)
    except OSError:
        return {}
    pairs = (line.decode("utf-8", "replace").partition("=") for line in content.split(b"\0"))
    return {name: value for name, _equals, value in pairs if name}
