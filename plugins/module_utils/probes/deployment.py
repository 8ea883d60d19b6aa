# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which commit is on the disk, in the virtual environment and in the processes, and what origin/main has beyond it.

git runs as the checkout's owner: as root it would refuse the repository, and an empty answer would look like a match.
Nothing in the checkout is written: commits that it does not have yet are fetched into a throw-away object store.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import tempfile
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional

from .. import host, locks, redact
from ..parse import git, systemd
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, complaint, failed
from .units import API, WORKER

GIT_SECONDS = 10.0
REMOTE_SECONDS = 15.0
PYTHON_SECONDS = 15.0
MAX_COMMITS = 20
MAX_FILES = 20
_BRANCH = "refs/heads/main"
# No lock and no housekeeping in a repository that is only read, and none of the programs that its configuration names.
GIT_OPTIONS = (
    "--no-optional-locks",
    *("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "i18n.logOutputEncoding=UTF-8"),
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "fetch.recurseSubmodules=false", "-c", "submodule.recurse=false"),
)
LOG_FORMAT = ("-z", "--no-show-signature", "--format=%H%x00%s")

# Prints the declared requirements of the checkout that its virtual environment does not meet, as a JSON list.
_REQUIREMENTS = r"""
import json, sys, tomllib
from importlib import metadata
from pip._vendor.packaging.requirements import Requirement
with open(sys.argv[1] + '/pyproject.toml', 'rb') as handle:
    declared = tomllib.load(handle)['project'].get('dependencies', [])
unmet = []
for line in declared:
    wanted = Requirement(line)
    if wanted.marker is not None and not wanted.marker.evaluate():
        continue
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        found = None
    if found is None or not wanted.specifier.contains(found, prereleases=True):
        unmet.append(line if found is None else '%s (found %s)' % (line, found))
print(json.dumps(unmet))
"""


def probe(context: Context) -> Finding:
    """Each part on its own: what cannot be found out is null and has its problem."""
    problems: List[Problem] = []
    checkout = context.settings.checkout
    try:
        owner = host.account_of(checkout)
    except (OSError, KeyError) as error:
        return Finding(None, [Problem("not_found", "The owner of %s is not known: %s" % (checkout, error))])
    repository = _Git(context, owner, problems)
    data: Dict[str, Any] = _checkout(repository)
    data.update(_remote(repository, data["head"]))
    data["checkout_changed_at"] = _changed_at(checkout + "/.git/logs/HEAD", checkout + "/.git/HEAD")
    data["environment"] = _environment(context, problems)
    data["processes"] = _processes(context, data, problems)
    lock_file = context.settings.deploy_lock_file
    data["deploy_lock"] = {"path": lock_file, "state": locks.state(lock_file)}
    return Finding(data, problems)


class _Git:
    """git in the checkout, as its owner, without optional locks (``git status`` would rewrite the index)."""

    def __init__(self, context: Context, owner: host.Account, problems: List[Problem]) -> None:
        self.context = context
        self.owner = owner
        self.problems = problems

    def run(
        self, *arguments: str, seconds: float = GIT_SECONDS, variables: Optional[Mapping[str, str]] = None
    ) -> host.Result:
        environment = {"GIT_TERMINAL_PROMPT": "0", **(variables or {})}
        argv = ["/usr/bin/git", "-C", self.context.settings.checkout, *GIT_OPTIONS, *arguments]
        return self.context.run(argv, seconds, self.owner, environment=environment)

    def ask(self, parser: Callable[[bytes], Any], *arguments: str, **options: Any) -> Any:
        """What ``parser`` makes of the output; None, with a problem, when git or the parser says no."""
        result = self.run(*arguments, **options)
        what = "git " + arguments[0]
        if result.failure is not None:
            self.problems.append(failed(result, what))
        elif result.rc != 0:
            self.problems.append(
                Problem("command_failed", "%s ended with %d: %s" % (what, result.rc, complaint(result.stderr)))
            )
        else:
            try:
                return parser(result.stdout)
            except ParseError as error:
                self.problems.append(Problem(error.code, "%s: %s" % (what, error)))
        return None

    def has(self, sha: str) -> bool:
        return self.run("cat-file", "-e", sha + "^{commit}").rc == 0


def _checkout(repository: _Git) -> Dict[str, Any]:
    head = repository.ask(git.commit, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")
    commits = repository.ask(git.log_z, "log", "-1", *LOG_FORMAT, head, "--") if head else None
    status = repository.ask(git.porcelain_z, "status", "--porcelain=v1", "-z", "--branch", "--untracked-files=normal")
    return {
        "head": head,
        "subject": commits[0]["subject"] if commits else None,
        "branch": status["branch"] if status else None,
        "dirty": bool(status["files"]) if status else None,
        "dirty_files": [entry["path"] for entry in status["files"][:MAX_FILES]] if status else [],
    }


def _remote(repository: _Git, head: Optional[str]) -> Dict[str, Any]:
    """What ``main`` of the remote is right now; the local remote-tracking ref only where the remote cannot be asked."""
    source, main = "remote", None
    if _url_has_password(repository):
        # git hands the URL to its helper as an argument, where every account of the host can read it.
        repository.problems.append(
            Problem(
                "not_configured", "origin is not asked: its URL holds a password, which the process list would show."
            )
        )
    else:
        main = repository.ask(
            lambda out: git.ls_remote(out, _BRANCH),
            *("ls-remote", "--exit-code", "origin", _BRANCH),
            seconds=REMOTE_SECONDS,
        )
    if main is None:
        source = "tracking_ref"
        main = repository.ask(
            git.commit, "rev-parse", "--verify", "--end-of-options", "refs/remotes/origin/main^{commit}"
        )
    answer: Dict[str, Any] = {
        "origin_main": main,
        "origin_main_from": source if main else None,
        "head_is_origin_main": None,
        "head_on_origin_main": None,
        "undeployed": {"count": None, "commits": []},
    }
    if head is None or main is None:
        return answer
    # What the checkout last saw of the remote may be old: that it is the same proves nothing, that it is not does.
    answer["head_is_origin_main"] = head == main if source == "remote" or head != main else None
    if head == main and source != "remote":
        answer["head_on_origin_main"] = True
    elif head == main:
        answer.update(head_on_origin_main=True, undeployed={"count": 0, "commits": []})
    elif repository.has(main):
        answer.update(_compare(repository, head, main, {}))
    else:
        answer.update(_compare_unfetched(repository, head, main))
    return answer


def _url_has_password(repository: _Git) -> bool:
    url = repository.run("config", "--get", "remote.origin.url").stdout
    return redact.MASK.encode() in url or re.search(rb"://[^/@\s]*:[^/@\s]*@", url) is not None


def _compare(repository: _Git, head: str, main: str, variables: Mapping[str, str]) -> Dict[str, Any]:
    span = "%s..%s" % (head, main)
    count = repository.ask(git.count, "rev-list", "--count", span, "--", variables=variables)
    commits = repository.ask(git.log_z, "log", "-%d" % MAX_COMMITS, *LOG_FORMAT, span, "--", variables=variables)
    base = repository.run("merge-base", "--is-ancestor", head, main, variables=variables)
    return {
        "head_on_origin_main": {0: True, 1: False}.get(base.rc),
        "undeployed": {"count": count, "commits": commits or []},
    }


def _compare_unfetched(repository: _Git, head: str, main: str) -> Dict[str, Any]:
    """Compare with a commit that the checkout does not have: fetched beside it, and thrown away."""
    store = tempfile.mkdtemp(prefix="healtharchive-triage-", dir="/run")
    try:
        os.chown(store, repository.owner.uid, repository.owner.gid)
        objects = repository.context.settings.checkout + "/.git/objects"
        variables = {"GIT_OBJECT_DIRECTORY": store, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects}
        # No refmap and no FETCH_HEAD: the refs of the checkout stay as they are.
        argv = ("fetch", "--quiet", "--no-tags", "--refmap=", "--no-write-fetch-head", "origin", _BRANCH)
        fetch = repository.run(*argv, seconds=REMOTE_SECONDS, variables=variables)
        if fetch.rc != 0:
            repository.problems.append(
                Problem(fetch.failure or "command_failed", "git fetch of origin/main: %s" % complaint(fetch.stderr))
            )
            return {}
        return _compare(repository, head, main, variables)
    finally:
        shutil.rmtree(store, ignore_errors=True)


def _environment(context: Context, problems: List[Problem]) -> Dict[str, Any]:
    settings = context.settings
    packages = glob.glob(glob.escape(settings.checkout) + "/.venv/lib/python3*/site-packages")
    answer: Dict[str, Any] = {"dependencies_met": None, "missing": [], "changed_at": _changed_at(*packages)}
    argv = [settings.python, "-I", "-B", "-c", _REQUIREMENTS, settings.checkout]
    result = context.run_service(argv, PYTHON_SECONDS)
    what = "The check of the declared dependencies"
    if result.failure is not None:
        problems.append(failed(result, what))
        return answer
    try:
        if result.rc != 0:
            raise ValueError(complaint(result.stderr))
        missing = json.loads(result.stdout)
        answer.update(dependencies_met=not missing, missing=[str(line) for line in missing])
    except ValueError as error:
        problems.append(Problem("command_failed", "%s failed: %s" % (what, error)))
    return answer


def _processes(context: Context, data: Mapping[str, Any], problems: List[Problem]) -> Dict[str, Any]:
    """Since when the API and the worker run, and whether that is after the last change of checkout and environment."""
    argv = ["/usr/bin/systemctl", "show", API, WORKER, "--no-pager", "--timestamp=unix"]
    result = context.run([*argv, "--property=" + ",".join(systemd.PROPERTIES)], GIT_SECONDS)
    try:
        if result.rc != 0:
            raise ParseError("command_failed", complaint(result.stderr) or str(result.failure))
        shown = systemd.show(result.stdout)
        started = {name: systemd.unit_state(shown[name])["started_at"] for name in (API, WORKER) if name in shown}
    except ParseError as error:
        problems.append(Problem(error.code, "systemctl show: %s" % error))
        return {}
    changes = (data["checkout_changed_at"], data["environment"]["changed_at"])
    return {
        name: {"started_at": at, "current": None if at is None or None in changes else at >= max(changes)}
        for name, at in started.items()
    }


def _changed_at(*paths: str) -> Optional[str]:
    """The newest modification time of those paths that exist, UTC; None if none does."""
    moments = [os.stat(path).st_mtime for path in paths if os.path.exists(path)]
    if not moments:
        return None
    return datetime.fromtimestamp(max(moments), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
