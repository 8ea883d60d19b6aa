# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal probe: what a journalctl that prints too much, fails or hangs leaves of it."""

from __future__ import annotations

import json
import sys
import time

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host, probe
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import journal
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

# journalctl --reverse: the newest is the first.
PRINT = """
import json, sys, time
def entry(number, message):
    print(json.dumps({"__REALTIME_TIMESTAMP": str(1795458300 - number) + "000000", "MESSAGE": message}), flush=True)
"""


def look(monkeypatch, script: str, **changes):
    """The probe's finding, with this Python script in the place of journalctl."""
    run = host.run

    def stand_in(argv, *arguments, **options):
        if not argv[0].endswith("journalctl"):
            return run(["/bin/true"], *arguments, **options)
        assert "--reverse" in argv
        assert "--all" in argv
        return run([sys.executable, "-c", PRINT + script], *arguments, **options)

    monkeypatch.setattr(host, "run", stand_in)
    context = probe.Context(None, None, None, Redactor(["hunter22"]), True, time.monotonic() + 30, 600, "local")
    return journal.probe(context._replace(**changes))


def codes(finding) -> list:
    return [problem.code for problem in finding.problems]


def test_the_newest_line_is_the_last(monkeypatch):
    finding = look(monkeypatch, "for number in range(200): entry(number, 'line %d' % number)")
    assert finding.status == "ok"
    unit = finding.data["units"][journal.API]
    assert (unit["lines"], unit["whole"], unit["newest_at"]) == (200, True, "2026-11-23T18:25:00Z")
    assert unit["tail"] == ["line %d" % number for number in range(9, -1, -1)]


def test_200_lines_as_long_as_journald_makes_them_are_read_whole(monkeypatch):
    script = "for number in range(200): entry(number, 'x' * 48 * 1024)"
    finding = look(monkeypatch, script)
    assert finding.status == "ok"
    assert finding.data["units"][journal.WORKER]["lines"] == 200


@pytest.mark.parametrize("size", [1_000_000, 3_000_001])
def test_of_too_much_the_newest_is_read_and_the_rest_is_said_to_be_missing(monkeypatch, size):
    """A line that names a fault is the oldest: it is not seen, and nobody may conclude that it is not there."""
    script = (
        "for number in range(199): entry(number, 'x' * %d)\nentry(199, 'Traceback (most recent call last):')" % size
    )
    finding = look(monkeypatch, script)
    assert finding.status == "partial"
    assert codes(finding) == ["output_truncated"] * 2
    unit = finding.data["units"][journal.API]
    assert unit["lines"] == journal.CAP_BYTES // (size + 60)
    assert (unit["whole"], unit["newest_at"], unit["signatures"]) == (False, "2026-11-23T18:25:00Z", [])
    assert "The newest %d lines were read." % unit["lines"] in finding.problems[0].message


def test_a_newest_line_that_is_larger_than_all_that_is_read_is_no_missing_journal(monkeypatch):
    finding = look(monkeypatch, "entry(0, 'x' * %d)" % (journal.CAP_BYTES + 1))
    assert finding.status == "unknown"
    assert codes(finding) == ["output_truncated"] * 2


def test_what_was_read_before_journalctl_failed_is_kept(monkeypatch):
    finding = look(monkeypatch, "entry(0, 'OSError: [Errno 98]')\nsys.exit('Journal file is truncated')")
    assert finding.status == "partial"
    assert codes(finding) == ["command_failed"] * 2
    assert "Journal file is truncated" in finding.problems[0].message
    assert [found["code"] for found in finding.data["units"][journal.API]["signatures"]] == ["address_in_use"]


def test_what_was_read_before_journalctl_hung_is_kept(monkeypatch):
    monkeypatch.setattr(journal, "SECONDS", 1.0)
    finding = look(monkeypatch, "entry(0, 'one')\ntime.sleep(600)")
    assert codes(finding) == ["timed_out"] * 2
    assert finding.data["units"][journal.API]["lines"] == 1


@pytest.mark.parametrize(
    ("script", "code"),
    [("", "not_found"), ("print('-- No entries --')", "unparsable"), ("print('{', end='')", "truncated")],
)
def test_no_line_is_never_fine(monkeypatch, script, code):
    finding = look(monkeypatch, script)
    assert finding.status == "unknown"
    assert codes(finding) == [code] * 2


def test_a_secret_is_hidden_before_lines_are_cut(monkeypatch):
    finding = look(monkeypatch, "entry(0, 'y' * 195 + 'hunter22')")
    assert "hunt" not in json.dumps(finding.data)
    assert finding.data["units"][journal.API]["tail"][0].startswith("y" * 195)


def test_no_line_is_shown_when_the_secrets_are_not_known(monkeypatch):
    finding = look(monkeypatch, "entry(0, 'OSError: [Errno 98] something')", secrets_known=False)
    assert codes(finding) == ["bad_evidence"]
    unit = finding.data["units"][journal.API]
    assert (unit["tail"], unit["signatures"][0]["sample"]) == ([], "")
