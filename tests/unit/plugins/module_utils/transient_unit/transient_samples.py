# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transient unit as systemd shows it, and a stand-in for systemd that has one."""

from __future__ import annotations

from typing import Any, Dict, List

from ansible_collections.healtharchive.remediation.plugins.module_utils import host


def properties(load: str, active: str, main: str, status: str = "0", result: str = "success") -> Dict[str, str]:
    """Of systemd 252, as recorded on a host."""
    return {"LoadState": load, "ActiveState": active, "ExecMainCode": main, "ExecMainStatus": status, "Result": result}


RUNNING = properties("loaded", "activating", "0")
SUCCEEDED = properties("loaded", "active", "1")
FAILED = properties("loaded", "failed", "1", "3", "exit-code")
GONE = properties("not-found", "inactive", "0")


class Systemd:
    """Stands for systemctl and systemd-run: the state of the unit, and what was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = GONE
        self.asked: List[str] = []
        self.starts = True

    def run(self, argv: Any, seconds: float, who: Any = None, **options: Any) -> host.Result:
        self.asked.append(" ".join(argv[:2]))
        rc, output = 0, b""
        if "show" in argv:
            output = "".join("%s=%s\n" % pair for pair in {"Id": self.name, **self.state}.items()).encode()
        elif argv[0].endswith("systemd-run"):
            if self.starts:
                self.state = RUNNING
            rc = 0 if self.starts else 1
        elif "stop" in argv or "reset-failed" in argv:
            self.state = GONE
        return host.Result(argv, rc, output, b"" if rc == 0 else b"Failed to start transient service unit", 0.1, None)
