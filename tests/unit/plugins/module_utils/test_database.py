# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database probe: three commands, and what counts of each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, probe
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import database

URL = b"Database URL: postgresql+psycopg://healtharchive:***@127.0.0.1:5432/healtharchive\n"
WELL = (0, URL + b"Database connection OK.\n", b"")
DOWN = (1, URL + b"ERROR: Database connection failed: connection refused: Connection refused\n", b"")
OLD, NEW = b"0013_job_storage\n", b"0014_snapshot_deduplication (head)\n"
TRACEBACK = (1, b"", b"Traceback (most recent call last):\nModuleNotFoundError: No module named 'alembic'\n")


def look(check_db: Any, current: Any, heads: Any) -> Any:
    """The probe's finding; each command is (exit code, standard output, standard error), or a failure."""

    def result(outcome: Any) -> host.Result:
        if isinstance(outcome, str):
            return host.Result((), host.NO_EXIT_CODE, b"", b"", 20.0, outcome)
        return host.Result((), *outcome, 1.0, None)

    def run(programs: Any, _seconds: float) -> Any:
        assert [program[-1] for program in programs] == ["check-db", "current", "heads"]
        return [result(outcome) for outcome in (check_db, current, heads)]

    settings = SimpleNamespace(cli="/cli", python="/python3")
    context: Any = SimpleNamespace(
        settings=settings, database_problem=lambda: None, run_service_programs=run, turn=probe.Turn()
    )
    return database.probe(context)


@pytest.mark.parametrize(
    ("current", "heads", "at_head"),
    [(NEW, NEW, True), (OLD, NEW, False), (b"", NEW, False), (NEW, NEW + b"0015_other (head)\n", False)],
)
def test_at_head(current: bytes, heads: bytes, at_head: bool) -> None:
    finding = look(WELL, (0, current, b""), (0, heads, b""))
    assert finding.status == "ok"
    assert finding.data["schema"]["at_head"] is at_head


@pytest.mark.parametrize(("current", "heads"), [("timed_out", (0, NEW, b"")), ((0, NEW, b""), TRACEBACK)])
def test_what_one_of_them_did_not_say_is_not_known(current: Any, heads: Any) -> None:
    finding = look(WELL, current, heads)
    assert finding.status == "partial"
    assert finding.data["reachable"] is True
    assert finding.data["schema"]["at_head"] is None
    assert len(finding.problems) == 1


@pytest.mark.parametrize("check_db", [DOWN, (0, b"Database URL: sqlite:////x.db\nDatabase connection OK.\n", b"")])
def test_without_the_database_alembic_is_not_believed(check_db: Any) -> None:
    finding = look(check_db, (0, NEW, b""), (0, NEW, b""))
    assert finding.data["reachable"] is not True
    assert finding.data["schema"] == {"current": None, "heads": None, "at_head": None}
    assert finding.problems == []


@pytest.mark.parametrize(
    ("check_db", "code"), [("timed_out", "timed_out"), ("output_truncated", "output_truncated"), ((3, b"", b""), None)]
)
def test_without_an_end_of_check_db_nothing_is_known(check_db: Any, code: Optional[str]) -> None:
    finding = look(check_db, (0, NEW, b""), (0, NEW, b""))
    assert finding.status == "unknown"
    assert [problem.code for problem in finding.problems] == [code or "unparsable"]
