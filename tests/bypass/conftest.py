# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox host for all attempts of a session, put back between two of them."""

from __future__ import annotations

import os
import subprocess

import pytest
from end_to_end.conftest import SANDBOX, Host

from .attempts import Attempts
from .host import Target
from .runs import Controller, without_courtesy

GUEST = "bypass-%d" % os.getpid()


def _target(name):
    subprocess.run([str(SANDBOX), "up", name], stdin=subprocess.DEVNULL, check=True, timeout=900)
    try:
        yield Target(Host(name))
    finally:
        subprocess.run([str(SANDBOX), "down", name], stdin=subprocess.DEVNULL, check=True, timeout=120)


@pytest.fixture(scope="session")
def target():
    """The host that nothing may be done to."""
    yield from _target(GUEST)


@pytest.fixture(scope="session")
def second_target():
    """Another one, for the few that want two."""
    yield from _target(GUEST + "-2")


@pytest.fixture(scope="session")
def bare_collections(tmp_path_factory):
    """Where the copy is that does not look at the controller."""
    return without_courtesy(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="session")
def attempts(target, bare_collections, tmp_path_factory):
    """What attempts are made with."""
    as_shipped = Controller(tmp_path_factory.mktemp("shipped"), [GUEST], os.environ["ANSIBLE_COLLECTIONS_PATH"])
    made = Attempts(target, as_shipped, Controller(tmp_path_factory.mktemp("bare"), [GUEST], bare_collections))
    yield made
    made.close()


@pytest.fixture(scope="session")
def another(target, second_target, bare_collections, tmp_path_factory):
    """The same on the second host, by a controller that knows both."""
    both = Controller(tmp_path_factory.mktemp("both"), [GUEST, GUEST + "-2"], bare_collections)
    made = Attempts(second_target, both, both)
    yield made
    made.close()
