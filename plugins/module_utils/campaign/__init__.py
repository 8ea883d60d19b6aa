# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Annual jobs that are not told what the deployed code wants them to be told, or have lost their campaign's metadata.

Private to this collection.
"""
