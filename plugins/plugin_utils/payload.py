# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's code for a host as one Python program, which is run there from standard input.

Ansible's own way parses the module and all that it imports, adds a library that is larger than our code, does so anew
in each run, and unpacks all of it into a file on the host. Private to this collection.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import zlib
from typing import Any, Dict, Mapping

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "module_utils")
_FRONT = "in_memory.py"
# Needs Ansible's library, which is not sent.
_LEFT_OUT = (_FRONT, "information.py")
# The name of the package on the host.
_PACKAGE = "healtharchive_remediation"


def program(module: str, parameters: Mapping[str, Any]) -> bytes:
    """The program that prints, as JSON, what ``answer(parameters)`` of this module of module_utils returns.

    ``parameters`` hold what JSON can. Needs Python 3.9 and nothing else on the host.
    """
    with open(os.path.join(_FOLDER, _FRONT), "rb") as file:
        front = file.read()
    values = (_packed(), "%s.%s" % (_PACKAGE, module), json.dumps(parameters))
    return front + ("\n\nmain(%r, %r, %r)\n" % values).encode("ascii")


@functools.lru_cache(maxsize=None)
def _packed() -> str:
    return base64.b64encode(zlib.compress(json.dumps(_texts()).encode("ascii"))).decode("ascii")


def _texts() -> Dict[str, str]:
    """The source texts by module name; a package without a file has an empty one."""
    texts = {_PACKAGE: ""}
    for folder, _folders, names in os.walk(_FOLDER):
        below = os.path.relpath(folder, _FOLDER).split(os.sep) if folder != _FOLDER else []
        for name in sorted(names):
            if not name.endswith(".py") or (not below and name in _LEFT_OUT):
                continue
            parts = [_PACKAGE, *below] if name == "__init__.py" else [_PACKAGE, *below, name[:-3]]
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts[".".join(parts)] = file.read()
    return texts
