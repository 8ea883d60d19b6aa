# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a guest is reached: Ansible and the typed commands share one SSH connection, opened before the clock starts."""

from __future__ import annotations

import configparser
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from .guests import ROOT, Failure

_DELAY_PROXY = ROOT / "tests" / "bench" / "delay_proxy.py"


class Link:
    """A way to a guest. ``round_trip`` is in milliseconds, None is the bare loopback."""

    def __init__(self, variables: Mapping[str, Any], folder: Path, name: str, round_trip: Optional[int] = None) -> None:
        self.name = name
        self.variables: Dict[str, Any] = dict(variables)
        common = shlex.split(self.variables["ansible_ssh_common_args"])
        if round_trip is not None:
            proxy = shlex.join([sys.executable, str(_DELAY_PROXY), str(round_trip / 2)]) + " %h %p"
            common += ["-o", "ProxyCommand=" + proxy]
        self.variables["ansible_ssh_common_args"] = shlex.join(common)
        # short: the path of a socket has at most 107 characters
        self.control_path = folder / name
        self.variables["ansible_control_path"] = str(self.control_path)
        self._ssh = [
            *["ssh", *_ssh_args(), *common, "-o", "BatchMode=yes", "-o", "ControlPath=%s" % self.control_path],
            *["-i", self.variables["ansible_ssh_private_key_file"]],
        ]
        self._target = "%s@%s" % (self.variables["ansible_user"], self.variables["ansible_host"])

    def run(self, command: str) -> "subprocess.CompletedProcess[bytes]":
        """One command line on the host, as typed: ``ssh host -- command``."""
        argv = [*self._ssh, self._target, "--", command]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)

    def warm(self) -> None:
        """Make sure that the connection is open."""
        done = self.run("true")
        if done.returncode != 0:
            raise Failure("%s cannot be reached: %s" % (self.name, done.stderr.decode(errors="replace")))

    def close(self) -> None:
        if self.control_path.exists():
            subprocess.run([*self._ssh, "-O", "exit", self._target], capture_output=True, timeout=30, check=False)


def _ssh_args() -> List[str]:
    """What the operator's ansible.cfg makes of the connection."""
    configuration = configparser.ConfigParser(interpolation=None)
    configuration.read(os.environ.get("ANSIBLE_CONFIG", ROOT / "ansible.cfg"))
    return shlex.split(configuration["ssh_connection"]["ssh_args"])


def inventory(links: Sequence[Link], path: Path, extra: Optional[Mapping[str, Any]] = None) -> Path:
    """Write these as an inventory in a file, as an operator has one; JSON is YAML."""
    hosts = {link.name: {**link.variables, **(extra or {})} for link in links}
    path.write_text(json.dumps({"healtharchive": {"hosts": hosts}}, indent=1))
    return path
