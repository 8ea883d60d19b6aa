# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose each finding of the drift check is; and what became of what was put back, by paths and check together."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.baseline import (
    action,
    decide,
    files,
    policy,
    survey,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

DATA: Dict[str, Any] = {
    "operator_user": "haadmin",
    "ops_group": "healtharchive",
    "files": {"backend_env_file": "/etc/healtharchive/backend.env", "caddyfile": "/etc/caddy/Caddyfile"},
    "backend_env_required": {"HEALTHARCHIVE_ENV": "production"},
    "backend_env_csv_set_equals": {"HEALTHARCHIVE_CORS_ORIGINS": ["https://a.example.org", "https://b.example.org"]},
    "filesystem": {
        "paths": [
            {"path": "/srv/backups", "owner": "root", "group": "healtharchive", "mode": "2770"},
            {"path": "/srv/healtharchive/ops/adoption", "owner": "root", "group": "healtharchive", "mode": "2770"},
            {"path": "/srv/healtharchive/ops/watchdog", "mode": "2770"},
            {"path": "/etc/healtharchive/x-enabled", "owner": "root", "mode": "0644"},
            {"path": "/srv/setgid", "setgid": True},
            {"path": "/usr/local/bin/tool", "mode": "4755"},
            {"path": "/srv/of:nobody", "owner": "nobody-here"},
        ]
    },
}


def parsed(data: Any) -> policy.Policy:
    return policy.parse(json.dumps({"digest": "ab" * 20, "policy": data}).encode())


POLICY = parsed(DATA)
PLAIN = decide.Seen("directory", "haadmin", "healtharchive", 0o755, 2, "ext4")


def known(seen: Any = None, **more: Any) -> decide.Known:
    found = decide.Known(
        {"/srv/backups": PLAIN, "/srv/setgid": PLAIN, "/srv/of:nobody": PLAIN, **(seen or {})},
        frozenset(("root", "haadmin")),
        frozenset(("root", "healtharchive")),
        frozenset(),
        {"healtharchive-api.service": True},
        "/srv/healtharchive/ops",
        "/opt/healtharchive",
    )
    return found._replace(**more)


def decided(key: str, found: decide.Known, message: str = "expected a got b") -> decide.Decision:
    return decide.decide([{"key": key, "message": message}], POLICY, found)


def whose(found: decide.Decision) -> str:
    """Of one finding."""
    if found.steps:
        return "ours"
    return found.installs[0].script if found.installs else "person"


MODE = "filesystem:/srv/backups:mode"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (MODE, "ours"),
        ("filesystem:/srv/backups:owner", "ours"),
        ("filesystem:/srv/backups:group", "ours"),
        ("filesystem:/srv/setgid:setgid", "ours"),
        # Whether somebody may write follows from more than the path itself.
        ("filesystem:/srv/backups:writable", "person"),
        # What the policy does not name is nobody's to change here.
        ("filesystem:/etc/shadow:mode", "person"),
        ("filesystem:/srv/of:nobody:owner", "person"),
        ("env:HEALTHARCHIVE_ENV", "person"),
        ("env:HEALTHARCHIVE_ADMIN_TOKEN_present", "person"),
        ("env", "person"),
        ("env_read_error", "person"),
        ("operator_in_ops_group", "person"),
        ("dependencies:psycopg", "person"),
        ("systemd:healtharchive-api.service:enabled", "person"),
        ("hsts:configured_in_caddy", "person"),
        ("network:tcp:8001:bind", "person"),
        ("http:/metrics:no-token", "person"),
        ("something:new", "person"),
    ],
)
def test_whose_a_finding_is(key: str, expected: str) -> None:
    found = decided(key, known())
    assert whose(found) == expected
    for left in found.left.values():
        assert left.why
        assert left.command
        assert "expected a got b" in left.told()


@pytest.mark.parametrize(
    "seen",
    [
        decide.Seen("link"),
        decide.Seen("other"),
        decide.Seen("absent"),
        decide.Seen("unseen"),
        PLAIN._replace(fstype="fuse.sshfs"),
        PLAIN._replace(kind="file", names=2),
        # On a file this bit would have a program run with the group's rights.
        PLAIN._replace(kind="file", names=1),
    ],
    ids=lambda seen: "%s-%s" % (seen.kind, seen.fstype),
)
def test_what_is_no_plain_path_of_the_host_is_left(seen: decide.Seen) -> None:
    assert whose(decided(MODE, known({"/srv/backups": seen}))) == "person"


def test_a_program_with_another_s_rights_and_an_account_that_is_not_there_are_left() -> None:
    tool = PLAIN._replace(kind="file", names=1)
    assert whose(decided("filesystem:/usr/local/bin/tool:mode", known({"/usr/local/bin/tool": tool}))) == "person"
    (left,) = decided("filesystem:/srv/of:nobody:owner", known()).left.values()
    assert left.command == "getent passwd nobody-here"


def test_all_findings_of_a_path_are_one_step_and_what_the_policy_does_not_say_stays() -> None:
    findings = [{"key": "filesystem:/srv/backups:" + kind, "message": "m"} for kind in ("mode", "owner")]
    (step,) = decide.decide(findings, POLICY, known()).steps
    assert (step.after.owner, step.after.group, step.after.mode) == ("root", "healtharchive", 0o2770)
    assert step.keys == ("filesystem:/srv/backups:mode", "filesystem:/srv/backups:owner")
    (step,) = decided("filesystem:/srv/setgid:setgid", known()).steps
    assert (step.after.owner, step.after.mode) == ("haadmin", 0o2755)


ABSENT = decide.Seen("absent")
ADOPTION = "filesystem:/srv/healtharchive/ops/adoption"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (known({ADOPTION[11:]: ABSENT}, installers=frozenset((decide.OPS,))), decide.OPS),
        (known({ADOPTION[11:]: ABSENT}), "person"),
        (known({ADOPTION[11:]: decide.Seen("unseen")}, installers=frozenset((decide.OPS,))), "person"),
        # With another place the installer would make its own.
        (known({ADOPTION[11:]: ABSENT}, installers=frozenset((decide.OPS,)), ops_directory="/srv/other"), "person"),
    ],
    ids=range(4),
)
def test_a_missing_ops_directory_is_its_installer_s(found: decide.Known, expected: str) -> None:
    assert whose(decided(ADOPTION, found, "path does not exist")) == expected


def test_the_installer_makes_not_all_of_them_and_no_switch() -> None:
    both = frozenset((decide.OPS, decide.UNITS))
    watchdog, switch = "/srv/healtharchive/ops/watchdog", "/etc/healtharchive/x-enabled"
    assert whose(decided("filesystem:" + watchdog, known({watchdog: ABSENT}, installers=both))) == "person"
    (left,) = decided("filesystem:" + switch, known({switch: ABSENT}, installers=both)).left.values()
    assert left.command == "sudo install --owner=root --group=root --mode=0644 /dev/null /etc/healtharchive/x-enabled"
    (left,) = decided(ADOPTION, known({ADOPTION[11:]: ABSENT}), "path does not exist").left.values()
    assert left.command.startswith("sudo install --directory --owner=root --group=healtharchive --mode=2770 ")


@pytest.mark.parametrize(
    ("templates", "installers", "expected"),
    [
        ({"a.service": None}, (decide.UNITS,), decide.UNITS),
        ({"a.service": None, "b.service": True}, (decide.UNITS,), decide.UNITS),
        # It would overwrite what somebody has changed.
        ({"a.service": None, "b.service": False}, (decide.UNITS,), "person"),
        ({"a.service": None}, (), "person"),
        ({"a.service": True}, (decide.UNITS,), "person"),
        ({}, (decide.UNITS,), "person"),
    ],
)
def test_a_missing_unit_is_its_installer_s_where_that_overwrites_nothing(
    templates: Any, installers: Any, expected: str
) -> None:
    found = known(templates=templates, installers=frozenset(installers))
    assert whose(decided("systemd:a.service:enabled", found)) == expected


def test_what_an_installer_enables_not_is_a_person_s_when_the_unit_is_there() -> None:
    found = known(templates={"a.service": None}, installers=frozenset((decide.UNITS,)))
    keys = ("systemd:a.service", "systemd:a.service:enabled")
    answered = decide.decide([{"key": key, "message": "got 'No such file'"} for key in keys], POLICY, found)
    (install,) = answered.installs
    assert (install.paths, install.enabling) == (("/etc/systemd/system/a.service",), keys[1:])
    subject = "path /etc/systemd/system/a.service"
    before, after = {subject: {"there": False}}, {subject: {"there": True}}
    outcome, code, told = action.judge(answered, before, after, after, keys[1:])
    assert (outcome, code) == ("applied", None)
    assert "a person's: systemd:a.service:enabled" in told
    assert action.judge(answered, before, after, after, keys)[:2] == ("failed", "still_drifted")
    assert action.judge(answered, before, after, before, keys)[:2] == ("failed", "not_changed")
    made = decided(ADOPTION, known({ADOPTION[11:]: ABSENT}, installers=frozenset((decide.OPS,))))
    assert made.installs[0].enabling == ()


def test_the_line_that_a_variable_needs_is_told_and_nothing_of_what_it_has() -> None:
    (left,) = decided("env:HEALTHARCHIVE_CORS_ORIGINS", known()).left.values()
    assert "HEALTHARCHIVE_CORS_ORIGINS=https://a.example.org,https://b.example.org" in left.why
    (left,) = decided("env:HEALTHARCHIVE_ADMIN_TOKEN_present", known()).left.values()
    assert left.command == "sudoedit /etc/healtharchive/backend.env"


@pytest.mark.parametrize(
    "change",
    [
        {"filesystem": {"paths": [{"path": "relative"}]}},
        {"filesystem": {"paths": [{"path": "/a"}, {"path": "/a"}]}},
        {"filesystem": {"paths": [{"path": "/a", "mode": "0778"}]}},
        {"filesystem": {"paths": [{"path": "/a", "mode": 2770}]}},
        {"filesystem": {"paths": [{"path": "/a", "owner": 0}]}},
        {"filesystem": {"paths": {}}},
        {"files": {}},
        {"ops_group": ""},
        {"operator_user": "a\nb"},
    ],
    ids=str,
)
def test_a_policy_that_is_none_is_refused(change: Any) -> None:
    with pytest.raises(ParseError):
        parsed({**DATA, **change})


@given(st.text(max_size=40), st.text(max_size=40))
def test_every_finding_is_answered_once(key: str, message: str) -> None:
    found = decided(key, known(), message)
    assert len(found.steps) + len(found.installs) + len(found.left) == 1


STEPS = decide.decide(
    [{"key": MODE, "message": "m"}, {"key": "filesystem:/srv/setgid:setgid", "message": "m"}], POLICY, known()
)
PATHS = ("path /srv/backups", "path /srv/setgid")
BEFORE = {"path " + step.path: step.before.described() for step in STEPS.steps}
AFTER = {"path " + step.path: step.after.described() for step in STEPS.steps}
STRANGE = {"is": "link"}


@pytest.mark.parametrize("words", list(itertools.product(("after", "before", "strange"), repeat=2)), ids="-".join)
@pytest.mark.parametrize("failures", [[], ["env:HEALTHARCHIVE_ENV"], [MODE]])
def test_judged_by_the_paths_and_the_check(words: Any, failures: List[str]) -> None:
    states = {
        subject: {"after": AFTER[subject], "before": BEFORE[subject], "strange": STRANGE}[word]
        for subject, word in zip(PATHS, words)
    }
    outcome, code, told = action.judge(STEPS, BEFORE, AFTER, states, failures)
    if "strange" in words:
        expected: Any = ("unknown", "changed_otherwise")
    elif "before" in words:
        expected = ("failed", "not_changed" if words == ("before", "before") else "not_all_changed")
    elif MODE in failures:
        expected = ("failed", "still_drifted")
    else:
        expected = ("applied", None)
    assert (outcome, code) == expected
    assert outcome != "applied" or ("env:HEALTHARCHIVE_ENV" in told) is bool(failures)


@pytest.mark.parametrize(
    ("left", "outcome", "changed"),
    [((), "applied", None), (PATHS, "failed", False), (PATHS[:1], "unknown", None), (("path /x",), "applied", None)],
)
def test_what_was_cut_off_is_told_by_what_is_left(left: Any, outcome: str, changed: Any) -> None:
    seen = action.settled(PATHS, set(left), set(left))
    assert (seen.outcome, seen.changed) == (outcome, changed)


@pytest.mark.parametrize(
    ("kind", "outcome"), [("file", "applied"), ("directory", "applied"), ("absent", "unknown"), ("unseen", "unknown")]
)
def test_a_unit_whose_installer_was_cut_off_is_looked_for_at_its_file(monkeypatch: Any, kind: str, outcome: str) -> None:
    """It has become a person's meanwhile, and its finding names no path."""
    key, path = "systemd:a.service:enabled", "/etc/systemd/system/a.service"
    report = {"failures": [{"key": key, "message": "m"}]}
    found = survey.Survey(report, POLICY, files.Look({}, {}), decided(key, known(templates={"a.service": None})))
    monkeypatch.setattr(survey, "survey", lambda _context: found)
    monkeypatch.setattr(files, "look", lambda paths: files.Look({each: decide.Seen(kind) for each in paths}, {}))
    begun: Any = SimpleNamespace(subjects=("path " + path,))
    host: Any = SimpleNamespace(context=None)
    seen = action.BaselineDrift({}).settle(host, begun)
    assert seen is not None
    assert seen.outcome == outcome


@pytest.mark.parametrize("drifted", [PATHS, PATHS[:1]])
def test_what_has_become_a_persons_after_it_was_cut_off_is_not_put_back(drifted: Any) -> None:
    """The check still finds it, and nothing would be planned for it."""
    seen = action.settled(PATHS, set(), set(drifted))
    assert (seen.outcome, seen.changed) == ("unknown", None)
