# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transient unit of the host's systemd: started, looked at, taken away. Private to this collection."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence

from .. import runtime
from ..parse import systemd
from ..parse.errors import ParseError
from ..probe import Context, complaint
from ..refusal import Refusal
from . import files, shown

_SYSTEMCTL = "/usr/bin/systemctl"
_SECONDS = 20.0


class TransientUnit(NamedTuple):
    """``name``: systemd's of it. ``what`` it does is called so in sentences; ``not_started``: the code where systemd refuses it.
    ``state_file`` and ``output_file``, in ``runtime.DIRECTORY``: what the newest was begun for, and what it prints."""

    name: str
    what: str
    state_file: str
    output_file: str
    not_started: str

    def look(self, context: Context) -> shown.Shown:
        """:class:`Refusal` when systemd does not say."""
        argv = [_SYSTEMCTL, "show", self.name, "--no-pager", "--property=" + shown.PROPERTIES]
        result = context.run(argv, _SECONDS)
        try:
            if result.failure is not None or result.rc != 0:
                raise ParseError("command_failed", complaint(result.stderr) or str(result.failure))
            return shown.of_properties(systemd.show(result.stdout)[self.name])
        except (ParseError, KeyError) as error:
            raise Refusal(
                "systemd_unreadable",
                "systemd does not say whether %s runs: %s" % (self.name, error),
                "See why: systemctl status %s" % self.name,
            ) from error

    def start(
        self,
        context: Context,
        argv: Sequence[str],
        known: Mapping[str, Any],
        beside: Optional[Mapping[str, bytes]] = None,
    ) -> None:
        """Start it. :class:`Refusal` when there is one already, or systemd refuses: then nothing has begun.

        ``known``: what it is begun for; ``beside``: other files that it needs. The end of every earlier one must be on record:
        what is left of one that has ended is taken away."""
        self.forget(context)
        if self.look(context).state != shown.GONE:
            raise Refusal(
                self.what + "_running",
                "There is a unit %s of an earlier %s already." % (self.name, self.what),
                "See what it is (systemctl status %s), and run the same command again." % self.name,
            )
        with runtime.directory() as directory:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.output_file, dir_fd=directory)
            for name, content in (beside or {}).items():
                files.write(directory, name, content)
            files.write(directory, self.state_file, json.dumps(dict(known), sort_keys=True).encode("ascii"))
        result = context.run(list(argv), _SECONDS)
        if result.failure is not None or result.rc != 0:
            why = complaint(result.stderr) or result.failure or "exit code %d" % result.rc
            if self.look(context).state == shown.GONE:
                raise Refusal(
                    self.not_started,
                    "systemd did not start the %s: %s" % (self.what, why),
                    "See why: journalctl -u %s. Then run it again." % self.name,
                )

    def state(self) -> Dict[str, Any]:
        """What the newest of this boot was begun for; empty where there was none, or it cannot be read."""
        return files.read(self.state_file)

    def output(self, context: Context) -> Optional[bytes]:
        """What it has printed, without secrets; None: it was not started in this boot."""
        printed = files.printed(self.output_file)
        if printed is None:
            return None
        text = context.redactor.text(printed.decode("utf-8", "surrogateescape"), True)
        return text.encode("utf-8", "surrogateescape")

    def forget(self, context: Context) -> None:
        """Take it away if it has ended. :class:`Refusal`."""
        if self.look(context).state not in (shown.SUCCEEDED, shown.FAILED):
            return
        # Both are errors to systemctl where there is nothing to do, and what is there afterwards is looked at before a start.
        context.run([_SYSTEMCTL, "stop", "--quiet", "--no-ask-password", self.name], _SECONDS)
        context.run([_SYSTEMCTL, "reset-failed", "--quiet", self.name], _SECONDS)
