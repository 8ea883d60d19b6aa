# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clearance on a real host: what it proves, what it holds, and what ends it. Looked at with git, flock, systemctl and the
record's file."""

from __future__ import annotations

import os
import subprocess
from typing import Any, Dict, Iterator, Tuple

import pytest

from . import record
from .asking import Desk, race
from .conftest import SANDBOX, Host
from .test_record import ask, incident

# `make races` tries it more often.
RACES = int(os.environ.get("RACES", "3"))
LOCK = "/tmp/healtharchive-deploy.lock"
PERMIT = "/run/healtharchive-remediation/clearance.json"
UNIT = "healtharchive-remediation-clearance.service"
GIT = "runuser -u haadmin -- git -C /opt/healtharchive "
PACKAGES = "/opt/healtharchive/.venv/lib/python3.11/site-packages"
OTHER = "d" * 40


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A host of its own: its checkout is changed."""
    name = "clearance-%d" % os.getpid()
    subprocess.run([str(SANDBOX), "up", name], stdin=subprocess.DEVNULL, check=True, timeout=900)
    yield Host(name)
    subprocess.run([str(SANDBOX), "down", name], stdin=subprocess.DEVNULL, check=True, timeout=120)


@pytest.fixture(scope="module")
def name(host) -> str:
    return incident(host, title="Clearance", severity="sev3")["incident"]["id"]


@pytest.fixture(scope="module")
def desk(host, name) -> Iterator[Desk]:
    found = Desk(host, name)
    yield found
    found.close()


def head(desk: Desk) -> str:
    return desk.run(GIT + "rev-parse HEAD").strip()


def holds(desk: Desk) -> bool:
    """Whether somebody has the lock, asked as the service's script asks."""
    return desk.run("runuser -u haadmin -- flock -n %s true && echo free || echo held" % LOCK) == "held\n"


def state(desk: Desk) -> str:
    """All that asking in vain must leave as it is."""
    return desk.run(
        "ls -l --time-style=full-iso %s 2>&1 || true; ls %s 2>&1 || true; systemctl list-units --all --plain --no-legend "
        "'healtharchive-remediation*'; wc -l %s; runuser -u haadmin -- git -C /opt/healtharchive status --branch --porcelain"
        % (LOCK, PERMIT, record.LOG)
    )


def restart(desk: Desk) -> None:
    desk.run("systemctl restart healtharchive-api healtharchive-worker")


def test_granted_held_renewed_released(host, name, desk):
    commit = head(desk)
    worked, result = ask(host, "clearance", incident=name, required_commit=commit[:9], ttl_minutes=5, operator="alice")
    assert worked, result
    token = result["token"]
    assert result["clearance"]["head"] == commit
    assert result["clearance"]["required_commits"] == [commit]
    assert result["behind"] == []
    # A second path: the service's script, flock, systemd, the files.
    refused = host.ssh("/opt/healtharchive/scripts/vps-deploy.sh --apply --ref %s" % commit, check=False)
    assert refused.returncode == 2
    assert "Deploy lock is held" in refused.stderr
    assert holds(desk)
    assert desk.run("systemctl show --property=User --value " + UNIT) == "haadmin\n"
    assert desk.run("stat --format='%%U %%a' %s" % LOCK) == "haadmin 644\n"
    assert desk.run("stat --format='%%U %%a' %s" % PERMIT) == "root 600\n"
    content = desk.run("cat " + PERMIT)
    assert token not in content
    assert desk.code(token) == "valid"
    assert desk.code(token, seconds=3600) == "clearance_too_short"
    assert desk.code(token, options={"incident": "2026-01-01-another"}) == "clearance_of_another_incident"
    assert desk.code("x" * 64) == "clearance_unknown"
    assert desk.code("") == "clearance_missing"
    decoy = {"deploy_lock_file": "/tmp/another.lock"}
    assert desk.code(token, options=decoy) == "clearance_of_another_checkout"
    # Somebody else asks, renews and releases in vain.
    assert desk.refused(no_repo_change_reason="x", operator="bob") == "held_by_other"
    assert desk.refused(state="renewed", clearance="x" * 64) == "clearance_unknown"
    assert desk.refused(state="released", clearance="x" * 64) == "held_by_other"
    # Renewed, and not let go for a moment: whoever tries all the time never gets it.
    trying = (
        "while [ -e /run/trying ]; do flock -n %s true && echo got >>/run/tried || echo no >>/run/tried; done" % LOCK
    )
    desk.run("touch /run/trying; (%s) >/dev/null 2>&1 &" % trying)
    renewed = desk.granted(state="renewed", clearance=token, ttl_minutes=60)
    desk.run("rm /run/trying")
    tried = desk.run("cat /run/tried").split()
    assert len(tried) > 5
    assert set(tried) == {"no"}
    assert renewed["clearance"]["expires_at"] > result["clearance"]["expires_at"]
    assert desk.code(token, seconds=3000) == "valid"
    desk.released(token)
    assert desk.code(token) == "clearance_missing"
    assert not holds(desk)
    deploy = host.ssh("/opt/healtharchive/scripts/vps-deploy.sh --no-pull")
    assert "Deploy complete." in deploy.stdout
    assert desk.run("systemctl is-system-running") == "running\n"
    assert desk.run("systemctl list-units --all --plain --no-legend 'healtharchive-remediation*'") == ""
    events = [event for event in record.events(host) if event["kind"].startswith("clearance_")]
    assert record.kinds(events) == ["clearance_granted", "clearance_renewed", "clearance_released"]
    assert len({event["data"]["clearance_id"] for event in events}) == 1
    assert events[0]["data"]["required_commits"] == [commit]
    assert events[0]["head"] == commit


def test_bad_input_is_refused_in_a_line_and_changes_nothing(host, desk):
    commit = head(desk)
    before = state(desk)
    for options, code in [
        ({}, "repo_decision_missing"),
        ({"required_commit": [commit], "no_repo_change_reason": "x"}, "repo_decision_double"),
        ({"required_commit": [""]}, "bad_required_commit"),
        ({"required_commit": []}, "bad_required_commit"),
        ({"required_commit": [commit, commit[:10]]}, "bad_required_commit"),
        ({"required_commit": ["main"]}, "bad_required_commit"),
        ({"required_commit": [OTHER]}, "required_commit_unknown"),
        ({"no_repo_change_reason": ""}, "bad_reason"),
        ({"required_commit": [commit], "ttl_minutes": 0}, "bad_ttl"),
        ({"required_commit": [commit], "ttl_minutes": 1440}, "bad_ttl"),
        ({"required_commit": [commit], "incident": "2026-01-01-never-opened"}, "incident_unknown"),
        ({"required_commit": [commit], "incident": None}, "incident_missing"),
        ({"state": "renewed", "clearance": "x"}, "clearance_missing"),
        ({"state": "released", "force_reason": "..."}, "bad_reason"),
    ]:
        assert desk.refused(**options) == code, options
    assert state(desk) == before
    planned = desk.ask(check_mode=True, required_commit=[commit])
    assert planned["outcome"] == "planned"
    assert "token" not in planned
    assert state(desk) == before


def commit_on_origin(desk: Desk, script: str, push: str = "git push --quiet origin main") -> str:
    """A commit of the service's repository, made elsewhere; its id."""
    return desk.run(
        "work=$(runuser -u haadmin -- mktemp -d); export work\n"
        "runuser -u haadmin -- bash -euc 'git clone --quiet /srv/git/healtharchive.git $work; cd $work; %s; git add --all; "
        "git commit --quiet --message Change; %s; git rev-parse HEAD'" % (script, push)
    ).strip()


def test_code_that_was_pulled_and_not_deployed(host, desk):
    """What is behind is named, layer by layer; what is not on main is told from what is only not deployed."""
    old = head(desk)
    new = commit_on_origin(
        desk,
        'sed -i "s/^dependencies = \\[/dependencies = [\\n    \\"not-installed>=1\\",/" pyproject.toml; '
        'printf "revision = \\"0015_more\\"\\ndown_revision = \\"0014_snapshot_deduplication\\"\\n'
        'def upgrade():\\n    pass\\ndef downgrade():\\n    pass\\n" >migrations/versions/0015_more.py',
    )
    elsewhere = commit_on_origin(desk, "date >elsewhere", push="true")
    # Two of three of them are not there; each is told by itself.
    result = desk.ask(required_commit=[new[:10], elsewhere, old])
    codes = [each["code"] for each in result["evidence"]["refusals"]]
    assert codes == ["required_commit_not_deployed", "required_commit_unknown"]
    assert result["evidence"]["behind"] == ["disk"]
    assert new in result["next_step"]
    desk.run(GIT + "fetch --quiet && " + GIT + "merge --quiet --ff-only origin/main")
    # What is there now needs something, and is not what runs.
    result = desk.ask(required_commit=[new])
    assert result["evidence"]["behind"] == ["environment", "schema", "process"]
    codes = [each["code"] for each in result["evidence"]["refusals"]]
    assert codes == ["environment_behind", "schema_behind", "process_behind", "process_behind"]
    for words in ("not-installed>=1", "0015_more", "healtharchive-api.service", "healtharchive-worker.service"):
        assert words in result["detail"]
    # Where no commit is demanded, it is only recorded.
    token = desk.granted(no_repo_change_reason="The disk is full.")
    assert [each["code"] for each in token["remarks"]] == codes
    desk.released(token["token"])
    # Each by itself, from the way back.
    desk.run(GIT + "reset --quiet --hard " + old)
    desk.run("systemctl restart healtharchive-api")
    result = desk.ask(required_commit=[old])
    assert [each["code"] for each in result["evidence"]["refusals"]] == ["process_behind"]
    assert "healtharchive-worker.service" in result["detail"]
    # One that does not run cannot be stale.
    desk.run("systemctl stop healtharchive-worker")
    desk.released(desk.granted(required_commit=[old])["token"])
    desk.run("systemctl start healtharchive-worker")
    desk.run("runuser -u haadmin -- git -C /srv/git/healtharchive.git update-ref refs/heads/main %s" % old)
    desk.run(GIT + "fetch --quiet --prune")


def test_a_remote_that_does_not_answer(host, desk):
    """What was fetched last proves that a commit was on main; of one that is not here nothing is said."""
    desk.run("mv /srv/git/healtharchive.git /srv/git/away")
    try:
        result = desk.ask(check_mode=True, required_commit=[head(desk)])
        assert (result["outcome"], result["facts"]["origin_main_from"]) == ("planned", "tracking_ref")
        assert desk.refused(required_commit=[OTHER]) == "required_commit_unreachable"
    finally:
        desk.run("mv /srv/git/away /srv/git/healtharchive.git")


SILENT_GIT = (
    "printf '#!/bin/sh\\n' >/run/silent-git; chmod +x /run/silent-git; mount --bind /run/silent-git /usr/bin/git"
)
EDIT = (
    "python3 - <<'END'\nimport json\np = '%s'\nd = json.load(open(p))\n%%s\nopen(p, 'w').write(json.dumps(d))\nEND\n"
    % PERMIT
)
KEEP = "cp -p %s /run/kept" % PERMIT
BACK = "cp -p /run/kept %s" % PERMIT
# What is done to the host, the code that whoever acts is told, and how it is undone: then the same permit is valid again.
ENDS: Dict[str, Tuple[str, str, str]] = {
    "an edit": ("echo x >>/opt/healtharchive/README.md", "tree_dirty", GIT + "checkout --quiet README.md"),
    "a new file": ("touch /opt/healtharchive/src/new.py", "tree_dirty", "rm /opt/healtharchive/src/new.py"),
    "an edit that git was told not to see": (
        GIT + "update-index --assume-unchanged README.md; echo x >>/opt/healtharchive/README.md",
        "tree_dirty",
        GIT + "update-index --no-assume-unchanged README.md; %scheckout --quiet README.md" % GIT,
    ),
    "a git that prints nothing": (SILENT_GIT, "git_unreadable", "umount /usr/bin/git"),
    "dubious ownership": (
        "chown root /opt/healtharchive/.git",
        "git_unreadable",
        "chown haadmin /opt/healtharchive/.git",
    ),
    "a package": (
        "stat --format=@%%.9Y %s >/run/kept; touch %s" % (PACKAGES, PACKAGES),
        "environment_changed",
        'touch --date="$(cat /run/kept)" %s' % PACKAGES,
    ),
    "a path file that was written in its place": (
        "f=$(ls %s/*.pth | head -n 1); cp -p $f /run/kept; echo /home/haadmin >>$f" % PACKAGES,
        "environment_changed",
        "f=$(ls %s/*.pth | head -n 1); cat /run/kept >$f; touch -r /run/kept $f" % PACKAGES,
    ),
    "another boot": (KEEP + "; " + EDIT % "d['boot_id'] = d['boot_id'][::-1]", "clearance_of_another_boot", BACK),
    "a forged permit": (KEEP + "; " + EDIT % "d['token_digest'] = '0' * 64", "clearance_unknown", BACK),
    "a permit that others may read": ("chmod 0644 " + PERMIT, "clearance_unreadable", "chmod 0600 " + PERMIT),
    "a permit that was put together": (KEEP + "; echo '{}' >" + PERMIT, "clearance_unreadable", BACK),
    "no permit": ("mv %s /run/kept" % PERMIT, "clearance_missing", "mv /run/kept " + PERMIT),
    "a directory for everybody": (
        "chmod 0755 /run/healtharchive-remediation",
        "runtime_unsafe",
        "chmod 0700 /run/healtharchive-remediation",
    ),
    "another lock file": (
        "mv {0} {0}.kept; runuser -u haadmin -- touch {0}".format(LOCK),
        "clearance_lock_lost",
        "mv {0}.kept {0}".format(LOCK),
    ),
}


def test_what_it_proved_must_still_hold(host, desk):
    token = desk.granted(required_commit=[head(desk)])["token"]
    for what, (act, code, undo) in ENDS.items():
        assert desk.code(token) == "valid", what
        desk.run(act)
        assert desk.code(token) == code, what
        desk.run(undo)
    assert desk.code(token) == "valid"
    # From here on there is no way back.
    desk.run("systemctl stop " + UNIT)
    assert desk.code(token) == "clearance_lock_lost"
    assert desk.refused(state="renewed", clearance=token) == "clearance_lock_lost"
    token = desk.granted(required_commit=[head(desk)])["token"]
    desk.run(GIT + "checkout --quiet HEAD~1")
    assert desk.code(token) == "head_moved"
    desk.run(GIT + "checkout --quiet main")
    assert desk.code(token) == "code_changed"
    desk.released(token)
    restart(desk)
    reasons = [event["data"]["reason"] for event in record.events(host) if event["kind"] == "clearance_expired"]
    assert reasons == ["Its lock was let go."]


def test_expiry_and_reboot_are_recorded_by_who_notices(host, desk):
    token = desk.granted(no_repo_change_reason="To see it end", ttl_minutes=1)["token"]
    desk.run(EDIT % "d['expires_boottime'] = 1.0")
    assert desk.code(token) == "clearance_expired"
    assert desk.code(token) == "clearance_expired"
    last = record.events(host)[-1]
    assert last["kind"] == "clearance_expired"
    before = len(record.events(host))
    second = desk.granted(no_repo_change_reason="The next one")
    assert len(record.events(host)) == before + 1
    # A reboot takes the permit and the unit with it.
    desk.run("rm %s; systemctl stop %s healtharchive-remediation-clearance-end.timer" % (PERMIT, UNIT))
    assert desk.code(second["token"]) == "clearance_missing"
    third = desk.granted(no_repo_change_reason="After the reboot")
    kinds = record.kinds(record.events(host))[-2:]
    assert kinds == ["clearance_expired", "clearance_granted"]
    assert record.events(host)[-2]["data"]["clearance_id"] == second["clearance"]["clearance_id"]
    # One whose timer fires is over, and the lock is free again.
    desk.run("systemctl start healtharchive-remediation-clearance-end.service")
    desk.run("timeout 10 bash -c 'while systemctl --quiet is-active %s; do :; done'" % UNIT)
    assert not holds(desk)
    assert desk.code(third["token"]) == "clearance_lock_lost"
    desk.ask(state="released", force_reason="The test is over")


def test_a_deploy_that_runs_keeps_a_clearance_away(host, desk):
    commit = head(desk)
    script = "/opt/healtharchive/scripts/vps-deploy.sh"
    start = (
        "systemd-run --quiet --collect --unit=deploy --uid=haadmin --property=StandardOutput=truncate:/run/deploy.log "
    )
    # The real script, which changes nothing without --apply, stands still as soon as it has the lock.
    desk.run(start + script)
    desk.run("timeout 10 bash -c 'until grep -q SHA /run/deploy.log; do :; done'; systemctl kill --signal=STOP deploy")
    try:
        for options in ({"required_commit": [commit]}, {"no_repo_change_reason": "x"}):
            result = desk.ask(**options)
            assert result["code"] == "deploy_running"
            assert "vps-deploy.sh" in result["detail"]
            assert result["evidence"]["facts"]["lock_holders"]
        # Without its lock file it still runs.
        desk.run("mv {0} {0}.kept".format(LOCK))
        assert desk.refused(no_repo_change_reason="x") == "deploy_running"
        desk.run("mv {0}.kept {0}".format(LOCK))
    finally:
        desk.run("systemctl kill --signal=KILL deploy")
    desk.released(desk.granted(no_repo_change_reason="x")["token"])


def test_the_lock_file_is_the_services_own(host, desk):
    desk.run("rm -f " + LOCK)
    desk.released(desk.granted(no_repo_change_reason="x")["token"])
    assert desk.run("stat --format=%%U %s" % LOCK) == "haadmin\n"
    for make, code in [
        ("mkfifo", "deploy_lock_unknown"),
        ("ln -s /run/elsewhere.lock", "deploy_lock_unknown"),
        ("runuser -u nobody -- touch", "deploy_lock_foreign"),
    ]:
        desk.run("rm -f {0}; {1} {0}".format(LOCK, make))
        assert desk.refused(no_repo_change_reason="x") == code
    desk.run("rm -f " + LOCK)


def test_of_two_who_ask_at_once_exactly_one_gets_it(host, name, desk):
    commit = head(desk)
    for number in range(RACES):
        answers = race(host, name, commit, ["alice", "bob"])
        granted = [answer for answer in answers if answer["outcome"] == "applied"]
        assert len(granted) == 1, (number, answers)
        (refused,) = [answer for answer in answers if answer not in granted]
        held = refused["evidence"]["clearance"]
        assert refused["code"] == "held_by_other", (number, refused)
        assert held["clearance_id"] == granted[0]["clearance"]["clearance_id"]
        assert held["operator"] == granted[0]["clearance"]["operator"]
        assert holds(desk)
        desk.released(granted[0]["token"])


def test_a_grant_that_was_cut_off_leaves_nothing_that_lasts(host, name, desk):
    """Killed between the lock and the permit: the lock is somebody's who cannot use it, and the next one clears it away."""
    desk.run(
        "systemd-run --quiet --collect --unit=%s --uid=haadmin flock --nonblock --no-fork %s sleep infinity"
        % (UNIT, LOCK)
    )
    token = desk.granted(no_repo_change_reason="x")["token"]
    assert desk.code(token) == "valid"
    desk.released(token)
    # One whose record cannot be written is none.
    desk.run("chattr +i %s || mount --bind -o ro /srv/healtharchive/ops /srv/healtharchive/ops" % record.LOG)
    try:
        assert desk.refused(no_repo_change_reason="x").startswith("audit_")
    finally:
        desk.run("chattr -i %s || umount /srv/healtharchive/ops" % record.LOG)
    assert not holds(desk)
    assert desk.run("ls %s 2>/dev/null || true" % PERMIT) == ""


def playbook(host: Any, which: str, *arguments: str) -> Tuple[int, str]:
    argv = ["ansible-playbook", "-i", "inventories/sandbox", "--limit", host.name, "healtharchive.remediation." + which]
    done = subprocess.run(
        [*argv, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout


def calls(desk: Desk) -> int:
    """How many modules Ansible has run on the host, by the host's journal."""
    return int(desk.run("journalctl --sync; journalctl --no-pager | grep -c ' ansible-.*: Invoked' || true"))


def test_what_people_see(host, name, desk):
    """The playbooks, as people run them: who has been killed gets it again without a word, anybody else says why."""
    alice = ("-e", "incident=" + name, "-e", "operator=alice", "-e", "required_commit=" + head(desk)[:12])
    before = calls(desk)
    code, output = playbook(host, "take_clearance", *alice)
    assert code == 0
    # With everything in order it is one call.
    assert calls(desk) - before == 1
    assert "clearance GRANTED" in output
    assert "required  %s deployed and live" % head(desk)[:12] in output
    # Alice's run has ended, which this controller knows: she need not say why.
    code, output = playbook(host, "take_clearance", *alice)
    assert code == 0
    assert "clearance GRANTED" in output
    bob = ("-e", "operator=bob", "-e", "force_reason='Alice is on a plane'")
    code, output = playbook(host, "release_clearance", *bob)
    assert code == 0
    assert "clearance released" in output
    events = record.events(host)[-4:]
    assert record.kinds(events) == [
        "clearance_granted",
        "clearance_released",
        "clearance_granted",
        "clearance_released",
    ]
    said = [(event["data"].get("reason"), event["data"].get("forced"), event["by"]["operator"]) for event in events]
    assert said[1] == ("The run that held it had ended.", None, "alice")
    assert said[3] == ("Alice is on a plane", True, "bob")
    assert not holds(desk)
