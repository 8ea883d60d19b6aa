# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installer of units would overwrite, its drop-in of the worker included."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.baseline import decide, survey

DROP_IN = "healtharchive-worker.service.d/override.conf"


@pytest.fixture
def templates(tmp_path: Any, monkeypatch: Any) -> Any:
    """By what the host has: what is found of it."""
    below = tmp_path / "checkout" / "docs/deployment/systemd"
    (below / "healtharchive-worker.service.d").mkdir(parents=True)
    (below / "a.service").write_text("a")
    (below / "b.timer").write_text("b")
    (below / "README").write_text("no unit")
    (below / "healtharchive-worker.service.d" / "override.conf").write_text("Nice=10")
    units = tmp_path / "units"
    (units / "healtharchive-worker.service.d").mkdir(parents=True)
    monkeypatch.setattr(decide, "UNIT_DIRECTORY", str(units) + "/")
    context: Any = SimpleNamespace(settings=SimpleNamespace(checkout=str(tmp_path / "checkout")))

    def found() -> Dict[str, Optional[bool]]:
        return survey._templates(context)

    found.units, found.below = units, below  # type: ignore[attr-defined]
    return found


def test_what_is_missing_the_same_or_another(templates):
    assert templates() == {"a.service": None, "b.timer": None}
    (templates.units / "a.service").write_text("a")
    (templates.units / "b.timer").write_text("changed by hand")
    assert templates() == {"a.service": True, "b.timer": False}


@pytest.mark.parametrize(("content", "same"), [("Nice=10", True), ("Nice=10\nMemoryMax=2G", False)])
def test_a_drop_in_of_the_worker_that_somebody_changed_is_not_overwritten(templates, content, same):
    (templates.units / DROP_IN).write_text(content)
    assert templates()[DROP_IN] is same
    # Under whatever name its template lies.
    (templates.below / "healtharchive-worker.service.d" / "override.conf").rename(templates.below / "worker-override")
    assert templates()[DROP_IN] is same


def test_a_checkout_without_templates_says_nothing(templates, tmp_path):
    (templates.units / DROP_IN).write_text("x")
    context: Any = SimpleNamespace(settings=SimpleNamespace(checkout=str(tmp_path / "nowhere")))
    assert survey._templates(context) == {}
