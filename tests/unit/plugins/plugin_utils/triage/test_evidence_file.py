# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence from a file: the document, or one line that says why not; never a wait, never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage import evidence_file
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    healthy_evidence,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_what_triage_wrote_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(healthy_evidence()))
    assert evidence_file.read(str(path)) == healthy_evidence()


BAD = {
    "it is not UTF-8": b"\xff\xfe{}",
    "it is not JSON (line 1, column 1)": b"",
    "it is not JSON (line 2, column 1)": b"{\n",
    "it holds NaN, which is no number": b'{"a": NaN}',
    "it holds 1e999, which is no number": b'{"a": 1e999}',
    "evidence: must be a mapping, not list": b"[]",
    "schema_version must be 1, not None": b"{}",
    "schema_version must be 1, not 2": b'{"schema_version": 2}',
    "probes must be a mapping": b'{"schema_version": 1, "probes": []}',
    "it nests too deeply": b"[" * 100 + b"]" * 100,
    "it nests  too deeply": b"[" * 100000,
    "it is larger than": b" " * (evidence_file.LIMIT_BYTES + 1),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_content_is_one_line(tmp_path: Path, message: str) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(BAD[message])
    with pytest.raises(evidence_file.BadFile) as raised:
        evidence_file.read(str(path))
    assert message.replace("  ", " ") in str(raised.value)
    assert str(path) in str(raised.value)
    assert str(raised.value).isprintable()


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "it is not a file"),
        (Path("/dev/zero"), "it is not a file"),
        (Path("a\x00b"), "cannot be used"),
    ):
        with pytest.raises(evidence_file.BadFile, match=words):
            evidence_file.read(str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary())
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(content)
    with pytest.raises(evidence_file.BadFile) as raised:
        evidence_file.read(str(path))
    assert str(raised.value).isprintable()
