# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that are marked running: which of them nothing runs, which stand still, what runs the others.

Private to this collection.
"""
