# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that the role ships keep their promises, and a bad rule is refused with one clear line."""

from __future__ import annotations

import copy
import re
import shlex
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.classification import classify
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.evidence import Evidence
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.rules import (
    RUBRIC,
    BadRule,
    compile_rules,
    knowledge,
)
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.values import COMMAND_VALUES, TEXT_VALUES
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    BAD_EVIDENCE,
    KNOWN,
    REQUIRED_FACTS,
    RULES,
    data,
    healthy_evidence,
)

RULE_IDS = [rule["id"] for rule in RULES]
COMMANDS = [step["command"] for rule in RULES for step in rule["next"]] + [fact["look"] for fact in REQUIRED_FACTS]


def test_a_site_s_rule_takes_the_place_of_another() -> None:
    own = {**copy.deepcopy(RULES[3]), "summary": "Ours."}
    compiled = compile_rules(RULES, [own])
    assert [rule.id for rule in compiled] == RULE_IDS
    assert compiled[3].summary.parts == (("Ours.", None),)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ([{"id": "disk_full"}], "rule disk_full: class: is missing"),
        ([3], "triage_extra_rules[0]: must be a mapping"),
        ([{"id": "Not An Id"}], "triage_extra_rules[0]: class: is missing"),
        ("x", "triage_extra_rules: must be a list"),
        ([RULES[3], RULES[3]], "rule %s: id: another rule has it" % RULE_IDS[3]),
        ([{**RULES[3], "caused_by": [RULE_IDS[-1]]}], "rule %s: caused_by[0]: must be one of" % RULE_IDS[3]),
    ],
)
def test_a_bad_rule_of_a_site_is_named(own: Any, message: str) -> None:
    with pytest.raises(BadRule) as raised:
        compile_rules(RULES, own)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_severity_is_the_rubric_s(rule: Any) -> None:
    assert rule["severity_reason"] in RUBRIC[rule["severity"]]


@pytest.mark.parametrize("rule", KNOWN.rules, ids=RULE_IDS)
def test_supports_and_contradicts_are_no_signs_of_health(rule: Any) -> None:
    """A support that is true on a healthy host would make something possible out of nothing."""
    healthy = Evidence(healthy_evidence())
    for statement in rule.supports:
        assert statement.condition(healthy) is False
    assert any(statement.condition(healthy) is False for statement in rule.when)


@pytest.mark.parametrize("rule", KNOWN.rules, ids=RULE_IDS)
def test_a_cause_is_judged_before_its_symptom(rule: Any) -> None:
    layers = {each.id: each.layer for each in KNOWN.rules}
    assert all(layers[cause] <= rule.layer for cause in rule.caused_by)


def test_no_value_is_offered_for_nothing() -> None:
    used = "\n".join(str(each) for each in (*RULES, *REQUIRED_FACTS, *BAD_EVIDENCE))
    assert [value for value in TEXT_VALUES if "{%s}" % value not in used] == []


# What must never be typed, and why (contract 4, surprises).
FORBIDDEN = {
    "pull instead of deploy": r"git +(pull|checkout|reset|stash)",
    "acts at once": r"--apply\b",
    "hidden repairs": r"--repair",
    "restart as a cure": r"systemctl +(re)?start\b|systemctl +try-restart",
    "writes the state of a job": r"\b(show-job|list-warcs|validate-job-config|cleanup-job)",
    "runs a job": r"\b(retry-job|index-job|run-db-job|run-job)",
    # without --apply, which is forbidden above, the reconciliation of annual options writes nothing at all
    "changes a job": r"\b(reset-|patch-|reconcile-(?!annual-tool-options))",
    "force": r"--force|-f\b|\brm\b|\bkill\b",
    "prints secrets": r"\bcat\b|\bless\b|\bsed\b",
    "hides what fails": r"\|\| *true",
}


@pytest.mark.parametrize("reason", FORBIDDEN)
def test_no_command_does_what_the_runbook_forbids(reason: str) -> None:
    assert [command for command in COMMANDS if re.search(FORBIDDEN[reason], command)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_service_s_cli_runs_as_its_user_with_its_environment(command: str) -> None:
    if "{cli} " in command and not command.startswith("ls "):
        assert command.startswith("{with_environment} {cli} ")
    for program in ("git -C", "check_baseline_drift.py", "verify_public_surface.py"):
        if program in command:
            assert command.startswith("{as_service_user} ")


# Everything else reads or is a dry run.
CHANGING = (
    r"(?:^|&& |; )(?:sudo )?"
    r"(chown|chmod|umount|mount|systemctl (?!status|show|list-unit-files)[a-z-]+|mv|cp|tee|ln|mkdir|kill)\b"
)


def test_few_commands_change_anything() -> None:
    found = {name for command in COMMANDS for name in re.findall(CHANGING, command)}
    assert found == {"chown", "chmod", "systemctl stop", "umount"}


def test_a_command_can_be_pasted() -> None:
    for step in (step for rule in KNOWN.rules for step in rule.steps):
        shown = step.command.command(lambda name: ["one", "two words"] if name.endswith("paths") else "x y'; reboot #")
        assert shown is not None
        assert "\n" not in shown
        words = shlex.split(shown)
        assert "reboot" not in words
        if step.command.names:
            assert any(word in ("two words", "x y'; reboot #") or "x y'; reboot #" in word for word in words)


def test_the_environment_is_loaded_in_a_way_that_fails() -> None:
    words = COMMAND_VALUES["with_environment"](Evidence(healthy_evidence()))
    assert words == [
        "sudo",
        "-u",
        "haadmin",
        "bash",
        "-ec",
        'set -a; . "$0"; set +a; exec "$@"',
        "/etc/healtharchive/backend.env",
    ]


@pytest.mark.parametrize(
    ("name", "strange"),
    [
        ("checkout", "relative/path"),
        ("checkout", "/a\nb"),
        ("checkout", "/a\x1b[31m"),
        ("checkout", 3),
        ("checkout", "/a\ud800"),
        ("service_user", "a b"),
        ("service_user", "-x"),
        ("service_user", "root;id"),
        ("env_file", None),
    ],
)
def test_a_strange_setting_gets_into_no_command(name: str, strange: Any) -> None:
    evidence = healthy_evidence()
    assert COMMAND_VALUES[name](Evidence(evidence)) is not None
    evidence["settings"][name] = strange
    assert COMMAND_VALUES[name](Evidence(evidence)) is None


@pytest.mark.parametrize("strange", ["http://a b", "http://a/;id", "ftp://a", "http://u:p@a", "-x", "http://a/\n"])
def test_a_strange_address_gets_into_no_command(strange: str) -> None:
    evidence = healthy_evidence()
    evidence["settings"]["public_api_base"] = "https://archive.example.org"
    assert COMMAND_VALUES["surface_options"](Evidence(evidence)) == ["--api-base", "https://archive.example.org"]
    evidence["settings"]["public_api_base"] = strange
    assert COMMAND_VALUES["surface_options"](Evidence(evidence)) is None


def test_a_strange_path_is_not_unmounted() -> None:
    evidence = healthy_evidence()
    for record, name in zip(data(evidence, "storage")["paths"], ("/srv/a b", "/srv/\x1b]0;x"), strict=True):
        record.update(path=name, state="stale")
    assert COMMAND_VALUES["stale_paths"](Evidence(evidence)) == ["/srv/a b"]


def site_rule(**changes: Any) -> dict[str, Any]:
    """A rule as a site would write it, changed; a key that is None is left out."""
    rule = {
        "id": "site_rule",
        "class": "automation",
        "layer": "crawl",
        "direct": True,
        "summary": "Replay is {api_state}.",
        "when": [{"fact": "api.responds == true", "text": "it responds"}],
        "severity": "sev3",
        "severity_reason": "minor, internal, docs",
        "next": [{"why": "Look.", "command": "ls -ld {checkout}"}],
        **changes,
    }
    return {key: value for key, value in rule.items() if value is not None}


def test_a_site_can_add_a_rule() -> None:
    result = classify(healthy_evidence(), [*RULES, site_rule()], REQUIRED_FACTS, BAD_EVIDENCE)
    assert [each["rule"] for each in result["classes"]] == ["site_rule"]
    assert result["classes"][0]["next_step"] == {"why": "Look.", "command": "ls -ld /opt/healtharchive"}


BAD_RULES = {
    "triage_rules: must be a list": {"a": 1},
    "triage_rules[0]: must be a mapping": ["x"],
    "triage_rules[0]: id: must be small letters, digits and _, beginning with a letter": [site_rule(id="Site rule")],
    "triage_rules[0]: id: is missing": [site_rule(id=None)],
    "rule site_rule: id: another rule has it": [site_rule(), site_rule()],
    "rule site_rule: class: must be one of: storage": [site_rule(**{"class": "weather"})],
    "rule site_rule: layer: must be one of: evidence": [site_rule(layer="top")],
    "rule site_rule: direct: must be true or false": [site_rule(direct="yes")],
    "rule site_rule: summary: {nonsense} is none of the values": [site_rule(summary="{nonsense}")],
    "rule site_rule: summary: {api_state!r} is none of the values": [site_rule(summary="{api_state!r}")],
    "rule site_rule: summary: {api_state:>9} is none of the values": [site_rule(summary="{api_state:>9}")],
    "rule site_rule: summary: {api_state.x} is none of the values": [site_rule(summary="{api_state.x}")],
    "rule site_rule: summary: {} is none of the values": [site_rule(summary="{}")],
    "rule site_rule: summary: must be a text": [site_rule(summary=3)],
    "rule site_rule: summary: must be one printable line": [site_rule(summary="a\nb")],
    "rule site_rule: summary: must not hold {{": [site_rule(summary="{{ 1 }}")],
    "rule site_rule: summary: expected '}'": [site_rule(summary="{api_state")],
    "rule site_rule: when: must be a list": [site_rule(when={"fact": "api.responds == true", "text": "x"})],
    "rule site_rule: when: must hold at least one condition": [site_rule(when=[])],
    "rule site_rule: when[0]: text: is missing": [site_rule(when=[{"fact": "api.responds == true"}])],
    "rule site_rule: when[0]: facts: is not a key of a statement": [
        site_rule(when=[{"fact": "api.responds == true", "text": "x", "facts": 1}])
    ],
    "rule site_rule: when[0].fact: x is neither a probe nor a function": [
        site_rule(when=[{"fact": "x.y", "text": "x"}])
    ],
    "rule site_rule: supports[0].fact: not an expression": [site_rule(supports=[{"fact": "api.", "text": "x"}])],
    "rule site_rule: caused_by[0]: must be one of: (nothing stands before it)": [site_rule(caused_by=["later"])],
    "rule site_rule: severity: must be one of: sev0, sev1, sev2, sev3": [site_rule(severity="sev9")],
    "rule site_rule: severity_reason: must be one of: minor, internal, docs": [site_rule(severity_reason="bad")],
    "rule site_rule: next: the last step must have no when": [site_rule(next=[])],
    "rule site_rule: next[0].command: {api_state} is none of the values": [
        site_rule(next=[{"why": "x", "command": "echo {api_state}"}])
    ],
    "rule site_rule: nonsense: is not a key of a rule": [site_rule(nonsense=1)],
}


@pytest.mark.parametrize("message", BAD_RULES)
def test_a_bad_rule_is_refused_with_one_line_that_names_it(message: str) -> None:
    with pytest.raises(BadRule) as caught:
        compile_rules(BAD_RULES[message])
    assert str(caught.value).startswith(message)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("required", "bad", "message"),
    [
        ("x", BAD_EVIDENCE, "triage_required_facts: must be a list"),
        ([{"fact": "api.responds"}], BAD_EVIDENCE, "triage_required_facts[0]: look: is missing"),
        (
            REQUIRED_FACTS,
            [{"code": "x y", "fact": "api.responds", "message": "m"}],
            "triage_bad_evidence[0]: code: must be",
        ),
    ],
)
def test_the_other_tables_are_checked_too(required: Any, bad: Any, message: str) -> None:
    with pytest.raises(BadRule) as caught:
        knowledge(copy.deepcopy(RULES), required, bad)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("empty", ["triage_rules", "triage_required_facts", "triage_bad_evidence"])
def test_an_empty_table_is_refused_for_it_would_find_nothing(empty: str) -> None:
    tables: dict[str, Any] = {
        "triage_rules": RULES,
        "triage_required_facts": REQUIRED_FACTS,
        "triage_bad_evidence": BAD_EVIDENCE,
    }
    for nothing in ([], ()):
        with pytest.raises(BadRule) as caught:
            knowledge(*{**tables, empty: nothing}.values())
        assert str(caught.value) == empty + ": must not be empty"
    with pytest.raises(BadRule):
        classify(healthy_evidence(), *{**tables, empty: []}.values())
    knowledge(*tables.values())
