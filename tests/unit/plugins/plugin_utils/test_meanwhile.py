# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in a thread: done once, its result or its error handed over."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.meanwhile import Meanwhile


def test_it_is_done_once_and_elsewhere() -> None:
    done: list[int] = []

    def work() -> str:
        done.append(threading.get_ident())
        return "result"

    meanwhile = Meanwhile(work)
    assert done == []
    meanwhile.start()
    meanwhile.start()
    assert meanwhile.result() == meanwhile.result() == "result"
    assert len(done) == 1
    assert done[0] != threading.get_ident()


def test_it_begins_at_the_latest_when_its_result_is_wanted() -> None:
    assert Meanwhile(lambda: 3).result() == 3


def test_an_error_is_raised_where_the_result_is_wanted() -> None:
    def work() -> None:
        raise ValueError("no")

    meanwhile = Meanwhile(work)
    meanwhile.start()
    with pytest.raises(ValueError, match="^no$"):
        meanwhile.result()
