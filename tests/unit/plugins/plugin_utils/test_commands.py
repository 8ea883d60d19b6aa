# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command to paste: as this run was started, and one line whatever is in it."""

from __future__ import annotations

import shlex
import sys

import pytest
from ansible import context
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import commands


@pytest.fixture
def started(monkeypatch):
    def start(program="ansible-playbook", **arguments):
        monkeypatch.setattr(sys, "argv", [program])
        monkeypatch.setattr(context, "CLIARGS", arguments)

    return start


def test_the_same_inventory_hosts_and_password_prompts(started):
    started("bin/ansible-playbook", inventory=("hosts.yml", "more"), subset="archive", become_ask_pass=True)
    assert commands.playbook("verify", "incident=2026-11-23-x") == (
        "bin/ansible-playbook -i hosts.yml -i more --limit archive --ask-become-pass healtharchive.remediation.verify"
        " -e incident=2026-11-23-x"
    )


def test_nothing_was_named(started):
    started("molecule", inventory=None)
    assert commands.playbook("triage") == "ansible-playbook healtharchive.remediation.triage"


def test_an_inventory_below_this_directory_is_as_it_was_typed(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    started(inventory=(str(tmp_path / "inventories" / "my hosts"), "/etc/ansible/hosts"))
    assert commands.playbook("triage").startswith("ansible-playbook -i 'inventories/my hosts' -i /etc/ansible/hosts ")


@pytest.mark.parametrize("value", ["$(touch x)", "'; touch x; '", "a b", "{{ x }}", "`x`"])
def test_a_value_is_one_word_for_a_shell(started, value):
    started(inventory=())
    assert shlex.split(commands.playbook("triage", "incident=" + value))[-1] == "incident=" + value
