# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Indexing a crawl that ended well and was never indexed: its WARC files seen and verified first, then in a unit of its own.

Private to this collection.
"""
