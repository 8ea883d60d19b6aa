# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the service's deploy lock for a clearance: a transient unit, as the service user, until it is stopped or its time
is up.

A second unit, a timer, stops it when the clearance expires; it can be set anew without the lock being let go, which a limit on
the holder's own run time cannot. That limit is there too, for the day on which the timer is gone. Private to this collection.
"""

from __future__ import annotations

import os
import time
from typing import Dict, List, NamedTuple, Optional, Sequence

from .. import deploys, locks
from ..parse import systemd
from ..parse.errors import ParseError
from ..probe import Context, complaint
from ..refusal import Refusal

UNIT = deploys.CLEARANCE_UNIT
_END = "healtharchive-remediation-clearance-end"
_TIMER = _END + ".timer"
# What ends it first: it must not stop the next one, which has the same name.
_ALL = (_TIMER, _END + ".service", UNIT)
# What `systemctl show` must say of it.
PROPERTIES = ("Id", "LoadState", "ActiveState", "MainPID", "ExecMainStartTimestamp", "InvocationID")
_SYSTEMCTL = "/usr/bin/systemctl"
_SECONDS = 20.0
# flock needs some milliseconds to open the file and to say yes or no.
_LOCK_SECONDS = 5.0
_DESCRIPTION_LIMIT = 100


class Unit(NamedTuple):
    """The holder as systemd shows it; ``pid`` None: no process. ``invocation`` is another one each time that it is started."""

    active: bool
    pid: Optional[int]
    invocation: str


class Units(NamedTuple):
    """The holder, and whether it or what ends it is known to systemd at all: then it is in the way of the next."""

    holder: Unit
    left: bool


def unit(properties: Dict[str, str]) -> Unit:
    """Of ``systemctl show``; :class:`ParseError`."""
    if not properties.get("ActiveState"):
        raise ParseError("unparsable", "systemctl show did not say the unit's ActiveState")
    process = systemd.main_process(properties)
    pid = None if process is None else process[0]
    return Unit(properties["ActiveState"] == "active", pid, properties.get("InvocationID", ""))


def show(context: Context) -> Units:
    """:class:`Refusal` when systemd does not say."""
    argv = [_SYSTEMCTL, "show", *_ALL, "--no-pager", "--timestamp=us+utc"]
    result = context.run([*argv, "--property=" + ",".join(PROPERTIES)], _SECONDS)
    try:
        if result.failure is not None or result.rc != 0:
            raise ParseError("command_failed", complaint(result.stderr) or str(result.failure))
        shown = systemd.show(result.stdout)
        gone = [shown[name]["LoadState"] == "not-found" and shown[name]["ActiveState"] == "inactive" for name in _ALL]
        return Units(unit(shown[UNIT]), not all(gone))
    except (ParseError, KeyError) as error:
        raise Refusal(
            "systemd_unreadable",
            "systemd does not say whether %s runs: %s" % (UNIT, error),
            "See why: systemctl status %s" % UNIT,
        ) from error


def holds(found: Optional[Unit], lock_file: str) -> bool:
    """Whether the unit's process has the exclusive lock on the file that is at that path now."""
    if found is None or not found.active or found.pid is None:
        return False
    try:
        wanted = os.stat(lock_file, follow_symlinks=False)
        for name in os.listdir("/proc/%d/fd" % found.pid):
            opened = os.stat("/proc/%d/fd/%s" % (found.pid, name))
            if (opened.st_dev, opened.st_ino) != (wanted.st_dev, wanted.st_ino):
                continue
            if locks.is_locked(str(found.pid), name):
                return locks.state(lock_file) == "held"
    except OSError:
        return False
    return False


def holds_for(found: Optional[Unit], lock_file: str, invocation: str) -> bool:
    """Whether that very run of the unit has the lock: the unit of a later clearance has the same name."""
    return found is not None and bool(invocation) and found.invocation == invocation and holds(found, lock_file)


def has_lock(context: Context) -> bool:
    """Whether it is a clearance that holds the deploy lock now. :class:`Refusal` when systemd does not say."""
    return holds(show(context).holder, context.settings.deploy_lock_file)


def start(context: Context, seconds: int, most_seconds: int, description: str) -> None:
    """Take the lock for so long; it can be kept for ``most_seconds`` in all. :class:`Refusal` when it was not got: then
    nothing of it is left."""
    lock_file = context.settings.deploy_lock_file
    try:
        # First what ends it: whoever is killed between the two leaves nothing that lasts.
        _set_end(context, seconds)
        argv = [
            "/usr/bin/systemd-run",
            "--quiet",
            "--collect",
            "--no-ask-password",
            "--service-type=exec",
            "--unit=" + UNIT,
        ]
        argv += ["--uid=" + context.settings.service_user, "--description=" + description[:_DESCRIPTION_LIMIT]]
        argv += ["--property=RuntimeMaxSec=%d" % most_seconds, "--property=UMask=0022", "--working-directory=/"]
        # It becomes sleep: one process, and the lock is that process's own.
        argv += ["/usr/bin/flock", "--exclusive", "--nonblock", "--no-fork", lock_file, "/usr/bin/sleep", "infinity"]
        _run(context, argv, "systemd-run")
        end = time.monotonic() + _LOCK_SECONDS
        while True:
            found = show(context).holder
            if holds(found, lock_file):
                return
            if not found.active or time.monotonic() > end:
                raise _not_got(lock_file)
            time.sleep(0.01)
    except BaseException:
        stop(context)
        raise


def extend(context: Context, seconds: int) -> None:
    """Keep the lock for so many seconds from now on. :class:`Refusal`."""
    _stop(context, _ALL[:2])
    _set_end(context, seconds)


def stop(context: Context) -> None:
    """Let the lock go, if it is held. :class:`Refusal` when that cannot be seen."""
    _stop(context, _ALL)
    if show(context).left:
        raise Refusal(
            "clearance_not_ended",
            "%s, which holds the deploy lock, could not be stopped." % UNIT,
            "See why: systemctl status %s" % UNIT,
        )


def _set_end(context: Context, seconds: int) -> None:
    argv = [
        "/usr/bin/systemd-run",
        "--quiet",
        "--collect",
        "--no-ask-password",
        "--unit=" + _END,
        "--on-active=%d" % seconds,
    ]
    argv += ["--timer-property=AccuracySec=1s", "--description=Ends a clearance that has expired"]
    _run(context, [*argv, _SYSTEMCTL, "stop", UNIT], "systemd-run")


def _stop(context: Context, names: Sequence[str]) -> None:
    # One that is not there is an error to systemctl, and what is wanted; what is there afterwards is looked at.
    context.run([_SYSTEMCTL, "stop", "--quiet", "--no-ask-password", *names], _SECONDS)


def _run(context: Context, argv: List[str], what: str) -> None:
    result = context.run(argv, _SECONDS)
    if result.failure is not None or result.rc != 0:
        why = complaint(result.stderr) or result.failure or "exit code %d" % result.rc
        raise Refusal(
            "clearance_not_held",
            "%s could not start what holds the deploy lock: %s" % (what, why),
            "See what systemd says: journalctl -u %s" % UNIT,
        )


def _not_got(lock_file: str) -> Refusal:
    if locks.state(lock_file) == "held":
        return Refusal(
            "deploy_running",
            "Somebody took the deploy lock %s a moment ago." % lock_file,
            "Wait until the deploy has ended, then ask again.",
        )
    return Refusal(
        "clearance_not_held",
        "The deploy lock %s could not be got." % lock_file,
        "See why: ls -l %s; journalctl -u %s" % (lock_file, UNIT),
    )
