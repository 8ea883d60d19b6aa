# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sandbox guests, and the playbooks on them by ansible-runner, as AWX runs them. For drills and kill tests."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SANDBOX = ROOT / "tests" / "sandbox" / "sandbox"
