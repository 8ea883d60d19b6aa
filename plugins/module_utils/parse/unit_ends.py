# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a unit ended, from what systemd itself wrote about it: ``journalctl --output=json _PID=1 UNIT=... MESSAGE_ID=...``.

When a unit is stopped, systemd stops what requires it first, by jobs of the same transaction: their numbers follow that of the
job that was asked for, and they end before it does. A job that somebody asked for earlier, or for itself, has a smaller number.
That tells a worker that went down with PostgreSQL from one that was stopped just before (contract 1.4).
"""

from __future__ import annotations

import re
from typing import Any, Iterable, NamedTuple, Optional, Sequence

from . import times
from .errors import TRUNCATED, UNPARSABLE, ParseError
from .json_object import json_object

# systemd's ids of its messages (sd-messages.h): they stay when the words change.
STOPPED = "9d1aaa27d60140bd96365438aad20286"
DEACTIVATED = "7ad2d189f7e94e70a38c781354912448"
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
NOT_STARTED = "be02cf6855d2428ba40df7e9d022f03d"
# It restarts by itself what has ended.
RESTARTS = "5eb03494b6584870a536b337290809b3"
MESSAGES = (STOPPED, DEACTIVATED, FAILED, NOT_STARTED)
# What comes between two runs of a unit.
BETWEEN = (DEACTIVATED, FAILED, RESTARTS)
FIELDS = ("UNIT", "MESSAGE_ID", "JOB_ID", "JOB_TYPE", "JOB_RESULT", "INVOCATION_ID")

_DIGITS = re.compile(r"[0-9]{1,17}")
_WORD = re.compile(r"[A-Za-z0-9:_.@\\-]{1,256}")


class Message(NamedTuple):
    """One of systemd's messages on a unit. ``job`` is the number of the job that it ends; None for what no job did.
    ``at``: microseconds since boot, by which messages are in order whatever the clock does; ``when``: the same as a time."""

    unit: str
    message: str
    job: Optional[int]
    job_type: str
    job_result: str
    invocation: str
    at: int
    when: str


class End(NamedTuple):
    """How the last run of a unit ended.

    ``how``: ``stopped`` (somebody asked for it), ``stopped_with`` (``by``, a unit that it requires, was stopped), ``died`` (by
    itself), ``not_started`` (its start was given up: what it requires did not start), ``never`` (it has not run since boot),
    ``unknown``. ``at``: when, by the host's clock; ``since``: when that run had begun.
    """

    how: str
    at: Optional[str] = None
    by: Optional[str] = None
    since: Optional[str] = None


def messages(stdout: bytes) -> list[Message]:
    """All messages of an output. No output is none: check the exit code first. :class:`ParseError`."""
    if stdout and not stdout.endswith(b"\n"):
        raise ParseError(TRUNCATED, "the end of the journal's output is missing")
    return [_message(json_object(line, "a journal entry")) for line in stdout.split(b"\n") if line]


def end(unit: str, invocation: str, ended_at: Optional[str], required: Sequence[str], found: Iterable[Message]) -> End:
    """How ``unit`` came to be inactive or failed. ``invocation`` is systemd's id of its last run, empty for none since boot;
    ``ended_at`` when that ended; ``required`` what it stops with; ``found`` the messages on all of these of this boot."""
    known = sorted(found, key=lambda message: message.at)
    of_unit = [message for message in known if message.unit == unit]
    given_up = of_unit and of_unit[-1].message == NOT_STARTED and of_unit[-1].job_result == "dependency"
    if given_up:
        return End("not_started", of_unit[-1].when)
    if not invocation:
        return End("never")
    of_run = [message for message in of_unit if message.invocation == invocation]
    stops = [message for message in of_run if message.message == STOPPED and message.job_type in ("stop", "restart")]
    if not stops:
        # That it ended must be told: a journal that says nothing of it may lack the stop as well.
        return End("died" if of_run else "unknown", ended_at)
    stop = stops[-1]
    if stop.job is None:
        return End("unknown", ended_at)
    for other in known:
        pulled = other.message == STOPPED and other.job is not None and other.job < stop.job and other.at >= stop.at
        if other.unit in required and pulled:
            return End("stopped_with", ended_at, other.unit)
    # systemd's own restart after a failure ends a run by a job too, which nobody asked for.
    if stop.job_type == "restart" and any(message.message == FAILED for message in of_run):
        return End("died", ended_at)
    return End("stopped", ended_at)


def begun_by_systemd(invocation: str, found: Iterable[Message]) -> Optional[bool]:
    """Whether the run of that id was begun by systemd's own restart of what had ended before it, or by somebody who restarted the
    unit as it waited for that. ``found``: the messages of BETWEEN on the unit. None: they do not tell.

    systemd writes that it restarts a unit right before it does, in the name of the run that has ended. Where that run's end is
    the last thing that was written about it, nothing of systemd's own followed.
    """
    before = [each for each in found if each.message in BETWEEN and each.invocation not in ("", invocation)]
    if not invocation or not before:
        return None
    return max(before, key=lambda message: message.at).message == RESTARTS


def _message(fields: dict[str, Any]) -> Message:
    words = {name: fields.get(name, "") for name in FIELDS}
    for name, value in words.items():
        if not isinstance(value, str) or (value and _WORD.fullmatch(value) is None):
            raise ParseError(UNPARSABLE, "systemd's message on a unit has an odd %s" % name)
    stamps = []
    for name in ("__MONOTONIC_TIMESTAMP", "__REALTIME_TIMESTAMP"):
        stamp = fields.get(name)
        if not isinstance(stamp, str) or _DIGITS.fullmatch(stamp) is None:
            raise ParseError(UNPARSABLE, "a journal entry has no %s" % name)
        stamps.append(int(stamp))
    job = words["JOB_ID"]
    if job and _DIGITS.fullmatch(job) is None:
        raise ParseError(UNPARSABLE, "the number of a job is none: %s" % job)
    return Message(
        unit=words["UNIT"],
        message=words["MESSAGE_ID"],
        job=int(job) if job else None,
        job_type=words["JOB_TYPE"],
        job_result=words["JOB_RESULT"],
        invocation=words["INVOCATION_ID"],
        at=stamps[0],
        when=times.from_epoch(stamps[1] / 1e6),
    )
