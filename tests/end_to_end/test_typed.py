# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people type wrong, or paste without having read it, through the public playbooks: one clear line, exit code 2, and nothing
changed, looked at through files, the record, git, systemd and the lock.

`make test` tries some of it; `make bypass` tries all of it, with each ansible-core.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

import pytest

from . import record
from .changes import COLLECTION, INVENTORY, ROOT, Played
from .test_record import incident

ALL = os.environ.get("HEALTHARCHIVE_BYPASS") == "all"
TAKE, DEPLOY = "take_clearance", "deploy_pinned_ref"
REFUSED = {TAKE: "clearance REFUSED, nothing was changed", DEPLOY: "REFUSED, nothing was changed"}
LONGEST = 8000  # characters on the terminal, whatever was typed
# What is run if somebody evaluates it: on the controller, and by a shell on the host.
TEMPLATE = "{{ lookup('pipe', 'touch $EVALUATED; id') }}"
SHELL = "$(touch /run/typed-was-run; id)"
# What must not be on the terminal: a fault of ours or Ansible's, what one of these prints, and what moves the cursor.
NEVER = ("Traceback", "Jinja", "jinja", "template error", "undefined", "unhandled", "uid=0(", "\x1b", "\x07")


class Case(NamedTuple):
    """``said`` is given as JSON, ``typed`` as people type it. ``code``: of the summary; None where Ansible or the role refuses
    before a host is asked, and says these ``words``."""

    name: str
    playbook: str
    code: Any
    words: Tuple[str, ...] = ()
    said: Mapping[str, Any] = {}
    typed: Tuple[str, ...] = ()
    sample: bool = False


def commit(name: str, value: Any, code: str = "bad_required_commit", *words: str, **more: Any) -> Case:
    return Case(name, TAKE, code, words, {"required_commit": value}, **more)


def ref(name: str, value: Any, code: str = "bad_ref", *words: str, **more: Any) -> Case:
    return Case(name, DEPLOY, code, words, {"deploy_ref": value}, **more)


CASES: Tuple[Case, ...] = (
    # The decision that only a person can make.
    Case("nothing_said", TAKE, "repo_decision_missing", ("which commit",)),
    Case("both_said", TAKE, "repo_decision_double", (), {"required_commit": "$HEAD", "no_repo_change_reason": "x"}),
    Case("an_empty_commit", TAKE, "repo_decision_missing", typed=("required_commit=",)),
    Case("an_empty_reason", TAKE, "repo_decision_missing", typed=("no_repo_change_reason=",)),
    Case("a_reason_that_says_nothing", TAKE, "bad_reason", typed=("no_repo_change_reason=...",)),
    # A commit.
    commit("a_commit_of_another_repository", "d" * 40, "required_commit_unknown", "d" * 40),
    commit("a_number", 1234567, "required_commit_unknown", "1234567"),
    commit("an_empty_list", [], "bad_required_commit", "empty list"),
    commit("a_list_with_nothing_in_it", ["$HEAD", ""], "bad_required_commit", "is empty"),
    commit("twice", ["$HEAD", "$HEAD"], "bad_required_commit", "twice"),
    commit("twice_with_a_comma", "$HEAD,$SHORT", "bad_required_commit", "twice"),
    commit("twice_in_capitals", "$HEAD,$CAPITALS", "bad_required_commit", "twice"),
    commit("a_yes", True, "bad_input", "required_commit", "not a yes or no"),
    commit("a_yes_in_a_list", [True], "bad_input", "required_commit", "not a yes or no"),
    commit("a_mapping", {"sha": "$HEAD"}, "bad_input", "required_commit", "not a mapping"),
    commit("a_branch", "main"),
    commit("an_option", "--upload-pack=touch /run/typed-was-run"),
    commit("a_template", TEMPLATE, sample=True),
    commit("a_shell_line", SHELL),
    commit("lines", "$HEAD\n$HEAD"),
    commit("a_terminal_sequence", "\x1b]0;typed\x07\x1b[2J" + "a" * 40),
    commit("ten_kilobytes", "a" * 10240),
    commit("no_digits_of_ours", "\uff11" * 40),
    # How long.
    Case("no_time", TAKE, "bad_ttl", ("not 0",), {"required_commit": "$HEAD"}, ("precondition_ttl_minutes=0",)),
    Case("a_day", TAKE, "bad_ttl", ("not 1440",), {"required_commit": "$HEAD"}, ("precondition_ttl_minutes=1440",)),
    Case("a_word", TAKE, None, ("ttl_minutes", "int"), {"required_commit": "$HEAD"}, ("precondition_ttl_minutes=soon",)),
    # For what.
    Case("no_incident", TAKE, "incident_missing", (), {"required_commit": "$HEAD", "incident": ""}),
    Case("an_incident_of_nobody", TAKE, "incident_unknown", (), {"required_commit": "$HEAD", "incident": "2026-01-01-never"}),
    Case("an_incident_that_is_a_template", TAKE, "bad_incident", (), {"required_commit": "$HEAD", "incident": TEMPLATE}),
    Case("an_incident_that_is_a_path", TAKE, "bad_incident", (), {"required_commit": "$HEAD", "incident": "../../etc"}),
    # A deploy.
    Case("no_ref", DEPLOY, None, ("say which commit",)),
    Case("an_empty_ref", DEPLOY, None, ("say which commit",), typed=("deploy_ref=",)),
    ref("a_ref_of_another_repository", "d" * 40, "ref_unknown", "d" * 40),
    ref("a_short_ref", "$SHORT", "bad_ref", "full commit id"),
    ref("a_ref_in_capitals", "$CAPITALS"),
    ref("a_ref_that_is_a_number", 1234567),
    ref("a_ref_that_is_a_yes", True, "bad_ref", "not 'true'", sample=True),
    ref("a_list_of_refs", ["$HEAD"]),
    ref("a_ref_that_is_a_branch", "main"),
    ref("a_ref_that_is_an_option", "--force"),
    ref("a_ref_that_is_a_template", TEMPLATE, sample=True),
    ref("a_ref_that_is_a_shell_line", SHELL),
    ref("a_ref_of_two_lines", "$HEAD\n$HEAD"),
    ref("a_ref_with_a_terminal_sequence", "\x1b]0;typed\x07\x1b[2J" + "a" * 40),
    ref("a_ref_of_ten_kilobytes", "a" * 10240),
    Case("a_deploy_without_time", DEPLOY, "bad_option", ("60 to",), {"deploy_ref": "$HEAD"}, ("deploy_pinned_ref_timeout=0",)),
    Case("jobs_that_are_none", DEPLOY, None, ("numbers of jobs",), {"deploy_ref": "$HEAD"}, ("accept_interruption_of=all",)),
    Case("an_approval_that_is_a_yes", DEPLOY, "bad_approval", ("not 'true'",), {"deploy_ref": "$HEAD", "approve": True}),
    Case("an_approval_that_is_a_word", DEPLOY, "bad_approval", (), {"deploy_ref": "$HEAD", "approve": "yes please"}),
    Case("an_approval_that_is_a_template", DEPLOY, "bad_approval", (), {"deploy_ref": "$HEAD", "approve": TEMPLATE}),
    Case("a_deploy_without_incident", DEPLOY, "incident_missing", (), {"deploy_ref": "$HEAD", "incident": ""}),
)  # fmt: skip

# The directory's lock says who asked last, for whoever is in the way of the next: it is no part of what is changed.
LOOK = r"""
find /run/healtharchive-remediation* ! -name acting.lock -printf '%p %u:%g %m %T@ %s\n' | sort
ls -A /run /tmp | grep -v ansible-
stat --format='%n %U %a' /tmp/healtharchive-deploy.lock
find /srv/healtharchive/ops -type f -exec sha256sum {} + | sort -k2
systemctl list-units --all --plain --no-legend 'healtharchive*' | tr -s ' '
systemctl show --property=MainPID healtharchive-api healtharchive-worker
cd /opt/healtharchive
runuser -u haadmin -- git --no-optional-locks status --porcelain --branch
find .git -printf '%p %T@ %s\n' | sort | sha256sum
"""


def play(host: Any, playbook: str, *flags: str, **said: Any) -> Played:
    argv = ["ansible-playbook", "-i", INVENTORY, "--limit", host.name, COLLECTION + playbook]
    done = subprocess.run(
        [*argv, "-e", json.dumps(said), *flags], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300, env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    print(done.stdout)
    return Played(done.returncode, done.stdout)


class Typist:
    """Somebody at a terminal, and the host that he means."""

    def __init__(self, host: Any, directory: Path) -> None:
        self.host = host
        self.incident = incident(host, title="Typed", severity="sev3")["incident"]["id"]
        self.evaluated = directory / "evaluated"
        self.head = host.ssh("git -C /opt/healtharchive rev-parse HEAD").stdout.strip()
        self._words = {"$HEAD": self.head, "$SHORT": self.head[:10], "$CAPITALS": self.head.upper()}
        self._words["$EVALUATED"] = str(self.evaluated)

    def filled(self, value: Any) -> Any:
        if isinstance(value, str):
            for word, instead in self._words.items():
                value = value.replace(word, instead)
        elif isinstance(value, list):
            return [self.filled(each) for each in value]
        elif isinstance(value, dict):
            return {name: self.filled(each) for name, each in value.items()}
        return value

    def types(self, case: Case) -> Played:
        said: Dict[str, Any] = {"incident": self.incident, **self.filled(dict(case.said))}
        flags: List[str] = [word for each in case.typed for word in ("-e", each)]
        return play(self.host, case.playbook, *flags, **said)

    def looks(self) -> str:
        return self.host.root(LOOK)


@pytest.fixture(scope="module")
def typist(host, tmp_path_factory):
    """The good ones first, which are the positive control: there is a clearance afterwards, which is given back."""
    made = Typist(host, tmp_path_factory.mktemp("typed"))
    for value in (made.head, made.head.upper() + "\n", [made.head[:12]]) if ALL else (made.head.upper() + "\n",):
        granted = play(host, TAKE, incident=made.incident, required_commit=value)
        assert granted.rc == 0
        assert "clearance GRANTED" in granted.output
        assert record.events(host)[-1]["data"]["required_commits"] == [made.head]
        assert host.ssh("systemctl is-active healtharchive-remediation-clearance").stdout == "active\n"
        assert play(host, "release_clearance").rc == 0
    if ALL:
        planned = play(host, DEPLOY, incident=made.incident, deploy_ref=made.head + "\n")
        assert planned.rc == 0
        assert "nothing to do" in planned.output
    yield made
    host.ssh("sudo rm -rf %s /run/healtharchive-remediation" % record.DIRECTORY)


@pytest.fixture(scope="module")
def before(typist) -> str:
    return typist.looks()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if ALL or case.sample])
def test_it_is_refused_in_a_line_and_nothing_is_changed(typist, before, case):
    played = typist.types(case)
    assert played.rc == 2
    for word in NEVER:
        assert word not in played.output, word
    assert len(played.output) < LONGEST
    if case.code is not None:
        assert REFUSED[case.playbook] in played.output
        assert "(%s)" % case.code in played.words
    # One line of it says what is wrong.
    for word in case.words:
        assert word in played.words, word
    assert typist.looks() == before
    assert not typist.evaluated.exists()
