# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make` says on a machine that lacks something, and that it touches nothing before it has said so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[3] / "tools"


class Machine:
    """A PATH of this machine's commands, some of them hidden or replaced."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.apt_calls = folder / "apt-calls"
        for command in Path("/usr/bin").iterdir():
            if not command.name.startswith("python"):
                (self.bin / command.name).symlink_to(command)
        self.has("apt-get", f'echo "$@" >>{self.apt_calls}')
        self.has("id", "echo 0")

    def has(self, name: str, script: str) -> None:
        """Put a command in place, in the shell's language."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def lacks(self, name: str) -> None:
        """Hide a command."""
        (self.bin / name).unlink(missing_ok=True)

    def run(self, tool: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Run one of the tools on this machine."""
        return subprocess.run(
            [str(TOOLS / tool), *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.bin.parent), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self) -> str:
        """What apt-get was asked for."""
        return self.apt_calls.read_text() if self.apt_calls.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with root, apt-get and a usable Python 3."""
    machine = Machine(tmp_path)
    machine.has("python3", f'exec {sys.executable} "$@"')
    return machine


def test_a_complete_machine_is_left_alone(machine: Machine) -> None:
    machine.has("shellcheck", "")
    done = machine.run("requisites", "controller", "lint")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.installed() == ""


def test_what_is_missing_is_installed(machine: Machine) -> None:
    machine.lacks("shellcheck")
    done = machine.run("requisites", "controller", "lint")
    assert done.returncode == 0, done.stderr
    assert machine.installed().splitlines() == ["update", "install -y --no-install-recommends shellcheck"]


def test_without_root_the_missing_packages_are_named(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    machine.lacks("shellcheck")
    done = machine.run("requisites", "controller", "lint")
    assert done.returncode != 0
    assert "sudo apt-get install -y --no-install-recommends shellcheck" in done.stderr
    assert machine.installed() == ""


def test_without_root_there_is_no_sandbox(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    machine.lacks("shellcheck")
    done = machine.run("requisites", "controller", "lint", "sandbox")
    assert done.returncode != 0
    assert done.stderr.startswith("This needs root")
    assert machine.installed() == ""


@pytest.mark.parametrize("tool", [("requisites", "controller", "lint"), ("venv", "make"), ("collections",), ("run", "true")])
@pytest.mark.parametrize(
    ("place", "said"),
    [
        # A folder of a file is what nobody can make, whoever runs the tests.
        ({"HOME": "/dev/null"}, "cannot be kept in /dev/null/.cache/healtharchive-remediation: /dev/null is no folder"),
        ({"XDG_CACHE_HOME": "/dev/null/x"}, "cannot be kept in /dev/null/x/healtharchive-remediation: /dev/null is no folder"),
        ({"HEALTHARCHIVE_CACHE": "/dev/null/x"}, "cannot be kept in /dev/null/x: /dev/null is no folder"),
        ({"HOME": ""}, "HOME is not set"),
    ],
)
def test_where_nothing_can_be_kept_it_is_said_what_to_do(machine: Machine, tool: tuple, place: dict, said: str) -> None:
    machine.lacks("shellcheck")
    done = machine.run(*tool, **place)
    assert done.returncode != 0
    assert said in done.stderr.splitlines()[0]
    assert "HOME=" in done.stderr.splitlines()[-1]
    assert "mkdir" not in done.stderr
    assert machine.installed() == ""


def test_looking_whether_it_can_be_kept_makes_nothing(machine: Machine, tmp_path: Path) -> None:
    machine.has("shellcheck", "")
    done = machine.run("requisites", "controller", "lint", HOME=str(tmp_path / "a" / "home"))
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "a").exists()


def test_without_apt_the_missing_packages_are_named(machine: Machine) -> None:
    machine.lacks("apt-get")
    machine.lacks("shellcheck")
    done = machine.run("requisites", "controller", "lint")
    assert done.returncode != 0
    assert done.stderr.startswith("Missing: shellcheck")
    assert "dnf install" in done.stderr


def test_a_failing_apt_is_shown(machine: Machine) -> None:
    machine.lacks("shellcheck")
    machine.has("apt-get", "echo no network; exit 100")
    done = machine.run("requisites", "controller", "lint")
    assert done.returncode != 0
    assert "no network" in done.stderr
    assert "apt-get could not install: shellcheck" in done.stderr


def test_an_unusable_python_that_was_named_is_refused_before_anything_is_installed(machine: Machine) -> None:
    machine.lacks("shellcheck")
    done = machine.run("requisites", "controller", "lint", PYTHON="/nowhere/python3")
    assert done.returncode != 0
    assert "/nowhere/python3: not found" in done.stderr
    assert machine.installed() == ""


def test_the_newest_python_that_runs_is_chosen(machine: Machine) -> None:
    machine.has("python3.13", "echo 'shim: python3.13: command not found' >&2; exit 127")
    machine.has("python3.12", f'exec {sys.executable} "$@"')
    machine.has("python3.11", "echo never asked; exit 1")
    done = machine.run("python")
    assert (done.returncode, done.stdout) == (0, f"{sys.executable}\n")


def test_a_shim_does_not_hide_the_python_behind_it(machine: Machine, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        shim = shims / name
        shim.write_text("#!/bin/sh\nexit 127\n")
        shim.chmod(0o755)
    done = machine.run("python", PATH=f"{shims}:{machine.bin}")
    assert (done.returncode, done.stdout) == (0, f"{sys.executable}\n")


def test_an_old_python_is_not_mended_by_packages(machine: Machine) -> None:
    machine.has("python3", "echo 'version 3.9 is not supported' >&2; exit 1")
    done = machine.run("requisites", "controller", "lint")
    assert done.returncode != 0
    assert done.stderr.startswith("No usable Python")
    assert machine.installed() == ""


def test_a_missing_python_is_installed(machine: Machine) -> None:
    machine.lacks("python3")
    machine.has(
        "apt-get",
        f"""
        echo "$@" >>{machine.apt_calls}
        printf '#!/bin/sh\\nexec {sys.executable} "$@"\\n' >{machine.bin}/python3; chmod +x {machine.bin}/python3""",
    )
    done = machine.run("requisites", "controller")
    assert done.returncode == 0, done.stderr
    assert machine.installed().splitlines()[-1] == "install -y --no-install-recommends python3 python3-venv"


def test_no_usable_python_is_explained(machine: Machine) -> None:
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        machine.has(name, f"echo '{name} is only a shim' >&2; exit 127")
    done = machine.run("python")
    assert done.returncode != 0
    assert done.stderr.startswith("No usable Python: 3.11, 3.12 or 3.13")
    assert f"{machine.bin}/python3.12: python3.12 is only a shim" in done.stderr
    assert "apt-get install python3-venv" in done.stderr


def test_a_python_without_ensurepip_is_not_usable(machine: Machine) -> None:
    machine.lacks("python3")
    lacking = "import sys; sys.modules['ensurepip'] = None"
    machine.has("python3.11", f'shift; {{ echo "{lacking}"; cat; }} | exec {sys.executable} -I -')
    done = machine.run("python")
    assert done.returncode != 0
    assert "python3.11: it has no module ensurepip" in done.stderr
