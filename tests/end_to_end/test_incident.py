# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents, run the way an operator runs them; looked at through files and git, not through the collection."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, Optional

import pytest

from . import record
from .conftest import ROOT
from .test_bad_input import inventory

CALLBACKS = ROOT / "tests" / "end_to_end" / "callbacks"
BLOCKS = {"status", "metadata", "timeline", "root_cause", "commands", "verification", "artifacts"}


class Run(NamedTuple):
    """How a playbook ended, and what was on the terminal."""

    rc: int
    output: str


class Controller:
    """A directory in which an operator works."""

    def __init__(self, host: Any, directory: Path) -> None:
        self.host = host
        self.directory = directory
        self.inventory = ROOT / "inventories" / "sandbox"

    def start(self, playbook: str, *arguments: str, **environment: str) -> subprocess.Popen:
        argv = ["ansible-playbook", "-i", str(self.inventory), "--limit", self.host.name]
        return subprocess.Popen(
            [*argv, "healtharchive.remediation." + playbook, *arguments],
            cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment},
        )  # fmt: skip

    def run(self, playbook: str, *arguments: str, **environment: str) -> Run:
        process = self.start(playbook, *arguments, **environment)
        output, _none = process.communicate(timeout=300)
        print(output)
        return Run(process.returncode, output)

    def said(self, playbook: str, *arguments: str, **values: Any) -> Run:
        """With the variables in a file, as an operator gives what has quotes and lines in it."""
        path = self.directory / "said.json"
        path.write_text(json.dumps(values))
        return self.run(playbook, "-e", "@%s" % path, *arguments)

    @property
    def folder(self) -> Path:
        return self.directory / "incidents" / self.host.name

    def note(self, incident: str) -> str:
        return (self.folder / (incident + ".md")).read_text()

    def notes(self) -> List[str]:
        return sorted(path.stem for path in self.folder.glob("*.md"))


@pytest.fixture
def controller(host, tmp_path) -> Iterator[Controller]:
    """Afterwards the host has no record any more."""
    yield Controller(host, tmp_path)
    host.ssh("sudo rm -rf " + record.DIRECTORY)


def host_note(host: Any, incident: str) -> str:
    return host.ssh("sudo cat %s/incidents/%s.md" % (record.DIRECTORY, incident)).stdout


def today(host: Any) -> str:
    return host.ssh("date -u +%F").stdout.strip()


def whole(controller: Controller) -> None:
    """The chain holds, no event is doubled, and every note that is there is whole."""
    record.events(controller.host)
    for name in controller.notes():
        assert set(record.blocks(controller.note(name))) == BLOCKS
    assert not list((controller.directory / "incidents").rglob("*.part"))


def until_done(controller: Controller, playbook: str, *arguments: str) -> int:
    """Run the playbook again and again, each time killed one task later, until it gets through; how often it was killed."""
    for number in range(1, 40):
        done = controller.run(
            playbook, *arguments, ANSIBLE_CALLBACKS_ENABLED="kill_before_task", ANSIBLE_CALLBACK_PLUGINS=str(CALLBACKS),
            KILL_BEFORE_TASK=str(number),
        )  # fmt: skip
        whole(controller)
        if done.rc != -signal.SIGKILL:
            assert done.rc == 0, done.output
            return number - 1
    raise AssertionError("it never got through")


def test_the_controller_is_killed_before_every_task(host, controller):
    words = ("-e", "title='The API is down'", "-e", "severity=sev1")
    assert until_done(controller, "open_incident", *words) > 3
    (opened,) = record.events(host)
    name = opened["incident"]
    assert opened["kind"] == "incident_opened"
    assert until_done(controller, "triage", "-e", "incident=" + name) > 8
    assert until_done(controller, "verify", "-e", "incident=" + name) > 3
    cause = ("-e", "trigger='A deploy'", "-e", "underlying='It was not tried'")
    assert until_done(controller, "close_incident", "-e", "incident=" + name, *cause) > 3

    found = record.events(host)
    assert {event["incident"] for event in found} == {name}
    kinds = record.kinds(found)
    assert kinds.count("incident_opened") == kinds.count("incident_closed") == 1
    assert kinds[0] == "incident_opened"
    assert kinds[-1] == "incident_closed"
    # Every look is another one, and none is there twice.
    for kind, key in (("triage_run", "evidence_digest"), ("verified", "verification_id")):
        looks = [event["data"][key] for event in found if event["kind"] == kind]
        assert looks
        assert len(set(looks)) == len(looks)
    assert controller.notes() == [name]
    here, there = record.blocks(controller.note(name)), record.blocks(host_note(host, name))
    assert here == there
    assert here["timeline"].count("Opened as sev1") == here["timeline"].count("Closed") == 1
    assert "Trigger: A deploy" in here["root_cause"]


def test_the_link_is_cut_while_the_host_records(host, controller, tmp_path):
    words = ("-e", "title='The link is cut'", "-e", "severity=sev2", "-e", "remark='Said once'")
    assert controller.run("open_incident", "-e", "title=First", "-e", "severity=sev3").rc == 0
    # Whoever has the lock keeps the module waiting in the middle of its append.
    holder = "lock-holder-%s" % uuid.uuid4().hex[:8]
    host.ssh("sudo systemd-run --quiet --unit=%s flock --close %s sleep 300" % (holder, record.LOG))
    host.ssh("until sudo flock --nonblock --conflict-exit-code 9 %s true; [ $? = 9 ]; do :; done" % record.LOG)
    sockets = controller.directory / "sockets"
    sockets.mkdir()
    multiplexed = "-C -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=%s/link" % sockets
    run = controller.start("open_incident", *words, ANSIBLE_SSH_ARGS=multiplexed)
    opened_by = "sudo find /proc -maxdepth 3 -ignore_readdir_race -path '/proc/[0-9]*/fd/*' -lname %s | wc -l" % record.LOG
    host.ssh("until [ $(%s) -ge 2 ]; do :; done" % opened_by)
    # Only the local end knows where the link goes: it is closed under the feet of whoever uses it.
    subprocess.run(
        ["ssh", "-o", "ControlPath=%s/link" % sockets, "-O", "exit", "nobody"], check=True, capture_output=True, timeout=30
    )
    output, _none = run.communicate(timeout=120)
    host.ssh("sudo systemctl stop " + holder)
    host.ssh("until [ $(%s) -eq 0 ]; do :; done" % opened_by)
    print(output)
    assert run.returncode == 2
    assert "The link to the host broke while it was recording" in " ".join(output.split())
    assert not list((controller.directory / "incidents").glob(".pending/*/*"))
    whole(controller)
    recorded = [(event["kind"], event["incident"]) for event in record.events(host)]
    assert [kind for kind, _name in recorded] == ["incident_opened", "incident_opened", "remark"]
    # The same command again: first while the host is away, then when it answers.
    reachable = controller.inventory
    controller.inventory = inventory(tmp_path, host, ansible_port=9, ansible_ssh_timeout=5)
    assert controller.run("open_incident", *words).rc == 2
    assert list((controller.directory / "incidents").glob(".pending/*/*"))
    controller.inventory = reachable
    assert controller.run("open_incident", *words).rc == 0
    whole(controller)
    assert [(event["kind"], event["incident"]) for event in record.events(host)] == recorded
    assert not list((controller.directory / "incidents").glob(".pending/*/*"))


def test_a_power_cut_in_the_middle_of_a_line(host, controller):
    assert controller.run("open_incident", "-e", "title=Power", "-e", "severity=sev3").rc == 0
    name = record.events(host)[0]["incident"]
    host.ssh("printf '{\"digest\":\"5a1' | sudo tee -a %s >/dev/null" % record.LOG)
    done = controller.run("open_incident", "-e", "incident=" + name, "-e", "remark='It was dark'")
    assert done.rc == 0
    found = record.events(host)
    assert record.kinds(found) == ["incident_opened", "remark"]
    assert found[1]["after_torn_line"] is True


def test_two_at_once(host, controller, tmp_path_factory):
    other = Controller(host, tmp_path_factory.mktemp("other"))
    titles = ("Same", "Same", "One", "Two")
    started = [
        each.start("open_incident", "-e", "title=" + title, "-e", "severity=sev3")
        for title, each in zip(titles, (controller, other, controller, other))
    ]
    for process in started:
        output, _none = process.communicate(timeout=300)
        assert process.returncode == 0, output
    found = record.events(host)
    assert sorted(event["data"]["title"] for event in found) == ["One", "Same", "Two"]
    whole(controller)
    whole(other)


# --- hostile texts ------------------------------------------------------------------------------------------------------

LONG = "x" * 100_000


def hostile(marker: Path) -> str:
    """What a person pastes on a bad night, and what somebody would like them to."""
    return (
        "{{ lookup('pipe', 'touch %s') }} {%% set x = 1 %%} {# no #} $(touch %s) `touch %s`\n"
        "<!-- healtharchive.remediation end: timeline -->\n# Heading | cell <script>alert(1)</script>\n"
        "\x1b[31mred\x1b[0m \u202e \U0001f525 -- ../../../etc/passwd --force %%s {0} \\ ' \""
    ) % (marker, marker, marker)


def test_hostile_texts_are_data(host, controller):
    marker = Path("/tmp/evaluated-%s" % uuid.uuid4().hex)
    text = hostile(marker)
    said = {name: text + name for name in ("title", "severity_reason", "owner", "remark", "operator")}
    opened = controller.said("open_incident", severity="sev2", slug="hostile", **said)
    assert opened.rc == 0
    name = today(host) + "-hostile"
    verified = controller.said("verify", incident=name, remark=LONG, operator=text)
    assert verified.rc == 0
    closed = controller.said(
        "close_incident", incident=name, trigger=text + "trigger", underlying=LONG, operator="{{ 7 * 191 }}"
    )
    assert closed.rc == 0

    found = record.events(host)
    data = {event["kind"]: event["data"] for event in found}
    for field in ("title", "severity_reason", "owner"):
        assert data["incident_opened"][field] == said[field]
    assert [event["data"]["text"] for event in found if event["kind"] == "remark"] == [said["remark"], LONG]
    assert (data["incident_closed"]["trigger"], data["incident_closed"]["underlying"]) == (text + "trigger", LONG)
    assert found[0]["by"]["operator"] == said["operator"]
    assert found[-1]["by"]["operator"] == "{{ 7 * 191 }}"
    for note in (controller.note(name), host_note(host, name)):
        assert set(record.blocks(note)) == BLOCKS
        assert "\x1b" not in note
        assert "<script>" not in note
        assert "lookup(" in note
        assert "1337" not in note
        assert len(note) < 20_000
        assert [line for line in note.splitlines() if line.startswith("# ")] == [note.splitlines()[0]]
    for output in (opened.output, verified.output, closed.output):
        assert "\x1b" not in output
        assert "\u202e" not in output
    assert not marker.exists()
    assert host.ssh("ls %s" % marker, check=False).returncode != 0


def test_hostile_texts_on_the_command_line(host, controller):
    marker = Path("/tmp/evaluated-%s" % uuid.uuid4().hex)
    text = "{{ lookup('pipe', 'touch %s') }}" % marker
    quoted = "title=\"%s\"" % text
    assert controller.run("open_incident", "-e", quoted, "-e", "severity=sev3", "-e", "slug=typed").rc == 0
    (opened,) = record.events(host)
    assert opened["data"]["title"] == text
    # What is to be an id or a word of a list is refused, not evaluated, and is never a path.
    for playbook, bad in (("open_incident", "../../etc/passwd"), ("triage", text), ("close_incident", text)):
        done = controller.said(playbook, incident=bad, trigger="a", underlying="b", repository=text)
        assert done.rc == 2, playbook
        assert "Traceback" not in done.output
    for bad in ({"slug": "../x"}, {"severity": text}, {"started_at": text}):
        done = controller.said("open_incident", **{"title": "Other", "severity": "sev3", **bad})
        assert done.rc == 2, bad
    assert len(record.events(host)) == 1
    assert not marker.exists()
    assert controller.notes() == [opened["incident"]]


def test_that_check_would_notice_an_evaluation(host, controller):
    """The control: a variable of the role is a template, as everywhere in Ansible."""
    marker = controller.directory / "evaluated"
    wish = {"title": "{{ lookup('pipe', 'touch %s; echo Evaluated') }}" % marker, "severity": "sev3"}
    assert controller.said("open_incident", incident_wish=wish).rc == 0
    assert marker.exists()
    assert record.events(host)[0]["data"]["title"] == "Evaluated"


# --- secrets, publishing -------------------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path) -> Path:
    """A clone of the service's repository as an operator has it."""
    bare, path = tmp_path / "origin.git", tmp_path / "clone"
    work = tmp_path / "service"
    shutil.copytree(ROOT / "tests" / "sandbox" / "service", work, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    identity = ("-c", "user.name=Operator", "-c", "user.email=operator@example.org")
    for argv in (
        ("git", "init", "--quiet", "--initial-branch=main", str(work)),
        ("git", "-C", str(work), "add", "--all"),
        ("git", "-C", str(work), *identity, "commit", "--quiet", "--message", "The service"),
        ("git", "clone", "--quiet", "--bare", str(work), str(bare)),
        ("git", "clone", "--quiet", str(bare), str(path)),
        ("git", "-C", str(path), "config", "user.name", "Operator"),
        ("git", "-C", str(path), "config", "user.email", "operator@example.org"),
    ):
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
    return path


def git(clone: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(clone), *arguments], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_planted_secrets_are_nowhere(host, controller, clone):
    token = host.ssh("sudo sed -n 's/^HEALTHARCHIVE_ADMIN_TOKEN=//p' /etc/healtharchive/backend.env").stdout.strip("\"'\n")
    url = host.ssh("sudo sed -n 's/^HEALTHARCHIVE_DATABASE_URL=//p' /etc/healtharchive/backend.env").stdout.strip("\"'\n")
    password = url.split(":")[2].split("@")[0]
    planted = "s3cr3t-%s" % uuid.uuid4().hex
    assert min(len(token), len(password)) > 8
    # A line of the API's journal, as a library prints it on a bad day.
    line = "MESSAGE=ModuleNotFoundError: token=%s\\nOBJECT_SYSTEMD_UNIT=healtharchive-api.service\\nPRIORITY=3\\n" % token
    host.ssh("printf '%s' | sudo logger --journald && sudo journalctl --sync" % line)
    shown = host.ssh("sudo journalctl --no-pager --lines=20 --unit=healtharchive-api.service").stdout
    assert "token=" + token in shown
    text = "It said %s and %s and postgresql://someone:%s@127.0.0.1/x" % (token, url, planted)
    outputs = []
    # -vvv shows what modules are given.
    outputs.append(
        controller.said("open_incident", "-vvv", title="Secrets " + token, slug="secrets", severity="sev1", remark=text)
    )
    name = today(host) + "-secrets"
    outputs.append(controller.said("triage", incident=name, remark="Authorization: Bearer " + planted))
    outputs.append(controller.said("verify", incident=name))
    refused = controller.said("open_incident", "-vvv", incident=name, title=text, operator=planted)
    assert "has another title" in " ".join(refused.output.split())
    outputs.append(controller.said("close_incident", "-vvv", incident=name, trigger=text, underlying=text))
    outputs.append(controller.said("publish_note", incident=name, repository=str(clone)))
    assert [each.rc for each in outputs] == [0] * 5
    (controller.directory / "said.json").unlink()
    places = {
        "the log": host.ssh("sudo cat " + record.LOG).stdout,
        "the host's note": host_note(host, name),
        "the host's journal of ansible": host.ssh("sudo journalctl --no-pager | grep ansible; true").stdout,
        "the refusal": refused.output,
        "the branch": git(clone, "show", "--stat", "--patch", "incident/" + name),
    }
    for path in controller.directory.rglob("*"):
        if path.is_file() and not {"clone", "origin.git", "service"} & set(path.relative_to(controller.directory).parts):
            places[str(path.relative_to(controller.directory))] = path.read_text(errors="replace")
    places.update({"terminal %d" % number: each.output for number, each in enumerate(outputs)})
    assert len([place for place in places if place.startswith("triage/")]) == 4
    for place, content in places.items():
        for secret in (token, password, planted):
            assert secret not in content, place
    # The control: what stands around them is there.
    assert "It said" in places["the log"]
    assert "It said" in places["the branch"]
    assert "head_digest" in outputs[0].output


def test_a_note_is_put_on_a_branch(host, controller, clone):
    assert controller.said("open_incident", title="On a branch", severity="sev2", area="api", slug="branch").rc == 0
    name = today(host) + "-branch"
    path = controller.folder / (name + ".md")
    path.write_text(path.read_text().replace("## Summary\n", "## Summary\n\nSeen from 10.0.0.7 by ops.internal.\n", 1))
    before = git(clone, "rev-parse", "HEAD", "refs/remotes/origin/main")
    done = controller.said("publish_note", incident=name, repository=str(clone))
    assert done.rc == 0
    branch = "incident/" + name
    assert git(clone, "diff", "--name-only", "HEAD", branch).split() == [
        "docs/operations/incidents/%s.md" % name,
        "docs/operations/incidents/README.md",
    ]
    text = git(clone, "show", "%s:docs/operations/incidents/%s.md" % (branch, name))
    assert "Seen from" in text
    assert "10.0.0.7" not in text
    assert "ops.internal" not in text
    assert "](%s.md)" % name in git(clone, "show", branch + ":docs/operations/incidents/README.md")
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "rev-parse", "HEAD", "refs/remotes/origin/main") == before
    assert git(clone, "ls-remote", "origin").count("refs/heads/") == 1
    assert "Seen from 10.0.0.7" in path.read_text()
    commit = git(clone, "rev-parse", branch)
    assert controller.said("publish_note", incident=name, repository=str(clone)).rc == 0
    assert git(clone, "rev-parse", branch) == commit
    (clone / "README.md").write_text("changed")
    refused = controller.said("publish_note", incident=name, repository=str(clone))
    assert refused.rc == 2
    assert "changes that are not committed" in " ".join(refused.output.split())


# --- the host cannot be reached ------------------------------------------------------------------------------------------


def test_a_host_that_cannot_be_reached_joins_later(host, controller, tmp_path):
    reachable = controller.inventory
    controller.inventory = inventory(tmp_path, host, ansible_port=9, ansible_ssh_timeout=5)
    opened = controller.said("open_incident", title="The host is gone", severity="sev0", slug="gone", remark="First words")
    assert opened.rc == 2
    assert "HERE ONLY" in opened.output
    name = today(host) + "-gone"
    assert "Opened as sev0" in record.blocks(controller.note(name))["timeline"]
    more = controller.said("open_incident", incident=name, remark="Still gone")
    assert more.rc == 2
    assert controller.said("close_incident", incident=name, contained="Nobody can look").rc == 2
    note = controller.folder / (name + ".md")
    note.write_text(note.read_text() + "\nWritten by hand.\n")
    assert record.events(host) == []
    # What can never join stands in nobody's way: of an incident that this host does not know, and no scratchpad at all.
    (waiting,) = (controller.directory / "incidents").glob(".pending/*/*.jsonl")
    foreign, broken = waiting.with_name("2026-01-01-foreign.jsonl"), waiting.with_name("2026-01-01-broken.jsonl")
    event = json.loads(waiting.read_text().splitlines()[1])
    foreign.write_text(json.dumps({**event, "incident": "2026-01-01-foreign"}) + "\n")
    broken.write_text("half a li")

    controller.inventory = reachable
    done = controller.said("triage", incident=name)
    assert done.rc == 0
    told = " ".join(done.output.split())
    for path, word in ((foreign, "There is no incident 2026-01-01-foreign"), (broken, "line 1 of")):
        assert path.with_name(path.name + ".aside").exists()
        assert not path.exists()
        assert word in told
        path.with_name(path.name + ".aside").unlink()
    found = record.events(host)
    assert record.kinds(found) == ["incident_opened", "remark", "remark", "triage_run"]
    assert [event["late"] for event in found] == [True, True, True, False]
    assert [event["data"]["text"] for event in found[1:3]] == ["First words", "Still gone"]
    assert all(event["at"] < event["recorded_at"] for event in found[:3])
    assert "recorded later" in record.blocks(controller.note(name))["timeline"]
    assert controller.note(name).endswith("\nWritten by hand.\n")
    assert not list((controller.directory / "incidents").glob(".pending/*/*"))
    assert controller.said("triage", incident=name).rc == 0
    assert len(record.events(host)) == 5


def test_without_an_incident_nothing_is_written(host, controller):
    for playbook in ("triage", "verify"):
        assert controller.run(playbook).rc == 0
    assert host.ssh("sudo ls " + record.DIRECTORY, check=False).returncode != 0
    assert not (controller.directory / "incidents").exists()


def test_check_mode_changes_nothing(host, controller):
    done = controller.said("open_incident", "--check", "--diff", title="Only asked", severity="sev3")
    assert done.rc == 0
    assert "Nothing was written" in done.output
    assert "+# Incident: Only asked" in done.output
    assert host.ssh("sudo ls " + record.DIRECTORY, check=False).returncode != 0
    assert not (controller.directory / "incidents").exists()


# --- verified, closed ----------------------------------------------------------------------------------------------------


def last(host: Any, kind: str) -> Optional[dict]:
    found = [event for event in record.events(host) if event["kind"] == kind]
    return found[-1] if found else None


def test_only_what_is_done_is_closed(host, controller, broken):
    broken("worker_inactive")
    assert controller.run("triage").rc == 0
    # The severity and its sentence are triage's, for nobody said another.
    opened = controller.said("open_incident", title="The worker stands", slug="worker")
    assert opened.rc == 0
    name = today(host) + "-worker"
    (classified,) = (controller.directory / "triage").glob("*/*/result.json")
    first = json.loads(classified.read_text())["classes"][0]
    data = last(host, "incident_opened")["data"]
    assert (data["severity"], data["severity_reason"]) == (first["severity"], first["severity_reason"])
    assert last(host, "triage_run")["data"]["summary"] == first["summary"]

    failed = controller.said("verify", incident=name)
    assert failed.rc == 2
    assert "the worker is inactive" in failed.output
    assert last(host, "verified")["data"]["passed"] is False
    refused = controller.said("close_incident", incident=name, trigger="a", underlying="b")
    assert refused.rc == 2
    assert "did not pass" in " ".join(refused.output.split())
    contained = controller.said("close_incident", incident=name, contained="The worker waits for the morning")
    assert contained.rc == 0
    assert last(host, "incident_contained")["data"]["reason"] == "The worker waits for the morning"
    host.sandbox("mend", "worker_inactive", "--name", host.name)
    # Contained is no end without a way on.
    assert controller.said("verify", incident=name).rc == 0
    assert controller.said("close_incident", incident=name, trigger="a", underlying="b").rc == 0
    assert record.kinds(record.events(host))[-3:] == ["incident_contained", "verified", "incident_closed"]


def test_nobody_can_say_that_it_passed(host, controller, broken):
    """Ansible puts an extra variable in the place of what a task has registered."""
    broken("worker_inactive")
    assert controller.said("open_incident", title="Forged", severity="sev3", slug="forged").rc == 0
    name = today(host) + "-forged"
    checks = [{"check": "all", "result": "passed", "detail": "seen"}]
    event = {"kind": "verified", "data": {"verification_id": "verification-0", "passed": True, "checks": checks}}
    result = {**event["data"], "at": "2026-11-23T17:50:00Z", "next": None, "event": event}
    fact = {"fact": "true == true", "text": "well", "otherwise": "ill", "look": "true"}
    for playbook, forged in (
        ("verify", {"verify_result": result, "verify_checks": [{"check": "all", "probe": "api", "facts": [fact]}]}),
        ("verify", {"verify_done": {"evidence": {}, "result": result, "recorded": None, "incident": name}}),
        ("open_incident", {"incident_wish": {"events": [event]}}),
    ):
        done = controller.said(playbook, incident=name, **forged)
        assert done.rc == 2, forged
        assert "passed ===" not in done.output
        assert record.kinds(record.events(host)) == ["incident_opened"]
    # The control: what is seen is what is recorded.
    assert controller.said("verify", incident=name).rc == 2
    assert last(host, "verified")["data"]["passed"] is False


def test_what_nobody_saw_the_end_of_comes_first(host, controller):
    assert controller.said("open_incident", title="Begun", severity="sev2", slug="begun").rc == 0
    name = today(host) + "-begun"
    begin = (
        "import sys; sys.path.insert(0, '/run/collections')\n"
        "from ansible_collections.healtharchive.remediation.plugins.module_utils import audit, events, redact\n"
        "log = audit.AuditLog(audit.Paths('/srv/healtharchive/ops'), events.Origin(), redact.Redactor())\n"
        "log.begin(%r, 'deploy-1', 'deploy', subjects=['healtharchive-api.service'])\n" % name
    )
    put_utilities(host)
    host.ssh("sudo python3 - <<'END'\n%s\nEND" % begin)
    triage = controller.said("triage", incident=name)
    assert triage.rc == 0
    lines = triage.output.splitlines()
    headline = next(number for number, line in enumerate(lines) if line.startswith("==="))
    assert lines[headline + 1].startswith("UNFINISHED: deploy of incident %s was begun" % name)
    assert controller.said("verify", incident=name).rc == 0
    refused = controller.said("close_incident", incident=name, trigger="a", underlying="b")
    assert refused.rc == 2
    assert "its end is not recorded" in " ".join(refused.output.split())


def put_utilities(host: Any) -> None:
    """The part of the collection that later versions act through, on the host: nothing in this version begins an action."""
    source = ROOT / "plugins" / "module_utils"
    target = "/run/collections/ansible_collections/healtharchive/remediation/plugins"
    packed = subprocess.run(
        ["tar", "--create", "--exclude=__pycache__", "-C", str(source.parent), "module_utils"], capture_output=True, check=True
    ).stdout
    argv = [str(ROOT / "tests" / "sandbox" / "sandbox"), "ssh", host.name, "--"]
    unpack = "sudo mkdir -p {0} && sudo tar --extract -C {0}".format(target)
    subprocess.run([*argv, unpack], input=packed, check=True, capture_output=True, timeout=60)
