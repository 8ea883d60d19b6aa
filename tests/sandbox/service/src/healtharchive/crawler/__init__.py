# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in crawler: the ``archive-tool`` program and what it leaves in a job directory."""

from __future__ import annotations
