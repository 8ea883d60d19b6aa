# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output directories of jobs: not writable, on the wrong disk, or of a job that annual tiering does not know (incident I3).

Private to this collection.
"""
