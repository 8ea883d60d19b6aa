# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with an output directory in each state, and that what copies or deletes is a person's."""

from __future__ import annotations

import itertools
import shlex
import subprocess
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.outputs import decide
from ansible_collections.healtharchive.remediation.plugins.module_utils.outputs.facts import Directory, Facts, Tiering
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal

ROOT, BOX = "/srv/healtharchive/jobs", "/srv/healtharchive/storagebox/jobs"
PATH, COLD = ROOT + "/hc/20260101T000502Z__hc-20260101", BOX + "/hc/20260101T000502Z__hc-20260101"
SCRIPT = "/opt/healtharchive/.venv/bin/python3 -B /opt/healtharchive/scripts/vps-annual-output-tiering.py"
PLAIN = Directory(12, "cihr", "failed", 2, ROOT + "/cihr/x", fstype="ext4")
ANNUAL = Directory(
    7, "hc", "queued", 0, PATH, year=2026, campaign="present", tier="local", fstype="ext4", entries=0
)  # fmt: skip
BINDS = {(2026, "hc"): Tiering({PATH: COLD})}


def facts(*directories: Directory, **more: Any) -> Facts:
    known = {"tiering": BINDS, "user": "haadmin", "cli": "healtharchive", "tier_script": SCRIPT}
    return Facts(directories, **{**known, "env_file": "/etc/healtharchive/backend.env", "box": BOX, **more})


def done(each: Directory, **more: Any) -> str:
    return decide.verdict(facts(each, **more), each).do


TABLE = [
    (PLAIN, decide.KEEP),
    (PLAIN._replace(writable=False), decide.PERSON),
    (PLAIN._replace(writable=False, fstype="fuse.sshfs"), decide.PERSON),
    (PLAIN._replace(writable=None), decide.UNKNOWN),
    (PLAIN._replace(path=None), decide.UNKNOWN),
    (PLAIN._replace(state=None), decide.UNKNOWN),
    (PLAIN._replace(state="stale"), decide.STORAGE),
    (PLAIN._replace(state="hung"), decide.STORAGE),
    (PLAIN._replace(state="error"), decide.STORAGE),
    (PLAIN._replace(state="missing", writable=True), decide.KEEP),
    (PLAIN._replace(failed_on_it=True), decide.RESET),
    (PLAIN._replace(failed_on_it=None), decide.UNKNOWN),
    (PLAIN._replace(failed_on_it=None, lock="held"), decide.KEEP),
    (PLAIN._replace(failed_on_it=True, lock="held"), decide.KEEP),
    (PLAIN._replace(failed_on_it=True, lock="unknown"), decide.UNKNOWN),
    (PLAIN._replace(failed_on_it=True, status="retryable"), decide.RESET),
    (PLAIN._replace(failed_on_it=True, status="retryable", retry_count=0), decide.KEEP),
    (PLAIN._replace(failed_on_it=True, status="running"), decide.KEEP),
    (PLAIN._replace(failed_on_it=True, parked="Job 12 was retried."), decide.PERSON),
    (ANNUAL, decide.BIND),
    (ANNUAL._replace(tier="mounted", fstype="fuse.sshfs"), decide.KEEP),
    (ANNUAL._replace(tier="mounted", fstype="fuse.sshfs", writable=False), decide.PERSON),
    (ANNUAL._replace(tier=None), decide.UNKNOWN),
    (ANNUAL._replace(tier="no_directory", state="missing"), decide.PERSON),
    (ANNUAL._replace(entries=3), decide.PERSON),
    (ANNUAL._replace(entries=None), decide.UNKNOWN),
    (ANNUAL._replace(campaign="lost"), decide.PERSON),
    (ANNUAL._replace(status="running", lock="held"), decide.PERSON),
    (ANNUAL._replace(lock="held"), decide.PERSON),
    (ANNUAL._replace(lock="unknown"), decide.PERSON),
    (ANNUAL._replace(source="phac"), decide.UNKNOWN),
    (ANNUAL._replace(path=PATH + "x"), decide.PERSON),
]


@pytest.mark.parametrize(("each", "expected"), TABLE)
def test_each_directory(each, expected):
    assert done(each) == expected


def test_what_the_tiering_does_not_say_or_says_of_others():
    assert done(ANNUAL, tiering={(2026, "hc"): Tiering({}, "it ended with 1")}) == decide.UNKNOWN
    more = {(2026, "hc"): Tiering({PATH: COLD, PATH + "b": COLD + "b"})}
    assert done(ANNUAL, tiering=more) == decide.PERSON
    # The other one is empty as well: one call binds both.
    other = ANNUAL._replace(job=8, path=PATH + "b")
    found = decide.decide(facts(ANNUAL, other, tiering=more))
    assert [call.binds for call in found.calls] == [more[2026, "hc"].binds]
    full = decide.decide(facts(ANNUAL, other._replace(entries=1), tiering=more))
    assert (full.code, sorted(full.evidence["directories"])) == ("needs_person", ["7", "8"])


def test_a_person_gets_exact_commands_and_checks():
    copied = decide.verdict(facts(ANNUAL), ANNUAL._replace(entries=3))
    words = "\n".join(copied.commands)
    assert "rsync --recursive --links --times --ignore-existing %s/ %s/" % (PATH, COLD) in words
    # What was cut off must not leave half of a file that the next one takes for the whole.
    assert "--partial" not in words
    # What starts the worker again within two minutes is held off with it, and both are given back.
    assert "sudo systemctl stop healtharchive-worker-auto-start.timer healtharchive-worker.service" in copied.commands
    assert (
        copied.commands[-1] == "sudo systemctl start healtharchive-worker.service healtharchive-worker-auto-start.timer"
    )
    # A second move does not go into what was moved aside before.
    assert "mv --no-target-directory" in words
    assert "--checksum --dry-run" in words
    assert not any(word in words for word in ("rm -r", "--delete", "--remove-source-files"))
    assert any("must print nothing" in check for check in copied.checks)
    spaced = decide.verdict(facts(PLAIN), PLAIN._replace(writable=False, path=ROOT + "/hc/a b;c"))
    assert "sudo namei -l '%s/hc/a b;c'" % ROOT in spaced.commands
    assert "chown is refused" in decide.verdict(facts(), PLAIN._replace(writable=False, fstype="fuse.sshfs")).why
    lost = decide.verdict(facts(), ANNUAL._replace(campaign="lost"))
    assert lost.commands[0] == (
        "sudo -u haadmin bash -c 'set -ea; . /etc/healtharchive/backend.env; "
        'exec healtharchive reconcile-annual-tool-options --year 2026 --sources hc "$@"\' -'
    )


PERSONS = [each for each, expected in TABLE if expected == decide.PERSON]


@pytest.mark.parametrize("each", PERSONS)
def test_every_command_of_a_person_is_one(each):
    """A shell takes it, it names the path as one word, and nothing in it has to be filled in."""
    hostile = each._replace(path=ROOT + "/hc/a b;'$(reboot)", source="hc; reboot")
    for one in (each, hostile):
        found = decide.verdict(facts(one), one)
        if found.do == decide.UNKNOWN:
            continue
        assert found.commands
        assert found.checks
        for command in found.commands:
            assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0, command
            assert command.split()[0] in ("sudo", "sudoedit", "findmnt", "systemctl", "df", "command"), command
            assert "..." not in command
            words = shlex.split(command)
            # What `bash -c` is given is taken apart once more.
            words += shlex.split(words[words.index("-c") + 1]) if "-c" in words else []
            assert "reboot" not in words, command


def test_every_step_is_printed_as_one_line():
    found = decide.verdict(facts(PLAIN), PLAIN._replace(writable=False, path=ROOT + "/hc/a\nsudo reboot"))
    told = found.by_hand("job 12")
    assert [step["text"].isprintable() for step in told["steps"]] == [True] * len(found.steps)


def test_the_whole_of_it():
    assert isinstance(decide.decide(facts(PLAIN)), decide.Nothing)
    assert decide.decide(facts(PLAIN._replace(state="hung"), ANNUAL)).code == "storage_first"
    assert decide.decide(facts(PLAIN._replace(path=None))).code == "evidence_missing"
    assert decide.decide(facts(PLAIN, truncated=True)).code == "evidence_missing"
    found = decide.decide(facts(ANNUAL, PLAIN._replace(failed_on_it=True), PLAIN._replace(job=13, writable=False)))
    assert [call.binds for call in found.calls] == [{PATH: COLD}]
    assert [each.job for each in found.resets] == [12]
    assert "sudo namei" in found.persons[13].sentence()
    refused = decide.decide(facts(PLAIN._replace(writable=False), PLAIN._replace(job=13, writable=False)))
    assert (refused.code, sorted(refused.evidence["directories"])) == ("needs_person", ["12", "13"])
    by_hand = refused.evidence["by_hand"]
    assert [each["subject"] for each in by_hand] == ["job %d, %s/cihr/x" % (job, ROOT) for job in (12, 13)]
    assert "As well job 13" in str(refused)


def test_only_what_is_empty_free_and_named_by_the_script_is_ever_bound():
    combinations = itertools.product(
        ("queued", "running", "retryable", "failed"),
        ("free", "absent", "held", "unknown"),
        ("present", "lost", None),
        ("ok", "missing", "stale", None),
        ("mounted", "local", "no_directory", None),
        (None, 0, 2),
        (PATH, PATH + "x", None),
    )
    bound = 0
    for status, lock, campaign, state, tier, entries, path in combinations:
        each = ANNUAL._replace(
            status=status, lock=lock, campaign=campaign, state=state, tier=tier, entries=entries, path=path
        )
        found = decide.decide(facts(each))
        if isinstance(found, Refusal) or not getattr(found, "calls", ()):
            continue
        bound += 1
        assert (tier, entries, path) == ("local", 0, PATH)
        assert status != "running"
        assert lock in ("free", "absent")
        assert campaign != "lost"
    assert bound > 5
