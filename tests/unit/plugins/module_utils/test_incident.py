# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events a wish leads to, and which wishes are refused."""

from __future__ import annotations

import copy
import re
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import events, incident
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import Draft
from ansible_collections.healtharchive.remediation.plugins.module_utils.incident import Record, Wish, decide, slug_of
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import times
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput
from hypothesis import given
from hypothesis import strategies as st

NAME = "2026-11-23-api-down"
OTHER = "2026-11-22-crawl"
NOW = "2026-11-23T17:50:00Z"


class Host:
    """A log in memory: what is decided is recorded."""

    def __init__(self) -> None:
        self.recorded: List[Dict[str, Any]] = []
        self.now = NOW
        self.taken: List[str] = []
        self.ignored: List[str] = []

    def later(self, seconds: int = 60) -> "Host":
        self.now = times.from_epoch(times.to_epoch(self.now) + seconds)
        return self

    def event(self, kind: str, data: Dict[str, Any], name: Optional[str] = NAME, **more: Any) -> "Host":
        number = len(self.recorded) + 1
        kept = events.kept_data(kind, data, Redactor())
        event = {"kind": kind, "incident": name, "event_id": "%016x" % number, "at": self.now, "late": False}
        self.recorded.append({**event, "sequence": number, "data": kept, **more})
        return self

    def wish(self, **said: Any) -> List[str]:
        """The kinds of the events that it led to."""
        said["events"] = [
            draft._replace(data=events.kept_data(draft.kind, draft.data, Redactor()))
            for draft in said.get("events", ())
        ]
        before = copy.deepcopy(self.recorded)
        decision = decide(self.recorded, Wish(**said), self.now, self.taken)
        assert self.recorded == before
        for draft in decision.drafts:
            assert draft.incident == decision.incident
            self.event(
                draft.kind,
                dict(draft.data),
                draft.incident,
                event_id=draft.event_id,
                late=draft.late,
                at=draft.at or self.now,
            )
        self.name, self.ignored = decision.incident, decision.ignored
        now = Record(self.recorded).incidents[decision.incident].described()
        assert now == decision.record.incidents[decision.incident].described()
        return [draft.kind for draft in decision.drafts]

    def refuses(self, **said: Any) -> str:
        with pytest.raises(BadInput) as caught:
            self.wish(**said)
        assert "\n" not in str(caught.value)
        assert caught.value.next_step
        return caught.value.code

    @property
    def incident(self) -> Dict[str, Any]:
        return Record(self.recorded).incidents[self.name].described()


OPEN = {"title": "API down", "severity": "sev1", "area": "api", "owner": "somebody"}
CAUSE = {"trigger": "a package is missing", "underlying": "the deploy does not look"}
CHECKS = [{"check": "API", "result": "passed"}, {"check": "jobs", "result": "passed"}]
PASSED = {"verification_id": "v1", "passed": True, "checks": CHECKS}


@pytest.fixture
def host() -> Host:
    host = Host()
    assert host.wish(**OPEN) == ["incident_opened"]
    return host.later()


def verified(host: Host, **more: Any) -> Host:
    return host.event("verified", {**PASSED, **more}).later()


def acted(host: Host, name: Optional[str] = NAME, changed: Optional[bool] = True, outcome: str = "applied") -> Host:
    begun = {"action_id": "a%d" % len(host.recorded), "action": "deploy", "argv": [["x"]], "subjects": ["unit"]}
    host.event("action_begun", begun, name).later()
    return host.event(
        "action_finished", {"action_id": begun["action_id"], "outcome": outcome, "changed": changed}, name
    ).later()


def close(host: Host, **more: Any) -> Dict[str, Any]:
    return {"incident": NAME, "state": "closed", **CAUSE, **more}


# --- opening


def test_an_incident_is_opened(host):
    assert host.name == NAME
    assert host.incident == {
        "id": NAME,
        "title": "API down",
        "severity": "sev1",
        "severity_reason": None,
        "area": "api",
        "owner": "somebody",
        "environment": None,
        "started_at": NOW,
        "state": "open",
        "resolved_at": None,
        "reason": None,
        "trigger": None,
        "underlying": None,
        "communication_deadline": None,
    }


@pytest.mark.parametrize("said", [OPEN, {"title": "API down"}, {"incident": NAME}, {"incident": NAME, **OPEN}])
def test_opening_it_again_changes_nothing(host, said):
    assert host.wish(**said) == []
    assert host.name == NAME


def test_midnight_makes_no_second_one(host):
    host.later(8 * 3600)
    assert host.now.startswith("2026-11-24")
    assert host.wish(**OPEN) == []
    assert host.name == NAME


def test_two_days_later_it_is_another_one(host):
    host.later(25 * 3600)
    assert host.wish(**OPEN) == ["incident_opened"]
    assert host.name == "2026-11-24-api-down"


@pytest.mark.parametrize(
    "said",
    [
        {"title": "API down!"},
        {"started_at": "2026-11-23T08:00:00Z"},
    ],
)
def test_another_one_of_the_same_day_and_words(host, said):
    assert host.wish(**{**OPEN, **said}) == ["incident_opened"]
    assert host.name == NAME + "-a"
    assert host.wish(**{**OPEN, **said}) == []
    assert host.name == NAME + "-a"
    assert host.wish(**{**OPEN, "title": "api: down"}) == ["incident_opened"]
    assert host.name == NAME + "-b"


def test_after_the_end_it_is_another_one(host):
    host.wish(incident=NAME, state="contained", reason="held")
    assert host.wish(**OPEN) == ["incident_opened"]
    assert host.name == NAME + "-a"
    assert host.wish(**OPEN) == []
    assert host.name == NAME + "-a"


def test_a_note_that_exists_elsewhere_takes_its_id():
    host = Host()
    host.taken = [NAME, NAME + "-a"]
    host.wish(**OPEN)
    assert host.name == NAME + "-b"
    assert host.wish(**OPEN) == []


def test_there_is_an_end_of_suffixes():
    host = Host()
    host.taken = [NAME, *("%s-%s" % (NAME, letter) for letter in "abcdefghijklmnopqrstuvwxyz")]
    assert host.refuses(**OPEN) == "too_many_incidents"


def test_the_date_is_that_of_the_start():
    host = Host()
    host.wish(**OPEN, started_at="2026-11-20T23:59:59Z", slug="something-else")
    assert host.name == "2026-11-20-something-else"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"title": None}, "title_missing"),
        ({"title": " \n"}, "title_missing"),
        ({"severity": None}, "severity_missing"),
        ({"slug": "../x"}, "bad_slug"),
        ({"slug": "A"}, "bad_slug"),
        ({"slug": ""}, "bad_slug"),
        ({"slug": "a-"}, "bad_slug"),
        ({"slug": "x" * 61}, "bad_slug"),
        ({"slug": "a\n"}, "bad_slug"),
        ({"started_at": "2026-11-23T18:00:00Z"}, "started_later"),
        ({"incident": "../../etc/passwd"}, "bad_incident"),
        ({"incident": OTHER}, "incident_unknown"),
        ({"state": "closed"}, "incident_missing"),
    ],
)
def test_what_cannot_be_opened(said, code):
    host = Host()
    assert host.refuses(**{**OPEN, **said}) == code
    assert host.recorded == []


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("API down", "api-down"),
        ("  Café -- ÜBER/../x  ", "cafe-uber-x"),
        ("{{ 7 * 7 }}", "7-7"),
        ("事故", "incident"),
        ("\U0001f525", "incident"),
        ("a" * 100, "a" * 60),
        ("word " * 30, "-".join(["word"] * 12)),
        ("--apply", "apply"),
        ("\0\x1b[31m", "31m"),
    ],
)
def test_words_of_a_title(title, slug):
    assert slug_of(title) == slug


@given(st.text(max_size=80))
def test_no_title_makes_a_path(title):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug_of(title))
    host = Host()
    if title.strip():
        host.wish(**{**OPEN, "title": title})
        assert events.is_incident(host.name)
        assert host.wish(**{**OPEN, "title": title}) == []


def test_another_severity_is_an_event(host):
    assert host.wish(incident=NAME, severity="sev0", severity_reason="the site too") == ["severity_changed"]
    assert host.wish(incident=NAME, severity="sev0") == []
    assert host.wish(**OPEN) == ["severity_changed"]
    assert host.wish(incident=NAME, severity="sev0") == ["severity_changed"]
    assert host.incident["severity"] == "sev0"
    assert [event["data"] for event in host.recorded[1:2]] == [{"from": "sev1", "to": "sev0", "reason": "the site too"}]
    assert len({event["event_id"] for event in host.recorded}) == len(host.recorded)


def test_what_was_recorded_otherwise_stays_and_is_said(host):
    assert host.wish(**{**OPEN, "owner": "somebody else"}) == []
    assert host.ignored == ["owner of incident %s stays what was recorded when it was opened." % NAME]
    assert host.incident["owner"] == "somebody"
    assert host.refuses(incident=NAME, title="Search down") == "incident_differs"


# --- the caller's events


def test_events_are_recorded_once(host):
    drafts = [
        Draft("remark", {"text": "one"}, event_id="ab" * 8),
        Draft("remark", {"text": "two"}),
        Draft("triage_run", {"classes": [], "summary": "x"}),
    ]
    assert host.wish(incident=NAME, events=drafts) == ["remark", "remark", "triage_run"]
    assert host.wish(incident=NAME, events=drafts) == []
    assert host.wish(incident=NAME, events=drafts[:1] + [Draft("remark", {"text": "three"})]) == ["remark"]


def test_killed_in_the_middle_the_rest_is_recorded_by_running_it_again():
    drafts = [Draft("remark", {"text": text}) for text in "abc"]
    whole = Host()
    whole.wish(**OPEN, severity_reason="x", events=drafts)
    for kept in range(len(whole.recorded)):
        host = Host()
        host.recorded = whole.recorded[:kept]
        host.wish(**OPEN, severity_reason="x", events=drafts)
        assert [event["data"] for event in host.recorded] == [event["data"] for event in whole.recorded]


def test_an_id_of_another_event(host):
    host.wish(incident=NAME, events=[Draft("remark", {"text": "one"}, event_id="ab" * 8)])
    assert host.refuses(incident=NAME, events=[Draft("verified", PASSED, event_id="ab" * 8)]) == "event_conflict"
    host.event("incident_opened", {"title": "x", "severity": "sev3", "started_at": NOW}, OTHER)
    assert host.refuses(incident=OTHER, events=[Draft("remark", {"text": "x"}, event_id="ab" * 8)]) == "event_conflict"


@pytest.mark.parametrize("kind", ["incident_closed", "incident_contained", "severity_changed", "action_begun"])
def test_what_is_decided_here_cannot_be_brought(host, kind):
    data = {
        "incident_closed": {"resolved_at": NOW, "verification_id": "v1", **CAUSE},
        "incident_contained": {"resolved_at": NOW, "reason": "x"},
        "severity_changed": {"from": "sev1", "to": "sev3"},
        "action_begun": {"action_id": "a1", "action": "deploy", "argv": [], "subjects": []},
    }[kind]
    assert host.refuses(incident=NAME, events=[Draft(kind, data)]) == "bad_event"


LATE = [
    Draft("incident_opened", {"title": "API down", "severity": "sev1", "started_at": NOW}, None, "ab" * 8, NOW, True),
    Draft("remark", {"text": "cannot reach it"}, None, "cd" * 8, NOW, True),
]


def test_a_scratchpad_joins():
    host = Host().later(3600)
    assert host.wish(incident=NAME, events=LATE) == ["incident_opened", "remark"]
    assert host.name == NAME
    assert [(event["at"], event["late"]) for event in host.recorded] == [(NOW, True), (NOW, True)]
    assert host.wish(incident=NAME, events=LATE) == []
    assert host.wish(events=LATE) == []
    for cut in (1, 2):
        again = Host().later(3600)
        again.recorded = host.recorded[:cut]
        again.wish(incident=NAME, events=LATE)
        assert again.recorded == host.recorded


def test_a_scratchpad_whose_id_was_given_away_meanwhile():
    host = Host()
    host.wish(**{**OPEN, "title": "API: down"})
    host.later()
    assert host.wish(incident=NAME, events=LATE) == ["incident_opened", "remark"]
    assert host.name == NAME + "-a"
    assert host.wish(incident=NAME, events=LATE) == []
    assert host.name == NAME + "-a"


def test_a_scratchpad_of_an_incident_that_was_opened_here_too():
    host = Host()
    host.wish(**OPEN)
    assert host.wish(incident=NAME, events=LATE) == ["remark"]
    assert host.name == NAME


def test_a_scratchpad_joins_what_has_ended_meanwhile():
    host = Host()
    host.wish(incident=NAME, events=LATE[:1])
    host.wish(incident=NAME, state="contained", reason="x")
    assert host.wish(incident=NAME, events=LATE) == ["remark"]
    assert host.refuses(incident=NAME, events=[LATE[1]._replace(late=False, event_id="ef" * 8)]) == "incident_closed"


def test_a_late_opening_needs_an_id():
    assert Host().refuses(events=[LATE[0]._replace(event_id=None)]) == "bad_event"


# --- closing


def test_closing(host):
    acted(host)
    verified(host)
    assert host.wish(**close(host)) == ["incident_closed"]
    assert host.incident["state"] == "closed"
    assert host.incident["communication_deadline"] == times.from_epoch(times.to_epoch(host.now) + 48 * 3600)
    assert host.recorded[-1]["data"] == {"resolved_at": host.now, "verification_id": "v1", **CAUSE}
    assert host.later().wish(**close(host)) == []
    assert host.wish(incident=NAME, state="closed") == []
    assert host.refuses(**close(host, trigger="something else")) == "incident_closed"
    assert host.refuses(incident=NAME) == "incident_closed"
    assert host.refuses(incident=NAME, state="contained", reason="x") == "incident_closed"
    assert host.wish(incident=NAME, state="closed", events=[Draft("remark", {"text": "afterwards"})]) == ["remark"]


@pytest.mark.parametrize("severity", events.SEVERITIES)
def test_whom_the_public_hears_of(severity):
    host = Host()
    host.wish(**{**OPEN, "severity": severity})
    verified(host.later()).wish(**close(host))
    assert (host.incident["communication_deadline"] is not None) is (severity in ("sev0", "sev1"))


def test_what_was_verified_in_the_same_breath_counts(host):
    acted(host)
    assert host.wish(**close(host, events=[Draft("verified", PASSED)])) == ["verified", "incident_closed"]


def unfinished(host: Host, name: Optional[str] = NAME) -> Host:
    return host.event(
        "action_begun", {"action_id": "a1", "action": "deploy", "argv": [], "subjects": ["unit"]}, name
    ).later()


REFUSALS = [
    ("verification_missing", lambda host: host),
    ("verification_missing", lambda host: host.event("verified", PASSED, OTHER)),
    ("verification_failed", lambda host: verified(host, passed=False)),
    ("verification_failed", lambda host: verified(host, passed=None)),
    ("verification_failed", lambda host: verified(verified(host), passed=False)),
    # What it says of itself is not believed against its checks.
    ("verification_failed", lambda host: verified(host, checks=[])),
    ("verification_failed", lambda host: verified(host, checks=[CHECKS[0], {**CHECKS[1], "result": "failed"}])),
    ("verification_failed", lambda host: verified(host, checks=[CHECKS[0], {**CHECKS[1], "result": "unknown"}])),
    ("verification_failed", lambda host: verified(verified(host), checks=[])),
    ("verification_outdated", lambda host: acted(verified(host))),
    ("verification_outdated", lambda host: acted(verified(host), OTHER)),
    ("verification_outdated", lambda host: acted(verified(host), None)),
    ("verification_outdated", lambda host: acted(verified(host), changed=None)),
    ("verification_outdated", lambda host: acted(verified(host), changed=None, outcome="unknown")),
    ("verification_outdated", lambda host: acted(verified(host), changed=True, outcome="failed")),
    ("verification_outdated", lambda host: unfinished(verified(host), OTHER)),
    ("action_unfinished", lambda host: verified(unfinished(host))),
    ("action_unfinished", lambda host: unfinished(verified(host))),
    ("action_unfinished", lambda host: verified(unfinished(host, OTHER))),
    (None, verified),
    (None, lambda host: verified(verified(host, passed=False))),
    (None, lambda host: verified(acted(host))),
    (None, lambda host: acted(verified(host), changed=False)),
    (None, lambda host: acted(verified(host), changed=False, outcome="failed")),
    (None, lambda host: acted(verified(host), changed=None, outcome="refused")),
    (None, lambda host: acted(verified(host), changed=None, outcome="nothing_to_do")),
    (None, lambda host: verified(unfinished(host, None))),
]


@pytest.mark.parametrize(("code", "happens"), REFUSALS)
def test_when_it_may_be_closed(host, code, happens):
    happens(host)
    before = len(host.recorded)
    if code is None:
        assert host.wish(**close(host)) == ["incident_closed"]
    else:
        assert host.refuses(**close(host)) == code
        assert len(host.recorded) == before


@pytest.mark.parametrize(
    "cause",
    [
        {},
        {"trigger": "x"},
        {"underlying": "x"},
        {"trigger": " ", "underlying": "x"},
        {"trigger": "x", "underlying": ""},
        {"trigger": "x", "underlying": "\u200b"},
        {"trigger": "...", "underlying": "x"},
        {"trigger": "WHAT_SET_IT_OFF", "underlying": "x"},
        {"trigger": "x", "underlying": " 'WHY_IT_COULD_HAPPEN'\n"},
    ],
)
def test_no_end_without_a_cause(host, cause):
    verified(host)
    assert host.refuses(incident=NAME, state="closed", **cause) == "cause_missing"
    assert host.refuses(incident=NAME, state="contained") == "reason_missing"
    assert host.refuses(incident=NAME, state="contained", reason=" ") == "reason_missing"
    assert host.refuses(incident=NAME, state="contained", reason="WHY") == "reason_missing"


def test_a_late_look_counts_from_when_it_happened(host):
    before = host.now
    acted(host)
    host.event("verified", PASSED, late=True, at=before)
    assert host.refuses(**close(host)) == "verification_outdated"
    host.event("verified", PASSED, late=True, at=host.now)
    assert host.wish(**close(host)) == ["incident_closed"]


def test_an_older_look_that_joins_late_does_not_replace_a_newer_one(host):
    before = host.now
    verified(host.later(), passed=False)
    host.event("verified", PASSED, late=True, at=before)
    assert host.refuses(**close(host)) == "verification_failed"


def test_the_newest_look_is_the_one_that_looked_last(host):
    before = host.now
    host.later().event("verified", {**PASSED, "passed": False}, recorded_at=host.now).later()
    host.event("verified", PASSED, at=before, recorded_at=host.now)
    assert host.refuses(**close(host)) == "verification_failed"
    assert host.later().event("verified", PASSED, recorded_at=host.now).wish(**close(host)) == ["incident_closed"]


def test_a_look_from_the_future_does_not_stand_for_those_to_come(host):
    host.event("verified", PASSED, at="2099-01-01T00:00:00Z", recorded_at=host.now).later()
    host.event("verified", {**PASSED, "passed": False}, recorded_at=host.now).later()
    assert host.refuses(**close(host)) == "verification_failed"


def test_a_clock_that_was_put_back_keeps_nobody_from_closing(host):
    host.later(7200).event("verified", {**PASSED, "passed": False}, recorded_at=host.now)
    host.later(-3600).event("verified", PASSED, recorded_at=host.now)
    assert host.later().wish(**close(host)) == ["incident_closed"]


def test_contained_is_an_end_of_its_own(host):
    unfinished(host)
    assert host.wish(incident=NAME, state="contained", reason="the watchdog holds it") == ["incident_contained"]
    assert host.incident["state"] == "contained"
    assert host.incident["reason"] == "the watchdog holds it"
    resolved = host.incident["resolved_at"]
    assert host.later().wish(incident=NAME, state="contained") == []
    assert host.refuses(incident=NAME, state="contained", reason="other") == "incident_closed"
    # The cause can be found later.
    assert host.refuses(**close(host)) == "action_unfinished"
    host.event("action_finished", {"action_id": "a1", "outcome": "applied", "changed": True}).later()
    verified(host)
    assert host.wish(**close(host)) == ["incident_closed"]
    assert host.incident["state"] == "closed"
    assert host.incident["resolved_at"] == resolved


def test_an_action_whose_end_nobody_recorded(host):
    verified(unfinished(host))
    said = {
        "action_id": "a1",
        "outcome": "unknown",
        "changed": None,
        "detail": "the process is gone; looked at the unit",
    }
    for change in ({"outcome": "applied"}, {"changed": False}, {"detail": None}):
        draft = Draft("action_finished", {**said, **change})
        assert host.refuses(incident=NAME, events=[draft]) == "outcome_not_seen"
    assert (
        host.refuses(incident=NAME, events=[Draft("action_finished", {**said, "action_id": "a2"})]) == "action_unknown"
    )
    assert host.wish(incident=NAME, events=[Draft("action_finished", said)]) == ["action_finished"]
    assert host.refuses(**close(host)) == "verification_outdated"
    verified(host)
    # It ended in the second in which the look ended, so it may have changed what had been looked at.
    assert host.refuses(**close(host)) == "verification_outdated"
    verified(host)
    assert host.wish(**close(host)) == ["incident_closed"]


def test_what_is_unfinished_is_told():
    host = unfinished(Host(), None)
    assert [action.described() for action in Record(host.recorded).unfinished.values()] == [
        {"action_id": "a1", "incident": None, "action": "deploy", "begun_at": NOW, "subjects": ["unit"]}
    ]


STEPS = st.sampled_from(["verify", "fail", "act", "act_elsewhere", "begin", "finish", "remark", "close", "contain"])


@given(st.lists(STEPS, max_size=12))
def test_whatever_happens_nothing_is_closed_that_is_not_done(steps):
    """The rule told another way: the last look passed, and nothing that may have changed the host came after it."""
    host = Host()
    host.wish(**OPEN)
    passed, running = False, False
    for step in steps:
        host.later()
        ended = host.incident["state"]
        if step in ("verify", "fail"):
            verified(host, passed=step == "verify")
            passed = step == "verify"
        elif step in ("act", "act_elsewhere"):
            acted(host, NAME if step == "act" else OTHER)
            passed = False
        elif step == "begin" and not running:
            unfinished(host)
            running, passed = True, False
        elif step == "finish" and running:
            host.event("action_finished", {"action_id": "a1", "outcome": "applied", "changed": True})
            running, passed = False, False
        elif step == "remark":
            host.event("remark", {"text": "x"})
        elif step == "contain" and ended == "open":
            assert host.wish(incident=NAME, state="contained", reason="x") == ["incident_contained"]
        elif step == "close" and ended != "closed":
            if passed and not running:
                assert host.wish(**close(host)) == ["incident_closed"]
            else:
                assert host.refuses(**close(host)).startswith(("verification_", "action_"))


def test_the_callers_kinds_exist():
    assert set(incident.CALLERS_KINDS) <= set(events.KINDS)
