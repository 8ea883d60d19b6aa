# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Annual jobs that drifted on a host, and their rows, read with SQL."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Dict, Iterator

from . import record
from .asking import Desk
from .changes import COLLECTION, INVENTORY
from .conftest import ROOT
from .storage import ARCHIVE, HELPERS

INCIDENT = "2026-11-23-options-drifted"
OPENED = {
    "title": "Options drifted",
    "severity": "sev2",
    "slug": "options-drifted",
    "started_at": "2026-11-23T17:50:00Z",
}
REASON = "What is deployed is what they should be told"
# phac waits with old options, cihr with old options and without its metadata, hc with a text for a number.
DRIFTED = r"""
systemctl stop healtharchive-worker
annual() {
    sql "INSERT INTO archive_jobs (source_id, name, output_dir, status, queued_at, config)
         SELECT id, '$1-20250101', '$JOBS/$1/20250101T000502Z__$1-20250101', 'queued', now(),
             ('{\"seeds\": [\"https://example.org\"], \"tool_options\": $2}'::jsonb || '$3')::json FROM sources WHERE code = '$1'"
}
campaign='{"campaign_kind": "annual", "campaign_year": 2025, "campaign_date": "2025-01-01", "scheduler_version": 1}'
annual phac '{"initial_workers": 1, "max_container_restarts": 30, "depth": 3}' "$campaign"
annual cihr '{"initial_workers": 5, "max_container_restarts": 20}' '{}'
annual hc '{"initial_workers": 2, "max_container_restarts": 24, "page_limit": "abc"}' "$campaign"
"""
AS_BEFORE = "for name in phac cihr hc; do forget_jobs $name-20250101; done; start_worker"
_ROWS = "runuser -u postgres -- psql -d healtharchive -Atc 'select to_jsonb(archive_jobs) from archive_jobs'"


def drifted(host: Any) -> Iterator[Desk]:
    """An incident, and three annual jobs that nobody takes up; afterwards as before. No file of the archive is another one."""
    argv = ["ansible", host.name, "-i", INVENTORY, "-b", "-m", COLLECTION + "incident", "-a", json.dumps(OPENED)]
    host.ssh("sudo rm -rf %s /run/healtharchive-remediation" % record.DIRECTORY)
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    desk = Desk(host, INCIDENT)
    desk.run(HELPERS + DRIFTED)
    files = desk.run(ARCHIVE)
    yield desk
    desk.close()
    host.root(HELPERS + AS_BEFORE)
    host.ssh("sudo rm -rf " + record.DIRECTORY)
    assert host.root(ARCHIVE) == files


def asked(desk: Desk, **said: Any) -> Dict[str, Any]:
    """What the module's code would do, or does."""
    return desk.change("campaign.action", "AnnualToolOptions", **said)


def rows(desk: Desk) -> Dict[str, Dict[str, Any]]:
    """By their names."""
    return {row["name"]: row for row in map(json.loads, desk.run(_ROWS).splitlines())}
