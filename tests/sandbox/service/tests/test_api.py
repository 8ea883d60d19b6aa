# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP API (contract 1.4, 1.11, 3.4)."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.error
import urllib.request

import pytest
from conftest import BIN, CHECKOUT, Host
from test_crawling import wait_until


class Api:
    """A served API."""

    def __init__(self, base: str, log) -> None:
        self.base = base
        self.log = log

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and body."""
        request = urllib.request.Request(self.base + path, headers=headers)
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def serve(host: Host, tmp_path):
    """Starts an API with changed settings."""
    processes = []

    def start(**changes: str) -> Api:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = tmp_path / "api.log"
        environment = {
            **host.environment,
            "HEALTHARCHIVE_ENV": "staging",
            "HEALTHARCHIVE_ADMIN_TOKEN": "token",
            **changes,
        }
        with log.open("w") as stream:
            command = [BIN / "uvicorn", "healtharchive.api:app", "--port", str(port)]
            processes.append(subprocess.Popen(command, env=environment, stdout=stream, stderr=stream))
        wait_until(lambda: "Uvicorn running on" in log.read_text())
        return Api(f"http://127.0.0.1:{port}", log)

    yield start
    for process in processes:
        process.terminate()
        process.wait()


def test_public_surface(serve, indexed):
    indexed()
    command = [CHECKOUT / "scripts/verify_public_surface.py", "--skip-frontend", "--require-source", "hc", "--api-base"]
    finished = subprocess.run([*command, serve().base], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.endswith("All checks passed.\n")


def test_a_missing_column_breaks_search_and_changes_only(serve, host, indexed):
    indexed()
    api = serve()
    host.sql("ALTER TABLE snapshots DROP COLUMN deduplicated")
    try:
        paths = ("/api/health", "/api/stats", "/api/snapshots/1", "/api/snapshots/raw/1")
        assert [api.get(path)[0] for path in paths] == [200] * 4
        for path in ("/api/search", "/api/changes"):
            assert api.get(path) == (500, "Internal Server Error")
        assert "psycopg.errors.UndefinedColumn: column snapshots.deduplicated does not exist" in api.log.read_text()
    finally:
        host.sql("ALTER TABLE snapshots ADD COLUMN deduplicated boolean NOT NULL DEFAULT false")


def test_a_database_that_is_down(serve):
    api = serve(HEALTHARCHIVE_DATABASE_URL="postgresql+psycopg://healtharchive@127.0.0.1:1/healtharchive")
    for path in ("/api/health", "/api/health?details=1"):
        assert api.get(path) == (500, '{"status":"error","checks":{"db":"error"}}')
    for path in ("/api/stats", "/api/sources", "/api/search", "/api/changes", "/api/usage"):
        assert api.get(path) == (500, "Internal Server Error")
    assert api.get("/api/exports")[0] == 200


def test_jobs_without_a_source_and_bad_rows_are_readable(serve, host):
    host.job(source_id=None, config={"tool_options": {"initial_workers": "abc"}}, created_at="2026-11-23T15:44:08Z")
    status, body = serve().get("/api/admin/jobs", **{"X-Admin-Token": "token"})
    item = json.loads(body)["items"][0]
    assert (status, item["sourceCode"], item["createdAt"]) == (200, None, "2026-11-23T15:44:08+00:00")


def test_tokens(serve):
    api = serve()
    for headers in ({}, {"X-Admin-Token": "wrong"}, {"Authorization": "Bearer wrong"}):
        assert api.get("/metrics", **headers) == (403, '{"detail":"Admin token required"}')
    assert api.get("/metrics", Authorization="Bearer token")[0] == 200


def test_staging_without_a_token_serves_no_admin_endpoint(serve):
    assert serve(HEALTHARCHIVE_ADMIN_TOKEN="").get("/metrics")[0] == 500


def test_development_without_a_token_serves_everyone(serve):
    assert serve(HEALTHARCHIVE_ADMIN_TOKEN="", HEALTHARCHIVE_ENV="development").get("/metrics")[0] == 200


def test_searching_too_often_is_refused(serve):
    api = serve()
    answers = [api.get("/api/search")[0] for _request in range(65)]
    assert (answers.count(200), answers.count(429)) == (60, 5)
