# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident note, a view of the audit log: text in, text out. Nothing here reads a file or asks a clock.

What the host says and what people type is data: it is escaped wherever it is shown. Private to this collection.
"""
