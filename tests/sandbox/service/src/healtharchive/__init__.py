# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in HealthArchive, written from the interface contract alone, for the sandbox host."""

from __future__ import annotations
