# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said before a plan, to a person, and when nothing is left."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.respond.decide import Decision
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.respond.summary import render

NAME = "2026-11-23-api-down"
SHA = "ab" * 20
EMPTY = Decision("verify", None, "", "", None, [], None, {"why": "", "command": None}, [], [], 0)
STEP = {"why": "Look at it.", "command": "systemctl status caddy.service"}


def command(playbook: str, *variables: str) -> str:
    return " ".join(["play", playbook, *(shlex.quote(each) for each in variables)])


def shown(approval: str = "", **said: Any) -> str:
    return render("archive", EMPTY._replace(**said), NAME, approval, command)


def test_a_deploy_names_its_commit_and_leaves_the_command_to_the_plan():
    text = shown(
        do="deploy_pinned_ref", rule="dependency_missing", summary="A package is missing.", why="Deploy.", commit=SHA
    )
    assert "=== archive: respond: deploy_pinned_ref ===" in text
    assert SHA in text
    assert "play " not in text


def test_a_person_gets_the_one_command_and_how_to_go_on():
    text = shown(do="person", rule="proxy_stopped", summary="The proxy is down.", guide="the guide", look=STEP)
    lines = text.splitlines()
    assert lines[lines.index("On the host, by ssh, as the operator:") + 1].strip() == STEP["command"]
    assert lines[lines.index("Then, to go on:") + 1].strip() == "play respond incident=%s" % NAME
    assert "guide     the guide" in lines


def test_what_else_was_found_is_told():
    others = [{"rule": "rule_%d" % number, "summary": "Fault %d." % number, "why": ""} for number in range(8)]
    text = shown(do="recover_services", persons=others, waiting=others[:1])
    assert "needs you Fault 0. (rule_0)" in text
    assert "and 2 more, which triage names above" in text
    assert "may wait  Fault 0. (rule_0)" in text


@pytest.mark.parametrize(
    ("do", "told"), [("recover_stale_jobs", True), ("person", True), ("deploy_pinned_ref", False), ("verify", False)]
)
def test_commits_that_are_not_deployed_come_before_a_recovery(do, told):
    text = shown(do=do, undeployed=2)
    assert ("2 commits on origin/main are not deployed" in text) is told
    assert ("play deploy_pinned_ref incident=%s deploy_ref=COMMIT" % NAME in text) is told


@pytest.mark.parametrize(("do", "told"), [("verify", True), ("person", True), ("recover_services", False)])
def test_an_approval_of_which_nothing_came_is_told(do, told):
    assert ("0a1b2c3d4e5f approves nothing of this" in shown("0a1b2c3d4e5f", do=do)) is told


def test_what_the_host_says_is_printable():
    text = shown(
        do="person", rule="x", summary="a\x1b[31m\u202eb\nc", why="d\x07", look={"why": "e\x00", "command": "f\ng"}
    )
    assert all(sign.isprintable() or sign == "\n" for sign in text)
