# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths that are looked at and changed, on a real file system: what is changed is what was looked at, and no link leads away."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.baseline import files

ME = (pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name)


@pytest.fixture
def path(tmp_path: Path) -> str:
    made = tmp_path / "made"
    made.mkdir(mode=0o755)
    return str(made)


def mode(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_what_was_looked_at_gets_its_mode(path: str) -> None:
    look = files.look([path])
    seen = look.seen[path]
    assert (seen.kind, (seen.owner, seen.group), seen.mode) == ("directory", ME, 0o755)
    assert files.put(path, look.inodes[path], seen._replace(mode=0o2770)) is None
    assert mode(path) == 0o2770


def test_a_link_and_what_lies_behind_one_are_not_looked_into(path: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "made" / "inner").mkdir()
    (tmp_path / "file").write_text("x")
    asked = [str(tmp_path / name) for name in ("link", "link/inner", "none", "file/x", "file")]
    assert [files.look(asked).seen[each].kind for each in asked] == ["link", "link", "absent", "absent", "file"]


def test_what_was_exchanged_meanwhile_is_left_alone(path: str, tmp_path: Path) -> None:
    """For another directory, and for a link to what nobody planned."""
    look = files.look([path])
    os.rename(path, path + ".old")
    os.mkdir(path, 0o755)
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    for exchanged in (False, True):
        if exchanged:
            os.rmdir(path)
            os.symlink(str(victim), path)
        said = files.put(path, look.inodes[path], look.seen[path]._replace(mode=0o777))
        assert "was left alone" in str(said)
    assert (mode(path + ".old"), mode(str(victim))) == (0o755, 0o700)


def test_what_cannot_be_set_is_told(path: str) -> None:
    look = files.look([path])
    assert files.put(path, None, look.seen[path]) is not None
    assert files.put(path + "/none", look.inodes[path], look.seen[path]) is not None
