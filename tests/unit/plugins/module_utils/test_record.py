# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules incident and incident_info, and triage's probe of the record, do with files."""

from __future__ import annotations

import getpass
import json
import os
import re
import stat
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import note_file, probe, record, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.audit import AuditLog, Paths
from ansible_collections.healtharchive.remediation.plugins.module_utils.events import Draft, Origin
from ansible_collections.healtharchive.remediation.plugins.module_utils.note_file import NoteFile, Unwritten
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes import record as record_probe
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput

SECRET = "hunter2-correct-horse"
URL = "postgresql+psycopg://healtharchive:%s@127.0.0.1:5432/healtharchive" % SECRET
OPEN = {"title": "API down", "severity": "sev1", "area": "api", "started_at": "2026-11-20T08:00:00Z"}
NAME = "2026-11-20-api-down"
CHECKS = [{"check": "API", "result": "passed"}]
NOTE = "remediation/incidents/%s.md" % NAME


class Host:
    """A host's files below one directory, and the modules on them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.operations = root / "ops"
        self.checkout = root / "checkout"
        self.operations.mkdir()
        self.operations.chmod(0o2770)
        (self.checkout / "docs" / "operations" / "incidents").mkdir(parents=True)
        (self.checkout / "docs" / "_templates").mkdir()
        (root / "etc").mkdir()
        (root / "etc" / "backend.env").write_text(
            "HEALTHARCHIVE_ENV=staging\nHEALTHARCHIVE_DATABASE_URL=%s\nHEALTHARCHIVE_ADMIN_TOKEN=token-of-the-host\n"
            % URL
        )
        for words in (
            ["init", "-q"],
            ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "--allow-empty", "-m", "x"],
        ):
            subprocess.run(["git", "-C", str(self.checkout), *words], check=True)

    def parameters(self, spec: Dict[str, Any], **said: Any) -> Dict[str, Any]:
        values = {name: option.get("default") for name, option in spec.items()}
        values.update(
            checkout=str(self.checkout),
            env_file=str(self.root / "etc" / "backend.env"),
            service_user=getpass.getuser(),
            ops_directory=str(self.operations),
        )
        return {**values, **said}

    def incident(self, check: bool = False, **said: Any) -> record.Outcome:
        return record.change(self.parameters(record.ARGUMENT_SPEC, **said), check)

    def info(self, **said: Any) -> Dict[str, Any]:
        return record.look(self.parameters(record.INFO_ARGUMENT_SPEC, **said))

    def refuses(self, check: bool = False, **said: Any) -> str:
        with pytest.raises(BadInput) as caught:
            self.incident(check, **said)
        assert "\n" not in str(caught.value)
        assert SECRET not in str(caught.value) + caught.value.next_step
        return caught.value.code

    def files(self) -> Dict[str, Any]:
        """Everything below the root, with modes and contents."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            if ".git" not in path.parts:
                content = path.read_bytes() if path.is_file() else None
                found[str(path)] = (oct(path.lstat().st_mode), path.lstat().st_mtime_ns, content)
        return found

    @property
    def log(self) -> List[Dict[str, Any]]:
        path = self.operations / "remediation" / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    @property
    def note(self) -> Path:
        return self.operations / NOTE


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(record.signal, "alarm", lambda seconds: None)
    if os.geteuid() != 0:
        monkeypatch.setattr(record.settings, "from_parameters", _unchecked)
    return Host(tmp_path)


def _unchecked(parameters: Any) -> settings.Settings:
    return settings.Settings(**{name: parameters[name] for name in settings.ARGUMENT_SPEC})


def test_the_note_of_a_log_that_was_moved_aside_stays(host):
    first = host.incident(**OPEN, events=[{"kind": "remark", "data": {"text": "in the first log"}}]).result
    log = host.operations / "remediation" / "audit.jsonl"
    log.rename(log.with_suffix(".kept"))
    before = host.note.read_bytes()
    second = host.incident(**OPEN).result
    assert (first["incident"]["id"], second["incident"]["id"]) == (NAME, NAME + "-a")
    assert host.note.read_bytes() == before
    assert host.incident(**OPEN).result["incident"]["id"] == NAME + "-a"


def test_a_beginning_that_was_cut_short_is_told(host):
    """Nobody knows what stood there; who runs the next playbook must hear of it."""
    host.incident(**OPEN)
    assert host.incident(incident=NAME).notices == []
    log = host.operations / "remediation" / "audit.jsonl"
    AuditLog(Paths(str(host.operations)), Origin(), Redactor()).begin(NAME, "a1", "deploy")
    log.write_bytes(log.read_bytes()[:-200])
    for check in (True, False):
        outcome = host.incident(check, incident=NAME, events=[{"kind": "remark", "data": {"text": "later"}}])
        (notice,) = outcome.notices
        assert "Line 2 of" in notice
        assert "perhaps that an action began" in notice
        assert outcome.result["record"]["verified"] is True
    assert host.incident(incident=NAME).notices == []
    assert host.incident(incident=NAME).result["record"]["torn_lines"] == [2]


def test_what_a_caller_typed_is_not_shown_again(host):
    said = {name: "%s %s" % (name, SECRET) for name in ("title", "severity_reason", "owner", "reason", "trigger", "operator")}
    given = host.parameters(record.ARGUMENT_SPEC, **said, severity="sev1", events=[{"data": {"text": SECRET}}])
    shown = record.shown(given)
    assert SECRET not in json.dumps(shown)
    assert set(shown) == set(given)
    # The control: what is no text of somebody's is there for whoever looks for a fault.
    assert (shown["severity"], shown["ops_directory"], shown["underlying"]) == ("sev1", str(host.operations), None)


LATE = {"at": "2026-11-20T08:01:00Z", "late": True}


def test_who_wrote_it_down_and_who_brought_it(host):
    by = {"operator": "anna", "controller": "desk", "run": "pid-1"}
    opening = {"title": "API down", "severity": "sev1", "started_at": "2026-11-20T08:00:00Z"}
    given = [
        {"kind": "incident_opened", "data": opening, "event_id": "ab" * 8, "by": by, **LATE},
        {"kind": "remark", "data": {"text": "no answer"}, "event_id": "cd" * 8, "by": by, **LATE},
    ]
    outcome = host.incident(incident=NAME, events=given, operator="bob", controller="laptop", run="pid-2")
    assert outcome.result["confirmed"] == ["ab" * 8, "cd" * 8]
    for event in host.log:
        assert event["by"] == {"account": None, **by}
        assert {**event["joined_by"], "account": None} == {
            "account": None, "operator": "bob", "controller": "laptop", "run": "pid-2",
        }  # fmt: skip
        assert event["joined_by"]["account"]
    assert "no answer (anna) (recorded later" in host.note.read_text()
    assert " by bob)" in host.note.read_text()
    assert host.info()["record"]["verified"] is True
    # Of what is recorded where it happens, nobody else can be the author; and nobody says which account.
    for more in ({"by": by}, {"by": {**by, "account": "root"}, **LATE}, {"by": {"user": "x"}, **LATE}):
        assert host.refuses(incident=NAME, events=[{"kind": "remark", "data": {"text": "x"}, **more}]) == "bad_event"
    host.incident(incident=NAME, events=[{"kind": "remark", "data": {"text": "x"}}], operator="bob")
    assert "joined_by" not in host.log[-1]
    assert host.log[-1]["by"]["operator"] == "bob"


def test_a_secret_that_only_the_host_knows_does_not_double_what_joins(host):
    """The host left it out of the words, the controller could not."""
    said = [{"kind": "remark", "data": {"text": "It prints %s" % SECRET}}]
    host.incident(**OPEN, events=said)
    assert SECRET not in json.dumps(host.log)
    late = [{**said[0], "event_id": "cd" * 8, **LATE}]
    outcome = host.incident(incident=NAME, events=late)
    assert len(host.log) == 2
    assert outcome.result["confirmed"] == ["cd" * 8]


def test_opening(host):
    result = host.incident(**OPEN, operator="somebody").result
    assert result["changed"]
    assert (result["incident"]["id"], result["incident"]["environment"]) == (NAME, "staging")
    (event,) = host.log
    assert event["data"]["title"] == "API down"
    assert event["by"]["operator"] == "somebody"
    head = subprocess.run(
        ["git", "-C", str(host.checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert event["head"] == head.stdout.strip()
    assert result["events"] == [{key: value for key, value in event.items() if key != "digest"}]
    assert result["record"]["verified"]
    assert result["head_digest"] == host.info()["record"]["head_digest"]
    assert "API down" in host.note.read_text()
    assert stat.S_IMODE(host.note.stat().st_mode) == 0o660
    assert stat.S_IMODE(host.note.parent.stat().st_mode) == 0o2770


def test_opening_again_touches_nothing(host):
    host.incident(**OPEN)
    before = host.files()
    for check in (True, False):
        outcome = host.incident(check, **OPEN)
        assert not outcome.result["changed"]
        assert outcome.before == outcome.after
    assert host.files() == before


def test_check_mode_creates_nothing_and_tells_what_would_be(host):
    before = host.files()
    planned = host.incident(True, **OPEN, events=[{"kind": "remark", "data": {"text": "seen"}}])
    assert host.files() == before
    done = host.incident(False, **OPEN, events=[{"kind": "remark", "data": {"text": "seen"}}])
    assert planned.result["changed"]
    timeless = ("at", "recorded_at", "previous")
    one, other = (
        [{key: value for key, value in event.items() if key not in timeless} for event in outcome.result["events"]]
        for outcome in (planned, done)
    )
    assert one == other
    assert planned.result["incident"] == done.result["incident"]
    assert planned.before == ""
    assert planned.after.splitlines()[:3] == done.after.splitlines()[:3]


@pytest.mark.parametrize("check", [True, False])
def test_a_refusal_creates_nothing(host, check):
    before = host.files()
    assert host.refuses(check, title="API down") == "severity_missing"
    assert host.refuses(check, incident="2026-11-23-x") == "incident_unknown"
    assert host.refuses(check, **{**OPEN, "title": "x" * 200_000}) == "bad_event"
    assert host.refuses(check, **{**OPEN, "started_at": "yesterday"}) == "bad_event"
    assert (
        host.refuses(check, **OPEN, events=[{"kind": "remark", "data": {"text": "x", "password": SECRET}}])
        == "bad_event"
    )
    assert host.refuses(check, **OPEN, slug=SECRET) == "secret_in_id"
    assert host.refuses(check, **OPEN, ops_directory=str(host.root / "none")) == "ops_directory_missing"
    assert host.files() == before


def test_closing_is_refused_without_a_word_written(host):
    host.incident(**OPEN)
    before = host.files()
    said = {"incident": NAME, "state": "closed", "trigger": "x", "underlying": "y"}
    assert host.refuses(**said) == "verification_missing"
    failed = {"kind": "verified", "data": {"verification_id": "v1", "passed": False, "checks": CHECKS}}
    assert host.refuses(**said, events=[failed]) == "verification_failed"
    assert host.files() == before
    passed = {"kind": "verified", "data": {"verification_id": "v2", "passed": True, "checks": CHECKS}}
    assert host.incident(**said, events=[passed]).result["incident"]["state"] == "closed"
    assert "Status: closed" in host.note.read_text()


def test_no_secret_gets_in_or_out(host):
    (host.checkout / record.TEMPLATE).write_text("nothing of contract 4.14 but %s" % SECRET)
    said = {
        name: "%s %s and token-of-the-host" % (name, URL)
        for name in ("title", "severity_reason", "owner", "environment", "operator", "controller", "run")
    }
    outcome = host.incident(
        severity="sev2",
        **said,
        events=[{"kind": "remark", "data": {"text": "psql %s; Authorization: Bearer abcdefgh" % URL}}],
    )
    everything = json.dumps(outcome.result) + outcome.after + "".join(map(str, host.files()))
    contents = b"".join(path.read_bytes() for path in host.operations.rglob("*") if path.is_file()).decode()
    for text in (everything, contents):
        assert "hunter2" not in text
        assert "token-of-the-host" not in text
        assert "abcdefgh" not in text
    assert "severity_reason" in contents
    info = json.dumps(host.info(incident=outcome.result["incident"]["id"]))
    assert "hunter2" not in info


HOSTILE = [
    "{{ 7 * 7 }} {% raw %}",
    "a\nb\r\n# heading\n<!-- healtharchive.remediation end: timeline -->\n",
    "\x1b[31m\x07\0",
    "\ud800 \U0001f525",
    "--apply ../../etc/passwd $(id) `id`",
    "x" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:10]))
def test_hostile_text_everywhere(host, text):
    names = ("title", "severity_reason", "owner", "environment", "operator", "controller", "run")
    said = {name: text for name in names}
    events = [
        {"kind": "remark", "data": {"text": text}},
        {
            "kind": "triage_run",
            "data": {"classes": [{"class": text, "confidence": text, "summary": text}], "summary": text},
        },
        {
            "kind": "verified",
            "data": {
                "verification_id": "v1",
                "passed": True,
                "checks": [{"check": text, "result": "passed", "detail": text}],
            },
        },
    ]
    outcome = host.incident(severity="sev2", **said, events=events)
    json.dumps(outcome.result).encode("ascii")
    expected = text.replace("\ud800", "\\ud800")
    assert host.log[0]["data"]["title"] == expected
    assert host.log[1]["data"]["text"] == expected
    name = outcome.result["incident"]["id"]
    assert host.incident(severity="sev2", **said, events=events).result["changed"] is False
    closed = host.incident(incident=name, state="closed", trigger=text, underlying=text).result
    assert closed["incident"]["trigger"] == expected
    assert [problem for problem in closed["note"]["problems"] if problem["code"] != "template_unusable"] == []
    assert sorted(path.name for path in host.operations.rglob("*")) == sorted(
        ["audit.jsonl", "incidents", name + ".md", "remediation"]
    )
    assert host.info()["record"]["verified"]
    note = (host.operations / "remediation" / "incidents" / (name + ".md")).read_bytes()
    assert b"\x1b" not in note
    assert b"\0" not in note


def test_what_a_person_writes_stays(host):
    host.incident(**OPEN)
    text = host.note.read_bytes()
    edited = (
        text.replace(b"## Summary", b"## Summary\r\n\r\nOurs \xff {{ 1 + 1 }}", 1) + b"\nThe end, without a newline"
    )
    assert edited != text
    host.note.write_bytes(edited)
    outcome = host.incident(incident=NAME, events=[{"kind": "remark", "data": {"text": "something new"}}])
    assert outcome.result["note"]["changed"]
    now = host.note.read_bytes()
    assert b"## Summary\r\n\r\nOurs \xff {{ 1 + 1 }}" in now
    assert now.endswith(b"\nThe end, without a newline")
    assert b"something new" in now
    json.dumps(outcome.before)


def test_a_note_that_was_not_written_is_written_by_running_it_again(host):
    host.incident(**OPEN)
    text = host.note.read_text()
    host.note.unlink()
    before = len(host.log)
    assert host.incident(True, **OPEN).result["changed"]
    assert not host.note.exists()
    assert host.incident(**OPEN).result["note"]["changed"]
    assert host.note.read_text() == text
    assert len(host.log) == before


@pytest.mark.parametrize("what", ["link", "pipe", "directory", "second_name", "long", "directory_link"])
def test_something_else_in_place_of_the_note(host, what):
    host.incident(**OPEN)
    host.note.unlink()
    target = host.root / "target"
    target.write_text("theirs")
    if what == "link":
        host.note.symlink_to(target)
    elif what == "pipe":
        os.mkfifo(host.note)
    elif what == "directory":
        host.note.mkdir()
    elif what == "second_name":
        os.link(target, host.note)
    elif what == "long":
        host.note.write_bytes(b"x" * (note_file._LONGEST_BYTES + 1))
    else:
        host.note.parent.rmdir()
        host.note.parent.symlink_to(host.root / "etc")
    outcome = host.incident(incident=NAME, events=[{"kind": "remark", "data": {"text": "still recorded"}}])
    (problem,) = outcome.result["note"]["problems"]
    assert problem["code"] == ("note_too_long" if what == "long" else "note_unsafe")
    assert problem["message"] in outcome.notices
    assert host.log[-1]["data"]["text"] == "still recorded"
    assert target.read_text() == "theirs"
    assert sorted(path.name for path in (host.root / "etc").iterdir()) == ["backend.env"]


def test_a_note_that_is_saved_at_the_same_moment_is_left_alone(tmp_path):
    (tmp_path / "incidents").mkdir()
    parent = os.open(tmp_path, os.O_RDONLY)
    try:
        note = NoteFile(parent, str(tmp_path), NAME)
        assert note.read() is None
        (tmp_path / "incidents" / (NAME + ".md")).write_text("a person's")
        with pytest.raises(Unwritten) as caught:
            note.write(b"ours")
        assert caught.value.code == "note_busy"
        assert [path.name for path in (tmp_path / "incidents").iterdir()] == [NAME + ".md"]
        assert note.read() == b"a person's"
        note.write(b"ours")
        assert (tmp_path / "incidents" / (NAME + ".md")).read_text() == "ours"
    finally:
        os.close(parent)


def test_a_template_that_leads_elsewhere_is_not_followed(host):
    (host.root / "elsewhere").mkdir()
    (host.root / "elsewhere" / "incident-template.md").write_text("other people's text")
    (host.checkout / "docs" / "_templates").rmdir()
    (host.checkout / "docs" / "_templates").symlink_to(host.root / "elsewhere")
    template = host.incident(**OPEN).result["template"]
    assert template["text"] is None
    assert template["problem"]


def test_a_note_in_the_repository_takes_its_id(host):
    (host.checkout / record.NOTES / (NAME + ".md")).write_text("an older one")
    assert host.incident(**OPEN).result["incident"]["id"] == NAME + "-a"
    assert host.incident(**OPEN).result["changed"] is False


def test_what_the_record_says(host):
    assert host.info() == {
        "incidents": [],
        "unfinished_actions": [],
        "events": [],
        "record": {
            "path": str(host.operations / "remediation" / "audit.jsonl"),
            "size_bytes": 0,
            "verified": True,
            "lines": 0,
            "first_broken_line": None,
            "broken_lines": 0,
            "problems": [],
            "torn_lines": [],
            "torn_end": False,
            "head_digest": "0" * 64,
        },
    }
    assert list(host.operations.iterdir()) == []
    host.incident(**OPEN)
    host.incident(**{**OPEN, "title": "Search slow"})
    log = AuditLog(Paths(str(host.operations)), Origin(), Redactor())
    log.begin(NAME, "a1", "deploy", subjects=["unit"])
    found = host.info()
    assert [each["id"] for each in found["incidents"]] == [NAME, "2026-11-20-search-slow"]
    assert [action["action_id"] for action in found["unfinished_actions"]] == ["a1"]
    assert found["events"] == []
    one = host.info(incident="2026-11-20-search-slow")
    assert [event["kind"] for event in one["events"]] == ["incident_opened"]
    assert one["unfinished_actions"] == []
    for wrong in ("2026-11-20-none", "../x"):
        with pytest.raises(BadInput):
            host.info(incident=wrong)


def test_the_first_broken_line_is_named(host):
    for number in range(5):
        host.incident(**OPEN, events=[{"kind": "remark", "data": {"text": "remark %d" % number}}])
    path = host.operations / "remediation" / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b"remark 2", b"remork 2"))
    found = host.info()["record"]
    assert (found["verified"], found["first_broken_line"], found["lines"]) == (False, 4, 6)
    outcome = host.incident(**OPEN, events=[{"kind": "remark", "data": {"text": "goes on"}}])
    assert outcome.result["record"]["first_broken_line"] == 4
    assert any("line 4" in notice for notice in outcome.notices)
    assert host.log[-1]["data"]["text"] == "goes on"


def test_a_broken_record_proves_no_verification(host):
    """A line that was edited is not believed; without it an older pass would count."""
    failed = {"verification_id": "v1", "passed": False, "checks": [{"check": "units", "result": "failed", "detail": None}]}
    passed = {"verification_id": "v2", "passed": True, "checks": [{"check": "units", "result": "passed", "detail": None}]}
    said = {"incident": NAME, "state": "closed", "trigger": "x", "underlying": "y"}
    older = {**passed, "verification_id": "v0"}
    host.incident(**OPEN, events=[{"kind": "verified", "data": each} for each in (older, failed)])
    path = host.operations / "remediation" / "audit.jsonl"
    whole = path.read_bytes()
    edited = re.sub(rb'"passed":( ?)false', rb'"passed":\1true', whole)
    assert edited != whole
    path.write_bytes(edited)
    assert host.refuses(**said) == "record_broken"
    assert path.read_bytes() == edited
    # The positive control: the same record, whole, and a verification that passed.
    path.write_bytes(whole)
    assert host.incident(**said, events=[{"kind": "verified", "data": passed}]).result["incident"]["state"] == "closed"


# --- triage's probe


def probed(host: Host) -> probe.Finding:
    where = settings.Settings(
        **{name: host.parameters(settings.ARGUMENT_SPEC)[name] for name in settings.ARGUMENT_SPEC}
    )
    return record_probe.probe(probe.Context(where, None, None, Redactor(), True, time.monotonic() + 60, 600, "local"))


def test_the_probe(host):
    before = host.files()
    finding = probed(host)
    assert host.files() == before
    assert finding.status == "ok"
    assert finding.data == {
        "path": str(host.operations / "remediation" / "audit.jsonl"),
        "size_bytes": 0,
        "checked_bytes": 0,
        "whole": None,
        "first_broken_line": None,
        "torn_end": False,
        "unfinished_actions": [],
        "unfinished_count": 0,
        "open_incidents": [],
    }
    host.incident(**OPEN)
    log = AuditLog(Paths(str(host.operations)), Origin(), Redactor())
    log.begin(NAME, "a1", "deploy", subjects=["unit"])
    log.begin(NAME, "a2", "deploy")
    log.finish(NAME, "a2", "failed", None)
    data = probed(host).data
    (action,) = data["unfinished_actions"]
    assert 0 <= action.pop("age_seconds") < 60
    assert action.pop("begun_at")
    assert action == {"incident": NAME, "action": "deploy", "action_id": "a1", "subjects": ["unit"]}
    assert (data["whole"], data["unfinished_count"], data["open_incidents"]) == (True, 1, [NAME])


def test_the_probe_sees_what_began_long_ago(host, monkeypatch):
    monkeypatch.setattr(record_probe, "CHECKED_BYTES", 5000)
    host.incident(**OPEN)
    log = AuditLog(Paths(str(host.operations)), Origin(), Redactor())
    log.begin(NAME, "a1", "deploy")
    for number in range(30):
        log.append(Draft("remark", {"text": "remark %d" % number}, NAME))
    data = probed(host).data
    assert data["size_bytes"] > data["checked_bytes"]
    assert 4000 < data["checked_bytes"] <= 5000
    assert [action["action_id"] for action in data["unfinished_actions"]] == ["a1"]
    assert (data["whole"], data["open_incidents"]) == (True, [NAME])
    path = host.operations / "remediation" / "audit.jsonl"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"action":"deploy"', b'"action":"replay"'))
    finding = probed(host)
    assert (finding.status, finding.problems[0].code) == ("partial", "bad_evidence")
    assert finding.data["unfinished_count"] is None
    path.write_bytes(content.replace(b"remark 29", b"remork 29"))
    data = probed(host).data
    assert (data["whole"], data["first_broken_line"]) == (False, None)
    path.write_bytes(content)
    monkeypatch.setattr(record_probe, "READ_BYTES", 6000)
    finding = probed(host)
    assert (finding.status, finding.problems[0].code) == ("partial", "output_truncated")
    assert finding.data["unfinished_count"] is None


def test_a_record_that_cannot_be_read_is_not_known(host):
    (host.operations / "remediation").symlink_to(host.root / "etc")
    finding = probed(host)
    assert (finding.status, finding.problems[0].code) == ("unknown", "bad_evidence")
    (host.operations / "remediation").unlink()
    host.operations.rmdir()
    finding = probed(host)
    assert (finding.status, finding.problems[0].code) == ("unknown", "not_found")
