# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program says when it cannot do what it is asked: one clear line, the way out, and nothing changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List

import pytest
from driver import Sandbox
from lib import cli, faults, image, layout, machine
from lib.errors import SandboxError


def said(words: List[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command that must fail says."""
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 1
    text = capsys.readouterr().err
    assert text.startswith("sandbox: ")
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("words", [["up", "x"], ["down", "x"], ["reset", "x"], ["break", "postgresql_down"]])
def test_without_root(words: List[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    text = said(words, capsys)
    assert "root" in text
    assert "sudo" in text


def test_missing_programs_are_named_with_their_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(machine.TO_RUN, "no-such-nspawn", "some-container-package")
    text = said(["up", "x"], capsys)
    assert "no-such-nspawn" in text
    assert "apt-get install some-container-package" in text


def test_a_build_needs_more_than_a_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(machine.TO_BUILD, "no-such-debootstrap", "some-package")
    monkeypatch.setattr(machine, "KEYRING", Path("/nonexistent/keyring.gpg"))
    machine.require(to_build=False)
    with pytest.raises(SandboxError) as error:
        machine.require(to_build=True)
    assert "no-such-debootstrap" in error.value.message
    assert "/nonexistent/keyring.gpg" in error.value.message
    assert "debian-archive-keyring some-package" in error.value.details[0]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["reset", "nobody"], "no guest 'nobody'"),
        (["ssh", "nobody"], "no running guest 'nobody'"),
        (["status", "nobody"], "no running guest 'nobody'"),
        (["break", "postgresql_down", "--name", "nobody"], "no running guest 'nobody'"),
        (["break", "no_such_fault", "--name", "nobody"], "no fault 'no_such_fault'"),
        (["up", "Bad Name"], "cannot be a guest's name"),
        (["up", "../escape"], "cannot be a guest's name"),
    ],
)
def test_a_wrong_name_is_said_and_changes_nothing(sandbox: Sandbox, words: List[str], answer: str) -> None:
    done = sandbox.run(*words)
    assert done.returncode == 1
    assert answer in done.stderr
    assert "Traceback" not in done.stderr
    assert not sandbox.state.exists() or not (sandbox.state / "nobody").exists()


def test_down_of_nothing_is_no_error(sandbox: Sandbox) -> None:
    done = sandbox.run("down", "nobody")
    assert done.returncode == 0
    assert "nothing to do" in done.stderr
    assert not (sandbox.state / "nobody").exists()


def test_wrong_usage_is_exit_code_2(sandbox: Sandbox) -> None:
    assert sandbox.run("brake").returncode == 2
    assert sandbox.run("break").returncode == 2


def test_a_fault_without_its_header_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nameless.sh").write_text("# cause: something\n# class: service\nbreak_it() {\n    :\n}\n")
    monkeypatch.setattr(layout, "FAULT_FILES", tmp_path)
    with pytest.raises(SandboxError, match="nameless.sh has no line '# next: "):
        faults.faults()


def test_a_failing_build_shows_the_end_of_its_log_and_leaves_no_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real layers below, and a last step that fails."""
    debian, wheels, host = image.layers()
    rootfs = tmp_path / "cache/rootfs"
    rootfs.mkdir(parents=True)
    for layer in (debian, wheels):
        (rootfs / layer.path.name).symlink_to(layer.path)
    scripts = tmp_path / "guest"
    scripts.mkdir()
    (scripts / "host.sh").write_text("#!/bin/bash -eu\necho '==> a step'\necho the reason >&2\nexit 3\n")
    (scripts / "host.sh").chmod(0o755)
    monkeypatch.setenv("HEALTHARCHIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(layout, "GUEST_FILES", scripts)
    lines: List[str] = []
    with pytest.raises(SandboxError) as error:
        image._Build(lines.append).build([debian, wheels, host])  # pylint: disable=protected-access
    assert any(line.endswith("a step") for line in lines)
    assert "the reason" in "\n".join(error.value.details)
    assert "build.log" in error.value.message
    assert sorted(path.name for path in rootfs.iterdir()) == sorted(["build.log", debian.path.name, wheels.path.name])
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
