# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes at once: what one that hangs, crashes or comes late costs the others."""

from __future__ import annotations

import threading
import time

from ansible_collections.healtharchive.remediation.plugins.module_utils import probe
from ansible_collections.healtharchive.remediation.plugins.module_utils.probe import Context, Finding, Problem
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor


def context(seconds: float) -> Context:
    return Context(None, None, None, Redactor(), True, time.monotonic() + seconds, 600, "local")


def fine(_context):
    return Finding({"answer": 42}, [])


def test_gives_status_seconds_problems_and_data():
    record = probe.run_all(context(5), {"fine": fine})["fine"]
    assert (record["status"], record["problems"], record["data"]) == ("ok", [], {"answer": 42})


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
