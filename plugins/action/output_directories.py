# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mend output directories (documented in plugins/modules/output_directories.py)."""

from __future__ import annotations

from ansible_collections.healtharchive.remediation.plugins.plugin_utils.changing import ChangingAction


class ActionModule(ChangingAction):
    """Who asks, and whether the controller would hide an answer; the rest is the module's."""

    MODULE = "healtharchive.remediation.output_directories"
