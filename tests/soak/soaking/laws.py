# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what was seen from outside breaks a law. Pure: two moments of a guest and its record in, sentences out."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set

from .seen import Seen

_ROOT = "/srv/healtharchive/jobs/"
# What a crawl writes anew or takes away in the directory of its job; everything else there only grows.
_REWRITTEN = re.compile(r"(^|/)(\.[^/]*|manifest\.json)$")
# Rows that the worker itself may take on.
_MOVING = ("queued", "running", "retryable")
_IDENTITY = ("source_id", "name", "output_dir")
_FREE = ("refused", "nothing_to_do")

Event = Mapping[str, Any]


class Kind(NamedTuple):
    """What the collection says of a kind of change."""

    needs_clearance: bool
    per_host: int
    per_subject: int


def named(record: Iterable[Event]) -> Set[int]:
    """The jobs that a plan which was begun has named."""
    begun = [event["data"] for event in record if event["kind"] == "action_begun"]
    return {int(number) for number in re.findall(r"\bjob (\d+)", json.dumps(begun))}


def jobs(before: Seen, after: Seen, plans: Set[int]) -> List[str]:
    """No row is lost or doubled, and none is changed that no plan has named and the worker has not run."""
    if before.jobs is None or after.jobs is None:
        return []
    wrong = []
    if set(after.jobs) != set(before.jobs):
        wrong.append("the jobs were %s and are %s" % (sorted(before.jobs), sorted(after.jobs)))
    for number, job in before.jobs.items():
        now = after.jobs.get(number, job)
        wrong += [
            "job %d: %s was %s and is %s" % (number, name, job[name], now[name])
            for name in _IDENTITY
            if now[name] != job[name]
        ]
        if number not in plans and job["status"] not in _MOVING and _run(now) != _run(job):
            wrong.append("job %d was %s and is %s, and no plan has named it" % (number, _run(job), _run(now)))
    return wrong


def _run(job: Mapping[str, Any]) -> Any:
    return job["status"], job["retry_count"], job["started_at"]


def files(before: Seen, after: Seen, plans: Set[int]) -> List[str]:
    """No file is lost or changed. In the directory of a job that may have been run, what is there already only grows, but for
    what every crawl writes anew."""
    moving = _moving(before, after, plans)
    wrong = []
    for path, (size, digest, _beginning) in sorted(before.files.items()):
        place = path.split(":", 1)[1]
        runs = any(place.startswith(directory + "/") for directory in moving)
        if runs and _REWRITTEN.search(place):
            continue
        now = after.files.get(path)
        if now is None:
            wrong.append("the file %s is gone" % path)
        elif (now[2] if runs else now[1]) != digest:
            wrong.append("the file %s of %d bytes is another one of %d bytes" % (path, size, now[0]))
    return wrong


def _moving(before: Seen, after: Seen, plans: Set[int]) -> Set[str]:
    """Directories, below the archive root. Where no row could be read, of no job: then nothing runs one."""
    found = set()
    for number, job in (before.jobs or after.jobs or {}).items():
        now = (after.jobs or {}).get(number, job)
        if number in plans or job["status"] in _MOVING or _run(now) != _run(job):
            found.add(str(job["output_dir"]).replace(_ROOT, "", 1))
    return found


def crawls(before: Seen, after: Seen, plans: Set[int]) -> List[str]:
    """A crawl that something else than the worker runs goes on in the same process, unless a plan has named its job."""
    return [
        "the crawl of job %d (process %d) ended, and no plan has named it" % (job, process)
        for job, process in before.crawls.items()
        if job not in plans and after.crawls.get(job) != process
    ]


def worker(before: Seen, after: Seen) -> List[str]:
    return ["the worker was active and is not"] if before.worker and not after.worker else []


def record(events: Sequence[Event], planned: Set[str], kinds: Mapping[str, Kind]) -> List[str]:
    """What was begun was planned and, where its kind wants that, cleared before; it has one end; every clearance has one."""
    wrong = []
    cleared: Set[str] = set()
    open_acts: Dict[str, str] = {}
    for event in events:
        data = event["data"]
        if event["kind"] == "clearance_granted":
            wrong += ["clearance %s was granted while another was held" % data["clearance_id"]] if cleared else []
            cleared.add(data["clearance_id"])
        elif event["kind"] in ("clearance_released", "clearance_expired"):
            cleared.discard(data["clearance_id"])
        elif event["kind"] == "action_begun":
            wrong += _begun(data, planned, cleared, kinds)
            open_acts[data["action_id"]] = data["action"]
        elif event["kind"] == "action_finished" and open_acts.pop(data["action_id"], None) is None:
            wrong.append("%s ended, and was not begun or had ended before" % data["action_id"])
    wrong += ["no end of %s is on record" % each for each in open_acts]
    return wrong + ["no end of clearance %s is on record" % each for each in sorted(cleared)]


def _begun(data: Mapping[str, Any], planned: Set[str], cleared: Set[str], kinds: Mapping[str, Kind]) -> List[str]:
    wrong = []
    what = data["action_id"]
    if data.get("approval") is not None or data["plan_id"] not in planned:
        wrong.append("%s was begun, and its plan %s was not shown before" % (what, data["plan_id"]))
    kind = kinds.get(data["action"])
    if kind is None:
        wrong.append("%s is of a kind that is not known: %s" % (what, data["action"]))
    elif kind.needs_clearance and data.get("clearance_id") not in cleared:
        wrong.append("%s was begun without a clearance that was held" % what)
    return wrong


def ends(events: Sequence[Event], applied: Sequence[str]) -> List[str]:
    """What was told to be applied is on record as that, as often. ``applied``: the ids of the acts that were told."""
    recorded = [
        event["data"]["action_id"]
        for event in events
        if event["kind"] == "action_finished" and event["data"]["outcome"] == "applied"
    ]
    if sorted(recorded) == sorted(applied):
        return []
    return ["told to be applied: %s; on record as that: %s" % (sorted(applied), sorted(recorded))]


def budgets(events: Sequence[Event], kinds: Mapping[str, Kind]) -> List[str]:
    """No kind of change was begun more often than it may be, on the host and on each subject: nobody gave a reason for more."""
    free = {
        event["data"]["action_id"]
        for event in events
        if event["kind"] == "action_finished" and event["data"]["outcome"] in _FREE
    }
    acts: Dict[str, int] = {}
    subjects: Dict[Any, int] = {}
    for event in events:
        data = event["data"]
        if event["kind"] == "action_begun" and data["action_id"] not in free:
            acts[data["action"]] = acts.get(data["action"], 0) + 1
            for subject in set(data["subjects"]):
                subjects[data["action"], subject] = subjects.get((data["action"], subject), 0) + 1
    wrong = [
        "%s was done %d times" % (action, count)
        for action, count in acts.items()
        if action in kinds and count > kinds[action].per_host
    ]
    return wrong + [
        "%s was done %d times on %s" % (action, count, subject)
        for (action, subject), count in subjects.items()
        if action in kinds and count > kinds[action].per_subject
    ]


def mounts(before: Sequence[str], after: Sequence[str], events: Iterable[Event]) -> List[str]:
    """What was mounted is mounted, once, and nothing else but what a plan that was begun has bound."""
    bound = {subject for event in events if event["kind"] == "action_begun" for subject in event["data"]["subjects"]}
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    return ["not mounted any more: %s" % line for line in sorted(gone.elements())] + [
        "mounted, and no plan has named it: %s" % line
        for line, times in sorted(come.items())
        if "mount %s" % line.split()[0] not in bound or line in before or times > 1
    ]


def between(before: Seen, after: Seen, events: Iterable[Event]) -> List[str]:
    """All that two moments tell, between which only the playbooks have acted."""
    plans = named(events)
    found: List[str] = []
    for look in (jobs, files, crawls):
        found += look(before, after, plans)
    return found + worker(before, after)


def told(events: Sequence[Event], planned: Set[str], applied: Sequence[str], kinds: Mapping[str, Kind]) -> List[str]:
    """All that the record tells."""
    return [*record(events, planned, kinds), *ends(events, applied), *budgets(events, kinds)]


def first(texts: Sequence[str], most: int = 3) -> Optional[str]:
    """For a table: the first ones."""
    if not texts:
        return None
    more = " (and %d more)" % (len(texts) - most) if len(texts) > most else ""
    return "; ".join(texts[:most]) + more
