# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""check-env, check-db, seed-sources."""

from __future__ import annotations

import argparse
import os

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from healtharchive import sources
from healtharchive.cli.common import Commands, add, heading
from healtharchive.database import engine, masked_url, session_scope
from healtharchive.settings import settings


def register(commands: Commands) -> None:
    """Add the sub-commands."""
    add(commands, "check-env", check_env, "Show the environment and test the archive root.")
    add(commands, "check-db", check_db, "Connect to the database.")
    add(commands, "seed-sources", seed_sources, "Add the sources that are missing.")


def check_env(_arguments: argparse.Namespace) -> int:
    """Creates the archive root and writes a probe file; errors go to standard output."""
    root = settings().archive_root
    print(heading("Environment Check"))
    print(f"Environment:  {settings().environment}")
    print(f"Archive root: {root}")
    probe = root / f".healtharchive_write_test_{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        print(f"ERROR: Archive root is not writable: {error}")
        return 1
    print("Archive root is writable.")
    return 0


def check_db(_arguments: argparse.Namespace) -> int:
    """Says OK for whatever answers, the SQLite fallback included; errors go to standard output."""
    url = masked_url()
    print(heading("Database Check"))
    print(f"Database URL: {url}")
    try:
        with engine().connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        print(f"ERROR: Database connection failed: {error}")
        return 1
    print("Database connection OK.")
    return 0


def seed_sources(_arguments: argparse.Namespace) -> int:
    """Idempotent."""
    with session_scope() as session:
        count = sources.seed(session)
    print(f"Seeded {count} source(s).")
    return 0
