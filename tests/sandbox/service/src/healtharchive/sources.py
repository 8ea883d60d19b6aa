# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three sources and their seeding."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from healtharchive.models import Source

# Code, name, seed. The seeds are documentation names: nothing is ever fetched from them.
SOURCES = (
    ("hc", "Health Canada", "https://hc.example.org/"),
    ("phac", "Public Health Agency of Canada", "https://phac.example.org/"),
    ("cihr", "Canadian Institutes of Health Research", "https://cihr.example.org/"),
)
SOURCE_CODES = tuple(code for code, _name, _seed in SOURCES)


def seed(session: Session) -> int:
    """Add the sources that are missing; returns how many were added."""
    present = set(session.scalars(select(Source.code)))
    missing = [Source(code=code, name=name, base_url=url) for code, name, url in SOURCES if code not in present]
    session.add_all(missing)
    return len(missing)
