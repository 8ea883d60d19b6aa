# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether replay is restarted, started, or left to a person, and what comes before it. Pure. Private to this collection.

Storage comes first: replay is only brought back to an archive that the host itself sees. A restart is the answer where the host
sees what replay does not serve (it holds mounts of before the last repair), and where replay does not answer at all. Where it
answers with an error for the local disk too, it is replay's own fault, and a restart would be a guess (contract 4.10).
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from ..refusal import Refusal
from ..services.seen import DOCKER
from ..tiers.facts import ABSENT, DEAD, REPLAY_UNIT, TIERING_UNIT
from .facts import PASSED_OVER, SMOKE_UNIT, Facts, Page, Unit

START, RESTART = "start", "restart"
_CHANGING = ("activating", "deactivating", "reloading")
_NOT_SERVED = ("failing", "silent")
_JOURNAL = "sudo journalctl -u %s -n 100 --no-pager" % REPLAY_UNIT
_STATUS = "systemctl status %s"


class Decision(NamedTuple):
    """What is done, in this order. ``verb``: what is done with replay, ``why`` in words. ``pages``: of the jobs whose page is
    not served and shall be. ``collection``: the job whose index is written anew. ``smoke``: whether the service's own check is
    run."""

    start_tiering: bool
    verb: Optional[str]
    why: str
    pages: Tuple[int, ...]
    collection: Optional[int]
    smoke: bool
    left_out: Dict[str, str]


class Nothing(NamedTuple):
    """Replay serves what it was asked for."""

    detail: str


class _Part(NamedTuple):
    verb: Optional[str]
    why: str
    pages: Tuple[int, ...] = ()
    left_out: Dict[str, str] = {}


def decide(facts: Facts) -> Union[Decision, Nothing, Refusal]:
    """The whole of it, or why nothing can be done."""
    refusal = _storage(facts)
    if refusal is not None:
        return refusal
    tiering = facts.units[TIERING_UNIT]
    if tiering.active in _CHANGING:
        return _changing(TIERING_UNIT)
    start_tiering = tiering.load == "loaded" and tiering.active == "failed"
    part = _replay(facts)
    left_out: Dict[str, str] = {}
    if isinstance(part, Refusal):
        if not start_tiering:
            return part
        # The unit may be the cause of it, and is mended first.
        left_out["unit " + REPLAY_UNIT] = "%s %s" % (part, part.next_step)
        part = _Part(None, "")
    left_out.update(part.left_out)
    runs = part.verb is not None or facts.units[REPLAY_UNIT].active == "active"
    # It is written in the container, which must run for that.
    takes = sorted(job for job, why in facts.indexes.items() if not why) if runs else []
    left_out.update(("collection job-%d" % job, why) for job, why in sorted(facts.indexes.items()) if why)
    left_out.update(
        (
            "collection job-%d" % job,
            "One index is written at a time, and this can take long: plan again when that is done.",
        )
        for job in takes[1:]
    )
    if start_tiering or part.verb is not None or takes:
        smoke = facts.units[SMOKE_UNIT].load == "loaded"
        index = takes[0] if takes else None
        return Decision(start_tiering, part.verb, part.why, part.pages, index, smoke, left_out)
    # The dry run passes over an index that is as it should be and one that it does not know; a page that is served tells which.
    as_it_should_be = sorted(job for job, why in facts.indexes.items() if why == PASSED_OVER and job in facts.served)
    for job in as_it_should_be:
        del left_out["collection job-%d" % job]
    if left_out:
        return _left(facts, left_out)
    return Nothing(_well(facts, as_it_should_be))


def candidates(facts: Facts, wished: Sequence[int]) -> Tuple[int, ...]:
    """The jobs whose index may be behind: what was wished for, and pages that an index names and replay does not find."""
    if _storage(facts) is not None or facts.units[REPLAY_UNIT].load != "loaded":
        return ()
    return tuple(sorted({*wished, *(page.job for page in facts.pages if page.state == "not_found")}))


def _storage(facts: Facts) -> Optional[Refusal]:
    unseen = [path for path, state in sorted(facts.hot.items()) if state is None]
    if facts.base is None:
        unseen.insert(0, "the mount of the storage box")
    if unseen:
        return Refusal(
            "evidence_missing",
            "What state %s is in could not be seen, and replay is brought back to nothing that the host does not see."
            % unseen[0],
            "Run triage, which says why; then plan again.",
            paths=unseen,
        )
    bad = {path: str(state) for path, state in sorted(facts.hot.items()) if state in DEAD}
    bad.update((path, str(facts.hot[path])) for path in facts.manifest if facts.hot[path] in (*ABSENT, "other_mount"))
    if facts.with_box and facts.base in (*DEAD, *ABSENT):
        bad["the mount of the storage box"] = str(facts.base)
    if not bad:
        return None
    first = min(bad)
    return Refusal(
        "storage_first",
        "Storage is not well: %s is %s%s. Replay started now would hold on to that."
        % (first, bad[first], "" if len(bad) == 1 else ", and %d more" % (len(bad) - 1)),
        "Bring storage back first (playbook recover_storage), which restarts replay at its end. Then plan again.",
        paths=bad,
    )


def _replay(facts: Facts) -> Union[_Part, Refusal]:
    unit = facts.units[REPLAY_UNIT]
    if unit.load == "not-found":
        return _Part(None, "")
    if unit.load != "loaded":
        return Refusal(
            "unit_masked",
            "%s is %s: somebody does not want it to run." % (REPLAY_UNIT, unit.load),
            "See who masked it and why; then: sudo systemctl unmask %s" % REPLAY_UNIT,
        )
    if unit.sub == "auto-restart":
        return Refusal(
            "replay_restart_loop",
            "%s dies again and again, and systemd starts it each time: one more start changes nothing." % REPLAY_UNIT,
            "Read why: " + _JOURNAL,
        )
    if unit.active in _CHANGING:
        return _changing(REPLAY_UNIT)
    if unit.active != "active":
        return _dead(unit, facts.units[DOCKER])
    return _running(facts)


def _dead(unit: Unit, docker: Unit) -> Union[_Part, Refusal]:
    if unit.file_state == "disabled":
        return Refusal(
            "unit_disabled",
            "%s does not run and is disabled: whether that is on purpose only you know." % REPLAY_UNIT,
            "If it should run: sudo systemctl enable %s, then plan again." % REPLAY_UNIT,
        )
    if docker.load != "loaded" or docker.active != "active":
        return Refusal(
            "docker_down",
            "%s does not run, which replay needs (%s)."
            % (DOCKER, docker.active if docker.load == "loaded" else docker.load),
            "See why: " + _STATUS % DOCKER,
        )
    if unit.condition_met is False:
        return Refusal(
            "condition_unmet",
            "A condition of %s was not met when it was last started, so that systemd passes it over." % REPLAY_UNIT,
            "See which: %s. Its directory, its config.yaml and the archive must be there." % (_STATUS % REPLAY_UNIT),
        )
    return _Part(START, "Replay does not run (%s)." % unit.active)


def _running(facts: Facts) -> Union[_Part, Refusal]:
    if facts.responds is None:
        return _unasked("Replay could not be asked for its front page.")
    if not facts.responds:
        return _Part(RESTART, "Replay runs, and its front page gives no answer.", _pages(facts.pages, _NOT_SERVED))
    if facts.status is None or facts.status >= 400:
        return _itself("its front page answers %s" % facts.status)
    broken = [page for page in facts.pages if page.state in _NOT_SERVED]
    local = [page for page in broken if page.tier == "local" and page.state == "failing" and page.on_host is not False]
    if local:
        return _itself("it does not serve what lies on the local disk (job %d) either" % local[0].job)
    left_out = {_subject(page.job): _gone(page) for page in broken if page.on_host is False}
    blind = [page for page in broken if page.on_host is True]
    if blind:
        why = "The host sees the WARC files of %s, and replay does not serve them: it holds a view of before the last repair."
        return _Part(RESTART, why % _jobs(blind), _pages(blind, _NOT_SERVED), left_out)
    if any(page.on_host is None for page in broken):
        return _unasked("Replay does not serve pages, and whether the host sees their WARC files is not known.")
    if any(page.state is None for page in facts.pages):
        return _unasked("Not every page that replay was asked for has an answer that says something.")
    if facts.unseen:
        return _unasked("Not all that replay should serve was seen. %s" % facts.unseen[0])
    behind = {
        _subject(page.job): "Its index names a page that replay does not find."
        for page in facts.pages
        if page.state == "not_found" and facts.indexes.get(page.job, "?")
    }
    return _Part(None, "", (), {**left_out, **behind})


def _left(facts: Facts, left_out: Dict[str, str]) -> Refusal:
    """Nothing can be done about what was found."""
    first = min(left_out)
    gone = [page for page in facts.pages if page.state in _NOT_SERVED and page.on_host is False]
    if gone:
        return Refusal(
            "archive_file_missing",
            "%s: %s" % (_subject(gone[0].job), left_out[_subject(gone[0].job)]),
            "Ask recover_storage first, without approve: it says whether the job's directory is no mount any more. Else see "
            "what became of the file on the storage box: what would copy or delete files of the archive is for a person.",
            left_out=left_out,
        )
    return Refusal(
        "not_reconcilable",
        "%s: %s" % (first, left_out[first]),
        "See for yourself, as root with the environment loaded, as a dry run: replay-reconcile --job-id %s"
        % first.rpartition("-")[2],
        left_out=left_out,
    )


def _gone(page: Page) -> str:
    return "The host does not see %s either: no restart brings that back." % (page.missing or "its WARC files")


def _itself(what: str) -> Refusal:
    return Refusal(
        "replay_itself",
        "Replay runs and answers, and %s: that is replay's own fault and none of its mounts." % what,
        "Read its last lines: %s. Its image, its configuration or the file that it names; then start it again by hand."
        % _JOURNAL,
    )


def _unasked(why: str) -> Refusal:
    return Refusal(
        "evidence_missing", why + " Nothing is done on a guess.", "Run triage, which says why; then plan again."
    )


def _changing(unit: str) -> Refusal:
    return Refusal(
        "unit_changing", "%s starts or stops right now." % unit, "Wait a moment, then plan again: " + _STATUS % unit
    )


def _well(facts: Facts, as_it_should_be: Sequence[int]) -> str:
    unit = facts.units[REPLAY_UNIT]
    if unit.load == "not-found":
        return "This host has no replay, and its tiering unit has not failed."
    served = {*as_it_should_be, *(page.job for page in facts.pages if page.state == "served")}
    if not served:
        return "Replay answers, and has no page of a collection that it could be asked for."
    told = "Replay serves a page of each mount and of the local disk that has one: job %s."
    return told % ", ".join(map(str, sorted(served)))


def _pages(pages: Sequence[Page], states: Sequence[str]) -> Tuple[int, ...]:
    return tuple(sorted(page.job for page in pages if page.state in states and page.on_host is not False))


def _jobs(pages: List[Page]) -> str:
    return "job " + ", ".join(str(page.job) for page in sorted(pages))


def _subject(job: int) -> str:
    return "replay job-%d" % job
