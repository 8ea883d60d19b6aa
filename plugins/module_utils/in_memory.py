# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front of the program that the controller sends to a host's standard input (plugin_utils/payload.py).

It imports the collection's code from memory: no file is written on the host, so a full disk there does not matter.
Private to this collection.
"""

from __future__ import annotations

import base64
import bz2
import importlib.machinery
import json
import sys
from typing import Any, Dict, Mapping, Optional


class Finder:
    """Finds modules in their source texts, by full name; a name with others below it is a package."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        if name not in self.texts:
            return None
        package = any(other.startswith(name + ".") for other in self.texts)
        loader: Any = self
        return importlib.machinery.ModuleSpec(name, loader, origin="<%s>" % name, is_package=package)

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        name = module.__name__
        exec(compile(self.texts[name], "<%s>" % name, "exec", dont_inherit=True), module.__dict__)


def main(packed: str, module: str, parameters: str) -> None:
    """Write as one JSON object what ``answer(parameters)`` of a module returns.

    ``packed``: source texts by module name, as JSON, compressed, in base64. ``parameters``: JSON.
    """
    if sys.version_info < (3, 9):
        message = "The interpreter %s is Python %d.%d." % (sys.executable, *sys.version_info[:2])
        found: Dict[str, Any] = {"failed": True, "msg": message}
    else:
        sys.meta_path.insert(0, Finder(json.loads(bz2.decompress(base64.b64decode(packed)))))
        found = importlib.import_module(module).answer(json.loads(parameters))
    sys.stdout.write(json.dumps(found) + "\n")
