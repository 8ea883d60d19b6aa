# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program for a host's standard input: whole, small, and it leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.healtharchive.remediation.plugins.module_utils.options import ARGUMENT_SPEC
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import payload

PARAMETERS = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}


def run(program: bytes, directory: Path) -> "subprocess.CompletedProcess[bytes]":
    argv = [sys.executable, "-I", "-S", "-B", "-"]
    environment = {"TMPDIR": str(directory), "HOME": str(directory)}
    return subprocess.run(
        argv, input=program, cwd=directory, env=environment, capture_output=True, timeout=60, check=False
    )


def answer(done: "subprocess.CompletedProcess[bytes]") -> Any:
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def test_it_answers_what_the_module_would(tmp_path: Path) -> None:
    found = answer(run(payload.program("answer", {**PARAMETERS, "deadline": 5}), tmp_path))
    assert found["failed"] is True
    assert found["code"] == "out_of_range"
    assert found["msg"].startswith("deadline must be from 10 to 600 seconds, not 5.")
    awkward = "'\"\\\n{{ x }}\u2028\ud800"
    assert (
        "absolute path" in answer(run(payload.program("answer", {**PARAMETERS, "checkout": awkward}), tmp_path))["msg"]
    )


def test_it_needs_no_file_on_the_host(tmp_path: Path) -> None:
    directory = tmp_path / "empty"
    directory.mkdir()
    answer(run(payload.program("answer", {**PARAMETERS, "deadline": 5}), directory))
    assert list(directory.iterdir()) == []


def test_every_module_of_it_can_be_imported(tmp_path: Path) -> None:
    """Of ours and of Ansible's library, which is not sent, nothing else is needed."""
    program = payload.program("answer", PARAMETERS)
    texts = payload._needed("healtharchive_remediation.answer")
    assert len(texts) > 30
    front = program[: program.rindex(b"\n\nmain(")]
    check = "\n\nsys.meta_path.insert(0, Finder(%r))\nfor name in %r:\n    importlib.import_module(name)\nprint('{}')\n"
    assert answer(run(front + (check % (texts, sorted(texts))).encode(), tmp_path)) == {}


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    front, _call, call = payload.program("answer", PARAMETERS).rpartition(b"\n\nmain(")
    found = answer(run(front + b"\n\nsys.version_info = (3, 8, 1)\nmain(" + call, tmp_path))
    assert found == {"failed": True, "msg": "The interpreter %s is Python 3.8." % sys.executable}


def test_it_is_small() -> None:
    """Over a link that begins slowly every 15 kB cost a round trip."""
    assert len(payload.program("answer", PARAMETERS)) < 112 * 1024
