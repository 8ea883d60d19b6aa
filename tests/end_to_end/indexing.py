# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that nobody has indexed, looked at without the collection; and its recovery, asked without Ansible between."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

from . import record
from .storage import HELPERS
from .test_incident import Controller, put_utilities

NAME = "hc-never-indexed"
UNIT = "healtharchive-remediation-indexing.service"
# Every file of the archive and of the storage box, and what is in it.
FILES = "find /srv/healtharchive/jobs /home/storagebox -xdev -type f -exec sha256sum {} + | sort -k 2"
# As long as it holds the table, an indexing waits in the middle of its transaction.
LOCK = (
    "systemd-run --quiet --collect --unit=holds-snapshots --uid=postgres --setenv=PGAPPNAME=holds-snapshots "
    "psql --quiet healtharchive -c 'BEGIN; LOCK TABLE snapshots IN SHARE MODE; SELECT pg_sleep(300)'\n"
)
# The server's own process ends, too, which would sleep on.
RELEASE = (
    "runuser -u postgres -- psql -XAtc \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = 'holds-snapshots'\" healtharchive\n"
)
CUT = (
    "warc=$(find $JOBS/hc/never-indexed -name '*.warc.gz'); cp --archive $warc /run/whole; truncate --size 1500 $warc\n"
)
WHOLE = "cp --archive /run/whole $(find $JOBS/hc/never-indexed -name '*.warc.gz')\n"
# The whole frame but for the clearance; what the controller's part does is tested elsewhere.
SCRIPT = r"""
import json, sys, time
sys.path.insert(0, "/run/collections")
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, contexts, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing import action, warcs

said = json.loads(sys.argv[2])
if said.pop("unread", False):
    # As if there were more files than can be read in that time.
    warcs.read = lambda context, found: found
known = {**settings.ARGUMENT_SPEC, **change.ARGUMENT_SPEC, **action.ARGUMENT_SPEC}
parameters = {**{name: option.get("default") for name, option in known.items()}, "incident": sys.argv[1], **said}
context = contexts.context(settings.from_parameters(parameters), time.monotonic() + 300)
indexing = action.Indexing(parameters)
indexing.needs_clearance = False
print(json.dumps(change.run(context, parameters, indexing, False)))
"""


def unindexed(host: Any, tmp_path: Path, broken: Callable[[str], Any]) -> Iterator[str]:
    """For a fixture: a host with such a job, and the incident of it."""
    controller = Controller(host, tmp_path)
    assert controller.run("open_incident", "-e", "title=Indexing", "-e", "severity=sev3").rc == 0
    put_utilities(host)
    broken("completed_never_indexed")
    yield controller.notes()[0]
    host.root(RELEASE + "systemctl stop %s || true" % UNIT)
    host.ssh("sudo rm -rf %s /run/whole" % record.DIRECTORY)


def asked(host: Any, incident: str, job: int, **said: Any) -> Dict[str, Any]:
    """Ask the module's code, in a process that ends with its answer."""
    line = "python3 - %s '%s' <<'END OF PROGRAM'\n%s\nEND OF PROGRAM\n"
    found: Dict[str, Any] = json.loads(host.root(line % (incident, json.dumps({"job_id": job, **said}), SCRIPT)))
    return found


def ended(host: Any, incident: str, job: int, **said: Any) -> Dict[str, Any]:
    """The same, again and again until it runs no more."""
    end = time.monotonic() + 60
    while True:
        found = asked(host, incident, job, **said)
        if found["outcome"] != "running" or time.monotonic() > end:
            return found
        time.sleep(0.5)


def number(host: Any, name: str = NAME) -> int:
    return int(host.root(HELPERS + "sql \"SELECT id FROM archive_jobs WHERE name = '%s'\"" % name))


def row(host: Any, job: int) -> List[str]:
    """Status, indexed pages, snapshots in the database, the newest of them."""
    question = (
        "SELECT status, indexed_page_count, (SELECT count(*) FROM snapshots WHERE job_id = j.id), "
        "(SELECT max(id) FROM snapshots WHERE job_id = j.id) FROM archive_jobs j WHERE id = %d" % job
    )
    return host.root(HELPERS + 'sql "%s"' % question).strip().split("|")


def files(host: Any) -> Dict[str, str]:
    """Path -> digest."""
    return {line[66:]: line[:64] for line in host.root(FILES).splitlines()}


def differing(before: Dict[str, str], after: Dict[str, str]) -> List[str]:
    """What is new, gone or changed, by its place in the job's directory."""
    paths = {path for path in {**before, **after} if before.get(path) != after.get(path)}
    return sorted(path.partition("/never-indexed/")[2] or path for path in paths)
