# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever bytes come in: a result or a ParseError, soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import (
    annual_tiering,
    cdxj,
    database,
    deploy,
    drift,
    git,
    indexing,
    jobs,
    journal,
    mounts,
    public_surface,
    replay_reconcile,
    replay_smoke,
    stale_jobs,
    systemd,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import (
    BAD_EVIDENCE,
    EMPTY,
    TRUNCATED,
    UNPARSABLE,
    ParseError,
)
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / name).read_bytes()


def states(stdout: bytes) -> list[dict[str, Any]]:
    return [systemd.unit_state(properties, 1795458300.0) for properties in systemd.show(stdout).values()]


def processes(stdout: bytes) -> list[Any]:
    return [systemd.main_process(properties) for properties in systemd.show(stdout).values()]


def signatures(stdout: bytes) -> list[dict[str, Any]]:
    found = journal.entries(stdout, truncated=True)
    journal.tail(found)
    journal.newest_at(found)
    return journal.signatures(found, 1795458300.0)


def refusal(parser: Callable[[bytes], Any], content: bytes) -> Optional[ParseError]:
    try:
        parser(content)
    except ParseError as error:
        return error
    return None


SHA = b"c542663c3c438ffb747dbf19c6389575c7da7fbb"
PARSERS: list[tuple[str, Callable[[bytes], Any], bytes]] = [
    ("annual_tiering", annual_tiering.tiering, b"MOUNT /a/b <= /c/b\nplanned=1 mounted_now=1 warnings=0\n"),
    ("replay_reconcile", lambda said: replay_reconcile.report(said, said), b"Mode:   DRY-RUN\nSummary: would_index=0\n"),
    ("replay_smoke", replay_smoke.smoke, b'healtharchive_replay_smoke_ok{job_id="1"} 1\n'),
    ("list_jobs", jobs.list_jobs, read("list-jobs-awkward-rows.txt")),
    ("list_jobs_before", jobs.list_jobs, read("list-jobs-before-2026-04-15.txt")),
    ("admin_jobs", jobs.admin_jobs, read("admin-jobs.json")),
    ("admin_counts", jobs.admin_counts, read("admin-status-counts.json")),
    ("admin_job", jobs.admin_job, read("admin-job.json")),
    ("check_db", lambda stdout: database.check_db(stdout, b"", 0), read("check-db-ok.txt")),
    ("check_db_failed", lambda stderr: database.check_db(b"", stderr, 1), read("traceback-no-such-table.txt")),
    ("failure_of", database.failure_of, read("traceback-undefined-column.txt")),
    ("alembic", lambda stdout: database.alembic_revisions(stdout, 0), read("alembic-heads.txt")),
    ("systemd", states, read("systemctl-show-mixed-units.txt")),
    ("journal", signatures, read("journal-awkward-fields.jsonl") + read("journal-worker-transport-endpoint.jsonl")),
    ("drift", lambda stdout: drift.drift_report(stdout, 1), read("drift-failures-and-warnings.txt")),
    ("public_surface", lambda stdout: public_surface.verification(stdout, 0, True), read("public-surface-passes.txt")),
    ("deploy", lambda stdout: deploy.report(stdout, True)._asdict(), read("deploy-applied.txt")),
    ("declared_revisions", database.declared_revisions, b"revision = \"0014_name\"\nrevision: str = '0015'\n"),
    ("commit", git.commit, SHA + b"\n"),
    ("ls_remote", lambda stdout: git.ls_remote(stdout, "refs/heads/main"), SHA + b"\trefs/heads/main\n"),
    ("porcelain", git.porcelain_z, b"## main...origin/main [ahead 1]\0R  new\0old\0?? file\0"),
    ("log", git.log_z, SHA + b"\0subject\0"),
    ("count", git.count, b"12\n"),
    ("recover_stale_jobs", stale_jobs.report, read("recover-stale-jobs-dry-run.txt")),
    ("ls_files_others", git.ls_files_z, b"src/a.py\0src/b.py\0"),
    ("ls_files", git.ls_files_v, b"H README.md\0h src/a.py\0S src/b.py\0"),
    ("check_ignore", git.check_ignore_v, b".gitignore:2:.venv/\t.venv\na/.gitignore:1:*\ta\n"),
    ("last_move", git.last_move, SHA + b" " + b"a" * 40 + b" A <a@example.org> 1795458300 +0000\tcheckout: moving\n"),
    ("processes", processes, b"Id=a\nMainPID=92\nExecMainStartTimestamp=Sat 2026-11-28 14:34:50.618592 UTC\n"),
    ("cdxj", lambda content: cdxj.served_page(content, True), read("replay-index.cdxj")),
    ("mountinfo", mounts.mountinfo, read("mountinfo-storage.txt")),
    ("indexing", lambda stdout: indexing.report(stdout)._asdict(), b"Summary: total=1 checked=1 ok=1 failed=0\n[INFO] Reading\n"),
]
IDS = [name for name, _parser, _sample in PARSERS]


@pytest.mark.parametrize(("name", "parser", "sample"), PARSERS, ids=IDS)
def test_its_own_sample_is_read(name: str, parser: Callable[[bytes], Any], sample: bytes) -> None:
    assert parser(sample), name


@pytest.mark.parametrize(("name", "parser", "sample"), PARSERS, ids=IDS)
@given(data=st.data())
def test_any_bytes_give_a_result_or_a_parse_error(
    name: str, parser: Callable[[bytes], Any], sample: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(sample)
    for _change in range(data.draw(st.integers(min_value=0, max_value=4))):
        start = data.draw(st.integers(min_value=0, max_value=len(damaged)))
        end = data.draw(st.integers(min_value=start, max_value=min(len(damaged), start + 100)))
        damaged[start:end] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\n", b"\0", b"null", b"[", b'"', b"1" * 30])
        )
    for content in (bytes(damaged), data.draw(st.binary(max_size=40))):
        error = refusal(parser, content)
        if error is not None:
            assert error.code in (UNPARSABLE, EMPTY, BAD_EVIDENCE, TRUNCATED)
            assert error.message.isprintable()


SIZE = 1 << 20
HEADER = read("list-jobs-awkward-rows.txt").split(b"\n")[0] + b"\n"
ENDLESS = {
    "zeros": b"\0" * SIZE,
    "line ends": b"\n" * SIZE,
    "spaces": b" " * SIZE + b"\n",
    "digits": b"9" * SIZE + b"\n",
    "brackets": b"[" * SIZE,
    "escapes": b"\x1b[" * (SIZE // 2) + b"\n",
    "slashes": b"/" * SIZE + b"\n",
    "rows that never end": HEADER + b"1 a b c d 1 " + b"None " * (SIZE // 5) + b"\n",
    "words": HEADER + b"1 " * (SIZE // 2) + b"\n",
    "tracebacks": b"Traceback (most recent call last):\n" * (SIZE // 35),
    "colons": b"a: " * (SIZE // 3) + b"\n",
    "octal": b"1 1 0:1 / " + b"\\040" * (SIZE // 4) + b" rw - a b c\n",
    "journal": b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":"' + b"[Errno 13] '/" * (SIZE // 13) + b'"}\n',
    "journal of disks": b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":"'
    + b"disk Output directory /" * (SIZE // 23)
    + b'"}\n',
    "failures": b"FAIL a status=" * (SIZE // 14) + b"\nFAILURES: 1\n",
}


@pytest.mark.parametrize("content", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_megabyte_of_nonsense_is_no_more_work_than_reading_it(content: bytes) -> None:
    started = time.process_time()
    for _name, parser, _sample in PARSERS:
        refusal(parser, content)
    # All parsers together; a quadratic one would take hours.
    assert time.process_time() - started < 10
