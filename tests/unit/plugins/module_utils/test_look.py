# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at paths, of which some may hang."""

from __future__ import annotations

import errno
import os
import time

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, look


def test_sees_a_directory_and_its_file_system(tmp_path):
    seen = look.look({str(tmp_path): None}, 5)[str(tmp_path)]
    disk = os.statvfs(tmp_path)
    assert (seen.hung, seen.errno, seen.is_directory) == (False, None, True)
    assert seen.size_bytes == disk.f_blocks * disk.f_frsize
    assert seen.newest is None


def test_finds_the_newest_combined_log(tmp_path):
    for name, at in (
        ("archive_a_attempt_1_x.combined.log", 1000),
        ("archive_a_attempt_2_x.combined.log", 3000),
        ("other.log", 9000),
    ):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    seen = look.look({str(tmp_path): ".combined.log"}, 5)[str(tmp_path)]
    assert (seen.matches, seen.newest) == (2, ["archive_a_attempt_2_x.combined.log", 3000])


def test_says_which_error(tmp_path):
    path = str(tmp_path / "absent")
    assert look.look({path: None}, 5)[path].errno == errno.ENOENT


def test_a_path_that_hangs_costs_itself_only(tmp_path, monkeypatch):
    """SIGSTOP for the child that looks at it stands for a mount that never answers; the sandbox has the real one."""
    slow, fine = str(tmp_path / "slow"), str(tmp_path)
    stop = "def look(path, suffix):\n    if path.endswith('/slow'): os.kill(os.getpid(), signal.SIGSTOP)\n"
    monkeypatch.setattr(look, "_SCRIPT", look._SCRIPT.replace("def look(path, suffix):\n", stop))
    started = time.monotonic()
    seen = look.look({slow: None, fine: None}, 1)
    assert seen[slow].hung
    assert seen[fine].errno is None
    assert time.monotonic() - started < 5


def test_names_with_any_character(tmp_path):
    path = str(tmp_path / "a b\n'\"$(id){{ 1 }}")
    os.mkdir(path)
    assert look.look({path: None}, 5)[path].is_directory


def test_a_child_that_does_not_start_says_nothing_of_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(look, "_SCRIPT", "raise SystemExit(1)")
    seen = look.look({str(tmp_path): None}, 1)[str(tmp_path)]
    assert (seen.asked, seen.hung, seen.is_directory) == (False, False, None)


def test_more_paths_than_one_argument_can_hold(tmp_path):
    wanted = ["/nowhere/%s/%d" % ("x" * 200, number) for number in range(1500)]
    assert {seen.errno for seen in look.look(dict.fromkeys(wanted), 10).values()} == {errno.ENOENT}


def test_one_entry_that_vanishes_does_not_hide_the_others(tmp_path):
    (tmp_path / "a.combined.log").touch()
    (tmp_path / "b.combined.log").symlink_to(tmp_path / "gone")
    seen = look.look({str(tmp_path): ".combined.log"}, 5)[str(tmp_path)]
    assert (seen.errno, seen.newest[0]) == (None, "a.combined.log")


def test_many_at_once(tmp_path):
    paths = [str(tmp_path / str(number)) for number in range(300)]
    for path in paths:
        os.mkdir(path)
    assert all(seen.is_directory for seen in look.look(dict.fromkeys(paths), 10).values())
    assert host.run(["/usr/bin/true"], 5).rc == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="asks as another account, which takes root")
def test_the_right_to_write_is_asked_as_the_account_and_writes_nothing(tmp_path):
    nobody = host.account("nobody")
    for parent in (tmp_path, *tmp_path.parents[:2]):
        os.chmod(parent, 0o755)  # pytest keeps its directories to itself
    mine, free = tmp_path / "mine", tmp_path / "free"
    mine.mkdir(mode=0o755)
    free.mkdir()
    free.chmod(0o777)
    paths = dict.fromkeys(
        [str(mine), str(free), str(mine / "absent" / "below"), str(free / "absent"), str(mine / "file")]
    )
    (mine / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    seen = {os.path.relpath(path, tmp_path): each.writable for path, each in look.look(paths, 5, nobody).items()}
    assert seen == {"mine": False, "free": True, "mine/absent/below": False, "free/absent": True, "mine/file": False}
    assert sorted(tmp_path.rglob("*")) == before


def test_the_right_to_write_is_not_told_when_nobody_asks(tmp_path):
    assert look.look({str(tmp_path): None}, 5)[str(tmp_path)].writable is None
