# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that can be indexed, and its host, as facts; a test says what is different."""

from __future__ import annotations

from typing import Any

from ansible_collections.healtharchive.remediation.plugins.module_utils import settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.indexing.facts import (
    Directory,
    Facts,
    Job,
    Snapshots,
    Warc,
    Warcs,
    Wish,
)

WHERE = settings.Settings(**{name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()})
TOP = "/srv/healtharchive/jobs/hc/x"
WISH = Wish(12, False, 1, 21600)
NONE = Snapshots(0, None, None, {})


def job(**said: Any) -> Job:
    found = Job(12, "hc-x", "hc", "completed", TOP, "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z", 7200.0, 0, 2, {})
    return found._replace(**said)


def warc(number: int = 1, **said: Any) -> Warc:
    return Warc("%s/warcs/warc-%06d.warc.gz" % (TOP, number), 1000, None, True)._replace(**said)


def warcs(*files: Warc, **said: Any) -> Warcs:
    found = files or (warc(1), warc(2))
    return Warcs("stable", found, len(found), None)._replace(**said)


def facts(**said: Any) -> Facts:
    of_job = {name: said.pop(name) for name in list(said) if name in Job._fields}
    found = Facts(job(**of_job), NONE, None, "free", (), True, False, (), Directory("ok", ""), warcs())
    return found._replace(**said)


def snapshots(total: int, *paths: str) -> Snapshots:
    known = paths or tuple(each.path for each in warcs().files)
    return Snapshots(total, 1, total, dict.fromkeys(known, 1))
