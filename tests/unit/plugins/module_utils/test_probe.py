# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes at once: what one that hangs, crashes or comes late costs the others."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import probe
from ansible_collections.healtharchive.remediation.plugins.module_utils.probe import Context, Finding, Problem
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

TRANSCRIPTS = Path(__file__).resolve().parents[2] / "transcripts"


def context(seconds: float) -> Context:
    return Context(None, None, None, Redactor(), True, time.monotonic() + seconds, 600, "local")


def fine(_context):
    return Finding({"answer": 42}, [])


def test_gives_status_seconds_problems_and_data():
    record = probe.run_all(context(5), {"fine": fine})["fine"]
    assert (record["status"], record["problems"], record["data"]) == ("ok", [], {"answer": 42})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("traceback-password-authentication", "FATAL:  password authentication failed for user"),
        ("traceback-connection-refused", "Connection refused"),
        ("traceback-undefined-column", "does not exist"),
    ],
)
def test_a_complaint_of_the_database_says_why(name, expected):
    """The last lines of such a traceback are the SQL text and a place to read on."""
    said = probe.complaint((TRANSCRIPTS / (name + ".txt")).read_bytes())
    assert said.startswith("sqlalchemy.exc.")
    assert expected in said
    assert "Background on" not in said


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"", ""),
        (b"one\ntwo\n\n", "two"),
        (b"fatal: no repository\nTraceback (most recent call last):\n  x\nKeyError: 1\n", "fatal: no repository"),
        (b"Traceback (most recent call last):\n  x\nKeyError: 1\n", "KeyError: 1"),
        (b"Traceback (most recent call last):\n  x\n", "x"),
    ],
)
def test_a_complaint_is_the_line_that_says_what_went_wrong(output, expected):
    assert probe.complaint(output) == expected


def test_data_with_a_problem_is_partial():
    record = probe.run_all(context(5), {"half": lambda _context: Finding({}, [Problem("timed_out", "x")])})["half"]
    assert record["status"] == "partial"


def test_a_crash_is_unknown_and_costs_itself_only():
    def crash(_context):
        raise RuntimeError("on purpose")

    records = probe.run_all(context(5), {"crash": crash, "fine": fine})
    assert records["crash"]["status"] == "unknown"
    assert records["crash"]["data"] is None
    assert records["crash"]["problems"] == [{"code": "probe_error", "message": "RuntimeError: on purpose"}]
    assert records["fine"]["status"] == "ok"


def test_one_that_hangs_is_given_up_at_the_deadline():
    never = threading.Event()
    started = time.monotonic()
    records = probe.run_all(context(1), {"hang": lambda _context: never.wait(30) and fine(_context), "fine": fine})
    assert time.monotonic() - started < 5
    assert [problem["code"] for problem in records["hang"]["problems"]] == ["timed_out"]
    assert records["hang"]["data"] is None
    assert records["fine"]["status"] == "ok"
    never.set()


def test_they_run_at_once():
    both = threading.Barrier(2)

    def meet(_context):
        both.wait(5)
        return fine(_context)

    records = probe.run_all(context(10), {"one": meet, "two": meet})
    assert [record["status"] for record in records.values()] == ["ok", "ok"]


def test_the_order_is_the_callers():
    assert list(probe.run_all(context(5), {"b": fine, "a": fine})) == ["b", "a"]


def test_those_that_take_turns_do_not_run_at_once():
    turn, busy, most = probe.Turn(10), [], []

    def work(_context):
        with turn:
            busy.append(1)
            most.append(len(busy))
            time.sleep(0.05)
            busy.pop()
        return fine(_context)

    records = probe.run_all(context(20), {"one": work, "two": work, "three": work})
    assert [record["status"] for record in records.values()] == ["ok"] * 3
    assert most == [1, 1, 1]


def test_one_that_hangs_in_its_turn_is_not_waited_for():
    turn, never, order = probe.Turn(0.2), threading.Event(), threading.Event()

    def hang(_context):
        with turn:
            order.set()
            never.wait(30)
        return fine(_context)

    def after(_context):
        order.wait(10)
        with turn:
            return fine(_context)

    records = probe.run_all(context(3), {"hang": hang, "after": after, "last": after})
    assert [record["status"] for record in records.values()] == ["unknown", "ok", "ok"]
    never.set()
