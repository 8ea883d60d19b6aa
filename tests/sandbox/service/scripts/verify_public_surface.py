#!/usr/bin/env python3
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the public API and frontend what a visitor would ask (contract 3.4). Standard library only."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

PAGES = (
    "archive", "browse-by-source", "changes", "digest", "exports", "researchers", "brief", "cite", "methods",
    "governance", "status", "impact",
)  # fmt: skip
NEXT_JS_MARKER = "__NEXT_DATA__"
RAW_TIMEOUT_SECONDS = 180.0


@dataclass(frozen=True)
class Answer:
    """One response; status 0 when there was none."""

    url: str
    status: int
    content_type: str
    text: str
    error: str | None = None

    @property
    def problem(self) -> str:
        """What a FAIL line says."""
        if self.error:
            return f"status=0 error={self.error} url={self.url}"
        return f"status={self.status} content-type={self.content_type!r} url={self.url}"

    def json(self, kind: type) -> Any:
        """The parsed body when this is a 200 of that JSON type, else ``None``."""
        if self.status != 200:
            return None
        try:
            value = json.loads(self.text)
        except ValueError:
            return None
        return value if isinstance(value, kind) else None


def ask(url: str, timeout: float, method: str = "GET", body: dict[str, str] | None = None) -> Answer:
    """Make one request. A server that hangs up without an answer is not caught: that ends the whole run."""
    data = json.dumps(body).encode() if body else None
    headers = {"user-agent": "healtharchive-verify/1", "accept": "*/*", "content-type": "application/json"}
    try:
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=timeout) as response:
            text = response.read().decode("utf-8", "replace")
            return Answer(url, response.status, response.headers.get("content-type", ""), text)
    except urllib.error.HTTPError as error:
        return Answer(url, error.code, error.headers.get("content-type", ""), "")
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        return Answer(url, 0, "", "", f"{type(error).__name__}: {error}")


class Verifier:
    """Runs the checks and counts what failed."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.api = options.api_base.rstrip("/")
        self.frontend = options.frontend_base.rstrip("/").replace("://www.", "://")
        self.failures = 0

    def report(self, good: bool, what: str, detail: str, problem: str) -> None:
        """Print one line."""
        self.failures += not good
        print(f"{'OK  ' if good else 'FAIL'} {what} {detail if good else problem}")

    def run(self) -> int:
        """All checks; the exit code."""
        self.check_totals()
        if not self.options.skip_exports:
            self.check_exports()
        snapshot = self.check_search()
        self.check_usage()
        if not self.options.skip_changes:
            self.check_changes()
        if not self.options.skip_frontend:
            self.check_frontend(snapshot)
        print()
        print(f"FAILURES: {self.failures}" if self.failures else "All checks passed.")
        return 1 if self.failures else 0

    def get(self, path: str, method: str = "GET") -> Answer:
        """Ask the API."""
        return ask(f"{self.api}{path}", self.options.timeout_seconds, method)

    def check_totals(self) -> None:
        """Health, statistics, sources."""
        answer = self.get("/api/health")
        good = (answer.json(dict) or {}).get("status") == "ok"
        self.report(good, "api health", f"status=200 url={answer.url}", answer.problem)
        answer = self.get("/api/stats")
        total = (answer.json(dict) or {}).get("snapshotsTotal")
        self.report(isinstance(total, int), "api stats", f"status=200 snapshotsTotal={total}", answer.problem)
        answer = self.get("/api/sources")
        rows = answer.json(list)
        self.report(rows is not None, "api sources", f"status=200 count={len(rows or [])}", answer.problem)
        self.check_source_rows(rows or [])

    def check_source_rows(self, rows: list[Any]) -> None:
        """Bad rows, and sources that must be there. Nothing is required of an index that may be empty."""
        for row in rows:
            if not isinstance(row, dict) or not row.get("sourceCode"):
                self.report(False, "api sources row", "", repr(row))
        if not rows and self.options.allow_empty_index:
            return
        codes = {row.get("sourceCode") for row in rows if isinstance(row, dict)}
        for code in self.options.require_source:
            self.report(code in codes, f"api sources required={code}", "present", "missing")

    def check_exports(self) -> None:
        """The manifest and both files."""
        answer = self.get("/api/exports")
        enabled = (answer.json(dict) or {}).get("enabled")
        if enabled is False and self.options.allow_exports_disabled:
            self.report(True, "api exports manifest", "enabled=false", "")
            return
        self.report(enabled is True, "api exports manifest", "enabled=true", answer.problem)
        for name in ("snapshots", "changes"):
            answer = self.get(f"/api/exports/{name}", "HEAD")
            self.report(answer.status == 200, f"api exports {name} HEAD", "status=200", answer.problem)

    def check_search(self) -> dict[str, Any] | None:
        """Search; its first result drives the snapshot checks."""
        answer = self.get("/api/search?pageSize=1")
        found = answer.json(dict)
        results = (found or {}).get("results")
        if not isinstance(results, list):
            self.report(False, "api search", "", answer.problem)
            return None
        if not results:
            good = self.options.allow_empty_index
            self.report(True, "api search", "status=200 results=0", "")
            self.report(good, "no snapshot id available", "(empty index allowed)", "(search returned no results)")
            return None
        first: dict[str, Any] = results[0]
        browse = first.get("browseUrl")
        detail = f"status=200 snapshot_id={first['id']} browseUrl={'yes' if browse else 'no'}"
        self.report(True, "api search", detail, "")
        self.check_snapshot(first, browse)
        return first

    def check_snapshot(self, first: dict[str, Any], browse: str | None) -> None:
        """Detail, raw page and replay of one snapshot."""
        answer = self.get(f"/api/snapshots/{first['id']}")
        good = (answer.json(dict) or {}).get("id") == first["id"]
        self.report(good, "api snapshot detail", f"status=200 id={first['id']}", answer.problem)
        timeout = self.options.raw_timeout_seconds or max(self.options.timeout_seconds, RAW_TIMEOUT_SECONDS)
        raw = urllib.parse.urljoin(f"{self.api}/", str(first.get("rawSnapshotUrl", "")))
        answer = ask(raw, timeout)
        self.report(answer.status == 200, "raw snapshot", f"status=200 url={raw}", answer.problem)
        if browse and not self.options.skip_replay:
            answer = ask(browse, self.options.timeout_seconds)
            self.report(answer.status == 200, "replay browseUrl", f"status=200 url={browse}", answer.problem)

    def check_usage(self) -> None:
        """Usage metrics."""
        answer = self.get("/api/usage")
        usage = answer.json(dict) or {}
        enabled = usage.get("enabled")
        good = enabled is True or (enabled is False and self.options.allow_usage_disabled)
        detail = f"enabled={str(enabled).lower()} windowDays={usage.get('windowDays')}"
        self.report(good, "api usage", detail, answer.problem)

    def check_changes(self) -> None:
        """Change tracking and its feed."""
        answer = self.get("/api/changes?pageSize=1")
        enabled = (answer.json(dict) or {}).get("enabled")
        if enabled is False and self.options.allow_change_tracking_disabled:
            self.report(True, "api changes", "enabled=false", "")
            return
        self.report(enabled is True, "api changes", "enabled=true", answer.problem)
        answer = self.get("/api/changes/rss")
        self.report(answer.status == 200, "api changes rss", "status=200", answer.problem)

    def check_frontend(self, snapshot: dict[str, Any] | None) -> None:
        """Every page in both languages, and the report form's forwarder."""
        for page in PAGES:
            self.check_page(page, page, NEXT_JS_MARKER if page == "archive" else "")
        if snapshot:
            self.check_page("snapshot", f"snapshot/{snapshot['id']}", str(snapshot.get("title", "")))
        # The honeypot field marks this as no report of a person.
        body = {"message": "public surface check", "website": "https://verify.invalid/"}
        answer = ask(f"{self.frontend}/api/report", self.options.timeout_seconds, "POST", body)
        good = 200 <= answer.status < 300
        self.report(good, "frontend report forwarder", f"status={answer.status}", answer.problem)

    def check_page(self, name: str, path: str, wanted: str) -> None:
        """One page in both languages."""
        for language in ("en", "fr"):
            url = f"{self.frontend}/{language}/{path}"
            answer = ask(url, self.options.timeout_seconds)
            good = answer.status == 200 and wanted in answer.text
            problem = answer.problem if answer.status != 200 else f"status=200 missing={wanted!r} url={url}"
            self.report(good, f"frontend {name}-{language}", f"status=200 url={url}", problem)


def main() -> int:
    """Parse the arguments and verify."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api-base", default="https://api.archive.example.org")
    parser.add_argument("--frontend-base", default="https://archive.example.org")
    parser.add_argument("--timeout-seconds", type=float, default=60.0)
    parser.add_argument("--raw-timeout-seconds", type=float)
    parser.add_argument("--allow-usage-disabled", action="store_true")
    parser.add_argument("--allow-exports-disabled", action="store_true")
    parser.add_argument("--allow-change-tracking-disabled", action="store_true")
    parser.add_argument(
        "--allow-changes-disabled", dest="allow_change_tracking_disabled", action="store_true", help=argparse.SUPPRESS
    )
    parser.add_argument("--skip-exports", action="store_true")
    parser.add_argument("--skip-changes", action="store_true")
    parser.add_argument("--skip-replay", action="store_true")
    parser.add_argument("--skip-frontend", action="store_true")
    parser.add_argument("--require-source", action="append", default=[], metavar="CODE")
    parser.add_argument("--allow-empty-index", action="store_true")
    return Verifier(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
