# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks are asked for without leaving a trace."""

from __future__ import annotations

import fcntl
import os
import pwd
import subprocess

from ansible_collections.healtharchive.remediation.plugins.module_utils import locks


def test_a_lock_that_somebody_holds(tmp_path):
    path = tmp_path / "job-1.lock"
    with open(path, "w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert locks.state(str(path)) == "held"
    assert locks.state(str(path)) == "free"


def test_asking_does_not_create_the_file(tmp_path):
    assert locks.state(str(tmp_path / "job-1.lock")) == "absent"
    assert list(tmp_path.iterdir()) == []


def test_asking_changes_nothing_of_the_file(tmp_path):
    path = tmp_path / "job-1.lock"
    path.write_text("pid=1")
    before = os.stat(path)
    locks.state(str(path))
    after = os.stat(path)
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_size) == (
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_size,
    )


def test_asking_does_not_disturb_another_reader(tmp_path):
    path = tmp_path / "job-1.lock"
    path.touch()
    with open(path) as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        assert locks.state(str(path)) == "free"


def test_what_is_no_lock_file_is_unknown_never_free(tmp_path):
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert locks.state(str(tmp_path / "link")) == "unknown"
    assert locks.state(str(tmp_path / "real" / "job-1.lock")) == "unknown"
    os.mkfifo(tmp_path / "pipe")
    assert locks.state(str(tmp_path / "pipe")) == "unknown"
    assert locks.state(str(tmp_path)) == "unknown"


def test_who_holds_a_lock(tmp_path):
    """The process that took it may be gone, as with flock(1) in a script: whoever has what it opened holds it."""
    path = str(tmp_path / "deploy.lock")
    script = 'exec 9>"$1"; flock -n 9; echo locked; read _line'
    process = subprocess.Popen(["bash", "-c", script, "-", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"locked\n"
        assert locks.holders(path) == ("bash (process %d of %s)" % (process.pid, pwd.getpwuid(os.getuid()).pw_name),)
    finally:
        process.kill()
        process.wait()
    assert locks.holders(path) == ()


def test_who_only_reads_a_file_does_not_hold_it(tmp_path):
    path = tmp_path / "deploy.lock"
    path.touch()
    with open(path) as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        assert not locks.is_locked(str(os.getpid()), str(reader.fileno()))
        fcntl.flock(reader, fcntl.LOCK_EX)
        with open(path) as other:
            assert locks.is_locked(str(os.getpid()), str(reader.fileno()))
            assert not locks.is_locked(str(os.getpid()), str(other.fileno()))
