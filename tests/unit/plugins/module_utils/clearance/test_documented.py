# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every code with which a clearance is refused stands in the guide."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[5]
GUIDE = (ROOT / "docs" / "clearance.md").read_text()


def codes() -> set:
    """The first argument of every Refusal and Finding."""
    found = set()
    for path in (ROOT / "plugins/module_utils/clearance").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Refusal", "Finding"):
                # A probe's finding has no code, only its problems do.
                if isinstance(node.args[0], ast.Constant) and node.args[0].value is not None:
                    found.add(node.args[0].value)
    return found


def test_every_code_is_in_the_guide():
    found = codes()
    assert len(found) > 35
    assert {code for code in found if "`%s`" % code not in GUIDE} == set()


def test_the_playbooks_that_messages_name_are_there():
    texts = [GUIDE, *(path.read_text() for path in (ROOT / "plugins/module_utils/clearance").glob("*.py"))]
    named = {name for text in texts for name in re.findall(r"playbooks? ([a-z]+_[a-z_]+)", text)}
    assert {"deploy_pinned_ref", "release_clearance"} <= named
    assert named <= {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
