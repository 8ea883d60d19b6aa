# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident of a play that has opened it."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.named import opened

NAME = "2026-11-23-api-down"


class Marked(str):
    """As Ansible marks texts."""


def test_what_the_play_has_opened_is_meant():
    found = opened({"incident_recorded": {"incident": {"id": Marked(NAME)}}})
    assert found == NAME
    assert not isinstance(found, Marked)


@pytest.mark.parametrize(
    "recorded", [None, {}, {"failed": True}, {"incident": None}, {"incident": {"id": "../x"}}, {"incident": {"id": 7}}, "text"]
)
def test_nothing_else_is(recorded):
    assert opened({"incident_recorded": recorded}) is None
    assert opened({}) is None
