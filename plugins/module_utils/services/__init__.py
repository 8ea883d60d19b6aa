# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API, worker and PostgreSQL: what keeps them from working, and whether starting them is the answer.

``ends`` finds out how a unit stopped, ``facts`` puts evidence into the words of a decision, ``decide`` decides, ``action`` acts.
Private to this collection.
"""
