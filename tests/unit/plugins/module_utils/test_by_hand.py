# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person pastes is what was meant, or is no command."""

from __future__ import annotations

import shlex

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.by_hand import ByHand, run, see


@pytest.mark.parametrize("name", ["/a", "/a b", "/{{ x }}", "/-x", "/it's", "/$(id)", "/\\040", "/\u00e9"])
def test_a_command_is_printed_as_it_is(name):
    command = "sudo umount " + shlex.quote(name)
    (step,) = ByHand("mount", "why", (run(command),)).described()["steps"]
    assert step == {"do": "run", "text": command}


@pytest.mark.parametrize("name", ["/a\nb", "/a\x1b[2J", "/a\u202eb", "/a\udcff", "/" + "a" * 4000])
def test_one_that_would_be_another_one_is_none(name):
    steps = ByHand("mount", "why", (run("sudo rm " + shlex.quote(name)), see("that"))).described()["steps"]
    assert [step["do"] for step in steps] == ["see", "see"]
    assert steps[0]["text"].startswith("The next command cannot be pasted")
    assert steps[0]["text"].isprintable()
