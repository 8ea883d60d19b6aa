# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the deploy script printed, recorded on a host in each way in which it can end."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import deploy
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"
NAMES = sorted(path.name for path in TRANSCRIPTS.glob("deploy-*.txt"))
BEFORE = "837e455ffe20210c8d34929e94846e0026695b91"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / ("deploy-%s.txt" % name)).read_bytes()


def report(name: str) -> deploy.Report:
    return deploy.report(read(name), True)


def test_one_that_went_through():
    found = report("applied")
    assert (found.applies, found.complete, found.refused) == (True, True, None)
    assert (found.sha_before, found.sha_target) == (BEFORE, "0707e0e7ef47681e3ae870ce6d2f913f2a97f227")
    names = [step.name for step in found.steps if step.name]
    assert list(dict.fromkeys(names)) == [
        *("fetch", "checkout", "dependencies", "migrations", "reload", "restart API", "restart worker"),
        *("unit states", "health", "baseline", "public surface"),
    ]
    assert found.steps[1].command == "git checkout --detach 0707e0e7ef47681e3ae870ce6d2f913f2a97f227"
    assert (found.last, found.worker_skipped, found.ours) == ("public surface", False, None)
    assert found.public is not None
    assert (found.public["passed"], found.public["ok"], found.drift) == (True, 39, ())
    assert found.tail[-2:] == ("All checks passed.", "Deploy complete.")


@pytest.mark.parametrize(
    ("name", "last", "complaint"),
    [
        ("unknown-ref", "checkout", "fatal: reference is not a tree: " + "0" * 40),
        ("missing-dependency", "dependencies", "ERROR: No matching distribution found for ha-nowhere>=1"),
        ("failing-migration", "migrations", "sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedColumn) column"),
        (
            "no-postgresql",
            "migrations",
            "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed",
        ),
        ("unknown-revision", "migrations", "FAILED: Can't locate revision identified by '0015_example'"),
        ("silent-api", "unit states", "Active: activating (auto-restart) (Result: exit-code)"),
        ("no-search", "public surface", "FAILURES: 1"),
    ],
)
def test_one_that_failed_says_where_and_why(name, last, complaint):
    found = report(name)
    assert (found.applies, found.complete, found.last, found.refused) == (True, False, last, None)
    assert found.complaint is not None
    assert found.complaint.startswith(complaint)
    assert not found.changed_nothing


def test_a_check_that_failed_is_read():
    found = report("no-search")
    assert found.public is not None
    assert found.public["passed"] is False
    assert [(each["check"], each["status"]) for each in found.public["failures"]] == [("api search", 404)]


@pytest.mark.parametrize(("name", "code"), [("locked", "deploy_running"), ("dirty", "tree_dirty")])
def test_one_that_was_refused_did_nothing(name, code):
    found = report(name)
    assert (found.refused, found.steps, found.complete, found.changed_nothing) == (code, (), False, True)
    assert found.complaint is not None
    assert found.complaint.startswith("ERROR: ")


def test_a_dry_run_is_no_deploy():
    """It prints that it is complete, and the commit that is there as its target (surprise 23)."""
    found = report("dry-run")
    assert (found.applies, found.complete, found.sha_target) == (False, True, BEFORE)


def test_what_a_step_prints_after_a_line_that_is_no_known_step_is_its_own():
    output = (
        b"Mode:        APPLY\n+ wait_for_health \"http://127.0.0.1:8001/api/health\" (attempts=30, delay=1s)\n"
        b"+ bash -lc curl -fsS \"http://127.0.0.1:8001/api/health\" | head -c 2000; echo\n"
        b"ERROR: Health check failed after 30 attempts: http://127.0.0.1:8001/api/health\n"
    )
    found = deploy.report(output, True)
    assert (found.last, len(found.steps)) == ("health", 2)
    assert found.complaint == "ERROR: Health check failed after 30 attempts: http://127.0.0.1:8001/api/health"


def test_a_worker_that_was_left_alone():
    found = report("skip-worker")
    assert (found.complete, found.worker_skipped) == (True, True)
    assert "restart worker" not in [step.name for step in found.steps]


def test_while_it_runs_the_last_line_may_still_grow():
    whole = read("applied")
    start = whole.index(b"+ /opt/healtharchive/.venv/bin/pip")
    assert deploy.report(whole[: start + 20], False).last == "checkout"
    assert deploy.report(whole[: start + 20] + b"bin/pip install -e .[dev]\n", False).last == "dependencies"


def test_the_end_of_the_unit_is_told_apart_from_the_script():
    found = deploy.report(read("skip-worker") + b"healtharchive.remediation: worker restarted\n", True)
    assert (found.complete, found.ours) == (True, "worker restarted")
    assert found.public is not None
    assert found.public["passed"] is True


def test_drift_is_named():
    output = (
        b"Mode:        APPLY\n+ /x/python3 scripts/check_baseline_drift.py --mode live\nmode=live\n\nFAILURES (must fix)\n"
        b"- env:X: expected 'a' got 'b'\nWrote: /srv/x.json\n- filesystem:/y: path does not exist\n\n"
        b"WARNINGS (recommended)\n- w: z\n"
    )
    found = deploy.report(output, True)
    assert found.drift == ("env:X: expected 'a' got 'b'", "filesystem:/y: path does not exist")


def test_what_a_command_prints_is_no_earlier_step():
    output = read("failing-migration") + b"+ git fetch --prune origin\n+ x\n"
    assert deploy.report(output, True).last == "migrations"


@pytest.mark.parametrize("name", NAMES)
def test_no_part_of_a_deploy_is_a_whole_one(name):
    """Cut anywhere, at a line or in it, it is complete only with its last line."""
    whole = (TRANSCRIPTS / name).read_bytes()
    known = [step.name for step in deploy.report(whole, True).steps]
    for end in range(0, len(whole), 97):
        part = deploy.report(whole[:end], False)
        assert not part.complete
        assert [step.name for step in part.steps] == known[: len(part.steps)]


PIECES = st.sampled_from(
    [
        *(
            "Mode:        APPLY",
            "Mode:        DRY-RUN",
            "Deploy complete.",
            "All checks passed.",
            "",
            "OK   x",
            "FAIL y status=500",
        ),
        *(
            "Current git SHA: " + BEFORE,
            "Target git SHA:  " + BEFORE,
            "+ git fetch --prune origin",
            "+ git checkout --detach x",
        ),
        *(
            "+ /v/bin/alembic upgrade head",
            "+ /v/python3 scripts/verify_public_surface.py",
            "ERROR: Deploy lock is held",
            "+ ",
        ),
        *("FAILURES (must fix)", "- a: b", "healtharchive.remediation: worker restarted", "\x1b[31mx", "FAILURES: 1"),
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=30), st.booleans())
def test_lines_in_any_order_never_make_up_a_deploy(lines, ended):
    output = "".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass")
    found = deploy.report(output, ended)
    if found.complete:
        assert "Deploy complete." in lines
    if found.applies:
        assert "Mode:        APPLY" in lines
        assert "Mode:        DRY-RUN" not in lines[: lines.index("Mode:        APPLY")]
    if found.sha_target is not None:
        assert "checkout" in [step.name for step in found.steps]
    if found.public is not None and found.public["passed"]:
        assert "All checks passed." in lines
    order = [deploy.STEPS.index(step.name) for step in found.steps if step.name]
    assert order == sorted(order)
    for said in (found.complaint or "", *found.tail, *(step.command for step in found.steps), *found.drift):
        assert said.isprintable()


@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes_give_an_answer(content, ended):
    found = deploy.report(content, ended)
    assert not (found.complete and found.applies and found.sha_target)
