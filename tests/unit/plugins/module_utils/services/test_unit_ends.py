# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a unit ended, from systemd's messages as a host of systemd 252 wrote them (times since boot in microseconds)."""

from __future__ import annotations

import json

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import unit_ends
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.unit_ends import (
    DEACTIVATED,
    FAILED,
    NOT_STARTED,
    RESTARTS,
    STOPPED,
    End,
)
from hypothesis import given
from hypothesis import strategies as st

WORKER, POSTGRESQL, DOCKER = "healtharchive-worker.service", "postgresql.service", "docker.service"
RUN, OTHER_RUN = "1" * 32, "2" * 32
AT = "2026-11-28T14:38:59Z"


def entry(at, unit, message, job=None, job_type="", result="", invocation=RUN, **more) -> bytes:
    fields = {
        "__MONOTONIC_TIMESTAMP": str(at),
        "__REALTIME_TIMESTAMP": "1795876939787057",
        "UNIT": unit,
        "MESSAGE_ID": message,
    }
    if job is not None:
        fields.update(JOB_ID=str(job), JOB_TYPE=job_type, JOB_RESULT=result)
    if invocation:
        fields["INVOCATION_ID"] = invocation
    return json.dumps({**fields, **more}).encode() + b"\n"


def end(*entries, invocation=RUN, required=(POSTGRESQL, DOCKER)) -> End:
    return unit_ends.end(WORKER, invocation, AT, required, unit_ends.messages(b"".join(entries)))


CASES = {
    # systemctl stop postgresql
    "with PostgreSQL": (
        [
            entry(1089216438, WORKER, DEACTIVATED),
            entry(1089216577, WORKER, STOPPED, 368, "stop", "done"),
            entry(1089217080, POSTGRESQL, DEACTIVATED, invocation=OTHER_RUN),
            entry(1089217201, POSTGRESQL, STOPPED, 366, "stop", "done", OTHER_RUN),
        ],
        End("stopped_with", AT, POSTGRESQL),
    ),
    # systemctl restart postgresql, after which the worker did not come back
    "with a restart of PostgreSQL": (
        [
            entry(1101279327, WORKER, DEACTIVATED),
            entry(1101279424, WORKER, STOPPED, 803, "restart", "done"),
            entry(1101279842, POSTGRESQL, STOPPED, 757, "restart", "done", OTHER_RUN),
        ],
        End("stopped_with", AT, POSTGRESQL),
    ),
    "with Docker": (
        [
            entry(200, WORKER, STOPPED, 21, "stop", "done"),
            entry(300, DOCKER, STOPPED, 20, "stop", "done", OTHER_RUN),
        ],
        End("stopped_with", AT, DOCKER),
    ),
    # systemctl stop healtharchive-worker; half a second later systemctl stop postgresql
    "before PostgreSQL": (
        [
            entry(1093713485, WORKER, STOPPED, 463, "stop", "done"),
            entry(1094224691, POSTGRESQL, STOPPED, 464, "stop", "done", OTHER_RUN),
        ],
        End("stopped", AT),
    ),
    # systemctl stop healtharchive-worker postgresql
    "first of one command": (
        [
            entry(1096618850, WORKER, STOPPED, 561, "stop", "done"),
            entry(1096619667, POSTGRESQL, STOPPED, 562, "stop", "done", OTHER_RUN),
        ],
        End("stopped", AT),
    ),
    "by itself, hours after PostgreSQL was stopped and started": (
        [
            entry(100, POSTGRESQL, STOPPED, 10, "stop", "done", OTHER_RUN),
            entry(900, WORKER, STOPPED, 99, "stop", "done"),
        ],
        End("stopped", AT),
    ),
    "with PostgreSQL, which was started and stopped once more since": (
        [
            entry(200, WORKER, STOPPED, 21, "stop", "done"),
            entry(300, POSTGRESQL, STOPPED, 20, "stop", "done", OTHER_RUN),
            entry(900, POSTGRESQL, STOPPED, 40, "stop", "done", "3" * 32),
        ],
        End("stopped_with", AT, POSTGRESQL),
    ),
    "of an earlier run only": (
        [
            entry(200, WORKER, STOPPED, 21, "stop", "done", OTHER_RUN),
            entry(300, POSTGRESQL, STOPPED, 20, "stop", "done", "3" * 32),
            entry(900, WORKER, STOPPED, 50, "stop", "done"),
        ],
        End("stopped", AT),
    ),
    # the main process ends with 0: no job, and Restart=on-failure leaves it
    "died with 0": ([entry(1281701885, WORKER, DEACTIVATED)], End("died", AT)),
    "died": ([entry(1266335011, WORKER, FAILED)], End("died", AT)),
    # systemctl restart, once more than the start limit allows
    "start limit": (
        [
            entry(1274642251, WORKER, DEACTIVATED),
            entry(1274642400, WORKER, STOPPED, 1193, "restart", "done"),
            entry(1274643557, WORKER, FAILED),
            entry(1274648400, WORKER, NOT_STARTED, 1193, "start", "failed"),
        ],
        End("died", AT),
    ),
    # systemctl stop, which ended in a kill because the worker did not end
    "stopped after a timeout": (
        [
            entry(1286165453, WORKER, FAILED),
            entry(1286165523, WORKER, STOPPED, 1767, "stop", "done"),
        ],
        End("stopped", AT),
    ),
    # its start was asked for, and Docker did not start
    "dependency": (
        [
            entry(100, WORKER, STOPPED, 20, "stop", "done"),
            entry(1278732821, WORKER, NOT_STARTED, 1485, "start", "dependency"),
        ],
        End("not_started", "2026-11-28T14:42:19Z"),
    ),
    "nothing of it": ([], End("unknown", AT)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_how_it_ended(case):
    entries, expected = CASES[case]
    assert end(*entries) == expected
    # journalctl --reverse
    assert end(*reversed(entries)) == expected


def test_what_has_not_run_since_boot():
    assert end(invocation="") == End("never")
    given_up = entry(500, WORKER, NOT_STARTED, 30, "start", "dependency", invocation="")
    assert end(given_up, invocation="").how == "not_started"


def test_what_stops_with_nothing_was_stopped():
    entries, _expected = CASES["with PostgreSQL"]
    assert end(*entries, required=()) == End("stopped", AT)


@pytest.mark.parametrize(
    "line",
    [
        b'{"UNIT":"a.service"}\n',
        entry(1, "a b", STOPPED),
        entry(1, WORKER, STOPPED, "x", "stop"),
        entry(1, WORKER, STOPPED, UNIT=[WORKER, POSTGRESQL]),
        entry(1, WORKER, STOPPED)[:-1],
        b"no JSON\n",
    ],
)
def test_what_is_no_message_is_an_error(line):
    with pytest.raises(ParseError):
        unit_ends.messages(line)


@given(st.binary(max_size=200))
def test_any_bytes(content):
    try:
        found = unit_ends.messages(content)
    except ParseError:
        return
    assert found == [] or content.strip()


API = "healtharchive-api.service"
NOW, BEFORE, FIRST = "3" * 32, "2" * 32, "1" * 32


def of_run(at: int, message: str, run: str) -> bytes:
    return entry(at, API, message, invocation=run)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        # A loop: each end is followed by systemd's restart.
        ([of_run(1, FAILED, FIRST), of_run(2, RESTARTS, FIRST), of_run(3, FAILED, BEFORE), of_run(4, RESTARTS, BEFORE)], True),
        # With Restart=always an end without a failure is, too.
        ([of_run(3, DEACTIVATED, BEFORE), of_run(4, RESTARTS, BEFORE)], True),
        # Restarted by somebody as it waited for the next one.
        ([of_run(1, FAILED, FIRST), of_run(2, RESTARTS, FIRST), of_run(3, FAILED, BEFORE)], False),
        ([of_run(1, FAILED, FIRST), of_run(2, RESTARTS, FIRST), of_run(3, DEACTIVATED, BEFORE)], False),
        # Since it was looked at, the run has ended as well: what began it stays as it was.
        ([of_run(3, FAILED, BEFORE), of_run(4, RESTARTS, BEFORE), of_run(5, FAILED, NOW)], True),
        ([of_run(3, FAILED, BEFORE), of_run(4, RESTARTS, BEFORE), of_run(5, FAILED, NOW), of_run(6, RESTARTS, NOW)], True),
        ([of_run(2, RESTARTS, FIRST), of_run(3, FAILED, BEFORE), of_run(5, FAILED, NOW), of_run(6, RESTARTS, NOW)], False),
        # Nothing of the run before is left, or nothing at all.
        ([of_run(5, FAILED, NOW), of_run(6, RESTARTS, NOW)], None),
        ([], None),
    ],
)
def test_what_began_a_run(messages, expected):
    for order in (messages, messages[::-1]):
        assert unit_ends.begun_by_systemd(NOW, unit_ends.messages(b"".join(order))) is expected
    assert unit_ends.begun_by_systemd("", unit_ends.messages(b"".join(messages))) is None
