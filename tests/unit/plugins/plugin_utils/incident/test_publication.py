# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes on branches of real clones, looked at with git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Dict, List

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.note.render import render
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident import publication
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.incident.refusal import Refused
from ansible_collections.healtharchive.remediation.tests.unit.plugins.module_utils.note.samples import (
    HOST_TEMPLATE,
    HOSTILE,
    ROOT,
    healthy_flow,
    incident,
)

ID = "2026-11-23-api-502"
BRANCH = "incident/" + ID
NOTE = "docs/operations/incidents/%s.md" % ID
INDEX = "docs/operations/incidents/README.md"
README = (ROOT / "tests/sandbox/service" / INDEX).read_text()
CLOSED = incident(state="closed", resolved_at="2026-11-23T18:10:00Z")
PLANTED = (
    "HEALTHARCHIVE_ADMIN_TOKEN=planted-token-5f2e",
    "postgresql://healtharchive:planted-password@127.0.0.1/db",
    "https://hc-ping.com/0b1c2d3e-1111-2222-3333-444455556666",
    "100.101.102.103",
    "archive-vps.tail0000.ts.net",
)
VALUES = ("planted-token", "planted-password", "hc-ping", "0b1c2d3e", "100.101.102.103", "tail0000")


class Places:
    """A remote that notices a push, a clone of it, the notes of the controller and a home with an identity."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.remote = directory / "remote.git"
        self.clone = directory / "clone"
        self.notes = directory / "incidents"
        self.pushed = directory / "pushed"
        for made in (self.home, self.notes, self.clone):
            made.mkdir()
        (self.home / ".gitconfig").write_text("[user]\nname = Anna Operator\nemail = anna@example.org\n")
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.remote), cwd=directory)
        hook = self.remote / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\ntouch '%s'\n" % self.pushed)
        hook.chmod(0o755)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit({INDEX: README, "src/service.py": "print()\n"}, "first")
        self.git("remote", "add", "origin", str(self.remote))
        self.git("push", "--quiet", "origin", "main")
        self.git("fetch", "--quiet", "origin")
        self.pushed.unlink()
        self.write_note(render(None, HOST_TEMPLATE, CLOSED, healthy_flow()).text)

    def git(self, *arguments: str, cwd: Any = None) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.clone, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def commit(self, files: Dict[str, str], message: str) -> None:
        for name, content in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)

    def write_note(self, text: str) -> None:
        (self.notes / (ID + ".md")).write_text(text)

    def publish(self, check_mode: bool = False, about: Any = None, leave_out: Any = ()) -> publication.Published:
        about = CLOSED if about is None else about
        return publication.publish(str(self.clone), str(self.notes), about, leave_out, check_mode)

    def refused(self, **options: Any) -> Refused:
        with pytest.raises(Refused) as caught:
            self.publish(**options)
        return caught.value

    def state(self) -> Dict[str, Any]:
        """Everything of the clone and the remote: refs, HEAD, and every file with its content and moment of change."""
        seen: Dict[str, Any] = {"refs": self.git("for-each-ref"), "pushed": self.pushed.exists()}
        for top in (self.clone, self.remote):
            for path in sorted(top.rglob("*")):
                status = path.lstat()
                seen[str(path)] = (status.st_mode, status.st_mtime_ns, path.read_bytes() if path.is_file() else None)
        return seen


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    made = Places(tmp_path)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return made


def test_the_branch_holds_the_note_and_its_line_and_nothing_else(places: Places) -> None:
    before = places.state()
    published = places.publish()
    assert (published.branch, published.changed, published.problems) == (BRANCH, True, [])
    assert places.git("rev-parse", BRANCH).strip() == published.commit
    assert places.git("rev-parse", BRANCH + "^").strip() == places.git("rev-parse", "origin/main").strip()
    assert places.git("diff", "--name-status", "main", BRANCH) == "A\t%s\nM\t%s\n" % (NOTE, INDEX)
    assert places.git("show", "%s:%s" % (BRANCH, NOTE)) == (places.notes / (ID + ".md")).read_text()
    line = "| 2026-11-23 | [API answers 502 after the update of Friday](%s.md) | sev1 | closed |\n" % ID
    assert places.git("show", "%s:%s" % (BRANCH, INDEX)) == README + line
    log = places.git("log", "-1", "--format=%an <%ae> %cn <%ce>%n%B", BRANCH)
    assert log.startswith("Anna Operator <anna@example.org> Anna Operator <anna@example.org>\n")
    assert "Incident note %s (sev1, closed)\n\nAPI answers 502 after the update of Friday\n" % ID in log
    # Nothing but new objects and the new branch.
    after = places.state()
    files = [name for name in before if name.startswith("/") and Path(name).is_file()]
    assert {name: after[name] for name in files} == {name: before[name] for name in files}
    assert places.git("status", "--porcelain") == ""
    assert places.git("symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert not places.pushed.exists()
    assert places.git("fsck", "--strict", "--no-dangling") == ""


def test_that_the_remote_would_notice_a_push(places: Places) -> None:
    """The control."""
    places.publish()
    places.git("push", "--quiet", "origin", BRANCH)
    assert places.pushed.exists()


def test_again_changes_nothing(places: Places) -> None:
    first = places.publish()
    before = places.state()
    again = places.publish()
    assert (again.changed, again.commit, again.diff) == (False, first.commit, [])
    assert places.state() == before


def test_check_mode_says_what_would_be_and_leaves_no_trace(places: Places) -> None:
    before = places.state()
    planned = places.publish(check_mode=True)
    assert places.state() == before
    assert (planned.changed, planned.commit) == (True, None)
    done = places.publish()
    assert planned.diff == done.diff
    assert {each["after_header"]: each["after"] for each in done.diff} == {
        name: places.git("show", "%s:%s" % (BRANCH, name)) for name in (NOTE, INDEX)
    }
    assert {each["after_header"]: each["before"] for each in done.diff} == {NOTE: "", INDEX: README}
    assert places.publish(check_mode=True).changed is False


def test_a_branch_with_another_text_is_left_alone(places: Places) -> None:
    places.publish()
    places.write_note((places.notes / (ID + ".md")).read_text() + "\nOne more line\n")
    before = places.state()
    for check_mode in (True, False):
        refusal = places.refused(check_mode=check_mode)
        assert refusal.code == "branch_differs"
        assert NOTE in str(refusal)
    assert places.state() == before
    places.git("branch", "-m", BRANCH, BRANCH + "-earlier")
    assert places.publish().changed


def test_a_branch_that_somebody_worked_on_is_left_alone(places: Places) -> None:
    places.publish()
    places.git("checkout", "--quiet", BRANCH)
    places.commit({NOTE: "Rewritten\n"}, "by hand")
    assert places.refused().code == "branch_differs"
    assert places.git("show", "%s:%s" % (BRANCH, NOTE)) == "Rewritten\n"


@pytest.mark.parametrize("kind", ["changed", "staged", "untracked", "deleted"])
def test_a_dirty_tree_is_refused(places: Places, kind: str) -> None:
    if kind == "untracked":
        (places.clone / "new.txt").write_text("x")
    elif kind == "deleted":
        (places.clone / INDEX).unlink()
    else:
        (places.clone / "src/service.py").write_text("changed\n")
        if kind == "staged":
            places.git("add", "--all")
    before = places.state()
    refusal = places.refused()
    assert refusal.code == "tree_dirty"
    assert {"untracked": "new.txt", "deleted": INDEX}.get(kind, "src/service.py") in str(refusal)
    assert places.state() == before


def test_ignored_files_are_no_changes(places: Places) -> None:
    places.commit({".gitignore": "*.log\n"}, "ignore")
    (places.clone / "x.log").write_text("x")
    assert places.publish().changed


def test_the_branch_begins_at_origin_main_whatever_is_checked_out(places: Places) -> None:
    places.commit({"local.txt": "not pushed\n"}, "only here")
    places.git("checkout", "--quiet", "--detach")
    head = places.git("rev-parse", "HEAD")
    published = places.publish()
    assert published.base == places.git("rev-parse", "origin/main").strip()
    assert "local.txt" not in places.git("ls-tree", "-r", "--name-only", BRANCH)
    assert places.git("rev-parse", "HEAD") == head


def test_without_an_origin_it_begins_at_head(places: Places) -> None:
    places.git("remote", "remove", "origin")
    places.commit({"local.txt": "x\n"}, "here")
    assert places.publish().base == places.git("rev-parse", "HEAD").strip()


def test_a_note_that_is_on_main_already(places: Places) -> None:
    places.publish()
    places.git("merge", "--quiet", "--ff-only", BRANCH)
    places.git("branch", "-d", BRANCH)
    places.git("push", "--quiet", "origin", "main")
    assert places.refused().code == "nothing_to_publish"
    assert places.publish(about={**CLOSED, "state": "contained"}).changed
    assert places.git("diff", "--name-status", "main", BRANCH) == "M\t%s\n" % INDEX
    assert README.count("\n") + 1 == places.git("show", "%s:%s" % (BRANCH, INDEX)).count("\n")


@pytest.mark.parametrize("other", [{"started_at": "2026-11-23T09:00:00Z"}, {"environment": "staging"}])
@pytest.mark.parametrize("merged", [True, False])
def test_the_note_of_another_host_s_incident_is_not_written_over(places: Places, other: Any, merged: bool) -> None:
    """Two hosts may have incidents of one id; the service's repository has one place for it."""
    places.publish()
    if merged:
        places.git("merge", "--quiet", "--ff-only", BRANCH)
        places.git("branch", "-d", BRANCH)
        places.git("push", "--quiet", "origin", "main")
    before = places.state()
    places.write_note(render(None, HOST_TEMPLATE, {**CLOSED, **other}, healthy_flow()).text)
    assert places.refused(about={**CLOSED, **other}).code == "note_of_another"
    assert places.state() == before
    # The control: more of the same incident, with the words of a person in it.
    text = render(None, HOST_TEMPLATE, {**CLOSED, "severity": "sev2", "owner": "bob"}, healthy_flow()).text
    places.write_note(text.replace("# Incident: ", "# Incident: In our words: ", 1))
    if merged:
        assert places.publish(about={**CLOSED, "severity": "sev2"}).changed
    else:
        assert places.refused().code == "branch_differs"


@pytest.mark.parametrize(
    "name", ["../../x", "2026-11-23-a/../../b", "2026-11-23-", "", "-x", "2026-11-23-a\n", 3, None, "HEAD"]
)
def test_what_is_no_id_is_refused_before_anything_is_looked_at(places: Places, name: Any) -> None:
    before = places.state()
    assert places.refused(about={**CLOSED, "id": name}).code == "bad_incident"
    assert places.state() == before


def hostile_configuration(places: Places, witness: Path) -> List[str]:
    """Every way in which a clone's configuration or hooks could start a program while a branch is made."""
    program = places.clone.parent / "program"
    program.write_text("#!/bin/sh\necho \"$0 $@\" >> '%s'\ncat\n" % witness)
    program.chmod(0o755)
    settings = {
        "core.fsmonitor": program,
        "core.hooksPath": places.clone.parent / "hooks",
        "core.pager": program,
        "core.editor": program,
        "core.sshCommand": program,
        "core.askPass": program,
        "core.alternateRefsCommand": program,
        "credential.helper": program,
        "diff.external": program,
        "filter.evil.clean": program,
        "filter.evil.smudge": program,
        "filter.evil.process": program,
        "filter.evil.required": "true",
        "filter.a=b c.clean": program,
        "gpg.program": program,
        "commit.gpgSign": "true",
        "gc.auto": "1",
        "gc.recentObjectsHook": program,
        "remote.origin.uploadpack": program,
        "remote.origin.promisor": "true",
        "include.path": places.clone.parent / "included",
        "user.name": "Clone Owner",
        "user.email": "owner@example.org",
    }
    (places.clone.parent / "included").write_text("[core]\n\tattributesFile = %s/attributes\n" % places.clone.parent)
    (places.clone.parent / "attributes").write_text("*.md filter=evil\n*.py filter=a=b c\n")
    hooks = places.clone.parent / "hooks"
    hooks.mkdir()
    for directory in (hooks, places.clone / ".git" / "hooks"):
        for name in (
            "reference-transaction",
            "post-index-change",
            "pre-commit",
            "commit-msg",
            "post-commit",
            "pre-auto-gc",
        ):
            (directory / name).write_text(program.read_text())
            (directory / name).chmod(0o755)
    (places.clone / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    for name, value in settings.items():
        places.git("config", name, str(value))
    return list(settings)


def test_nothing_that_the_clone_names_is_run(places: Places, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    hostile_configuration(places, witness)
    witness.unlink(missing_ok=True)
    # What a look at the tree has to compare by content: there a filter would be run.
    for name in ("src/service.py", INDEX):
        os.utime(places.clone / name, (1, 1))
    assert places.publish(check_mode=True).changed
    assert places.publish().changed
    assert not places.publish().changed
    assert not witness.exists()
    assert places.git("-c", "core.fsmonitor=false", "log", "-1", "--format=%an", BRANCH) == "Clone Owner\n"
    blob = subprocess.run(
        ["git", "cat-file", "blob", "%s:%s" % (BRANCH, NOTE)], cwd=places.clone, check=True, stdout=subprocess.PIPE
    )
    assert blob.stdout == (places.notes / (ID + ".md")).read_bytes()


def test_that_the_same_clone_does_run_them_for_git_itself(places: Places, tmp_path: Path) -> None:
    """The control."""
    witness = tmp_path / "witness"
    hostile_configuration(places, witness)
    os.utime(places.clone / INDEX, (1, 1))
    subprocess.run(
        ["git", "status"], cwd=places.clone, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert witness.exists()
    witness.unlink()
    subprocess.run(["git", "update-ref", "refs/heads/x", "HEAD"], cwd=places.clone, check=True)
    assert "reference-transaction" in witness.read_text()


def test_without_an_identity_nothing_is_guessed(places: Places) -> None:
    (places.home / ".gitconfig").write_text("")
    before = places.state()
    refusal = places.refused()
    assert refusal.code == "identity_missing"
    assert "user.name" in refusal.next_step
    assert places.state() == before
    places.git("config", "user.name", "Only Here")
    places.git("config", "user.email", "here@example.org")
    places.publish()
    assert places.git("log", "-1", "--format=%ae", BRANCH) == "here@example.org\n"


def test_what_is_no_clone_of_the_service(places: Places, tmp_path: Path) -> None:
    bare, below, empty = tmp_path / "remote.git", places.clone / "src", tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "file").write_text("")
    for path in (bare, below, empty, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(Refused) as caught:
            publication.publish(str(path), str(places.notes), CLOSED, (), False)
        assert caught.value.code == "not_a_clone", path
    places.git("init", "--quiet", str(empty))
    with pytest.raises(Refused) as caught:
        publication.publish(str(empty), str(places.notes), CLOSED, (), False)
    assert caught.value.code == "no_commit"
    places.git("commit", "--quiet", "--allow-empty", "-m", "another project", cwd=empty)
    with pytest.raises(Refused) as caught:
        publication.publish(str(empty), str(places.notes), CLOSED, (), False)
    assert caught.value.code == "not_the_service"


def test_a_link_in_place_of_a_file_is_refused(places: Places) -> None:
    (places.clone / NOTE).symlink_to("/etc/passwd")
    places.git("add", "--all")
    places.git("commit", "--quiet", "-m", "link")
    places.git("push", "--quiet", "origin", "main")
    assert places.refused().code == "not_a_file"


def test_a_branch_that_is_checked_out_without_a_commit(places: Places) -> None:
    places.git("symbolic-ref", "HEAD", "refs/heads/" + BRANCH)
    places.git("read-tree", "--empty")
    assert places.refused().code in ("branch_checked_out", "tree_dirty")
    assert places.git("for-each-ref", "refs/heads/incident") == ""


def test_a_branch_named_incident_is_in_the_way(places: Places) -> None:
    places.git("branch", "incident")
    refusal = places.refused()
    assert refusal.code == "branch_not_created"
    assert "incident" in str(refusal)


def test_a_worktree_is_a_clone_too(places: Places, tmp_path: Path) -> None:
    places.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    published = publication.publish(str(tmp_path / "tree"), str(places.notes), CLOSED, (), False)
    assert places.git("rev-parse", BRANCH).strip() == published.commit


def test_planted_secrets_and_private_addresses_are_not_on_the_branch(places: Places) -> None:
    flow = healthy_flow()
    flow[2]["data"]["text"] = "\n".join(PLANTED)
    flow[3]["data"]["argv"] = [["curl", each] for each in PLANTED]
    about = {**CLOSED, "title": "API of archive-vps.tail0000.ts.net fails", "owner": "100.101.102.103"}
    note = render(None, HOST_TEMPLATE, about, flow).text
    note = note.replace("## Detection\n", "## Detection\n\n%s\n" % "\n".join(PLANTED))
    note += "```\n%s\n```\n" % "\n".join("log line %d" % number for number in range(200))
    places.write_note(note)
    published = places.publish(about=about, leave_out=["203.0.113.7"])
    whole = places.git("log", "-p", "--format=fuller%n%B", "origin/main.." + BRANCH)
    assert [value for value in VALUES if value in whole] == []
    assert "log line 48\n" in whole
    assert "log line 49\n" not in whole
    assert {each.what for each in published.removed} == {
        "secret",
        "ping URL",
        "private address",
        "private host",
        "lines of a long log",
    }
    # The control: the note of the controller has them all.
    assert [value for value in VALUES if value not in note] == []


@pytest.mark.parametrize("text", [text for text in HOSTILE if len(text) < 200], ids=lambda text: ascii(text)[:20])
def test_a_hostile_title_is_a_line_of_text(places: Places, text: str) -> None:
    about = {**CLOSED, "title": text, "severity": text, "owner": text, "area": text}
    places.publish(about=about)
    message = places.git("log", "-1", "--format=%B", BRANCH)
    assert all(line.isprintable() for line in message.split("\n"))
    assert message.startswith("Incident note %s (" % ID)
    assert places.git("show", "%s:%s" % (BRANCH, INDEX)).count("\n") == README.count("\n") + 1


def test_a_note_that_is_missing_or_no_file(places: Places) -> None:
    path = places.notes / (ID + ".md")
    path.unlink()
    assert places.refused().code == "note_missing"
    path.symlink_to("/etc/hostname")
    assert places.refused().code == "note_unreadable"
    path.unlink()
    os.mkfifo(path)
    assert places.refused().code == "note_unreadable"


def test_bytes_that_are_no_text_are_published_as_they_are(places: Places) -> None:
    content = (places.notes / (ID + ".md")).read_bytes() + b"\r\n\xff\xfe by hand, no end"
    (places.notes / (ID + ".md")).write_bytes(content)
    places.publish()
    blob = subprocess.run(
        ["git", "cat-file", "blob", "%s:%s" % (BRANCH, NOTE)], cwd=places.clone, check=True, stdout=subprocess.PIPE
    )
    assert blob.stdout == content
