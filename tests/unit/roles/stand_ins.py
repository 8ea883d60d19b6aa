# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This collection, of which some modules answer as a test wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

CHECKOUT = Path(__file__).resolve().parents[3]


def collection(root: Path, modules: Mapping[str, str]) -> Path:
    """``root``, for ``ANSIBLE_COLLECTIONS_PATH``; ``modules``: the text of each module that is another one, by its name."""
    here = root / "ansible_collections" / "healtharchive" / "remediation"
    (here / "plugins" / "modules").mkdir(parents=True)
    for entry in ("galaxy.yml", "meta", "roles", "playbooks"):
        (here / entry).symlink_to(CHECKOUT / entry)
    for entry in (CHECKOUT / "plugins").iterdir():
        if entry.name != "modules":
            (here / "plugins" / entry.name).symlink_to(entry)
    for module in (CHECKOUT / "plugins" / "modules").glob("*.py"):
        if module.stem not in modules:
            (here / "plugins" / "modules" / module.name).symlink_to(module)
    for name, text in modules.items():
        (here / "plugins" / "modules" / name).with_suffix(".py").write_text(text)
    return root
