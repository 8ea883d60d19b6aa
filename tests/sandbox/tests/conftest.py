# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: the program in a state folder of the tests' own, and a guest to look at."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from driver import Sandbox  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The program with an empty state folder; whatever a failing test leaves is taken down at the end."""
    program = Sandbox(Path(tempfile.mkdtemp(prefix="healtharchive-sandbox-tests-", dir="/var/tmp")))
    program("build")
    yield program
    program("down", "--all")
    assert not program.state.exists()


@pytest.fixture(scope="module")
def guest(sandbox: Sandbox) -> Iterator[str]:
    """A running guest that the tests of a module share."""
    sandbox("up", "shared")
    yield "shared"
    sandbox("down", "shared")
