# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/classification.md is what the rules say now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def test_the_committed_guide_is_current() -> None:
    tool = ROOT / "tools" / "classification-guide"
    written = subprocess.run([sys.executable, str(tool)], capture_output=True, text=True, check=True).stdout
    committed = (ROOT / "docs" / "classification.md").read_text()
    assert written == committed, "the rules changed: make docs"
    rules = yaml.safe_load((ROOT / "roles/triage/vars/rules.yml").read_text())["triage_rules"]
    assert all("### %s\n" % rule["id"] in committed for rule in rules)
