# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's command as root, with the archive read-only; and what is not believed of what it says."""

from __future__ import annotations

import contextlib
from typing import Any, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host
from ansible_collections.healtharchive.remediation.plugins.module_utils.probe import Problem
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.replays import reconcile
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import ARGUMENT_SPEC, Settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import survey

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
DRY = b"Mode:            DRY-RUN\n"
APPLY = b"Mode:            APPLY\n"
END = b"Summary: x=1\n"


class Context:
    """Answers each run with ``said``: rc, stdout, stderr, or the failure."""

    settings = SETTINGS
    variables = {"HEALTHARCHIVE_DATABASE_URL": "postgresql://x"}

    def __init__(self, *said: Any) -> None:
        self.said = list(said)
        self.ran: List[Any] = []
        self.problem: Any = None

    def database_problem(self) -> Any:
        return self.problem

    def run(self, argv: Any, seconds: float, who: Any, environment: Any, cwd: str) -> Any:
        self.ran.append((list(argv), who, environment))
        said = self.said.pop(0)
        failure = said if isinstance(said, str) else None
        rc, stdout, stderr = (host.NO_EXIT_CODE, b"", b"") if failure else said
        return host.Result(argv, rc, stdout, stderr, 1.0, failure)


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    root = SETTINGS.archive_root
    monkeypatch.setattr(survey, "where", lambda _context: survey.Place(SETTINGS.storage_mount, root, {}, True))
    monkeypatch.setattr(survey, "mounted", lambda: {root + "/imports/a": [], "/srv/other": [], "/": []})
    monkeypatch.setattr(reconcile, "_PARENT", str(tmp_path))


def test_the_dry_run_has_a_lock_of_its_own_and_leaves_nothing(tmp_path):
    context: Any = Context(
        (0, DRY + b"WOULD INDEX job_id=4 name=x warcs=1\n" + END, b"BLOCKED: job_id=6 name=y none\n")
    )
    said = reconcile.would(context, [4, 5, 6])
    assert said[4] == ""
    assert "as it should be" in said[5]
    assert "name=y none" in said[6]
    ((argv, who, environment),) = context.ran
    assert (who, "--apply" in argv) == (None, False)
    assert argv[argv.index("--lock-file") + 1].startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    # What is made read-only: the archive and what is mounted below it, and nothing else.
    assert '["%s", ["%s/imports/a"]]' % (SETTINGS.archive_root, SETTINGS.archive_root) in argv
    assert environment["HEALTHARCHIVE_DATABASE_URL"] == "postgresql://x"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ((1, b"", b"Traceback\nPermissionError: x\n"), "reconcile_unreadable"),
        ((2, b"", b"ERROR: lock is held\n"), "reconcile_unreadable"),
        ((97, b"", b"ERROR: /: not permitted\n"), "reconcile_unreadable"),
        ("timed_out", "reconcile_unreadable"),
        ((0, b"nothing that is known", b""), "reconcile_unreadable"),
        ((0, APPLY + END, b""), "reconcile_unreadable"),
        ((0, DRY + b"WOULD INDEX job_id=7 name=x warcs=1\n" + END, b""), "evidence_contradictory"),
    ],
)
def test_what_cannot_be_believed_is_a_refusal(said, code):
    context: Any = Context(said)
    with pytest.raises(Refusal) as refused:
        reconcile.would(context, [4])
    assert refused.value.code == code


def test_without_postgresql_it_is_not_asked():
    context: Any = Context()
    context.problem = Problem("bad_evidence", "no URL")
    with pytest.raises(Refusal) as refused:
        reconcile.would(context, [4])
    assert (refused.value.code, context.ran) == ("database_unproven", [])


@pytest.mark.parametrize(
    ("said", "well"),
    [
        ((0, APPLY + b"INDEXED job_id=4 name=x warcs=1\n" + END, b""), True),
        ((0, APPLY + b"FAILED job_id=4 name=x\n" + END, b""), False),
        ((0, APPLY + END, b""), False),
        ((0, APPLY + b"INDEXED job_id=5 name=x warcs=1\n" + END, b""), False),
        ((0, DRY + b"WOULD INDEX job_id=4 name=x warcs=1\n" + END, b""), False),
        ((2, b"", b"ERROR: lock is held\n"), False),
    ],
)
def test_one_index_is_written(said, well):
    context: Any = Context(said)
    with contextlib.nullcontext() if well else pytest.raises(reconcile.NotRun):
        reconcile.write(context, 4)
    assert context.ran[0][0][-7:] == [SETTINGS.cli, "replay-reconcile", "--job-id", "4", "--max-jobs", "1", "--apply"]


@pytest.mark.parametrize(
    "stdout",
    [b"FAILED job_id=4 name=x\nSummary: indexed=0 failed=1\n", b"INDEXED job_id=4 name=x\nSummary: indexed=1 failed=1\n"],
)
def test_an_index_that_was_not_written_is_told_although_the_command_ended_well(stdout):
    context: Any = Context((0, APPLY + stdout, b""))
    with pytest.raises(reconcile.NotRun, match="failed"):
        reconcile.write(context, 4)
    reconcile.write(Context((0, APPLY + b"INDEXED job_id=4 name=x\nSummary: indexed=1 failed=0\n", b"")), 4)
