# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database engine and sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from healtharchive.settings import settings


def masked_url() -> str:
    """The database URL with its password hidden; an unusable URL raises ``sqlalchemy.exc.ArgumentError``."""
    return make_url(settings().database_url).render_as_string(hide_password=True)


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine of this process; connects only when used."""
    values = settings()
    return create_engine(
        values.database_url,
        pool_pre_ping=True,
        pool_size=values.pool_size,
        max_overflow=values.max_overflow,
        pool_timeout=values.pool_timeout_seconds,
    )


@contextmanager
def session_scope() -> Iterator[Session]:
    """One transaction: committed at the end, rolled back when the block raises."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session
