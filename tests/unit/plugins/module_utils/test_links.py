# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where paths lead, told without touching what they lead to."""

from __future__ import annotations

import os
import time

from ansible_collections.healtharchive.remediation.plugins.module_utils import links


def test_paths_lead_where_the_kernel_says(tmp_path):
    box = tmp_path / "mnt" / "box"
    box.mkdir(parents=True)
    (tmp_path / "absolute").symlink_to(box)
    (tmp_path / "relative").symlink_to("mnt/../mnt/./box")
    (tmp_path / "twice").symlink_to("absolute")
    (tmp_path / "above").symlink_to("mnt")
    paths = [
        str(tmp_path / name) for name in ("absolute", "relative", "twice", "above/box", "mnt//box/", "above/absent/x")
    ]
    assert links.follow(paths, 5) == {path: os.path.realpath(path) for path in paths}
    assert links.follow([str(tmp_path / "twice")], 5) == {str(tmp_path / "twice"): str(box)}
    assert links.follow(["/"], 5) == {"/": "/"}


def test_links_in_a_circle_are_not_told(tmp_path):
    (tmp_path / "here").symlink_to("there")
    (tmp_path / "there").symlink_to("here")
    circle = str(tmp_path / "here")
    assert links.follow([circle, str(tmp_path)], 5) == {circle: None, str(tmp_path): str(tmp_path)}


def test_a_path_that_hangs_costs_itself_only(tmp_path, monkeypatch):
    """SIGSTOP for the child stands for a mount on the way that never answers."""
    slow, fine = str(tmp_path / "slow"), str(tmp_path)
    stop = "def answer(path):\n    if path.endswith('/slow'): os.kill(os.getpid(), signal.SIGSTOP)\n"
    monkeypatch.setattr(links, "_SCRIPT", links._SCRIPT.replace("def answer(path):\n", stop))
    started = time.monotonic()
    assert links.follow([slow, fine], 1) == {slow: None, fine: fine}
    assert time.monotonic() - started < 5


def test_a_child_that_does_not_start_tells_nothing(monkeypatch):
    monkeypatch.setattr(links, "_SCRIPT", "raise SystemExit(1)")
    assert links.follow(["/tmp"], 1) == {"/tmp": None}


def test_names_with_any_character(tmp_path):
    path = os.fsdecode(os.fsencode(str(tmp_path)) + b"/a b\n'\"$(id)\xff")
    os.mkdir(path)
    assert links.follow([path], 5) == {path: path}
