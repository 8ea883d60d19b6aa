# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused on the controller before a host is asked, and what is said where the module said nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleError
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import changing
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import Refused


def task(**settings: Any) -> SimpleNamespace:
    plain = {"ignore_errors": False, "ignore_unreachable": False, "failed_when": []}
    return SimpleNamespace(**{**plain, **settings})


@pytest.mark.parametrize(
    "arguments", [{}, {"tags": ("recover",), "skip_tags": (), "step": False, "start_at_task": None}]
)
@pytest.mark.parametrize("approved", [True, False])
def test_plain_settings(arguments, approved):
    changing.check_settings(task(), arguments, approved)


@pytest.mark.parametrize("settings", [{"ignore_errors": True}, {"ignore_unreachable": True}, {"failed_when": [False]}])
@pytest.mark.parametrize("approved", [True, False])
def test_what_would_hide_a_refusal(settings, approved):
    with pytest.raises(Refused) as refused:
        changing.check_settings(task(**settings), {}, approved)
    assert refused.value.code == "unsafe_setting"
    assert next(iter(settings)) in str(refused.value)


@pytest.mark.parametrize("arguments", [{"start_at_task": "x"}, {"step": True}, {"skip_tags": ("always",)}])
def test_what_may_have_left_something_out(arguments):
    """Of what is approved only: a plan needs nothing that came before it."""
    changing.check_settings(task(), arguments, False)
    with pytest.raises(Refused) as refused:
        changing.check_settings(task(), arguments, True)
    assert refused.value.code == "unsafe_setting"


def no_such_setting(name: str) -> Any:
    raise AnsibleError("Requested entry (%s) was not defined in configuration." % name)


@pytest.mark.parametrize(
    ("ask", "refused"),
    [
        (lambda name: (True, "env: ANSIBLE_ALLOW_BROKEN_CONDITIONALS"), True),
        (lambda name: (True, "/etc/ansible/ansible.cfg"), True),
        (lambda name: (False, "default"), False),
        # ansible-core 2.16, which knows no other way; and 2.17, which has no such setting.
        (lambda name: (True, "default"), False),
        (no_such_setting, False),
    ],
)
def test_conditions_that_are_none(monkeypatch, ask, refused):
    monkeypatch.setattr(constants.config, "get_config_value_and_origin", ask)
    if not refused:
        changing.check_settings(task(), {}, True)
        return
    with pytest.raises(Refused, match="ALLOW_BROKEN_CONDITIONALS"):
        changing.check_settings(task(), {}, False)


CRASHED = {"failed": True, "msg": "MODULE FAILURE", "rc": 137, "module_stdout": "", "module_stderr": "Killed"}


@pytest.mark.parametrize(
    ("result", "approved", "outcome", "code"),
    [
        ({"unreachable": True, "msg": "Timed out"}, True, "unknown", "link_broke"),
        ({"unreachable": True, "msg": "Timed out"}, False, "refused", "host_not_reached"),
        (CRASHED, True, "unknown", "module_failed"),
        (CRASHED, False, "refused", "module_failed"),
        ({"failed": True, "msg": "x", "exception": "Traceback"}, True, "unknown", "module_failed"),
        ({"failed": True, "msg": "missing required arguments: job_id"}, True, "refused", "bad_input"),
        ({"failed": True, "outcome": "refused", "code": "parked", "changed": False}, True, "refused", "parked"),
        ({"outcome": "applied", "changed": True, "failed": False}, True, "applied", None),
    ],
)
def test_every_result_has_an_outcome(result, approved, outcome, code):
    told = changing.told(result, approved)
    assert (told["outcome"], told.get("code")) == (outcome, code)
    assert bool(told.get("failed")) is (outcome != "applied")
    # What may have been done counts as done.
    assert told["changed"] is (outcome in ("unknown", "applied"))
    # A rescue and an always must see it: an unreachable host runs neither.
    assert "unreachable" not in told
