# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``healtharchive`` command (contract section 2): one module a group of sub-commands.

Each module has ``register(commands)``, which adds its sub-commands; a sub-command's function takes the parsed
arguments and returns the exit code.
"""

from __future__ import annotations
