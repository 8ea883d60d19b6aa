# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's code for a host as one Python program, which is run there from standard input.

Ansible's own way parses the module and all that it imports, adds a library that is larger than our code, does so anew
in each run, and unpacks all of it into a file on the host. Private to this collection.
"""

from __future__ import annotations

import base64
import bz2
import functools
import json
import os
import re
from typing import Any, Dict, Iterator, Mapping

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "module_utils")
_FRONT = "in_memory.py"
# The name of the package on the host.
_PACKAGE = "healtharchive_remediation"
# The relative imports of a source text: dots, module, names. A parser would take ten times as long, in every run.
_IMPORT = re.compile(r"^[ \t]*from (\.+)([\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)


def program(module: str, parameters: Mapping[str, Any]) -> bytes:
    """The program that prints, as JSON, what ``answer(parameters)`` of this module of module_utils returns.

    ``parameters`` hold what JSON can. Needs Python 3.9 and nothing else on the host.
    """
    with open(os.path.join(_FOLDER, _FRONT), "rb") as file:
        front = file.read()
    name = "%s.%s" % (_PACKAGE, module)
    return front + ("\n\nmain(%r, %r, %r)\n" % (_packed(name), name, json.dumps(parameters))).encode("ascii")


@functools.lru_cache(maxsize=None)
def _packed(module: str) -> str:
    return base64.b64encode(bz2.compress(json.dumps(_needed(module)).encode("ascii"))).decode("ascii")


def _needed(module: str) -> Dict[str, str]:
    """The source texts of the module, of the packages around it, and of all that these import of ours."""
    texts = _texts()
    found: Dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in texts and name not in found:
            found[name] = texts[name]
            waiting.append(name.rpartition(".")[0])
            waiting.extend(_imports(name, texts))
    return found


def _imports(name: str, texts: Mapping[str, str]) -> Iterator[str]:
    """The names that may be modules of ours among what one imports."""
    package = name if any(other.startswith(name + ".") for other in texts) else name.rpartition(".")[0]
    for dots, module, names in _IMPORT.findall(texts[name]):
        base = ".".join(package.split(".")[: len(package.split(".")) - len(dots) + 1] + ([module] if module else []))
        yield base
        for word in re.findall(r"\w+", names):
            yield "%s.%s" % (base, word)


def _texts() -> Dict[str, str]:
    """The source texts by module name; a package without a file has an empty one."""
    texts = {_PACKAGE: ""}
    for folder, _folders, names in os.walk(_FOLDER):
        below = os.path.relpath(folder, _FOLDER).split(os.sep) if folder != _FOLDER else []
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            parts = [_PACKAGE, *below] if name == "__init__.py" else [_PACKAGE, *below, name[:-3]]
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts[".".join(parts)] = file.read()
    return texts
