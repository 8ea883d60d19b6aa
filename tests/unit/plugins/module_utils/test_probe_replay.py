# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay is asked for a page of each mount and of the local disk, and every answer has its word."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.http_client import Answer
from ansible_collections.healtharchive.remediation.plugins.module_utils.probe import Context
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import replay
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

ROOT = "/srv/healtharchive/jobs"
HOT = ROOT + "/imports/hc-2019"


@pytest.mark.parametrize(
    ("warc", "mounted", "mount"),
    [
        ("/warcs/imports/hc-2019/warcs/warc-1.warc.gz", [HOT], HOT),
        (HOT + "/warcs/warc-1.warc.gz", [ROOT + "/imports", HOT], HOT),
        ("/warcs/phac/x/warcs/warc-1.warc.gz", [HOT], ""),
        ("/warcs/imports/hc-20190/warc-1.warc.gz", [HOT], ""),
        ("/warcs/../../../etc/x", [HOT], None),
        ("/elsewhere/warc-1.warc.gz", [HOT], None),
        ("../archive/warc-1.warc.gz", [HOT], None),
        ("/warcs/imports/hc-2019/warcs/warc-1.warc.gz", None, None),
    ],
)
def test_where_a_warc_file_lies(warc: str, mounted: Optional[list[str]], mount: Optional[str]) -> None:
    assert replay.mount_of(warc, ROOT, mounted) == mount


def test_the_newest_of_each_mount_and_two_of_the_disk() -> None:
    collections = [
        replay._Collection(number, "", mount) for number, mount in enumerate(["", "a", "", "b", "", "a", None])
    ]
    assert [each.job_id for each in replay.chosen(collections)] == [0, 2, 1, 3, 6]
    many = [replay._Collection(number, "", "mount %d" % number) for number in range(50)]
    assert len(replay.chosen(many)) == replay.MOST_TARGETS


@pytest.mark.parametrize(
    ("status", "failure", "state"),
    [
        (200, None, "served"),
        (307, None, "served"),
        (404, None, "not_found"),
        (500, None, "failing"),
        (503, None, "failing"),
        (None, "timed_out", "silent"),
        (None, "connection_closed", "silent"),
        (None, "other", None),
        (None, "output_truncated", None),
    ],
)
def test_every_answer_has_its_word(status: Optional[int], failure: Optional[str], state: Optional[str]) -> None:
    assert replay.state_of(Answer(status, b"", 0.1, failure, "")) == state


class Handler(BaseHTTPRequestHandler):
    """`/` is well; of the jobs, 1 is not served and 2 never answers."""

    def do_GET(self) -> None:
        if self.path.startswith("/job-2/"):
            self.server.hang.wait(30)  # type: ignore[attr-defined]
            return
        self.send_response(503 if self.path.startswith("/job-1/") else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def served() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hang = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield "http://127.0.0.1:%d" % server.server_address[1]
    finally:
        server.hang.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()


def context(url: str) -> Context:
    values: dict[str, Any] = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
    return Context(
        settings=settings.Settings(**{**values, "replay_url": url}),
        environment=None,
        environment_problem=None,
        redactor=Redactor(),
        secrets_known=True,
        deadline=time.monotonic() + 30,
        stale_after_seconds=600,
        baseline_mode="local",
    )


def collection(root: Path, number: int, index: str) -> None:
    place = root / ("job-%d" % number)
    (place / "archive").mkdir(parents=True)
    (place / "indexes").mkdir()
    (place / "archive" / "warc-000001.warc.gz").symlink_to("/warcs/phac/job-%d/warcs/warc-000001.warc.gz" % number)
    (place / "indexes" / "index.cdxj").write_text(index)


LINE = "org,example)/ 20260101000000 " + json.dumps(
    {"url": "https://example.org/", "mime": "text/html", "status": "200"}
)


@pytest.fixture
def collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(replay, "DIRECTORY", str(tmp_path))
    monkeypatch.setattr(replay, "SECONDS", 1.0)
    monkeypatch.setattr(replay, "MOST_LOCAL", 9)
    return tmp_path


def test_pages_that_are_not_served(collections: Path) -> None:
    for number in (1, 2, 3):
        collection(collections, number, LINE + "\n")
    (collections / "job-4" / "archive").mkdir(parents=True)  # not ready
    (collections / "another").mkdir()
    with served() as url:
        finding = replay.probe(context(url))
    assert finding.status == "ok"
    assert finding.data is not None
    assert finding.data["responds"] is True
    assert finding.data["collections"] == 3
    seen = {target["job_id"]: (target["tier"], target["state"], target["status"]) for target in finding.data["targets"]}
    assert seen == {1: ("local", "failing", 503), 2: ("local", "silent", None), 3: ("local", "served", 200)}
    assert finding.data["targets"][0]["path"] == "/job-3/20260101000000mp_/https://example.org/"


def test_an_index_that_cannot_be_read_is_not_silently_left_out(collections: Path) -> None:
    collection(collections, 3, "no index\n")
    collection(collections, 5, LINE + "\n")
    (collections / "job-5/indexes/index.cdxj").rename(collections / "job-5/indexes/other")
    (collections / "job-5/indexes/index.cdxj").symlink_to("other")
    with served() as url:
        finding = replay.probe(context(url))
    assert finding.status == "partial"
    assert sorted(problem.code for problem in finding.problems) == ["unparsable", "unreachable"]
    assert finding.data is not None
    assert finding.data["targets"] == []


def test_a_host_without_replay(collections: Path) -> None:
    collections.rmdir()
    with served() as url:
        pass
    finding = replay.probe(context(url))
    assert finding.status == "ok"
    assert finding.data is not None
    assert (finding.data["responds"], finding.data["failure"]) == (False, "connection_refused")
    assert (finding.data["collections"], finding.data["targets"]) == (0, [])
