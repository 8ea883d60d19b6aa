# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit that verifies and indexes, while it runs and after: kept by systemd when it has ended, so that its end can be read.

What it was begun for and what it prints lie below ``/run``, for root alone. Private to this collection.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Dict, Mapping, Optional, Sequence

from .. import runtime
from ..deploy import unit as units
from ..parse import indexing as parse
from ..probe import Context, complaint
from ..refusal import Refusal
from . import judge
from .command import OUTPUT
from .facts import NAME

STATE = "indexing.json"
_SECONDS = 20.0


def look(context: Context) -> units.Unit:
    """:class:`Refusal` when systemd does not say."""
    return units.look(context, NAME)


def state() -> Dict[str, Any]:
    """What the newest one of this boot was begun for; empty where there was none."""
    return units.read(STATE)


def start(context: Context, argv: Sequence[str], known: Mapping[str, Any]) -> None:
    """:class:`Refusal` when there is one already, or systemd refuses: then nothing has begun. The end of every earlier one must
    be on record: what is left of it is taken away."""
    units.forget(context, NAME)
    if look(context).state != units.GONE:
        raise Refusal(
            "indexing_running",
            "There is a unit %s already." % NAME,
            "See what it is (systemctl status %s), and run the same command again." % NAME,
        )
    with runtime.directory() as directory:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(OUTPUT, dir_fd=directory)
        units.write(directory, STATE, json.dumps(dict(known), sort_keys=True).encode("ascii"))
    result = context.run(list(argv), _SECONDS)
    if result.failure is not None or result.rc != 0:
        why = complaint(result.stderr) or result.failure or "exit code %d" % result.rc
        if look(context).state == units.GONE:
            raise Refusal(
                "not_started",
                "systemd did not start the indexing: %s" % why,
                "See why: journalctl -u %s. Then run it again." % NAME,
            )


def report(context: Context) -> Optional[parse.Report]:
    """Of what was printed, without secrets; None where it was never started."""
    printed = units.output(OUTPUT)
    if printed is None:
        return None
    text = context.redactor.text(printed.decode("utf-8", "surrogateescape"), True)
    return parse.report(text.encode("utf-8", "surrogateescape"))


def end_of(found: units.Unit, printed: bool) -> judge.End:
    """How it ended. Pure."""
    if found.state == units.GONE:
        return judge.End(judge.LOST if printed else judge.NEVER)
    if found.result == "timeout":
        return judge.End(judge.TIMEOUT)
    if found.state == units.SUCCEEDED and found.code == 0:
        return judge.End(judge.ENDED, 0)
    if found.result in ("exit-code", "success"):
        # Of what is run before the command, systemd keeps no code here.
        return judge.End(judge.ENDED, found.code if found.code else None)
    return judge.End(judge.KILLED)


def forget(context: Context) -> None:
    """Take away the unit, whose end is on record. :class:`Refusal`."""
    units.forget(context, NAME)
