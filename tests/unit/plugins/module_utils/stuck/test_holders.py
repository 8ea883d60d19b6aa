# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a lock: real locks, held by real processes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import holders

CGROUPS = [
    ("0::/system.slice/healtharchive-worker.service\n", "healtharchive-worker.service"),
    (
        "9:name=systemd:/system.slice/a.service\n8:pids:/system.slice/b.service\n0::/system.slice/c.service\n",
        "a.service",
    ),
    ("8:pids:/x.service\n", None),
    ("0::/user.slice/user-1000.slice/session-570.scope\n", "session-570.scope"),
    ("0::/machine.slice/m.scope/payload/system.slice/w.service/sub\n", "w.service"),
    ("0::/system.slice/system-run.slice/job\\x2d12.service\n", "job\\x2d12.service"),
    ("0::/\n", None),
    ("0::/init.scope/\n", "init.scope"),
    ("garbage", None),
    ("", None),
]


@pytest.mark.parametrize(("content", "unit"), CGROUPS, ids=range(len(CGROUPS)))
def test_the_unit_of_a_process(content: str, unit: object) -> None:
    assert holders.unit_of(content) == unit


def test_who_holds_what(tmp_path: Path) -> None:
    directory = str(tmp_path)
    for name in ("job-1.lock", "job-2.lock", "job-x.lock", "other"):
        (tmp_path / name).write_text("pid=1\n")
    assert holders.held(directory) == {}
    holder = subprocess.Popen(["flock", "--no-fork", directory + "/job-2.lock", "sleep", "60"])
    looker = subprocess.Popen(["sh", "-c", "exec 9<%s/job-1.lock; exec sleep 60" % directory])
    try:
        while holders.states(directory, [2])[2] != "held":
            assert holder.poll() is None
        found = holders.held(directory)
        # Having it open is not holding it.
        assert set(found) == {2}
        assert found[2].pids == (holder.pid,)
        assert holders.states(directory, [1, 2, 3]) == {1: "free", 2: "held", 3: "absent"}
    finally:
        for process in (holder, looker):
            process.kill()
            process.wait()
    assert holders.held(directory) == {}


def test_a_lock_that_cannot_be_asked_counts_as_held_by_nobody_known(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job-7.lock")
    assert holders.held(str(tmp_path)) == {7: holders.Holder(None, ())}


def test_no_directory_no_locks(tmp_path: Path) -> None:
    assert holders.held(str(tmp_path / "none")) == {}
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        holders.held(str(tmp_path / "file"))
