# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay on the loopback (contract 1.10, 4.10).

Its front page says nothing of the archive: replay may hold a dead mount that the host has long replaced. So it is asked for
one archived page of each mount too, and for pages of the local disk, which tell a fault of replay from one of storage.
"""

from __future__ import annotations

import json
import os
import threading
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional

from .. import http_client, killable, tails
from ..parse import cdxj, mounts
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem

SECONDS = 5.0
LOOK_SECONDS = 5.0
# Each is one request to replay, all at once: a few must do.
MOST_LOCAL = 2
MOST_TARGETS = 6
# Of the newest jobs; a host has a few for each year.
MOST_COLLECTIONS = 200
DIRECTORY = "/srv/healtharchive/replay/collections"
_DIRECTORY_VARIABLE = "HEALTHARCHIVE_REPLAY_COLLECTIONS_DIR"
CONTAINER_ROOT = "/warcs"
_INDEX_TAIL_BYTES = 64 * 1024
_ANSWER_CAP_BYTES = 1024 * 1024
_SILENT = ("timed_out", "connection_refused", "connection_closed")

# The collections that are ready, with the place of their first WARC file as the container names it. Links are read, not
# followed: on the host they dangle.
_SCRIPT = r"""
import json, os, re
def answer(question):
    root, most = question
    try:
        names = os.listdir(root)
    except (FileNotFoundError, NotADirectoryError):
        return b"[]"
    numbers = sorted((int(name[4:]) for name in names if re.fullmatch("job-[0-9]{1,15}", name)), reverse=True)
    found = []
    for number in numbers[:most]:
        place = "%s/job-%d" % (root, number)
        try:
            links = sorted(name for name in os.listdir(place + "/archive") if name.startswith("warc-"))
            if not links or not os.path.isfile(place + "/indexes/index.cdxj"):
                continue
            warc = place + "/archive/" + links[0]
            found.append([number, os.readlink(warc) if os.path.islink(warc) else warc])
        except OSError:
            continue
    return json.dumps(found).encode()
"""


class _Collection(NamedTuple):
    job_id: int
    index_path: str
    # The mount that its WARC files lie on; "" for the local disk, None: not known.
    mount: Optional[str]


def probe(context: Context) -> Finding:
    """The front page, and a few archived pages. No answer is an answer here: a host without replay has none."""
    settings = context.settings
    answer = http_client.get(settings.replay_url + "/", context.seconds(SECONDS))
    problems: List[Problem] = []
    responds = answer.status is not None
    if answer.failure == "other":
        problems.append(Problem("unreachable", "Replay could not be asked: %s" % answer.detail))
    collections = _collections(context, problems)
    targets = _targets(context, chosen(collections or []), problems) if responds else []
    data = {
        "responds": responds,
        "failure": answer.failure,
        "status": answer.status,
        "seconds": round(answer.seconds, 3),
        "collections": None if collections is None else len(collections),
        "targets": targets,
    }
    return Finding(data, problems)


def pages(context: Context, jobs: Iterable[int], problems: List[Problem]) -> List[Dict[str, Any]]:
    """A page of each of these jobs, asked for now, as ``targets`` has them; a job whose collection is not ready has none."""
    wanted = set(jobs)
    ready = [each for each in _collections(context, problems) or [] if each.job_id in wanted]
    return _targets(context, ready, problems)


def directory(context: Context) -> str:
    """Where the collections lie."""
    return context.variables.get(_DIRECTORY_VARIABLE) or DIRECTORY


def _collections(context: Context, problems: List[Problem]) -> Optional[List[_Collection]]:
    """Those that are ready: index and links are there (contract 1.10). None: not known."""
    root = directory(context)
    try:
        answer = killable.ask(_SCRIPT, [[root, MOST_COLLECTIONS]], context.seconds(LOOK_SECONDS), _ANSWER_CAP_BYTES)[0]
    except killable.NotAsked as error:
        problems.append(Problem("not_started", "Replay's collections could not be looked at: %s" % error))
        return None
    if answer is None:
        problems.append(Problem("timed_out", "Replay's collections could not be listed in time."))
        return None
    mounted = _mount_points(context.settings.archive_root)
    return [
        _Collection(
            number,
            "%s/job-%d/indexes/index.cdxj" % (root, number),
            mount_of(warc, context.settings.archive_root, mounted),
        )
        for number, warc in json.loads(answer)
    ]


def mount_of(warc: str, archive_root: str, mounted: Optional[List[str]]) -> Optional[str]:
    """The mount below the archive root that a WARC file lies on, by its place in the container (contract 1.10).

    ``""``: none, it lies on the local disk. None: it cannot be told.
    """
    path = os.path.normpath(warc)
    if path.startswith(CONTAINER_ROOT + "/"):
        path = archive_root + path[len(CONTAINER_ROOT) :]
    if mounted is None or not path.startswith(archive_root + "/"):
        return None
    return max((point for point in mounted if path.startswith(point + "/")), key=len, default="")


def _mount_points(archive_root: str) -> Optional[List[str]]:
    """Those below the archive root, from the kernel's table, which touches no mount."""
    try:
        with open("/proc/self/mountinfo", "rb") as handle:
            points = [entry["mount_point"] for entry in mounts.mountinfo(handle.read())]
    except (OSError, ParseError):
        return None
    return [point for point in points if point.startswith(archive_root + "/")]


def chosen(collections: List[_Collection]) -> List[_Collection]:
    """The newest one of each mount and two of the local disk, a few in all; ``collections`` has the newest first."""
    found: Dict[Optional[str], List[_Collection]] = {}
    for collection in collections:
        found.setdefault(collection.mount, []).append(collection)
    local = found.pop("", [])[:MOST_LOCAL]
    return (local + [group[0] for group in found.values()])[:MOST_TARGETS]


def _targets(context: Context, wanted: List[_Collection], problems: List[Problem]) -> List[Dict[str, Any]]:
    read = tails.tails(
        dict.fromkeys((each.index_path for each in wanted), _INDEX_TAIL_BYTES), context.seconds(LOOK_SECONDS)
    )
    targets = []
    for collection in wanted:
        tail = read[collection.index_path]
        try:
            page = None if tail is None else cdxj.served_page(tail.content, tail.whole)
        except ParseError as error:
            problems.append(Problem(error.code, "Replay's index of job %d: %s" % (collection.job_id, error)))
            continue
        if tail is None:
            problems.append(Problem("unreachable", "Replay's index of job %d could not be read." % collection.job_id))
        elif page is not None:
            targets.append(_target(collection, page))
    answers: Dict[int, http_client.Answer] = {}
    threads = [threading.Thread(target=_ask, args=(context, target, answers), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(context.seconds(SECONDS + 1))
    for target in targets:
        _add(target, answers.get(target["job_id"]), problems)
    return targets


def _target(collection: _Collection, page: cdxj.Capture) -> Dict[str, Any]:
    # `mp_` asks for the page itself: without it pywb may answer with the frame around it, which is always well.
    return {
        "job_id": collection.job_id,
        "tier": None if collection.mount is None else "mounted" if collection.mount else "local",
        "path": "/job-%d/%smp_/%s" % (collection.job_id, page.timestamp, page.url),
        "state": None,
        "status": None,
        "seconds": None,
    }


def _ask(context: Context, target: Mapping[str, Any], answers: Dict[int, http_client.Answer]) -> None:
    url = context.settings.replay_url + target["path"]
    answers[target["job_id"]] = http_client.get(url, context.seconds(SECONDS))


def _add(target: Dict[str, Any], answer: Optional[http_client.Answer], problems: List[Problem]) -> None:
    """Add what became of the request to the target."""
    if answer is not None:
        target.update(state=state_of(answer), status=answer.status, seconds=round(answer.seconds, 3))
    if target["state"] is None:
        detail = "the request did not end in time" if answer is None else answer.detail
        problems.append(
            Problem("unreachable", "Replay was asked for a page of job %d: %s" % (target["job_id"], detail))
        )


def state_of(answer: http_client.Answer) -> Optional[str]:
    """``served``, ``not_found``, ``failing`` (an error of the server) or ``silent`` (no answer); None: cannot be told."""
    if answer.status is None:
        return "silent" if answer.failure in _SILENT else None
    return "served" if answer.status < 400 else "not_found" if answer.status < 500 else "failing"
