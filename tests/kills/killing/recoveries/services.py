# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover_services: PostgreSQL is stopped, and the worker with it."""

from __future__ import annotations

from .recovery import WORKER, Recovery, faults, says

RECOVERY = Recovery(
    playbook="recover_services",
    module="service",
    broken=faults("postgresql_down"),
    again=faults("postgresql_down"),
    said=says(),
    completed=("systemctl is-active --quiet postgresql healtharchive-api", WORKER, "answers 200 /api/health"),
    moves={},
    minutes=6,
    act_seconds=90,
)
