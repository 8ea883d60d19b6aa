# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of jobs, found by their names."""

from __future__ import annotations

import time

from ansible_collections.healtharchive.remediation.plugins.module_utils import job_directories


def test_the_newest_come_first_and_nothing_else_comes(tmp_path):
    for name in (
        "hc/20250101T000502Z__hc-20250101",
        "phac/20260101T000502Z__phac-20260101",
        "hc/20240101T000000Z__old",
    ):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "imports" / "hc-2019").mkdir(parents=True)
    (tmp_path / "file").touch()
    root = str(tmp_path)
    newest = [root + "/phac/20260101T000502Z__phac-20260101", root + "/hc/20250101T000502Z__hc-20250101"]
    assert job_directories.newest(root, 2, 5) == newest
    assert len(job_directories.newest(root, 9, 5)) == 3


def test_a_root_that_is_not_there_or_hangs_is_not_known(tmp_path, monkeypatch):
    assert job_directories.newest(str(tmp_path / "absent"), 9, 5) is None
    stop = "def answer(question):\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
    script = job_directories._SCRIPT.replace("def answer(question):\n", stop)
    monkeypatch.setattr(job_directories, "_SCRIPT", script)
    started = time.monotonic()
    assert job_directories.newest(str(tmp_path), 9, 1) is None
    assert time.monotonic() - started < 5


def test_whose_they_are_is_in_their_names():
    annual, plain = "/root/hc/20250101T000502Z__hc-20250101", "/root/hc/20250101T000502Z__a__b"
    assert job_directories.source_and_name(plain) == ("hc", "a__b")
    assert (job_directories.is_annual(annual), job_directories.is_annual(plain)) == (True, False)
    assert job_directories.is_annual("/root/phac/20250101T000502Z__hc-20250101") is False
