# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on real guests, and the evidence that triage's probes gather there.

The probes run as the module runs them, in one process as root, only that Ansible does not carry them there: what Ansible
does is tested elsewhere, and a pair takes half the time.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.healtharchive.remediation.plugins.module_utils import options
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import outside_view

from .plan import ROOT

sys.path.insert(0, str(ROOT / "tests" / "sandbox"))

from lib import faults, machine
from lib.errors import SandboxError
from lib.guest import Guest

SANDBOX = ROOT / "tests" / "sandbox" / "sandbox"
_PACKAGE = "ansible_collections/healtharchive/remediation/plugins"
_PROBES = "/run/healtharchive-probes.zip"
_GATHER = """
cd /
TMPDIR=/run python3 -B - <<'END_OF_PROGRAM'
import json, sys
sys.path.insert(0, %r)
from ansible_collections.healtharchive.remediation.plugins.module_utils import evidence
print(json.dumps(evidence.gather(json.loads(%r), list(evidence.PROBES))))
END_OF_PROGRAM
"""


class NotBroken(Exception):
    """The host is not broken as it should be; the text says what happened."""


class NotSeen(Exception):
    """A guest did not come up, or the probes did not end: nothing is said of any fault."""


class Host:
    """One guest on which faults are broken and mended."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.guest = Guest(name)
        self.broken: List[str] = []

    def renew(self) -> None:
        """A guest as new, with nothing broken."""
        self.broken = []
        word = "reset" if self.guest.record() else "up"
        done = subprocess.run(
            [str(SANDBOX), word, self.name], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NotSeen("sandbox %s %s: %s" % (word, self.name, done.stderr))
        subprocess.run(
            [*self.guest.ssh_argv(), "sudo install -m 600 /dev/stdin %s" % _PROBES],
            input=_probes(), env=machine.environment(), timeout=60, check=True,
        )  # fmt: skip

    def remove(self) -> None:
        subprocess.run([str(SANDBOX), "down", self.name], stdin=subprocess.DEVNULL, capture_output=True, check=True)

    def break_it(self, name: str) -> None:
        """Break it, and look whether what was broken before is broken still; :class:`NotBroken`."""
        before, self.broken = self.broken, [*self.broken, name]
        self._apply(name, "break_it", "%s cannot be broken" % name)
        for each in (*before, name):
            self._apply(each, "is_broken", "%s is mended by it" % each if each in before else "%s does not last" % each)

    def mend(self, name: str) -> None:
        """Mend it, and look whether the others are broken still; :class:`NotBroken`."""
        self._apply(name, "mend_it", "%s cannot be mended" % name)
        self.broken.remove(name)
        for each in self.broken:
            self._apply(each, "is_broken", "%s is mended with %s" % (each, name))

    def _apply(self, name: str, function: str, what: str) -> None:
        try:
            faults.apply(self.guest, faults.fault(name), function)
        except SandboxError as error:
            raise NotBroken("%s: %s" % (what, _reason(error, self.name))) from error

    def evidence(self) -> Dict[str, Any]:
        """What triage would see now; :class:`NotBroken` if a fault ended while it looked."""
        addresses = {"api": "http://%s" % self.guest.address, "frontend": "http://%s:8080" % self.guest.address}
        parameters = {name: option.get("default") for name, option in options.ARGUMENT_SPEC.items()}
        parameters.update(("public_%s_base" % name, address) for name, address in addresses.items())
        outside = outside_view.look(addresses, 10)
        try:
            done = self.guest.script(_GATHER % (_PROBES, json.dumps(parameters)), seconds=100)
        except SandboxError as error:
            raise NotSeen("the probes on %s: %s" % (self.name, error)) from error
        if done.returncode != 0:
            raise NotSeen("the probes ended with %d on %s: %s" % (done.returncode, self.name, done.stderr))
        document = json.loads(done.stdout)
        document["probes"]["outside_view"] = outside
        for each in self.broken:
            self._apply(each, "is_broken", "%s ended while it was looked at" % each)
        return document


def _reason(error: SandboxError, guest: str) -> str:
    """The last thing that was said, without the guest's own name; a library's pointer to its manual says nothing."""
    said = [line.strip() for line in error.details[:-1]]
    last = [line for line in said if line and not line.startswith("(Background on this error")][-1:] or [error.message]
    return last[0].replace("guest %r" % guest, "the guest")


def _probes() -> bytes:
    """The code of the probes as one archive that Python imports from."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        parts: Tuple[str, ...] = ()
        for part in (*_PACKAGE.split("/"), "module_utils"):
            parts = (*parts, part)
            archive.writestr("/".join(parts) + "/__init__.py", "")
        for path in sorted((ROOT / "plugins" / "module_utils").rglob("*.py")):
            name = "%s/%s" % (_PACKAGE, path.relative_to(ROOT / "plugins"))
            if name not in archive.namelist():
                archive.write(path, name)
    return packed.getvalue()


def file_of(directory: Path, names: Sequence[str]) -> Path:
    """Where it is written down what became of these faults together."""
    return directory / (("+".join(sorted(names)) or "nothing") + ".json")


def record(directory: Path, names: Sequence[str], made: Optional[Dict[str, Any]], why: Sequence[str]) -> None:
    """Write down what became of one fault or a pair: its evidence, or why it could not be made."""
    path = file_of(directory, names)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({"broken": names, "evidence": made, "why": why}))
    temporary.replace(path)
