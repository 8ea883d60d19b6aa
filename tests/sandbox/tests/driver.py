# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as a person calls it, and ways to look at its guests without it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Dict, List

PROGRAM = Path(__file__).resolve().parent.parent / "sandbox"
CHECKOUT = PROGRAM.parents[2]


class Sandbox:
    """Calls `sandbox`, and looks at the machine without it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.environment = {**os.environ, "HEALTHARCHIVE_SANDBOX_STATE": str(state)}

    def run(self, *words: str, seconds: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run a command, whatever becomes of it."""
        return subprocess.run(
            [str(PROGRAM), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def __call__(self, *words: str) -> str:
        """Run a command that must succeed; its standard output."""
        done = self.run(*words)
        assert done.returncode == 0, f"sandbox {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command and go on."""
        return subprocess.Popen(
            [str(PROGRAM), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A shell that starts its jobs in the background makes them ignore interrupts, and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def ssh(self, name: str, command: str) -> str:
        """What a shell command prints for the operator who logs in, standard error included."""
        done = self.run("ssh", name, "--", f"{{ {command}\n}} 2>&1", seconds=60)
        return done.stdout.strip()

    def record(self, name: str) -> Dict[str, Any]:
        """What is written down about a guest."""
        return json.loads((self.state / name / "guest.json").read_text())

    def leftovers(self, name: str, record: Dict[str, Any]) -> List[str]:
        """What is left of a guest on the machine, in words; looked for in the kernel's own lists."""
        left = []
        for pid, started in (
            (record["leader"], record["leader_started"]),
            (record["supervisor"], record["supervisor_started"]),
        ):
            stat = Path(f"/proc/{pid}/stat")
            if pid and stat.exists():
                fields = stat.read_text().rpartition(")")[2].split()
                if fields[19] == started and fields[0] not in "ZX":
                    left.append(f"process {pid}")
        if str(self.state / name) in Path("/proc/self/mountinfo").read_text():
            left.append("mount")
        if (Path("/sys/class/net") / f"ha-sandbox{record['index']}").exists():
            left.append("interface")
        if (self.state / name).exists():
            left.append("folder")
        left += [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/healtharchive-sandbox{record['index']}")]
        return left


def healthy(sandbox: Sandbox, guest: str) -> List[str]:
    """What is wrong with a guest, by the service's own checks and the system's; [] when it is well."""
    checks = {
        "systemctl is-system-running": "running",
        "systemctl is-active healtharchive-api healtharchive-worker healtharchive-storagebox-sshfs healtharchive-warc-tiering "
        "healtharchive-replay postgresql caddy docker | sort -u": "active",
        "cd /opt/healtharchive && scripts/verify_public_surface.py --api-base http://localhost "
        "--frontend-base http://localhost:8080 | grep -v '^OK ' | tail -n 1": "All checks passed.",
        "cd /opt/healtharchive && .venv/bin/python3 -B scripts/check_baseline_drift.py --no-write >/dev/null; echo $?": "0",
        "cd /opt/healtharchive && git fetch -q && git status --porcelain "
        "&& git rev-parse HEAD origin/main | sort -u | wc -l": "1",
        "sudo -u postgres psql -XAtc \"SELECT string_agg(DISTINCT status, ' ') FROM archive_jobs\" healtharchive": "indexed",
        "sudo -u postgres psql -XAtc 'SELECT count(*) >= 5 FROM archive_jobs' healtharchive": "t",
        "sudo timeout 5 stat -c %F /srv/healtharchive/jobs/imports/* /srv/healtharchive/jobs/hc/* | sort -u": "directory",
        "findmnt --list --noheadings --types fuse.sshfs --output TARGET | wc -l": "4",
        "ls /opt/healtharchive/healtharchive.db /tmp/fault* 2>/dev/null": "",
    }
    script = "\n".join(f"printf '%s\\0' \"$({command})\"" for command in checks)
    done = sandbox.run("ssh", guest, "--", "cd /; " + script)
    answers = done.stdout.split("\0")
    assert len(answers) == len(checks) + 1, done.stdout + done.stderr
    return [
        f"{command}: {answer!r} instead of {wanted!r}"
        for (command, wanted), answer in zip(checks.items(), answers)
        if answer.strip() != wanted
    ]
