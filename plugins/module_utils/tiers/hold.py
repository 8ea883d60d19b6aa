# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own watchdogs, held off for a while and given back as they were, whatever becomes of us (law 6; contract 4.4).

Their timers are stopped, not disabled: a reboot starts them. Before that a transient timer is armed that starts them again. One
that somebody else has stopped stays so. Private to this collection.
"""

from __future__ import annotations

from typing import Dict, List, Sequence, Tuple

from ..change import ActFailed
from ..probe import Context, complaint, failed
from ..refusal import Refusal
from ..stuck import worker_unit
from ..stuck.worker_unit import SYSTEMCTL
from . import noted

# What mounts, unmounts, or starts the worker. What deploys or recovers code stands still as long as the deploy lock is held.
WATCHDOGS = (
    "healtharchive-storage-hotpath-auto-recover",
    "healtharchive-worker-auto-start",
    "healtharchive-crawl-auto-recover",
)
SWITCH = "healtharchive-remediation-watchdogs-return"
_NOTE = "watchdogs-held.json"
_SYSTEMD_RUN = "/usr/bin/systemd-run"
_RETRY = ("Restart=on-failure", "RestartSec=15s", "StartLimitIntervalSec=3600", "StartLimitBurst=60")
_SECONDS = 20.0


def timer(name: str) -> str:
    return name + ".timer"


def arm_argv(timers: Sequence[str], seconds: int) -> List[str]:
    """The dead man's switch."""
    return [
        *[_SYSTEMD_RUN, "--quiet", "--collect", "--unit=" + SWITCH, "--on-active=%ds" % seconds],
        "--timer-property=AccuracySec=1s",
        *["--property=Type=oneshot", *("--property=" + each for each in _RETRY)],
        *[SYSTEMCTL, "start", *timers],
    ]


def stop_argv(timers: Sequence[str]) -> List[str]:
    return [SYSTEMCTL, "stop", *timers]


def start_argv(timers: Sequence[str]) -> List[str]:
    return [SYSTEMCTL, "start", *timers]


DISARM = [SYSTEMCTL, "stop", timer(SWITCH)]


def hold_commands(timers: Sequence[str], seconds: int) -> List[List[str]]:
    return [arm_argv(timers, seconds), stop_argv(timers)] if timers else []


def return_commands(timers: Sequence[str]) -> List[List[str]]:
    return [start_argv(timers), list(DISARM)] if timers else []


def to_hold(context: Context) -> Tuple[str, ...]:
    """The timers that are active, or were until a recovery that was cut off stopped them. :class:`Refusal`."""
    ours = noted.read(_NOTE).get("timers", []) if armed(context) else []
    found = []
    for name in WATCHDOGS:
        unit = worker_unit.show(context, timer(name))
        if unit.runs or (unit.load_state == "loaded" and timer(name) in ours):
            found.append(timer(name))
    _refuse_acting(context)
    return tuple(found)


def armed(context: Context) -> bool:
    """Whether the switch would start them, or is about to."""
    states = (worker_unit.show(context, name).active_state for name in (timer(SWITCH), SWITCH + ".service"))
    return any(state in ("active", "activating", "reloading") for state in states)


def begin(context: Context, timers: Sequence[str], seconds: int) -> None:
    """Arm the switch, put it on record, stop the timers. :class:`Refusal`: then they run as before. :class:`ActFailed`."""
    if not timers:
        return
    context.run(DISARM, _SECONDS)
    noted.write(_NOTE, {"timers": list(timers)})
    try:
        result = context.run(arm_argv(timers, seconds), _SECONDS)
        if result.rc != 0 or not armed(context):
            why = failed(result, "systemd-run").message if result.failure else complaint(result.stderr)
            raise Refusal(
                "switch_not_armed",
                "The timer that would give the watchdogs back could not be armed (%s), and without it they are not held off."
                % why.rstrip("."),
                "See what systemd says: systemctl status %s" % timer(SWITCH),
            )
        result = context.run(stop_argv(timers), _SECONDS)
        if result.rc != 0:
            raise Refusal(
                "watchdogs_not_held",
                "The watchdogs could not be held off: %s." % complaint(result.stderr).rstrip("."),
                "See what systemd says: systemctl status %s" % " ".join(timers),
            )
        # One that began before its timer was stopped acts until it has ended.
        _refuse_acting(context)
    except Refusal:
        end(context, timers)
        raise


def end(context: Context, timers: Sequence[str]) -> None:
    """Give them back, see that they are, then take the switch away. :class:`ActFailed`: the switch is left armed."""
    if not timers:
        return
    result = context.run(start_argv(timers), _SECONDS)
    still = sorted(name for name, state in states(context, timers).items() if state != "active")
    if result.rc != 0 or still:
        which = ", ".join(still) or "rc %d" % result.rc
        raise ActFailed("The watchdogs were not all given back (%s): the timer %s does that." % (which, timer(SWITCH)))
    context.run(DISARM, _SECONDS)
    noted.forget(_NOTE)


def states(context: Context, timers: Sequence[str]) -> Dict[str, str]:
    return {name: worker_unit.show(context, name).active_state for name in timers}


def _refuse_acting(context: Context) -> None:
    for name in WATCHDOGS:
        unit = worker_unit.show(context, name + ".service")
        if unit.active_state in ("active", "activating", "reloading", "deactivating"):
            raise Refusal(
                "watchdog_acting",
                "The host's own watchdog %s is at work right now." % name,
                "Wait until it has ended (systemctl status %s.service), then plan again: it may have mended it." % name,
            )
