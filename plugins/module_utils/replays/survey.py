# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at replay, at what it should serve, and at the storage under it. Nothing is changed. Private to this collection."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional, Sequence

from .. import http_client, killable
from ..parse.text import one_line
from ..probe import Context, Problem
from ..probes import replay
from ..services.seen import DOCKER
from ..stuck import worker_unit
from ..tiers import survey
from ..tiers.facts import REPLAY_UNIT, SSHFS_UNIT, TIERING_UNIT
from .facts import SMOKE_UNIT, Facts, Page, Unit

_LOOK_SECONDS = 8.0
_ANSWER_CAP_BYTES = 64 * 1024
# Of one collection; a job has some hundreds.
_MOST_FILES = 2000

# Whether the host sees the WARC files of a collection. Its links are those of the container, and dangle here (contract 1.10).
_SCRIPT = r"""
import json, os
def answer(question):
    directory, inside, root, most = question
    missing = []
    names = sorted(name for name in os.listdir(directory) if name.startswith("warc-"))
    for name in names[:most]:
        path = directory + "/" + name
        if os.path.islink(path):
            path = os.path.normpath(os.path.join(directory, os.readlink(path)))
        if path.startswith(inside + "/"):
            path = root + path[len(inside):]
        try:
            open(path, "rb").close()
        except (FileNotFoundError, NotADirectoryError):
            missing.append(path)
    return json.dumps([len(names), missing[:1]]).encode()
"""


def look(context: Context) -> Facts:
    """All of it but what the dry run says. :class:`Refusal`."""
    place = survey.where(context)
    points = [point for point in survey.mounted() if point.startswith(place.root + "/")]
    hot = survey.states(context, sorted({*points, *place.manifest}), place.manifest)
    units = {name: unit(context, name) for name in (TIERING_UNIT, REPLAY_UNIT, DOCKER, SMOKE_UNIT)}
    with_box = place.with_manifest or bool(points) or unit(context, SSHFS_UNIT).load == "loaded"
    found = replay.probe(context)
    data = found.data or {}
    return Facts(
        survey.base_now(context).state,
        hot,
        tuple(sorted(place.manifest)),
        with_box,
        units,
        None if data.get("failure") == "other" else data.get("responds"),
        data.get("status"),
        pages(context, data.get("targets", [])),
        unseen=tuple(problem.message for problem in found.problems),
    )


def unit(context: Context, name: str) -> Unit:
    """:class:`Refusal` where systemd does not say."""
    shown = worker_unit.show(context, name)
    return Unit(shown.load_state, shown.active_state, shown.sub_state, shown.unit_file_state, shown.condition_met)


def pages(context: Context, targets: Sequence[Mapping[str, Any]]) -> "tuple[Page, ...]":
    """What replay was asked for; of what it does not serve, whether the host itself sees the files."""
    broken = [target["job_id"] for target in targets if target["state"] in ("failing", "silent")]
    seen = _on_host(context, broken)
    return tuple(
        Page(target["job_id"], target["tier"], target["state"], *seen.get(target["job_id"], (None, None)))
        for target in targets
    )


def ask(context: Context, jobs: Sequence[int]) -> Dict[int, Optional[str]]:
    """Ask replay now for a page of each of these jobs, and of each mount and the local disk as the probe does: job -> state;
    None where it has no page, or could not be asked."""
    found = {target["job_id"]: target["state"] for target in (replay.probe(context).data or {}).get("targets", [])}
    missing = [job for job in jobs if job not in found]
    problems: List[Problem] = []
    found.update(
        (target["job_id"], target["state"]) for target in (replay.pages(context, missing, problems) if missing else ())
    )
    return {**dict.fromkeys(jobs), **found}


def responds(context: Context) -> bool:
    """Whether the front page is well, which says nothing of the archive."""
    status = http_client.get(context.settings.replay_url + "/", context.seconds(replay.SECONDS)).status
    return status is not None and status < 400


def _on_host(context: Context, jobs: Sequence[int]) -> "Dict[int, tuple[Optional[bool], Optional[str]]]":
    root = replay.directory(context)
    questions = [
        ["%s/job-%d/archive" % (root, job), replay.CONTAINER_ROOT, context.settings.archive_root, _MOST_FILES]
        for job in jobs
    ]
    try:
        answers = killable.ask(_SCRIPT, questions, context.seconds(_LOOK_SECONDS), _ANSWER_CAP_BYTES)
    except killable.NotAsked:
        return {}
    found: "Dict[int, tuple[Optional[bool], Optional[str]]]" = {}
    for job, answer in zip(jobs, answers):
        if answer is None:
            continue
        files, missing = json.loads(answer)
        found[job] = (bool(files and not missing), one_line(missing[0]) if missing else None)
    return found
