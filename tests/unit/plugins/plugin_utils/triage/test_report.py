# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files on the controller: whole, private, and below the directory that was asked for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import report
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    healthy_evidence,
    judge,
)
from hypothesis import given
from hypothesis import strategies as st

CONTENTS = {"evidence.json": "{}\n", "triage.md": "\u2713 \u00e9\n"}
MOMENT = "2026-11-23T17:50:00Z"


def test_the_files(tmp_path: Path) -> None:
    contents = report.files("archive", healthy_evidence(), judge(healthy_evidence()))
    directory = Path(report.write(str(tmp_path / "new"), "archive.example.org", MOMENT, contents))
    assert directory == tmp_path / "new" / "archive.example.org" / "20261123T175000Z"
    assert sorted(entry.name for entry in directory.iterdir()) == [
        "evidence.json",
        "result.json",
        "triage.html",
        "triage.md",
    ]
    assert json.loads((directory / "evidence.json").read_text()) == healthy_evidence()
    assert json.loads((directory / "result.json").read_text()) == judge(healthy_evidence())
    assert {entry.stat().st_mode & 0o777 for entry in directory.iterdir()} == {0o600}
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_run_never_overwrites_another(tmp_path: Path) -> None:
    names = [os.path.basename(report.write(str(tmp_path), "a", MOMENT, CONTENTS)) for _number in range(3)]
    assert names == ["20261123T175000Z", "20261123T175000Z-2", "20261123T175000Z-3"]


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        report.write(str(tmp_path), "a", MOMENT, CONTENTS)
    assert [name for _directory, _directories, files in os.walk(tmp_path) for name in files] == []


@pytest.mark.parametrize("moment", [None, 3, "", "now", "../../x", "2026-11-23T17:50:00Z/../..", "2026-11-23"])
def test_a_moment_that_is_none_becomes_the_controller_s(tmp_path: Path, moment: Any) -> None:
    directory = Path(report.write(str(tmp_path), "a", moment, CONTENTS))
    assert directory.parent == tmp_path / "a"
    assert len(directory.name) == len("20261123T175000Z")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("archive", "archive"),
        ("a/b", "a_b"),
        ("..", "_.."),
        (".", "_."),
        ("", "_"),
        ("../../etc", ".._.._etc"),
        ("a\nb\x00", "a_b_"),
    ],
)
def test_a_host_is_one_directory(tmp_path: Path, host: str, name: str) -> None:
    assert Path(report.write(str(tmp_path), host, MOMENT, CONTENTS)).parent == tmp_path / name


@given(st.text())
def test_no_host_name_leads_elsewhere(host: str) -> None:
    name = report.directory_name(host)
    assert name == os.path.basename(name)
    assert name not in ("", ".", "..")
    assert len(name.encode()) <= 201
