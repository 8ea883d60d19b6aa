# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be recorded: what is listed, in its form, and without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import events
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import BadEvent
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from hypothesis import given
from hypothesis import strategies as st

SECRET = "hunter2-correct-horse"
NONE = Redactor()
KNOWING = Redactor([SECRET])
SHA = "ab" * 32

# One event of each kind, with every field that it can have.
SAMPLES = {
    "incident_opened": {
        "title": "API down",
        "severity": "sev1",
        "severity_reason": "usable but badly degraded",
        "area": "api",
        "owner": "operator",
        "started_at": "2026-11-23T17:50:00Z",
        "environment": "production",
    },
    "severity_changed": {"from": "sev1", "to": "sev0", "reason": "site is down too"},
    "triage_run": {
        "evidence_digest": SHA,
        "classes": [{"class": "deployment", "confidence": "certain", "summary": "A package is missing."}],
        "severity": "sev1",
        "summary": "A package is missing.",
    },
    "remark": {"text": "Restarting does not help."},
    "action_begun": {
        "action_id": "a1",
        "action": "deploy",
        "objective": "fix on the host",
        "argv": [["scripts/vps-deploy.sh", "--apply", "--ref", SHA[:40]]],
        "subjects": ["healtharchive-api.service"],
        "expected_impact": "API restarts",
        "rollback": "deploy the commit before",
        "symptom": "api: ModuleNotFoundError",
        "plan_id": "p1",
        "clearance_id": "clearance-1",
        "override_reason": "the disk was full then",
        "approval": "automatic",
    },
    "action_finished": {"action_id": "a1", "outcome": "applied", "changed": True, "detail": "deployed"},
    "verified": {
        "verification_id": "v1",
        "passed": True,
        "checks": [{"check": "public_surface", "result": "passed", "detail": "20 of 20"}],
    },
    "clearance_granted": {
        "clearance_id": "c1",
        "holder": "x",
        "until": "2026-11-23T18:00:00Z",
        "reason": "r",
        "required_commits": ["a" * 40],
    },
    "clearance_renewed": {"clearance_id": "c1", "holder": "x", "until": "2026-11-23T18:30:00Z", "reason": None},
    "clearance_released": {"clearance_id": "c1", "holder": "x", "until": None, "reason": "r", "forced": True},
    "clearance_expired": {"clearance_id": "c1", "holder": "x", "until": None, "reason": None},
    "incident_closed": {
        "resolved_at": "2026-11-23T19:00:00Z",
        "trigger": "a package was not installed",
        "underlying": "the deploy does not check",
        "verification_id": "v1",
    },
    "incident_contained": {"resolved_at": "2026-11-23T19:00:00Z", "reason": "held by hand", "verification_id": None},
}


def outcome(kind: str, data: Any, redactor: Redactor = NONE) -> tuple:
    """What is kept, or None and why nothing is."""
    try:
        return events.kept_data(kind, data, redactor), ""
    except BadEvent as error:
        return None, str(error)


def test_every_kind_has_a_sample():
    assert set(SAMPLES) == set(events.KINDS)


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_is_listed_is_kept(kind: str):
    assert events.kept_data(kind, SAMPLES[kind], NONE) == SAMPLES[kind]


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_is_not_listed_is_refused(kind: str):
    with pytest.raises(BadEvent):
        events.kept_data(kind, {**SAMPLES[kind], "environment_file": "x"}, NONE)
    with pytest.raises(BadEvent):
        events.kept_data("un" + kind, SAMPLES[kind], NONE)


def texts(value: Any, path: tuple = ()) -> Any:
    """The places of all texts in a value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from texts(value[key], (*path, key))


def replaced(value: Any, path: tuple, new: Any) -> Any:
    value = json.loads(json.dumps(value))
    place = value
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return value


PLACES = [(kind, path) for kind, sample in SAMPLES.items() for path in texts(sample)]


@pytest.mark.parametrize(("kind", "path"), PLACES, ids=str)
@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        "x" + SECRET + "x",
        "postgresql+psycopg://healtharchive:%s@127.0.0.1/d" % SECRET,
        "Authorization: Bearer %s" % SECRET,
        "{{ lookup('env', 'HOME') }} %s" % SECRET,
    ],
)
def test_a_secret_gets_nowhere(kind: str, path: tuple, text: str):
    assert SECRET not in json.dumps(outcome(kind, replaced(SAMPLES[kind], path, text), KNOWING))


def test_a_word_of_a_command_that_nobody_knows_to_be_secret() -> None:
    sample = replaced(SAMPLES["action_begun"], ("argv",), [["sshpass", "-p", "two words", "ssh", "host"], ["true"]])
    kept = events.kept_data("action_begun", sample, NONE)
    assert kept["argv"] == [["sshpass", "-p", "********", "ssh", "host"], ["true"]]
    # What an older version wrote is read as it is.
    assert events.kept_data("action_begun", sample, events._UNCHANGED)["argv"] == sample["argv"]


HOSTILE = [
    "{{ 7 * 7 }}",
    "{% raw %}",
    "<!-- healtharchive.remediation begin: timeline -->",
    "a\nb\r\n# heading\n",
    "\x1b[31mred\x1b]0;title\x07",
    "\0",
    "\ud800",
    "\U0001f525" * 10,
    "--apply",
    "../../etc/passwd",
    "x" * 100_000,
    "\u202egpj.exe",
    '"}\n{"version":1}',
]


@pytest.mark.parametrize(("kind", "path"), PLACES, ids=str)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_hostile_text_is_data_or_refused(kind: str, path: tuple, text: str):
    """Texts are kept as they are (what no UTF-8 can hold: as an escape); ids, times and words are refused."""
    kept, why = outcome(kind, replaced(SAMPLES[kind], path, text))
    if kept is None:
        assert why.isprintable()
        assert len(why) < 300
        return
    expected = "\\ud800" if text == "\ud800" else text
    assert kept == replaced(SAMPLES[kind], path, expected)
    json.dumps(kept, ensure_ascii=False).encode("utf-8")


def test_hostile_text_reaches_the_places_of_text():
    """The positive control: the places above are not all refused."""
    for text in HOSTILE:
        kept = events.kept_data("incident_opened", {**SAMPLES["incident_opened"], "owner": text}, NONE)
        assert kept["owner"].startswith(text[:1] if text != "\ud800" else "\\")


@pytest.mark.parametrize("length", [events.TEXT_LIMIT_BYTES, events.TEXT_LIMIT_BYTES + 1])
def test_a_text_is_never_cut(length: int):
    if length <= events.TEXT_LIMIT_BYTES:
        assert len(events.kept_data("remark", {"text": "x" * length}, NONE)["text"]) == length
    else:
        with pytest.raises(BadEvent):
            events.kept_data("remark", {"text": "x" * length}, NONE)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("incident_opened", {"title": ""}),
        ("incident_opened", {"title": " \n"}),
        ("incident_opened", {"title": None}),
        ("incident_opened", {"severity": "sev4"}),
        ("incident_opened", {"severity": None}),
        ("incident_opened", {"area": "kitchen"}),
        ("incident_opened", {"started_at": "2026-11-23"}),
        ("incident_opened", {"started_at": 7}),
        ("action_begun", {"action_id": "../x"}),
        ("action_begun", {"argv": "rm -rf"}),
        ("action_begun", {"argv": [["a", 1]]}),
        ("action_begun", {"subjects": ["x"] * 1001}),
        ("action_finished", {"outcome": "fine"}),
        ("action_finished", {"changed": "yes"}),
        ("verified", {"passed": 1}),
        ("verified", {"checks": [{"check": "x", "result": "ok"}]}),
        ("verified", {"checks": [{"check": "x", "result": "passed", "more": 1}]}),
        ("incident_closed", {"trigger": ""}),
        ("incident_closed", {"verification_id": None}),
        ("incident_contained", {"reason": None}),
        ("triage_run", {"evidence_digest": "x"}),
    ],
)
def test_another_form_is_refused(kind: str, change: Any):
    with pytest.raises(BadEvent) as refused:
        events.kept_data(kind, {**SAMPLES[kind], **change}, NONE)
    assert next(iter(change)) in str(refused.value)


@pytest.mark.parametrize("name", ["2026-11-23-api-down", "2026-11-23-a", "2026-11-23-api-down-b", "2024-02-29-x"])
def test_an_id(name: str):
    assert events.is_incident(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "api-down", "2026-11-23", "2026-11-23-", "2026-11-23-API", "2026-11-23-a--b", "2026-11-23-a/b", None, 7),
        *("2026-11-23-a\n", "2026-11-23-..", "2026-02-30-x", "2025-02-29-x", "../2026-11-23-x", "2026-11-23-\u0661"),
        "2026-11-23-" + "x" * 80,
    ],
)
def test_no_id(name: Any):
    assert not events.is_incident(name)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(sorted(SAMPLES)), JSON)
def test_any_data_is_kept_or_refused(kind: str, value: Any):
    for given_data in (value, {**SAMPLES[kind], **value} if isinstance(value, dict) else value):
        kept, why = outcome(kind, given_data)
        assert why.isprintable()
        assert kept is None or set(kept) == set(events.KINDS[kind])


@given(st.sampled_from(sorted(SAMPLES)), JSON)
def test_any_member_is_kept_or_refused(kind: str, value: Any):
    for name in SAMPLES[kind]:
        assert outcome(kind, {**SAMPLES[kind], name: value})[1].isprintable()
