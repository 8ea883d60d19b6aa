# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is copied from the terminal stays whole."""

from __future__ import annotations

from ansible_collections.healtharchive.remediation.plugins.plugin_utils.terminal import WIDTH, labelled


def test_a_path_stays_whole_where_it_is_asked_for():
    path = "/" + "d" * WIDTH
    assert labelled("note", path, whole_words=True) == "note      " + path
    assert "\n" in labelled("note", path)


def test_a_text_is_cut_where_it_is_said():
    text = "word " * 100
    assert labelled("next", text).endswith("…")
    assert labelled("next", text, 800).split() == ["next", *text.split()]
