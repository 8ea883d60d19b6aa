# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of commands: programs, settings, options and commits, each checked for its form.

They are pasted into a shell: nothing of them is a text from a log. Private to this collection.
"""

from __future__ import annotations

import re
from typing import Callable, List, Optional

from ..evidence import Evidence
from ..templates import Value
from ..unknown import kind, member
from .jobs import stale
from .reading import Look, Records, matching, setting, sound_path

# The runbook's own measure (contract 4.1); a younger stale row needs a smaller one to be listed.
_OLDER_THAN_MINUTES = 180
# As long as a log must have been quiet for a row to count as stale: no crawl that still moves is ever listed.
_QUIET_SECONDS = 300
# Loads the production environment as the service user; ends at once when the file cannot be read (contract 1.3).
_LOAD_ENVIRONMENT = 'set -a; . "$0"; set +a; exec "$@"'
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/-]*)?")
checkout = setting("checkout", sound_path)
env_file = setting("env_file", sound_path)
service_user = setting("service_user", matching(_ACCOUNT))
deploy_lock_file = setting("deploy_lock_file", sound_path)


def below_checkout(path: str) -> Look:
    def value(evidence: Evidence) -> Value:
        above = checkout(evidence)
        return None if above is None else "%s/%s" % (above, path)

    return value


def as_service_user(evidence: Evidence) -> Value:
    user = service_user(evidence)
    return ["sudo", "-u", user] if isinstance(user, str) else None


def with_environment(evidence: Evidence) -> Value:
    words, file = as_service_user(evidence), env_file(evidence)
    if not isinstance(words, list) or not isinstance(file, str):
        return None
    return [*words, "bash", "-ec", _LOAD_ENVIRONMENT, file]


def surface_options(api: str, frontend: str) -> Look:
    """The site's own public addresses as options; none where the script's own are meant."""

    def words(evidence: Evidence) -> Value:
        options: List[str] = []
        for option, name in ((api, "public_api_base"), (frontend, "public_frontend_base")):
            given = evidence.setting(name)
            if kind(given) is None:
                continue
            url = matching(_URL)(given)
            if url is None:
                return None
            options += [option, url]
        return options

    return words


def commit(name: str) -> Callable[[Evidence], Optional[str]]:
    return lambda evidence: matching(_COMMIT)(member(evidence.data("deployment"), name, True))


def repair_commit(evidence: Evidence) -> Optional[str]:
    """What to deploy to complete a half-done deploy: the checked-out commit if it is on origin/main, else
    origin/main."""
    on_main = member(evidence.data("deployment"), "head_on_origin_main", True)
    return commit("head")(evidence) if on_main is True else commit("origin_main")(evidence)


def deploy(commit: Callable[[Evidence], Optional[str]]) -> Look:
    """The pinned deploy of a commit, as a dry run: it does nothing without ``--apply`` (contract 3.1, 4.2)."""

    def words(evidence: Evidence) -> Value:
        as_user, script, sha = (
            as_service_user(evidence),
            below_checkout("scripts/vps-deploy.sh")(evidence),
            commit(evidence),
        )
        file, lock_file = env_file(evidence), deploy_lock_file(evidence)
        surface = surface_options("--public-api-base", "--public-frontend-base")(evidence)
        parts = (script, file, lock_file, sha)
        if (
            not isinstance(as_user, list)
            or not isinstance(surface, list)
            or not all(isinstance(part, str) for part in parts)
        ):
            return None
        options = ["--baseline-mode", "live", "--ref", str(sha)]
        if file != "/etc/healtharchive/backend.env":
            options += ["--env-file", str(file)]
        if lock_file != "/tmp/healtharchive-deploy.lock":
            options += ["--lock-file", str(lock_file)]
        return [*as_user, str(script), *options, *surface]

    return words


def recover_options(evidence: Evidence) -> Value:
    """Options under which ``recover-stale-jobs`` lists the stale rows that were seen (contract 2.6)."""
    found = stale(evidence)
    if not found:
        return None
    ages = [job["age_seconds"] for job in found if kind(job.get("age_seconds")) == "number"]
    minutes = max(min([_OLDER_THAN_MINUTES, *(int(age // 60) for age in ages)]), 1)
    options = ["--older-than-minutes", str(minutes), "--require-no-progress-seconds", str(_QUIET_SECONDS)]
    if len(ages) < len(found):
        options.append("--include-missing-started-at")
    # With one source, nothing of another one is looked at; jobs without a source are shown without the option only.
    sources = {job.get("source") for job in found}
    source = matching(_SOURCE)(sources.pop()) if len(sources) == 1 else None
    return options if source in (None, "none") else [*options, "--source", str(source)]


def directory(jobs: Records) -> Look:
    """The output directory of the first of the jobs that has a sound one."""

    def directory(evidence: Evidence) -> Value:
        found = [sound_path(job.get("output_directory")) for job in jobs(evidence)]
        return next((path for path in found if path is not None), None)

    return directory


def campaign_options(records: Records, year_key: str) -> Look:
    """``--year`` and ``--sources`` that name the annual jobs of the newest of their campaigns."""

    def options(evidence: Evidence) -> Value:
        found = [
            (record[year_key], record["source"])
            for record in records(evidence)
            if kind(record.get(year_key)) == "number" and matching(_SOURCE)(record.get("source")) is not None
        ]
        if not found:
            return None
        year = max(year for year, _source in found)
        return ["--year", str(int(year)), "--sources", *sorted({source for at, source in found if at == year})]

    return options
