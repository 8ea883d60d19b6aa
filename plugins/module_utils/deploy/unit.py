# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deploy script while it runs, and after: one transient unit, which no link, laptop or process of ours keeps alive.

Of oneshot type, and systemd keeps it when it has ended, so that its end can be read later. What it prints, and what it was begun
for, lie below ``/run`` for root alone; a boot takes all of it away. Private to this collection.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from .. import runtime
from ..parse import systemd
from ..parse.errors import ParseError
from ..parse.json_object import json_object
from ..probe import Context, complaint
from ..refusal import Refusal
from . import worker
from .command import GUARD, NAME, OUTPUT, SYSTEMCTL

STATE = "deploy.json"
_KEPT = "deploy-%s.%s"
_MOST_KEPT = 5
_SECONDS = 20.0
# Of the output, from its beginning and from its end.
_HEAD_BYTES, _TAIL_BYTES = 256 * 1024, 4 * 1024 * 1024
_STATE_BYTES = 1024 * 1024

RUNNING, SUCCEEDED, FAILED, GONE = "running", "succeeded", "failed", "gone"


class Unit(NamedTuple):
    """``state``: RUNNING, SUCCEEDED, FAILED or GONE: nothing of that name is there. ``script_ended``: the script itself has
    ended, with ``code``, None if it was killed. ``result``: systemd's word for a failure."""

    state: str
    script_ended: bool
    code: Optional[int]
    result: str


def look(context: Context, name: str = NAME) -> Unit:
    """:class:`Refusal` when systemd does not say. ``name``: of another unit that is kept when it has ended."""
    names = "Id,LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,ExecMainExitTimestamp"
    result = context.run([SYSTEMCTL, "show", name, "--no-pager", "--property=" + names], _SECONDS)
    try:
        if result.failure is not None or result.rc != 0:
            raise ParseError("command_failed", complaint(result.stderr) or str(result.failure))
        return of_properties(systemd.show(result.stdout)[name])
    except (ParseError, KeyError) as error:
        raise Refusal(
            "systemd_unreadable",
            "systemd does not say whether %s runs: %s" % (name, error),
            "See why: systemctl status %s" % name,
        ) from error


def of_properties(properties: Mapping[str, str]) -> Unit:
    """Of ``systemctl show``; :class:`ParseError`."""
    try:
        load, active = properties["LoadState"], properties["ActiveState"]
        main = int(properties["ExecMainCode"])
        status = int(properties["ExecMainStatus"])
    except (KeyError, ValueError) as error:
        raise ParseError("unparsable", "systemctl show did not say %s" % error) from error
    # 1: it ended by itself; 2 and 3: by a signal; 0: it has not ended.
    code = status if main == 1 else None
    if active in ("activating", "deactivating", "reloading"):
        return Unit(RUNNING, main != 0, code, properties.get("Result", ""))
    if active == "active":
        return Unit(SUCCEEDED, True, code, properties.get("Result", ""))
    if active == "failed":
        return Unit(FAILED, True, code, properties.get("Result", ""))
    if active == "inactive" and load == "not-found":
        return Unit(GONE, True, None, "")
    if active == "inactive":
        # Somebody stopped it after its end, and has it loaded for another reason: what it ended with is still said.
        return Unit(SUCCEEDED if code == 0 else FAILED, True, code, properties.get("Result", ""))
    raise ParseError("unparsable", "systemctl show said an unknown state: " + active)


def start(context: Context, argv: Tuple[str, ...], state: Mapping[str, Any], restart_after: bool) -> None:
    """Start the unit. :class:`Refusal` when there is one already, or systemd refuses: then nothing has begun.

    The end of every earlier one must be on record: what is left of one that has ended is taken away."""
    forget(context)
    if look(context).state != GONE:
        raise Refusal(
            "deploy_running",
            "There is a unit %s of an earlier deploy already." % NAME,
            "See what it is (systemctl status %s), and run the same command again." % NAME,
        )
    with runtime.directory() as directory:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(OUTPUT, dir_fd=directory)
        if restart_after:
            write(directory, GUARD, worker.guard(context.settings, state["accepted"]).encode("ascii"))
        write(directory, STATE, json.dumps(dict(state), sort_keys=True).encode("ascii"))
    result = context.run(list(argv), _SECONDS)
    if result.failure is not None or result.rc != 0:
        why = complaint(result.stderr) or result.failure or "exit code %d" % result.rc
        if look(context).state == GONE:
            raise Refusal(
                "deploy_not_started",
                "systemd did not start the deploy: %s" % why,
                "See why: journalctl -u %s. Then run it again." % NAME,
            )


def state() -> Dict[str, Any]:
    """What the newest deploy of this boot was begun for; empty where there was none, or it cannot be read."""
    return read(STATE)


def kept_state(action_id: str) -> Dict[str, Any]:
    """What is known of an earlier deploy of this boot, its result with it; empty as :func:`state`."""
    return read(_KEPT % (action_id, "json"))


def output(name: str = OUTPUT) -> Optional[bytes]:
    """What the script has printed, its middle left out if it is much; None: it was not started in this boot. ``name``: of the
    output of another unit."""
    if not os.path.lexists(runtime.DIRECTORY):
        return None
    with runtime.directory() as directory:
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(_HEAD_BYTES)
            rest = size - len(head)
            if rest > _TAIL_BYTES:
                # From a whole line on.
                file.seek(size - _TAIL_BYTES)
                file.readline()
                head = head.rpartition(b"\n")[0] + b"\n"
            return head + file.read(_TAIL_BYTES)


def path_of(action_id: str) -> str:
    """Where the output of a deploy lies after its end was recorded, until the next boot."""
    return "%s/%s" % (runtime.DIRECTORY, _KEPT % (action_id, "log"))


def keep(action_id: str, known: Mapping[str, Any]) -> None:
    """Put aside what is known of a deploy that has ended, with ``known`` in place of its state. OSError."""
    with runtime.directory() as directory:
        write(directory, _KEPT % (action_id, "json"), json.dumps(dict(known), sort_keys=True).encode("ascii"))
        if read(STATE).get("action_id") != action_id:
            return
        with contextlib.suppress(FileNotFoundError):
            os.rename(OUTPUT, _KEPT % (action_id, "log"), src_dir_fd=directory, dst_dir_fd=directory)
        for name in (GUARD, STATE):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
        kept = [name for name in os.listdir(directory) if name.startswith("deploy-deployment-")]
        for name in sorted(kept, key=lambda name: os.stat(name, dir_fd=directory).st_mtime)[: -2 * _MOST_KEPT]:
            os.unlink(name, dir_fd=directory)


def forget(context: Context, name: str = NAME) -> None:
    """Take away the unit of a deploy, or another one, that has ended. :class:`Refusal`."""
    if look(context, name).state not in (SUCCEEDED, FAILED):
        return
    # Both are errors to systemctl where there is nothing to do, and what is there afterwards is looked at before a start.
    context.run([SYSTEMCTL, "stop", "--quiet", "--no-ask-password", name], _SECONDS)
    context.run([SYSTEMCTL, "reset-failed", "--quiet", name], _SECONDS)


def read(name: str) -> Dict[str, Any]:
    """What was written under that name in this boot; empty where there is nothing, or it cannot be read."""
    # To look is not to create.
    if not os.path.lexists(runtime.DIRECTORY):
        return {}
    with runtime.directory() as directory:
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            with os.fdopen(descriptor, "rb") as file:
                return json_object(file.read(_STATE_BYTES), name)
        except (OSError, ParseError):
            return {}


def write(directory: int, name: str, content: bytes) -> None:
    """All of it or nothing. OSError."""
    temporary = "%s.%s" % (name, secrets.token_hex(4))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=directory)
        raise
