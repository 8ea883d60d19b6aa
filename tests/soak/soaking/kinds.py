# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kinds of change the collection has, and what it says of each: asked of its own classes, so that a new one is known."""

from __future__ import annotations

import importlib
from typing import Dict, Iterator, Type

from ansible_collections.healtharchive.remediation.plugins.module_utils import change
from pairing.plan import ROOT

from .laws import Kind

_PACKAGE = "ansible_collections.healtharchive.remediation.plugins.module_utils"
_FOLDER = ROOT / "plugins" / "module_utils"


def known() -> Dict[str, Kind]:
    """By the names that their plans have in the record."""
    for path in sorted(_FOLDER.rglob("*.py")):
        if path.stem != "__init__":
            importlib.import_module(".".join((_PACKAGE, *path.relative_to(_FOLDER).with_suffix("").parts)))
    found: Dict[str, Kind] = {}
    for kind in _below(change.Action):
        for name in kind.names or ((kind.name,) if kind.name else ()):
            found[name] = Kind(kind.needs_clearance, kind.budget.per_host, kind.budget.per_subject)
    return found


def _below(kind: Type[change.Action]) -> Iterator[Type[change.Action]]:
    """Those of the collection: a test may have some of its own."""
    for each in kind.__subclasses__():
        if each.__module__.startswith(_PACKAGE):
            yield each
        yield from _below(each)
