# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules share which print a summary."""

from __future__ import annotations


class ModuleDocFragment:
    """What a module is that prints, and does nothing else."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Runs in check mode, as it only prints.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  platform:
    description: Runs on the controller.
    platforms: all
    support: full
notes:
  - Runs on the controller only and prints by itself, because every result format of Ansible would quote and escape the lines.
  - Whatever people or the host said is made printable; nothing of it is evaluated.
"""
