# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triage on a really broken host: the right class first, the right next command, and nothing found where nothing is wrong."""

from __future__ import annotations

import re
import subprocess

import pytest

from .conftest import ROOT, SANDBOX

FILES = ROOT / "tests" / "sandbox" / "faults"


def header(fault: str, key: str) -> str:
    """What the fault's file says of itself in its `# key: value` lines."""
    text = (FILES / (fault + ".sh")).read_text()
    return re.search(r"^# %s: (.+)$" % key, text, re.MULTILINE).group(1)


ALL = sorted(path.stem for path in FILES.glob("*.sh"))
# What only looks like a fault.
HARMLESS = [name for name in ALL if header(name, "class") == "none"]
FAULTS = [name for name in ALL if name not in HARMLESS]


def assert_readable(output: str) -> None:
    assert "Traceback" not in output
    assert "probe_error" not in output


def test_there_are_faults():
    assert len(FAULTS) >= 10


def assert_nothing_found(triage) -> None:
    assert triage.rc == 0
    assert_readable(triage.output)
    assert triage.result["verdict"] == "nothing_found"
    assert triage.result["classes"] == []
    assert "nothing found" in triage.output.lower()
    unsure = {name: probe["problems"] for name, probe in triage.evidence["probes"].items() if probe["status"] != "ok"}
    assert unsure == {}


def test_a_healthy_host(host, tmp_path):
    assert_nothing_found(host.triage(tmp_path))


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_like_a_fault(host, broken, tmp_path, name):
    broken(name)
    assert_nothing_found(host.triage(tmp_path))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault(host, broken, tmp_path, fault):
    broken(fault)
    triage = host.triage(tmp_path)
    assert triage.rc == 0
    assert_readable(triage.output)
    assert triage.first is not None, triage.result
    assert triage.first["class"] == header(fault, "class")
    command = triage.first["next_step"]["command"]
    assert header(fault, "next") in command
    assert command in re.sub(r"\s*\n\s*", " ", triage.output) or command in triage.output
    # The command is there to be pasted: the host's shell must be able to read it.
    assert (
        host.ssh("cat > /tmp/next-command.sh <<'EOF'\n%s\nEOF\nbash -n /tmp/next-command.sh" % command).returncode == 0
    )


def test_the_host_is_healthy_again_afterwards(host, tmp_path):
    """What the faults left in the journals and on the disk must not be taken for a present fault."""
    triage = host.triage(tmp_path)
    assert triage.result["verdict"] == "nothing_found", triage.result


def test_check_mode_tells_the_same(host, broken, tmp_path):
    broken("worker_inactive")
    triage = host.triage(tmp_path, "--check", "--diff")
    assert triage.rc == 0
    assert "service" in triage.output


def test_faults_are_listed():
    listing = subprocess.run([str(SANDBOX), "faults"], capture_output=True, text=True, check=True).stdout
    assert [fault for fault in ALL if fault not in listing] == []
