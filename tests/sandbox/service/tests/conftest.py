# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a database of its own for every test run, empty tables for every test, the real programs as processes.

Needs ``HEALTHARCHIVE_TEST_DATABASE_URL``: a PostgreSQL server and a role that may create databases.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

CHECKOUT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A new database with the schema at head."""
    variable = "HEALTHARCHIVE_TEST_DATABASE_URL"
    if variable not in os.environ:
        pytest.exit(f"{variable} is not set: these tests need a PostgreSQL server", returncode=2)
    server = make_url(os.environ[variable])
    name = f"test_{uuid.uuid4().hex}"
    url = server.set(database=name).render_as_string(hide_password=False)
    administration = create_engine(server, isolation_level="AUTOCOMMIT")
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        environment = {**os.environ, "HEALTHARCHIVE_DATABASE_URL": url}
        subprocess.run([BIN / "alembic", "upgrade", "head"], cwd=CHECKOUT, env=environment, check=True)
        yield url
    finally:
        with administration.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


class Host:
    """A service with an archive root, a lock directory and a database, driven from outside."""

    def __init__(self, root: Path, database_url: str, engine: Engine) -> None:
        self.root = root
        self.engine = engine
        self.locks = root / "locks"
        (root / "jobs").mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HEALTHARCHIVE_DATABASE_URL": database_url,
            "HEALTHARCHIVE_ARCHIVE_ROOT": str(root / "jobs"),
            "HEALTHARCHIVE_JOB_LOCK_DIR": str(self.locks),
            "HEALTHARCHIVE_SIMULATED_SECONDS": "0.1",
            "HEALTHARCHIVE_LOG_LEVEL": "ERROR",
        }

    def cli(self, *words: object, **changes: str | None) -> subprocess.CompletedProcess[str]:
        """Run the CLI; ``changes`` set variables, or take them away with ``None``."""
        environment = {**self.environment, **changes}
        return subprocess.run(
            [BIN / "healtharchive", *map(str, words)],
            env={name: value for name, value in environment.items() if value is not None},
            capture_output=True,
            text=True,
            check=False,
        )

    def sql(self, statement: str, **values: Any) -> Any:
        """Run a statement and return its first value, the second path to what a command did."""
        with self.engine.begin() as connection:
            return _first(connection, statement, values)

    def job(self, **columns: Any) -> int:
        """Insert a job; its directory is not made."""
        number = self.sql("SELECT count(*) FROM archive_jobs") + 1
        row = {
            "source_id": self.sql("SELECT id FROM sources WHERE code = 'hc'"),
            "name": f"job-{number}",
            "output_dir": str(self.root / "jobs" / f"job-{number}"),
            "config": {"seeds": ["https://hc.example.org/"]},
            **columns,
        }
        row["config"] = json.dumps(row["config"])
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        return self.sql(f"INSERT INTO archive_jobs ({names}) VALUES ({marks}) RETURNING id", **row)

    def status(self, job_id: int) -> str:
        """The job's status."""
        return self.sql("SELECT status FROM archive_jobs WHERE id = :id", id=job_id)


def _first(connection: Connection, statement: str, values: dict[str, Any]) -> Any:
    result = connection.execute(text(statement), values)
    return result.scalar() if result.returns_rows else None


@pytest.fixture
def host(tmp_path: Path, database_url: str) -> Iterator[Host]:
    """A host with the three sources and no job."""
    engine = create_engine(database_url)
    host = Host(tmp_path, database_url, engine)
    host.sql("TRUNCATE archive_jobs, snapshots, sources RESTART IDENTITY CASCADE")
    assert host.cli("seed-sources").stdout == "Seeded 3 source(s).\n"
    yield host
    engine.dispose()


@pytest.fixture
def indexed(host: Host) -> Callable[[], int]:
    """Makes a job that the worker really crawled and indexed."""

    def make() -> int:
        job_id = host.job(queued_at="2026-01-01T00:00:00Z")
        host.cli("start-worker", "--once")
        assert host.status(job_id) == "indexed"
        return job_id

    return make
