# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recovery of storage: stale and hung hot paths, one by one (contract 1.9, 4.4, 4.5; incidents I1, I6).

Private to this collection.
"""
