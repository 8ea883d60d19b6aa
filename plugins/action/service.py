# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring back services (documented in plugins/modules/service.py)."""

from __future__ import annotations

from ansible_collections.healtharchive.remediation.plugins.plugin_utils.changing import ChangingAction


class ActionModule(ChangingAction):
    """Says who asks, and refuses settings that would hide the answer."""

    MODULE = "healtharchive.remediation.service"
