# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay brought back: restarted where it holds a dead view of the archive, started where it is dead, an index written anew.

Private to this collection.
"""
