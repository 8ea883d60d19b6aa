# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refusal that says in parts what to do instead: the summary makes one whole command of it, whatever the host sent."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import change_summary


def command(playbook: str, *said: str) -> str:
    return " ".join([playbook, *("-e %s" % each for each in said)])


def printed(told) -> str:
    result = {
        "outcome": "refused", "code": "deploy_is_the_fix", "detail": "A migration is pending.",
        "next_step": "The whole sentence.", "evidence": {"next": told},
    }  # fmt: skip
    return change_summary.render("archive", result, "Start of services", "recover_services", {}, False, command)


def test_a_playbook():
    given = {"incident": "2026-11-23-x", "deploy_ref": "a" * 40}
    told = {"why": "The deploy.", "playbook": "deploy_pinned_ref", "variables": given}
    text = printed(told)
    assert "deploy_pinned_ref -e incident=2026-11-23-x -e deploy_ref=%s" % ("a" * 40) in text
    assert "The whole sentence." not in text
    given = {"start_worker": True, "accept_interruption_of": [7]}
    again = {"why": "Say so.", "playbook": "recover_services", "variables": given}
    assert '-e {"start_worker": true} -e {"accept_interruption_of": [7]}' in printed(again)


def test_a_line_for_the_host():
    text = printed({"why": "See which.", "on_host": "sudo ss --listening", "playbook": "", "variables": {}})
    assert "On the host, by ssh, as the operator:\n    sudo ss --listening\n" in text


def test_what_a_person_does_is_data():
    result = {"outcome": "refused", "code": "needs_person", "detail": "No.", "next_step": "Type it."}
    entries = [
        {"subject": 8, "why": None, "steps": "none"},
        {"subject": "x", "why": "y", "steps": [{"do": "run", "text": "a\nreboot"}, {"do": "see", "text": "b\nreboot"}, "none"]},
        "none",
    ]
    told = {**result, "evidence": {"by_hand": entries}}
    text = change_summary.render("archive", told, "Start", "recover_services", {}, False, command)
    # A line break that the host sends does not make a second line of it.
    assert "\nreboot" not in text
    assert "by hand   8: None" in text
    assert "next      Type it." in text


def test_what_happened_is_not_cut_short():
    result = {"outcome": "refused", "code": "busy", "detail": "why " * 200, "next_step": "step " * 200}
    text = change_summary.render("archive", result, "Start", "recover_services", {}, False, command)
    assert (text.count("why"), text.count("step")) == (200, 200)
    assert "(busy)" in text


def test_a_sentence():
    assert "next      Wait.\n" in printed({"why": "Wait.", "on_host": "", "playbook": "", "variables": {}})


@pytest.mark.parametrize("told", [None, "text", {}, {"why": 1}, {"playbook": "triage", "variables": {}}])
def test_what_is_no_such_thing_leaves_the_sentence(told):
    assert "next      The whole sentence.\n" in printed(told)


def test_a_name_that_is_none_is_not_printed():
    assert "x; rm" not in printed({"why": "Do.", "playbook": "x; rm", "variables": {}})
    assert "x; rm" not in printed({"why": "Do.", "playbook": "triage", "variables": {"x; rm": "y"}})
