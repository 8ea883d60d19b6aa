# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: small files in faults/, each with a real cause, that break a guest and mend it again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, NamedTuple

from . import layout
from .errors import SandboxError
from .guest import Guest

SECONDS = 120


class Fault(NamedTuple):
    """One fault file and its header."""

    name: str
    path: Path
    cause: str
    expected_class: str
    expected_next: str


def faults() -> List[Fault]:
    """All faults, by name."""
    return [_read(path) for path in sorted(layout.FAULT_FILES.glob("*.sh"))]


def fault(name: str) -> Fault:
    """The fault of that name."""
    known = {each.name: each for each in faults()}
    if name not in known:
        raise SandboxError(f"There is no fault '{name}'.", "There are: " + ", ".join(known))
    return known[name]


def _read(path: Path) -> Fault:
    text = path.read_text()
    values = []
    for word in ("cause", "class", "next"):
        found = re.search(rf"^# {word}: (.+)$", text, re.MULTILINE)
        if found is None:
            raise SandboxError(f"{path} has no line '# {word}: ...' in its header.")
        values.append(found.group(1).strip())
    return Fault(path.stem, path, *values)


def apply(guest: Guest, chosen: Fault, function: str) -> str:
    """Run `break_it` or `mend_it` of the fault in the guest, as root; what it printed."""
    done = guest.script(chosen.path.read_text() + "\n" + function, seconds=SECONDS)
    if done.returncode != 0:
        raise SandboxError(
            f"'{chosen.name}': {function} failed in guest '{guest.name}' (exit code {done.returncode}).",
            *(done.stdout + done.stderr).strip().splitlines()[-20:],
            f"A guest as new: tests/sandbox/sandbox reset {guest.name}",
        )
    return done.stdout
