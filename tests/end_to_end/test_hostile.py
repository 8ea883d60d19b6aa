# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in rows, logs and journals is text: nothing evaluates it, nothing is hidden by it, no terminal obeys it."""

from __future__ import annotations

import re

import pytest

from .test_bounded import START_API

JOBS = "/srv/healtharchive/jobs/hc"
# As `list-jobs` writes a row of its table, and made when the others were: nothing gives it away.
ROW = (
    "9999 hc     running     browsertrix      normal            0       2026-11-23 15:44:08 None                None"
    "                0 fake"
)


def names(marker: str) -> dict:
    """Hostile names of jobs; whoever evaluates one makes the marker, here or on the host."""
    return {
        "template": "{{ lookup('pipe','id') }}",
        "template with effect": "{{ lookup('pipe','touch %s') }}" % marker,
        "statement": "{% set x = lookup('pipe','touch " + marker + "') %}{{ x }}",
        "shell": "$(touch %s)`touch %s`;touch %s" % (marker, marker, marker),
        "row": "real\n" + ROW,
        "long": "long-" + "x" * 10240,
        "ansi": "\x1b[2J\x1b[31mred\x1b]0;title\x07\x9b1m",
        "escapes": "nul \\x00 \\0 \\u0000 %00 ^@ \x01\x7f",
        "turned": "\u202egpj.exe\u202c\u200b\u2028\ufeff",
        "option": "--help --apply -rf",
        "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "markdown": "![x](https://evil.example.org/x.png) | a | `b` # c",
        "sql": "'; DROP TABLE archive_jobs; --",
        "yaml": "!unsafe {a: [b, *c]}",
    }


# Lines that a crawl's log and a unit's journal hold; some look like known faults, whose subject is shown.
LINES = (
    "zimit: error: unrecognized arguments: --{{ lookup('pipe','id') }} \x1b[31m<script>alert(2)</script>",
    'ModuleNotFoundError: No module named \'{{ lookup("pipe", "id") }}<b>\x1b[2J\u202e\'',
    '{"MESSAGE": "forged", "__REALTIME_TIMESTAMP": "1"}',
    "\x1b]8;;https://evil.example.org/\x1b\\link\x1b]8;;\x1b\\ \x07\x9b31m",
    "x" * 20000,
)


def quoted(text: str) -> str:
    return "E'" + "".join("\\U%08x" % ord(sign) for sign in text) + "'"


@pytest.fixture
def hostile(host, tmp_path):
    """Jobs with hostile names and logs, and the same in the journal of the API. The marker's path is returned."""
    marker = tmp_path / "evaluated"
    rows = [
        "(%s, '%s/hostile-%d', 'failed', '2026-11-23T15:44:08Z', now(), (SELECT id FROM sources WHERE code = 'hc'))"
        % (quoted(name), JOBS, number)
        for number, name in enumerate(names(str(marker)).values())
    ]
    columns = "name, output_dir, status, created_at, finished_at, source_id"
    # The contract names no limit of a job's name.
    host.sql(
        "ALTER TABLE archive_jobs ALTER COLUMN name TYPE text;"
        "INSERT INTO archive_jobs (%s) VALUES %s;" % (columns, ", ".join(rows))
    )
    host.root(
        "mkdir -p %(place)s /run/systemd/system/healtharchive-api.service.d\n"
        "cat >/run/hostile-lines <<'END'\n%(lines)s\nEND\n"
        "cp /run/hostile-lines %(place)s/archive_initial_crawl_-_attempt_1_20261123_150000.combined.log\n"
        "chown -R haadmin %(place)s\n"
        "printf '[Service]\\nExecStartPre=/bin/cat /run/hostile-lines\\n'"
        " >/run/systemd/system/healtharchive-api.service.d/hostile.conf\n"
        "systemctl daemon-reload; systemctl restart healtharchive-api healtharchive-worker\n%(started)s"
        % {"place": JOBS + "/hostile-0", "lines": "\n".join(LINES), "started": START_API}
    )
    yield marker
    host.sql(
        "DELETE FROM archive_jobs WHERE output_dir LIKE '%/hostile-%';"
        "ALTER TABLE archive_jobs ALTER COLUMN name TYPE varchar(200);"
    )
    host.root(
        "rm -r %s /run/hostile-lines /run/systemd/system/healtharchive-api.service.d/hostile.conf\n"
        "systemctl daemon-reload; systemctl restart healtharchive-api healtharchive-worker\n%s"
        % (JOBS + "/hostile-0", START_API)
    )


def unsafe_signs(text: str) -> set:
    return {sign for sign in text if not sign.isprintable() and sign != "\n"}


def assert_text(host, triage, folder, marker) -> None:
    """Nothing was evaluated, nothing is raw, in the terminal or in the reports."""
    assert triage.rc == 0
    assert "Traceback" not in triage.output
    assert "probe_error" not in triage.output
    assert not marker.exists()
    assert host.ssh("test -e %s" % marker, check=False).returncode == 1
    (page,) = folder.rglob("triage.html")
    (note,) = folder.rglob("triage.md")
    html, markdown = page.read_text(), note.read_text()
    for shown in (triage.output, html, markdown):
        assert "uid=0" not in shown
        assert unsafe_signs(shown) == set()
        assert "x" * 2000 not in shown
    assert "<script" not in html
    assert "<img" not in html
    assert re.search(r"(?<!\\)<(script|img|b)\b", markdown) is None
    assert re.search(r"!\[x\]\(", markdown) is None
    assert "href=" not in re.sub(r'href="#[^"]*"', "", html)


def test_hostile_rows_from_the_admin_api(host, hostile, tmp_path):
    triage = host.triage(tmp_path / "out")
    assert_text(host, triage, tmp_path / "out", hostile)
    jobs = {job["name"]: job for job in triage.probe("jobs")["data"]["jobs"]}
    wanted = names(str(hostile))
    # The evidence holds them as they are, but for the length; what is shown of them is escaped.
    assert {name[:500] for name in wanted.values()} == set(jobs)
    assert {job["status"] for job in jobs.values()} == {"failed"}
    assert 9999 not in {job["id"] for job in jobs.values()}
    assert triage.result["verdict"] == "found"
    assert "job_failed" in {each["rule"] for each in triage.result["classes"]}
    assert "alert(1)" in next((tmp_path / "out").rglob("triage.html")).read_text()
    rejected = [job["rejected_options"] for job in jobs.values() if job["rejected_options"]]
    assert len(rejected) == 1
    assert "lookup('pipe','id')" in rejected[0]
    tail = triage.probe("journal")["data"]["units"]["healtharchive-api.service"]["signatures"]
    subjects = {found["code"]: found["subject"] for found in tail}
    assert subjects["missing_module"] == "{{ lookup("


def test_hostile_rows_from_the_table(host, hostile, tmp_path):
    """The table has one line for a job, and a name may hold a line break: what is not certain is not told as certain."""
    host.ssh("sudo systemctl stop healtharchive-api")
    try:
        triage = host.triage(tmp_path / "out")
    finally:
        host.ssh(START_API)
    assert_text(host, triage, tmp_path / "out", hostile)
    assert triage.result["verdict"] == "found"
    assert triage.first["rule"] == "api_stopped"
    jobs = triage.probe("jobs")
    assert (jobs["status"], bool(jobs["problems"])) == ("partial", True)
    assert "line break" in " ".join(jobs["data"]["cannot_know"])
    (forged,) = [job for job in jobs["data"]["jobs"] if job["id"] == 9999]
    assert (forged["status"], forged["stale"]) == ("running", None)
    assert "stale_running_row" not in {each["rule"] for each in triage.result["classes"]}
