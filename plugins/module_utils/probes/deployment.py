# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which commit is on the disk, in the virtual environment and in the processes, and what origin/main has beyond it.

Nothing in the checkout is written: see :mod:`..repository`.
"""

from __future__ import annotations

import glob
import json
import os
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional

from .. import deploys, host
from ..parse import git, systemd
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, complaint, failed
from ..repository import GIT_SECONDS, Repository
from .units import API, WORKER

PYTHON_SECONDS = 15.0
MAX_COMMITS = 20
MAX_FILES = 20
LOG_FORMAT = ("-z", "--no-show-signature", "--format=%H%x00%s")

# Prints the declared requirements of the checkout that its virtual environment does not meet, as a JSON list. The first of
# them is the service itself: what its commands load must be what lies in the checkout, and no copy of it elsewhere.
_REQUIREMENTS = r"""
import json, os, sys, tomllib
from importlib import metadata, util
from pip._vendor.packaging.requirements import Requirement
with open(sys.argv[1] + '/pyproject.toml', 'rb') as handle:
    project = tomllib.load(handle)['project']
unmet = []
wanted = '%s from %s' % (project['name'], sys.argv[1])
checkout, environment = (os.path.realpath(path) + '/' for path in (sys.argv[1], sys.prefix))
try:
    commands = [point.value for point in metadata.distribution(project['name']).entry_points]
except metadata.PackageNotFoundError:
    unmet.append(wanted)
    commands = []
for name in sorted({command.partition(':')[0].partition('.')[0] for command in commands}):
    spec = util.find_spec(name)
    places = [] if spec is None else list(spec.submodule_search_locations or [spec.origin])
    for place in places or ['nowhere']:
        path = os.path.realpath(place) + '/'
        if not path.startswith(checkout) or path.startswith(environment):
            unmet.append('%s (found in %s)' % (wanted, place))
        # PEP 552: byte code that goes by a hash which nobody compares. One of them is enough.
        compiled = (
            os.path.join(folder, file)
            for folder, _folders, files in os.walk(path)
            for file in files
            if os.path.basename(folder) == '__pycache__' and file.endswith('.pyc')
        )
        never = next((file for file in compiled if open(file, 'rb').read(8)[4:5] == b'\x01'), None)
        if never is not None:
            unmet.append('%s (found in %s, which is never compared with its source)' % (wanted, never))
for line in project.get('dependencies', []):
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
    repository = Repository(context, owner, problems)
    data: Dict[str, Any] = _checkout(repository)
    data.update(_remote(repository, data["head"]))
    data["checkout_changed_at"] = checkout_changed_at(checkout)
    data["environment"] = _environment(context, problems)
    data["processes"] = _processes(context, data, problems)
    lock_file = context.settings.deploy_lock_file
    data["deploy_lock"] = {"path": lock_file, "state": deploys.lock_state(lock_file)}
    return Finding(data, problems)


def _checkout(repository: Repository) -> Dict[str, Any]:
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


def _remote(repository: Repository, head: Optional[str]) -> Dict[str, Any]:
    """What ``main`` of the remote is right now; the local remote-tracking ref only where the remote cannot be asked."""
    source, main = "remote", repository.main_of_origin()
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


def _compare(repository: Repository, head: str, main: str, variables: Mapping[str, str]) -> Dict[str, Any]:
    span = "%s..%s" % (head, main)
    count = repository.ask(git.count, "rev-list", "--count", span, "--", variables=variables)
    commits = repository.ask(git.log_z, "log", "-%d" % MAX_COMMITS, *LOG_FORMAT, span, "--", variables=variables)
    return {
        "head_on_origin_main": repository.is_ancestor(head, main, variables),
        "undeployed": {"count": count, "commits": commits or []},
    }


def _compare_unfetched(repository: Repository, head: str, main: str) -> Dict[str, Any]:
    """Compare with a commit that the checkout does not have."""
    with repository.with_main_of_origin() as variables:
        return {} if variables is None else _compare(repository, head, main, variables)


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


def checkout_changed_at(checkout: str) -> Optional[str]:
    """When another commit was checked out there last, UTC; None: not known."""
    return _changed_at(checkout + "/.git/logs/HEAD", checkout + "/.git/HEAD")


def _changed_at(*paths: str) -> Optional[str]:
    """The newest modification time of those paths that exist, UTC; None if none does."""
    moments = [os.stat(path).st_mtime for path in paths if os.path.exists(path)]
    if not moments:
        return None
    return datetime.fromtimestamp(max(moments), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
