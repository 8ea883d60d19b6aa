# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker, stopped for a while: it comes back by itself, whatever becomes of us (law 6). Private to this collection.

Before it is stopped a transient timer is armed that starts it again, and it is on record below ``/run`` which run of it that
is. A worker that somebody else stopped has another record or none, and is left alone. A reboot forgets both, and starts the
worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from .. import runtime
from ..change import ActFailed
from ..parse import times
from ..probe import Context, complaint, failed
from ..probes.units import WORKER
from ..refusal import Refusal
from .worker_unit import SYSTEMCTL, Unit, show

SWITCH = "healtharchive-remediation-worker-resume"
TIMER = SWITCH + ".timer"
_RECORD = "worker-pause.json"
_READ_BYTES = 4096
_SYSTEMD_RUN = "/usr/bin/systemd-run"
# Whoever was frozen in the middle of a pause goes on, too. What keeps it from starting may pass: it is tried again.
_RESUME = "%s kill --kill-who=main --signal=CONT %s; exec %s start %s" % (SYSTEMCTL, WORKER, SYSTEMCTL, WORKER)
_RETRY = ("Restart=on-failure", "RestartSec=15s", "StartLimitIntervalSec=3600", "StartLimitBurst=60")
_QUICK_SECONDS = 15.0
# systemd gives a unit 90 s to end before it kills it.
STOP_SECONDS = 110.0
START_SECONDS = 60.0
# Of a worker that dies as soon as it has started, so much is seen.
_STEADY_SECONDS = 4.0
_POLL_SECONDS = 0.3


class Pause(NamedTuple):
    """``run``: systemd's id of the run of the worker that was stopped; ``action``: the kind of change that did. Times are UTC."""

    run: str
    action: str
    incident: str
    paused_at: str
    resumes_at: str


def arm_argv(seconds: int) -> List[str]:
    """The dead man's switch."""
    return [
        *[_SYSTEMD_RUN, "--quiet", "--collect", "--unit=" + SWITCH, "--on-active=%ds" % seconds],
        "--timer-property=AccuracySec=1s",
        *["--property=Type=oneshot", *("--property=" + each for each in _RETRY)],
        *["/bin/sh", "-c", _RESUME],
    ]


def signal_argv(name: str) -> List[str]:
    """To the worker itself, and not to what it started."""
    return [SYSTEMCTL, "kill", "--kill-who=main", "--signal=" + name, WORKER]


STOP = [SYSTEMCTL, "stop", WORKER]
START = [SYSTEMCTL, "start", WORKER]
DISARM = [SYSTEMCTL, "stop", TIMER]


def pause_commands(seconds: int) -> List[List[str]]:
    """In their order: between the freeze and the stop it is seen that it began no other job."""
    return [arm_argv(seconds), signal_argv("STOP"), STOP]


def resume_commands() -> List[List[str]]:
    return [START, DISARM]


def in_force(context: Context) -> Optional[Pause]:
    """The pause that holds: the worker is stopped, that was its last run, and the switch is armed. None: there is no such pause.

    Without the switch it is none of ours any more: the switch has started the worker, and whoever stopped it then meant to.
    """
    found = _read()
    if found is None:
        return None
    unit = show(context)
    return found if unit.stopped and unit.run == found.run and armed(context) else None


def armed(context: Context) -> bool:
    """Whether the switch would start the worker, or is about to."""
    states = (show(context, name).active_state for name in (TIMER, SWITCH + ".service"))
    return any(state in ("active", "activating", "reloading") for state in states)


def left_over(context: Context) -> bool:
    """Whether something of a pause is there, in force or not."""
    return _read() is not None or armed(context)


def begin(context: Context, action: str, incident: str, seconds: int, hit: Callable[[], Optional[Refusal]]) -> None:
    """Arm the switch, put it on record, stop the worker. ``hit`` is asked while the worker is frozen and can begin nothing; what
    it returns is why it goes on. :class:`Refusal` as long as the worker was not stopped, :class:`ActFailed`."""
    unit = show(context)
    if not unit.runs:
        raise Refusal("worker_not_running", "%s: there is nothing to pause." % unit.described(), "Triage again.")
    _forget(context)
    now = time.time()
    _write(Pause(unit.run, action, incident, times.from_epoch(now), times.from_epoch(now + seconds)))
    try:
        _arm(context, seconds)
        _command(context, signal_argv("STOP"), _QUICK_SECONDS)
        refusal = hit()
    except BaseException:
        _let_go(context)
        raise
    if refusal is not None:
        _let_go(context)
        raise refusal
    _command(context, STOP, STOP_SECONDS)
    stopped = show(context)
    if not stopped.stopped:
        raise ActFailed(
            "The worker did not stop: %s. It is started again at the latest after %d s."
            % (stopped.described(), seconds)
        )


def end(context: Context) -> None:
    """Start the worker, see that it stays, then take the switch away; what fails leaves the switch armed. :class:`ActFailed`."""
    _command(context, START, START_SECONDS)
    first = show(context)
    until = time.monotonic() + _STEADY_SECONDS
    last = first
    while first.runs and last.runs and last.main_pid == first.main_pid and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        last = show(context)
    if not last.runs or last.main_pid != first.main_pid:
        why = ", a condition of its start is not met" if last.condition_met is False else ""
        raise ActFailed("The worker did not stay up: %s%s." % (last.described(), why))
    _forget(context)


def _let_go(context: Context) -> None:
    """Nothing was stopped: as if nothing had been."""
    _command(context, signal_argv("CONT"), _QUICK_SECONDS)
    _forget(context)


def _arm(context: Context, seconds: int) -> None:
    result = context.run(arm_argv(seconds), _QUICK_SECONDS)
    why = failed(result, "systemd-run").message if result.failure else complaint(result.stderr)
    if result.rc == 0 and armed(context):
        return
    raise Refusal(
        "switch_not_armed",
        "The timer that would start the worker again could not be armed (%s), and without it it is not stopped." % why,
        "See what systemd says: systemctl status %s" % TIMER,
    )


def _forget(context: Context) -> None:
    """No switch, and no record."""
    context.run(DISARM, _QUICK_SECONDS)
    if show(context, TIMER).active_state == "active":
        raise ActFailed("The timer %s could not be stopped: it will start the worker." % TIMER)
    with runtime.directory() as parent, contextlib.suppress(FileNotFoundError):
        os.unlink(_RECORD, dir_fd=parent)


def _command(context: Context, argv: List[str], seconds: float) -> None:
    result = context.run(argv, seconds)
    if result.failure is not None:
        raise ActFailed(failed(result, " ".join(argv)).message)
    if result.rc != 0:
        raise ActFailed("%s ended with %d: %s." % (" ".join(argv), result.rc, complaint(result.stderr).rstrip(".")))


def _write(pause: Pause) -> None:
    content = json.dumps(pause._asdict()).encode("ascii")
    with runtime.directory() as parent:
        part = os.open(
            _RECORD + ".part",
            os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC,
            0o600,
            dir_fd=parent,
        )
        try:
            os.write(part, content)
        finally:
            os.close(part)
        os.rename(_RECORD + ".part", _RECORD, src_dir_fd=parent, dst_dir_fd=parent)


def _read() -> Optional[Pause]:
    if not os.path.isdir(runtime.DIRECTORY):
        return None  # and none is made: a plan reads, too
    with runtime.directory() as parent:
        try:
            file = os.open(_RECORD, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        except FileNotFoundError:
            return None
        try:
            content = os.read(file, _READ_BYTES)
        finally:
            os.close(file)
    try:
        found: Dict[str, Any] = json.loads(content)
        return Pause(*(str(found[name]) for name in Pause._fields))
    except (ValueError, TypeError, KeyError):
        return None


__all__ = ["DISARM", "START", "STOP", "TIMER", "Pause", "Unit", "armed", "begin", "end", "in_force", "left_over"]
