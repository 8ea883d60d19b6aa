# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ends of files, of any size, that may not be there or may hang."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, killable, tails


def test_the_whole_of_a_short_file(tmp_path: Path) -> None:
    path = tmp_path / "a b\n'$(id).log"
    path.write_bytes(b"\x00\xffshort\n")
    assert tails.tails({str(path): 100}, 5)[str(path)] == (b"\x00\xffshort\n", True)


def test_the_end_of_a_file_of_a_gibibyte_costs_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    with path.open("wb") as log:
        log.truncate(2**30)
        log.seek(0, os.SEEK_END)
        log.write(b"the end\n")
    started = time.monotonic()
    tail = tails.tails({str(path): 2**20}, 10)[str(path)]
    assert tail is not None
    assert (len(tail.content), tail.content[-8:], tail.whole) == (2**20, b"the end\n", False)
    assert time.monotonic() - started < 5


def test_many_at_once(tmp_path: Path) -> None:
    paths = {}
    for number in range(20):
        path = tmp_path / str(number)
        path.write_bytes(b"%d" % number * 100_000)
        paths[str(path)] = 64 * 1024
    found = tails.tails(paths, 10)
    assert all(tail is not None and len(tail.content) == 64 * 1024 for tail in found.values())


def test_what_cannot_be_read_is_none_and_harms_nobody(tmp_path: Path) -> None:
    fine, pipe, link = tmp_path / "fine", tmp_path / "pipe", tmp_path / "link"
    fine.write_bytes(b"fine")
    os.mkfifo(pipe)
    link.symlink_to(fine)
    wanted = {str(path): 10 for path in (fine, pipe, link, tmp_path, tmp_path / "absent")}
    found = tails.tails(wanted, 5)
    assert {path for path, tail in found.items() if tail is not None} == {str(fine)}


def test_one_that_hangs_costs_itself_only(tmp_path: Path, monkeypatch) -> None:
    """SIGSTOP for the child that reads it stands for a mount that never answers."""
    slow, fine = tmp_path / "slow", tmp_path / "fine"
    for path in (slow, fine):
        path.write_bytes(b"x")
    stop = "def answer(question):\n    if question[0].endswith('/slow'): os.kill(os.getpid(), signal.SIGSTOP)\n"
    monkeypatch.setattr(tails, "_SCRIPT", tails._SCRIPT.replace("def answer(question):\n", stop))
    found = tails.tails({str(slow): 1, str(fine): 1}, 1)
    assert found == {str(slow): None, str(fine): (b"x", True)}


def test_output_that_was_cut_is_no_answer(monkeypatch) -> None:
    script = "def answer(question):\n    return b'x' * 10\n"
    assert killable.ask(script, [1, 2], 5, 10) == [b"x" * 10] * 2
    monkeypatch.setattr(killable, "_LENGTHS_CAP_BYTES", 0)
    with pytest.raises(killable.NotAsked, match="output_truncated"):
        killable.ask(script, [1, 2], 5, 1)


def test_nothing_asked_runs_nothing(monkeypatch) -> None:
    monkeypatch.setattr(host, "run", None)
    assert tails.tails({}, 5) == {}
