# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox guest, broken and looked at without the collection: the second path."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import Any, Dict, List

from . import SANDBOX

sys.path.insert(0, str(SANDBOX.parent))

from lib import faults
from lib.errors import SandboxError
from lib.guest import Guest as _Guest

LOG = "/srv/healtharchive/ops/remediation/audit.jsonl"
RUNTIME = "/run/healtharchive-remediation"
WORKER = "healtharchive-worker.service"


class Failed(Exception):
    """The guest did not do what was asked; the text says what and why."""


class Guest:
    """One guest by its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._guest = _Guest(name)

    def renew(self) -> None:
        """Up, as new."""
        self._sandbox("reset" if self._guest.record() else "up")

    def remove(self) -> None:
        if self._guest.record():
            self._sandbox("down")

    def _sandbox(self, word: str) -> None:
        done = subprocess.run(
            [str(SANDBOX), word, self.name], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Failed("sandbox %s %s: %s" % (word, self.name, done.stderr.strip()))

    def fault(self, name: str, function: str) -> None:
        """``break_it``, ``mend_it`` or ``is_broken`` of a fault; :class:`Failed`."""
        try:
            faults.apply(self._guest, faults.fault(name), function)
        except SandboxError as error:
            raise Failed("%s: %s" % (error.message, " / ".join(error.details[-4:]))) from error

    def is_broken(self, name: str) -> bool:
        try:
            self.fault(name, "is_broken")
        except Failed:
            return False
        return True

    def root(self, script: str, seconds: float = 120) -> str:
        """Run a bash script as root, with the helpers of the sandbox before it; what it prints."""
        done = self._guest.script(script, seconds=seconds)
        if done.returncode != 0:
            raise Failed("rc %d: %s\n%s%s" % (done.returncode, script, done.stdout, done.stderr))
        return str(done.stdout)

    def holds(self, script: str) -> bool:
        """Whether a script ends well."""
        return bool(self._guest.script(script, seconds=60).returncode == 0)

    # what is looked at

    def jobs(self) -> Dict[int, Dict[str, Any]]:
        """Every row of the queue by its id, as the database has it; the columns that people and recoveries mean."""
        said = self.root(
            "sql \"SELECT coalesce(json_agg(row_to_json(j) ORDER BY id), '[]') FROM (SELECT id, source_id, name, status,"
            ' retry_count, output_dir, crawler_status, started_at FROM archive_jobs) j"'
        )
        return {row["id"]: row for row in json.loads(said)}

    def jobs_if_there(self) -> Dict[int, Dict[str, Any]]:
        """The same; empty while PostgreSQL does not answer, for then no row changes."""
        return self.jobs() if self.holds("pg_isready --quiet") else {}

    def active(self, unit: str) -> bool:
        return self.holds("systemctl is-active --quiet %s" % unit)

    def record(self) -> List[Dict[str, Any]]:
        """The events of the audit log, the chain followed by hand; AssertionError where a line does not continue the one
        before. A line that was cut short is skipped as the next one says."""
        content = self.root("cat %s 2>/dev/null || true" % LOG).encode("ascii")
        events: List[Dict[str, Any]] = []
        torn: List[bytes] = []
        before = None
        for line in content.split(b"\n")[:-1]:
            try:
                event = json.loads(line)
            except ValueError:
                torn.append(line)
                continue
            continued = b"\n".join([*([] if before is None else [before]), *torn])
            expected = hashlib.sha256(continued).hexdigest() if continued else "0" * 64
            assert event["previous"] == expected, "event %d does not continue the one before" % event["sequence"]
            assert event["sequence"] == len(events) + 1
            events.append(event)
            before, torn = line, []
        return events

    def unfinished(self) -> List[str]:
        """The ids of actions that were begun and whose end is not on record."""
        begun: Dict[str, None] = {}
        for event in self.record():
            if event["kind"] == "action_begun":
                begun[event["data"]["action_id"]] = None
            elif event["kind"] == "action_finished":
                begun.pop(event["data"]["action_id"], None)
        return list(begun)
