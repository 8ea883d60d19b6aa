# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds of a seed, and whether two moments of a host and its record break a law."""

from __future__ import annotations

from itertools import islice
from typing import Any, Dict, List

import pytest
from pairing import recordings
from soaking import hands, kinds, laws, plan, table
from soaking.seen import Seen

SINGLES = ["fault_%d" % number for number in range(8)]
COUPLES = [(one, other) for one in SINGLES for other in SINGLES if one < other]


def some(seed: int, count: int) -> List[plan.Round]:
    return list(islice(plan.drawn(seed, SINGLES, SINGLES[:3], COUPLES), count))


def test_a_seed_gives_the_same_rounds_and_another_seed_others():
    assert some(7, 300) == some(7, 300)
    assert some(7, 20) == some(7, 300)[:20]
    assert some(7, 20) != some(8, 20)
    # The order in which the faults are listed has no part in it.
    assert list(islice(plan.drawn(7, SINGLES[::-1], SINGLES[2::-1], COUPLES[::-1]), 20)) == some(7, 20)


def test_each_comes_once_before_any_comes_again():
    rounds = some(3, 300)
    assert [each.number for each in rounds] == list(range(1, 301))
    alone = [each.faults for each in rounds if len(each.faults) == 1 and each.times == 1]
    both = [each.faults for each in rounds if len(each.faults) == 2]
    assert len(set(alone[: len(SINGLES)])) == len(SINGLES)
    assert len(set(both[: len(COUPLES)])) == len(COUPLES)
    assert {each.times for each in rounds} == {1, plan.TIMES}
    assert {each.faults for each in rounds if each.times > 1} == {(name,) for name in SINGLES[:3]}


def test_every_fault_has_its_rounds_and_no_pair_is_drawn_that_cannot_be_made():
    possible = plan.possible()
    assert len(possible) > 500
    assert len({frozenset(pair) for pair in possible}) == len(possible)
    impossible = {frozenset(each.broken) for each in recordings.load() if each.evidence is None}
    assert impossible
    assert impossible & {frozenset(pair) for pair in possible} == set()


def job(number: int, status: str = "indexed", **more: Any) -> Dict[str, Any]:
    row = {
        "id": number,
        "source_id": 1,
        "name": "job-%d" % number,
        "status": status,
        "retry_count": 0,
        "started_at": "then",
    }
    return {**row, "output_dir": "/srv/healtharchive/jobs/hc/%d" % number, **more}


def moment(jobs: Any = None, files: Any = None, worker: bool = True, crawls: Any = None) -> Seen:
    rows = [job(1)] if jobs is None else jobs
    return Seen(files or {}, {row["id"]: row for row in rows}, worker, crawls or {})


BEGUN = {
    "kind": "action_begun",
    "data": {"subjects": ["job 1"], "argv": [], "action": "retry", "action_id": "a", "plan_id": "p"},
}


@pytest.mark.parametrize(
    ("after", "record", "wrong"),
    [
        (moment(), [], None),
        (moment([]), [], "the jobs were"),
        (moment([job(1), job(2)]), [], "the jobs were"),
        (moment([job(1, "failed")]), [], "no plan has named it"),
        (moment([job(1, started_at="now")]), [], "no plan has named it"),
        (moment([job(1, "queued")]), [BEGUN], None),
        (moment([job(1, name="other")]), [BEGUN], "name was"),
        (moment(worker=False), [], "the worker was active"),
    ],
)
def test_rows_and_worker(after, record, wrong):
    found = laws.between(moment(), after, record)
    assert (found == []) if wrong is None else [wrong in each for each in found] == [True]


def test_a_row_that_the_worker_runs_moves_by_itself():
    assert laws.between(moment([job(1, "retryable")]), moment([job(1, "running", started_at="now")]), []) == []


@pytest.mark.parametrize(
    ("path", "now", "status", "wrong"),
    [
        ("box:hc/1/warcs/a.warc.gz", (4, "aaaa", "aaaa"), "indexed", None),
        ("box:hc/1/warcs/a.warc.gz", None, "indexed", "is gone"),
        ("box:hc/1/warcs/a.warc.gz", (4, "bbbb", "bbbb"), "indexed", "is another one"),
        ("box:hc/1/warcs/a.warc.gz", (9, "aaaabbbbb", "aaaa"), "indexed", "is another one"),
        ("box:hc/1/warcs/a.warc.gz", (9, "aaaabbbbb", "aaaa"), "running", None),
        ("box:hc/1/warcs/a.warc.gz", (9, "bbbbbbbbb", "bbbb"), "running", "is another one"),
        ("box:hc/1/warcs/a.warc.gz", None, "running", "is gone"),
        ("box:hc/1/.archive_state.json", (4, "bbbb", "bbbb"), "running", None),
        ("box:hc/1/.archive_state.json", (4, "bbbb", "bbbb"), "indexed", "is another one"),
        # Nothing but what begins with a dot itself: a WARC file of a crawl that runs lies below such a directory.
        ("disk:hc/1/.tmp1/a.warc.gz", None, "running", "is gone"),
        ("disk:hc/11/a.warc.gz", None, "running", "is gone"),
    ],
)
def test_files(path, now, status, wrong):
    before = moment([job(1, status)], {path: (4, "aaaa", None)})
    found = laws.files(before, moment([job(1, status)], {} if now is None else {path: now}), set())
    assert (found == []) if wrong is None else [wrong in each for each in found] == [True]


def test_a_crawl_beside_goes_on_in_its_process():
    before = moment(crawls={1: 100})
    assert laws.crawls(before, moment(crawls={1: 100}), set()) == []
    assert len(laws.crawls(before, moment(crawls={1: 101}), set())) == 1
    assert len(laws.crawls(before, moment(), set())) == 1
    assert laws.crawls(before, moment(), {1}) == []


_BIND = {**BEGUN, "data": {**BEGUN["data"], "subjects": ["mount /b"]}}


@pytest.mark.parametrize(
    ("after", "record", "wrong"),
    [
        (["/a /of-a", "/base /"], [], None),
        (["/base /"], [], "not mounted any more: /a"),
        (["/a /of-a", "/a /of-a", "/base /"], [], "no plan has named it: /a"),
        (["/a /of-b", "/base /"], [_BIND], "/a"),
        (["/a /of-a", "/b /of-b", "/base /"], [_BIND], None),
        (["/a /of-a", "/b /of-b", "/base /"], [BEGUN], "no plan has named it: /b"),
        (["/a /of-a", "/b /of-b", "/b /of-b", "/base /"], [_BIND], "no plan has named it: /b"),
        (["/a /of-a", "/b/c /of-b", "/base /"], [_BIND], "no plan has named it: /b/c"),
    ],
)
def test_mounts(after, record, wrong):
    found = laws.mounts(["/a /of-a", "/base /"], after, record)
    assert (found == []) if wrong is None else (found != [] and all(wrong in each for each in found))


KINDS = {"retry": laws.Kind(True, 3, 2), "deploy": laws.Kind(False, 9, 9)}


def event(kind: str, **data: Any) -> Dict[str, Any]:
    return {"kind": kind, "data": data}


def begun(number: int = 1, **more: Any) -> Dict[str, Any]:
    data = {"action_id": "a%d" % number, "action": "retry", "plan_id": "p", "clearance_id": "c", "subjects": ["job 1"]}
    return event("action_begun", **{**data, **more})


def finished(number: int = 1, outcome: str = "applied") -> Dict[str, Any]:
    return event("action_finished", action_id="a%d" % number, outcome=outcome)


GRANTED, RELEASED = event("clearance_granted", clearance_id="c"), event("clearance_released", clearance_id="c")
WHOLE = [GRANTED, begun(), finished(), RELEASED]


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        (WHOLE, None),
        ([begun(), GRANTED, finished(), RELEASED], "without a clearance"),
        ([GRANTED, RELEASED, begun(), finished()], "without a clearance"),
        ([begun(action="deploy", clearance_id=None), finished()], None),
        ([GRANTED, begun(plan_id="q"), finished(), RELEASED], "was not shown before"),
        ([GRANTED, begun(approval="automatic"), finished(), RELEASED], "was not shown before"),
        ([GRANTED, begun(action="other"), finished(), RELEASED], "not known"),
        ([GRANTED, begun(), RELEASED], "no end of a1"),
        ([GRANTED, begun(), finished(), finished(), RELEASED], "was not begun"),
        ([GRANTED, begun(), finished()], "no end of clearance"),
    ],
)
def test_the_record(events, wrong):
    found = laws.record(events, {"p"}, KINDS)
    assert (found == []) if wrong is None else [wrong in each for each in found] == [True]


def test_what_was_told_and_what_is_on_record_is_one():
    assert laws.ends(WHOLE, ["a1"]) == []
    assert len(laws.ends(WHOLE, [])) == 1
    assert len(laws.ends([GRANTED, begun(), finished(outcome="failed"), RELEASED], ["a1"])) == 1


def test_budgets():
    often = [each for number in range(4) for each in (begun(number, subjects=["job %d" % number]), finished(number))]
    assert laws.budgets(often[:6], KINDS) == []
    assert laws.budgets(often, KINDS) == ["retry was done 4 times"]
    same = [each for number in range(3) for each in (begun(number), finished(number))]
    assert laws.budgets(same, KINDS) == ["retry was done 3 times on job 1"]
    free = [each for number in range(9) for each in (begun(number), finished(number, "refused"))]
    assert laws.budgets(free, KINDS) == []


@pytest.mark.parametrize(
    ("rule", "broken", "due"),
    [
        ("a", ["one", "other"], ["one"]),
        ("b", ["one", "other"], ["other"]),
        ("c", ["one", "other"], ["one", "other"]),
        ("c", ["one"], ["one"]),
        ("d", ["one", "other"], ["one", "other"]),
        ("a", ["new"], ["new"]),
    ],
)
def test_a_person_mends_what_respond_speaks_of(rule, broken, due):
    assert hands.due(rule, broken, {"one": ["a", "c"], "other": ["b", "a", "c"]}) == due


def test_what_is_said_of_a_fault_alone_is_known():
    assert hands.rules_alone(["disk_nearly_full"])["disk_nearly_full"][0] == "disk_full"


def test_every_kind_of_change_of_the_collection_is_known():
    known = kinds.known()
    assert len(known) >= 7
    assert [name for name, kind in known.items() if not kind.needs_clearance] == ["deployment"]


def test_the_guide_is_that_of_the_rounds_that_are_kept():
    assert table.FILE.read_text(encoding="utf-8") == table.text(table.kept()), "tools/run tests/soak/soak table"
