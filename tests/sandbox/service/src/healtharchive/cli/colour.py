# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ANSI colours, always on: into pipes and files too (contract 2.1)."""

from __future__ import annotations


def _paint(code: int, text: object) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def red(text: object) -> str:
    """Something is wrong."""
    return _paint(31, text)


def green(text: object) -> str:
    """Something is fine."""
    return _paint(32, text)


def yellow(text: object) -> str:
    """Something deserves a look."""
    return _paint(33, text)


def cyan(text: object) -> str:
    """Something is going on."""
    return _paint(36, text)
