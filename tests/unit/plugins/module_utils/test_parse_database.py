# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check-db and alembic say about the database."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import database
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / name).read_bytes()


def test_a_postgresql_that_answers() -> None:
    assert database.check_db(read("check-db-ok.txt"), b"", 0) == {
        "reachable": True,
        "backend": "postgresql",
        "failure": None,
        "detail": None,
    }


@pytest.mark.parametrize("rc", [0])
def test_ok_from_the_sqlite_fallback_says_nothing_about_the_service(rc: int) -> None:
    found = database.check_db(read("check-db-sqlite-fallback.txt"), b"", rc)
    assert (found["reachable"], found["backend"], found["failure"]) == (None, "sqlite", "sqlite_fallback")


def test_a_failure_that_the_program_reports_on_standard_output() -> None:
    found = database.check_db(read("check-db-handled-refusal.txt"), b"", 1)
    assert (found["reachable"], found["backend"], found["failure"]) == (False, "postgresql", "connection_refused")
    assert "Connection refused" in found["detail"]


FAILURES = [
    ("traceback-connection-refused.txt", "connection_refused", False),
    ("traceback-password-authentication.txt", "authentication_failed", False),
    ("traceback-no-such-table.txt", "no_such_table", False),
    ("traceback-undefined-column.txt", "undefined_column", False),
    ("traceback-url-unparsable.txt", "url_unparsable", False),
    ("traceback-missing-module.txt", "missing_module", None),
]


@pytest.mark.parametrize(("name", "failure", "reachable"), FAILURES)
def test_a_traceback_is_judged_by_its_exception_line(name: str, failure: str, reachable: Optional[bool]) -> None:
    found = database.failure_of(read(name))
    assert found["failure"] == failure
    assert found["exception"] in found["detail"]
    assert found["detail"].isprintable()
    assert "\\n" not in found["detail"]
    assert database.check_db(b"", read(name), 1)["failure"] == failure
    assert database.check_db(b"", read(name), 1)["reachable"] is reachable


def test_values_in_the_sql_text_are_no_message() -> None:
    # Its parameters hold the text of another failure.
    assert b"Connection refused" in read("traceback-undefined-column.txt")
    assert database.failure_of(read("traceback-undefined-column.txt"))["exception"] == "sqlalchemy.exc.ProgrammingError"


@pytest.mark.parametrize(
    ("stderr", "failure", "exception"),
    [
        (b"Traceback (most recent call last):\n  File\nKeyError: 'x'\n", "other", "KeyError"),
        (b"Traceback (most recent call last):\n  File\nKeyboardInterrupt\n", "other", "KeyboardInterrupt"),
        (b"ERROR: Job 9999 not found.\n", "other", None),
        (
            b'2026-11-23 15:47:14,634 [INFO] x: y\nERROR: password authentication failed for user "u"',
            "authentication_failed",
            None,
        ),
        (b"Traceback (most recent call last):\n  File\n", "other", None),
        (b"\xff\xfe", "other", None),
    ],
)
def test_other_failures(stderr: bytes, failure: str, exception: Optional[str]) -> None:
    found = database.failure_of(stderr)
    assert (found["failure"], found["exception"]) == (failure, exception)


@pytest.mark.parametrize(
    ("stdout", "stderr", "rc", "code"),
    [
        (b"", b"", 0, "empty"),
        (b"", b"", 1, "empty"),
        (b"Database connection OK.\n", b"", 0, "unparsable"),
        (b"Database URL: postgresql://h/d\n", b"", 0, "bad_evidence"),
        (b"Database URL: postgresql://h/d\nDatabase connection OK.\n", b"", 1, "bad_evidence"),
        (b"Database URL: postgresql://h/d\nDatabase connection OK.\n", b"", 2, "unparsable"),
        (b"Database URL: postgresql://h/d\nDatabase connection OK.\n", b"", 127, "unparsable"),
        (b"Database URL: postgresql://h/d\nDatabase connection OK.\n", b"", -9, "unparsable"),
        (
            b"Database URL: sqlite:///x\nDatabase URL: postgresql://h/d\nDatabase connection OK.\n",
            b"",
            0,
            "bad_evidence",
        ),
    ],
)
def test_contradictions_are_refused(stdout: bytes, stderr: bytes, rc: int, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        database.check_db(stdout, stderr, rc)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("url", "backend"),
    [
        (b"postgresql://h/d", "postgresql"),
        (b"postgresql+psycopg://u:***@h/d", "postgresql"),
        (b"sqlite:////x/postgresql", "sqlite"),
        (b"mysql://postgresql/", "other"),
        (b"postgresqlite://h/d", "other"),
        (b"", "other"),
    ],
)
def test_only_a_postgresql_url_counts(url: bytes, backend: str) -> None:
    found = database.check_db(b"Database URL: " + url + b"\nDatabase connection OK.\n", b"", 0)
    assert found["backend"] == backend
    assert found["reachable"] is (True if backend == "postgresql" else None)


def test_revisions_of_alembic() -> None:
    assert database.alembic_revisions(read("alembic-heads.txt"), 0) == ["0014_snapshot_deduplication"]
    assert database.alembic_revisions(read("alembic-current-behind.txt"), 0) == ["0013_job_storage"]
    assert database.alembic_revisions(b"a1 (head)\nb2 (branchpoint) (head)\n", 0) == ["a1", "b2"]
    assert database.alembic_revisions(b"", 0) == []


@pytest.mark.parametrize(
    ("stdout", "rc", "code"),
    [
        (b"", 1, "unparsable"),
        (b"0014_snapshot_deduplication (head)\n", 255, "unparsable"),
        (b"0014_snap", 0, "truncated"),
        (b"0014_snapshot_deduplication (he", 0, "truncated"),
        (b"INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.\n", 0, "unparsable"),
        (b"a (head)\na (head)\n", 0, "unparsable"),
    ],
)
def test_other_output_of_alembic_is_refused(stdout: bytes, rc: int, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        database.alembic_revisions(stdout, rc)
    assert caught.value.code == code
