# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of files, rows, processes and connections: real files, real processes, and any bytes."""

from __future__ import annotations

import contextlib
import getpass
import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing import indexers, query, survey, warcs
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing.facts import Snapshots, Transaction
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes.units import WORKER
from hypothesis import given
from hypothesis import strategies as st

HERE = SimpleNamespace(
    settings=SimpleNamespace(service_user=getpass.getuser()),
    run=lambda argv, seconds, who, cap: host.run(argv, seconds, None, cap=cap),
)


def written(path: Path, pages: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(gzip.compress(os.urandom(2000)) for _page in range(pages)))
    return path


def sums(top: Path) -> dict:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in top.rglob("*") if path.is_file()}


@pytest.fixture
def archive(tmp_path):
    """Two whole files, a truncated one and an empty one, in the temporary directories of a crawl."""
    crawl = tmp_path / ".tmpab" / "collections" / "crawl-1" / "archive"
    for name in ("a", "b", "cut"):
        written(crawl / (name + ".warc.gz"))
    os.truncate(crawl / "cut.warc.gz", 3000)
    (crawl / "empty.warc.gz").write_bytes(b"")
    return tmp_path


def test_files_are_read_to_their_ends_and_nothing_is_written(archive):
    before = sums(archive)
    found = warcs.read(HERE, warcs.listed(HERE, str(archive)))
    problems = {Path(each.path).name: each.problem for each in found.files}
    assert (found.kind, found.all_files, found.promised) == ("temporary", 4, None)
    assert problems["a.warc.gz"] is problems["b.warc.gz"] is None
    assert problems["empty.warc.gz"] == "it is empty"
    assert "end-of-stream" in problems["cut.warc.gz"]
    assert [each.verified for each in found.files] == [True, True, True, False]
    assert sums(archive) == before


def test_what_the_time_does_not_suffice_for_is_not_called_whole(archive):
    listed = warcs.listed(HERE, str(archive))
    slow = SimpleNamespace(
        settings=HERE.settings,
        run=lambda argv, seconds, who, cap: SimpleNamespace(
            stdout=b'["%s", null]\n["half' % listed.files[0].path.encode()
        ),
    )
    found = warcs.read(slow, listed)
    assert [each.verified for each in found.files] == [True, False, False, False]


def test_the_stable_files_come_first_and_a_link_counts_once(archive):
    stable = archive / "warcs"
    stable.mkdir()
    (crawl,) = archive.glob(".tmp*/collections/crawl-*/archive")
    os.link(crawl / "a.warc.gz", stable / "warc-000001.warc.gz")
    (stable / "manifest.json").write_text(json.dumps({"entries": [{"name": "warc-000001.warc.gz", "size": 5}]}))
    found = warcs.listed(HERE, str(archive))
    assert (found.kind, found.all_files, found.promised) == ("stable", 4, {"warc-000001.warc.gz": 5})
    assert [Path(each.path).name for each in found.files] == ["warc-000001.warc.gz"]


def test_what_is_not_there_is_not_the_same_as_nothing(tmp_path):
    assert warcs.listed(HERE, str(tmp_path)).files == ()
    with pytest.raises(warcs.NotListed):
        warcs.listed(HERE, str(tmp_path / "gone"))


def test_what_is_no_file_and_what_may_not_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.warc.gz")
    (tmp_path / "lost.warc.gz").symlink_to(tmp_path / "nowhere")
    problems = [each.problem for each in warcs.listed(HERE, str(tmp_path)).files]
    assert problems == ["No such file or directory", "it is no file"]


@given(
    st.binary(max_size=60)
    | st.sampled_from([b'{"kind": "stable"}', b'{"kind":"x","files":[["a",1,null]],"all":0,"promised":null}'])
)
def test_any_bytes_are_a_list_or_none(content):
    with pytest.raises(warcs.NotListed):
        warcs.parse(content)


ANSWER = {
    "job": [
        {
            "id": 12, "name": "x", "source": None, "status": "completed", "output_dir": "/x", "indexed_page_count": 0,
            "warc_file_count": None, "config": None, "started": None, "finished": 1795458300.5, "finished_seconds": 7.5,
        }
    ],
    "snapshots": [{"count": 3, "first": 7, "last": 9}],
    "files": [{"path": "/x/a", "count": 3}],
    "newest": [{"id": 12}],
    "transactions": [
        {"port": 4711, "seconds": 2.5, "writes": True, "waits": False},
        {"port": -1, "seconds": 0.1, "writes": False, "waits": True},
    ],
    "size": [{"bytes": 8192}],
}  # fmt: skip


def test_what_the_database_says():
    found = query.parse(json.dumps(ANSWER).encode())
    assert found.job is not None
    assert (found.job.id, found.job.warc_files, found.job.config, found.job.finished_seconds) == (12, 0, {}, 7.5)
    assert found.snapshots == Snapshots(3, 7, 9, {"/x/a": 3})
    assert found.transactions == (Transaction(4711, 2.5, True, False), Transaction(None, 0.1, False, True))
    assert query.shown(found) == {"transactions": 1, "open_seconds": 2, "waits": False, "table_bytes": 8192}
    assert query.parse(json.dumps({**ANSWER, "job": [], "newest": []}).encode()).job is None


@given(st.data())
def test_another_answer_is_none(data):
    content = bytearray(json.dumps(ANSWER).encode())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(1, 30))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(ParseError):
        query.parse(bytes(content))
    with pytest.raises(ParseError):
        query.parse(json.dumps({**ANSWER, data.draw(st.sampled_from(sorted(ANSWER))): None}).encode())


PROGRAM = "/opt/healtharchive/.venv/bin/healtharchive"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (PROGRAM + " index-job --id 12", 12),
        ("/usr/bin/python3 " + PROGRAM + " index-job --id=12", 12),
        ("python3 -B healtharchive index-job --id 12", 12),
        ("healtharchive index-job", 0),
        ("healtharchive index-job --id x", 0),
        ("healtharchive show-job --id 12", None),
        ("grep healtharchive index-job", 0),
        ("grep index-job", None),
        ("", None),
    ],
)
def test_whose_command_line_is_an_indexing(line, expected):
    assert indexers.job_of([word.encode() for word in line.split()], PROGRAM) == expected


def test_a_process_that_indexes_is_seen(tmp_path):
    program = tmp_path / "healtharchive"
    program.write_text("import sys; print('up', flush=True); sys.stdin.read()")
    with subprocess.Popen(
        [sys.executable, str(program), "index-job", "--id", "12"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        found = indexers.processes(str(program))
        running.communicate()
    assert [(each.pid, each.job_id) for each in found] == [(running.pid, 12)]
    assert indexers.processes(str(program)) == ()


def test_the_kernels_table_of_connections():
    table = "  sl  local_address rem_address\n   0: 0100007F:1538 00000000:0000 0A 0:0 00:0 0 105 0 18223 1 x\nhalf a line\n"
    assert list(indexers.sockets(table)) == [(5432, 18223)]


@pytest.mark.parametrize(
    ("unit", "runs", "writes", "expected"),
    [
        (WORKER, True, True, (True, ())),
        (WORKER, True, False, (True, ())),
        ("a.service", True, True, (False, ("a.service",))),
        ("a.service", True, False, (False, ())),
        (None, True, True, (None, ("a process that is not known",))),
        (None, False, True, (False, ("a process that is not known",))),
        (None, True, False, (False, ())),
    ],
)
def test_whose_transaction_it_is(monkeypatch, unit, runs, writes, expected):
    monkeypatch.setattr(indexers, "units", lambda ports: dict.fromkeys(ports, unit))
    assert survey._busy((Transaction(1, 5.0, writes, False),), runs) == expected
