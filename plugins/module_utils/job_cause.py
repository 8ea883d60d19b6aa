# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why another attempt of a failed crawl would fail like the last one: no input, no output, no clock.

A retry mends nothing. Where the host still shows what the crawl failed of, it is refused until that is mended (incidents I3 and
I11). Private to this collection.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, List, Mapping, Optional

from .parse import times
from .parse.text import one_line
from .refusal import Refusal

# Set by reset-crawl-state --apply, until the next crawl (contract 2.2).
_RESET = "state_reset"
_REJECTED = "infra_error_config"
_DIRECTORIES = {
    "hung": "does not answer",
    "stale": "is on a mount that is dead (Errno 107)",
    "error": "cannot be read",
}
_TIERS = {
    "local": "lies on the host's own disk and not on the storage box: the worker would fail on it at every poll, and take no job "
    "behind it",
    "no_directory": "is not there: the crawl would land on the host's own disk and not on the storage box",
}
_OPTION = re.compile(r"--?[A-Za-z][^\s=]*")
_STORAGE = "Mend the storage first: triage says how. Then plan the retry again."
_SHOWN_CHARACTERS = 200


def check(job: Mapping[str, Any], seen: Mapping[str, Any], changed_at: Optional[str], mended: bool) -> None:
    """:class:`Refusal` where a crawl of it cannot go better now.

    ``seen``: the job with the facts of :mod:`.probes.job_facts`. ``changed_at``: when the commit that is checked out came there.
    ``mended``: somebody says that what the last crawl failed of is gone; of what is true now nobody's word is taken.
    """
    _check_storage(job, seen)
    if not mended:
        _check_options(job, seen, changed_at)
        _check_state(job, seen)


def remarks(seen: Mapping[str, Any], config: Any) -> List[str]:
    """What people should know of the last crawl, and what could not be seen of it. ``config``: its configuration."""
    if seen["poisoned_resume"] is None:
        return ["No log of its last crawl was read: what it failed of is not known."]
    said = []
    if seen["rejected_options"] is not None:
        said.append("Its last crawl failed of options that the crawler rejected: %s." % _words(seen))
        left = sorted(set(_OPTION.findall(seen["rejected_options"])) & set(_options(config)))
        if left:
            # What was deployed may hand it on no more: only who deployed it knows.
            said.append(
                "The job still has %s: see that the deployed commit makes a difference."
                % one_line(", ".join(left), 200)
            )
    if seen["poisoned_resume"]:
        said.append("Its last crawl resumed from a broken state.")
    return said


def _check_storage(job: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
    state, path = seen["directory_state"], seen["output_directory"]
    annual = seen["campaign_year"] is not None
    if state is None or (annual and seen["tier"] is None and state not in _DIRECTORIES):
        raise Refusal(
            "evidence_missing",
            "Whether job %d could write what it crawls cannot be seen: %s."
            % (
                job["id"],
                "where it writes is not known" if path is None else "%s could not be looked at" % _path(path),
            ),
            "See what triage says of the API and the storage, and mend that first. Then plan the retry again.",
        )
    if state in _DIRECTORIES:
        raise _storage(job, path, _DIRECTORIES[state])
    if annual and seen["tier"] in _TIERS:
        raise _storage(job, path, _TIERS[seen["tier"]])
    if seen["writable"] is not True:
        may = "is not to be written by the service's user" if seen["writable"] is False else "may be writable or not"
        raise _storage(job, path, may)


def _storage(job: Mapping[str, Any], path: Any, what: str) -> Refusal:
    return Refusal(
        "storage_first",
        "The output directory of job %d, %s, %s. A crawl there costs the job its attempts."
        % (job["id"], _path(path), what),
        _STORAGE,
        output_directory=path,
    )


def _check_options(job: Mapping[str, Any], seen: Mapping[str, Any], changed_at: Optional[str]) -> None:
    if seen["rejected_options"] is None and job["crawler_status"] != _REJECTED:
        return
    finished = job["finished_at"]
    deployed_since = None not in (changed_at, finished) and times.to_epoch(finished) < times.to_epoch(str(changed_at))
    if not deployed_since:
        raise Refusal(
            "needs_repo_change",
            "The crawler rejected options of job %d (%s), and nothing was deployed since: the same options fail again."
            % (job["id"], _words(seen)),
            "Correct the option where it comes from, in the repository; let CI pass; deploy that commit (deploy_pinned_ref). "
            "Then plan the retry again. If the crawler takes the option now, say so: -e budget_override_reason=WHY",
            rejected_options=seen["rejected_options"],
        )


def _check_state(job: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
    if seen["poisoned_resume"] is True and job["crawler_stage"] != _RESET:
        raise Refusal(
            "poisoned_resume",
            "The last crawl of job %d resumed from a broken state, crawled nothing and ended at once: the next one would, too."
            % job["id"],
            "Take the state away, which no recovery of this version does: reset-crawl-state --id %d, as a dry run, then with "
            "--apply. Then plan the retry again. If it was taken away in another way, say so: -e budget_override_reason=WHY"
            % job["id"],
        )


def _options(config: Any) -> Iterator[str]:
    """The options among the texts of a configuration, at any depth."""
    if isinstance(config, Mapping):
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for each in config:
            yield from _options(each)
    elif isinstance(config, str):
        yield from _OPTION.findall(config)


def _words(seen: Mapping[str, Any]) -> str:
    return one_line(seen["rejected_options"] or "its log does not say which", _SHOWN_CHARACTERS)


def _path(path: Any) -> str:
    return one_line(path, _SHOWN_CHARACTERS)
