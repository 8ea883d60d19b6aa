# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what a deploy depends on from the host, all at once. Nothing is written. Private to this collection."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import stat
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from .. import deploys, host, locks, runtime
from ..clearance import permit, standing
from ..parse import database as parse_database
from ..parse import git
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem, complaint, failed, run_all
from ..probes import database, deployment, environment, job_facts, units
from ..probes.units import API, WORKER
from ..refusal import Refusal
from ..repository import Repository
from . import facts as of
from . import rows
from .facts import Commit, Crawl, Facts, Process, Seen

# Before alert rules can be installed (contract 3.1).
WEBHOOK = "/etc/healtharchive/observability/alertmanager_webhook_url"
_SECONDS = 20.0
_MOST_SUBJECTS = 10
_MOST_CRAWLS = 200
_LOCK_NAME = re.compile(r"job-([0-9]{1,18})\.lock")
_REVISION_LINE = r"^revision([[:space:]]*:[^=]*)?[[:space:]]*="
_UNIT_TEMPLATES = "docs/deployment/systemd"


def seen(context: Context) -> Seen:
    """What is true of the deployment now."""
    probes = {
        "standing": _standing,
        "deployment": deployment.probe,
        "database": database.probe,
        "units": units.probe,
        "rows": _rows,
    }
    return _seen(run_all(context, probes))


def facts(context: Context, ref: str) -> Facts:
    """Everything that a plan to deploy this commit depends on."""
    probes = {
        "standing": _standing,
        "deployment": deployment.probe,
        "database": database.probe,
        "units": units.probe,
        "rows": _rows,
        "commit": lambda own: _commit(own, ref),
        "sudo": _sudo,
        "environment": environment.probe,
    }
    found = run_all(context, probes)
    settings = context.settings
    lock, owner, holders = _lock(context)
    crawls, crawls_problem = _crawls(context, found["rows"])
    sudo = (found["sudo"]["data"] or {}).get("allowed")
    problem = context.database_problem()
    return Facts(
        seen=_seen(found),
        commit=_known(found["commit"]),
        checkout=settings.checkout,
        checkout_owner=_owner(settings.checkout),
        service_user=settings.service_user,
        script_there=os.path.isfile(settings.script("vps-deploy.sh")) and os.access(settings.python, os.X_OK),
        env_file=settings.env_file,
        env_readable=(found["environment"]["data"] or {}).get("readable_by_service_user"),
        env_problem=None if problem is None else problem.message,
        sudo=sudo,
        sudo_problem=_why(found["sudo"]),
        lock_file=settings.deploy_lock_file,
        lock=lock,
        lock_owner=owner,
        lock_holders=holders,
        deploys=deploys.running(),
        clearance=_clearance() if lock == of.HELD else None,
        crawls=crawls,
        crawls_problem=crawls_problem,
        webhook_there=os.path.isfile(WEBHOOK) and os.path.getsize(WEBHOOK) > 0,
    )


def _seen(found: Mapping[str, Mapping[str, Any]]) -> Seen:
    stand: Optional[standing.Standing] = (found["standing"]["data"] or {}).get("standing")
    deployed = found["deployment"]["data"] or {}
    if stand is not None and deployed.get("head") not in (None, stand.head):
        # It moved while it was read: what was read of the one is not true of the other.
        stand = None
    declared = deployed.get("environment") or {}
    reached = found["database"]["data"] or {}
    heads = (reached.get("schema") or {}).get("heads")
    states = (found["units"]["data"] or {}).get("units") or {}
    revisions = (found["rows"]["data"] or {}).get("revisions")
    return Seen(
        head=None if stand is None else stand.head,
        git_problem=_why(found["standing"]),
        dirty=None if stand is None else stand.differing,
        on_main=deployed.get("head_on_origin_main"),
        dependencies_met=declared.get("dependencies_met"),
        missing=tuple(declared.get("missing") or ()),
        database_reachable=reached.get("reachable"),
        database_problem=reached.get("detail") or _why(found["database"]),
        schema=None if revisions is None else tuple(revisions),
        schema_heads=None if heads is None else tuple(heads),
        api=_process(states, stand, API),
        worker=_process(states, stand, WORKER),
    )


def _standing(context: Context) -> Finding:
    """As a clearance looks at it, so that both mean the same by what is live."""
    try:
        return Finding({"standing": standing.look(context)}, [])
    except Refusal as refusal:
        return Finding(None, [Problem(refusal.code, str(refusal))])


def _clearance() -> Optional[str]:
    """Whose clearance it is that holds the lock, and until when."""
    if not os.path.isdir(runtime.DIRECTORY):
        # To look is not to create.
        return None
    try:
        found = permit.read()
    except Refusal:
        return None
    return None if found is None or found.seconds_left() <= 0 else "%s until %s" % (found.holder, found.expires_at)


def _process(states: Mapping[str, Any], stand: Optional[standing.Standing], name: str) -> Optional[Process]:
    state = states.get(name)
    if state is None:
        return None
    current = None if stand is None else stand.current(name)
    word = "restarting" if state["restarting"] else state["active_state"]
    return Process(state["load_state"] != "not-found", word, current)


def _why(found: Mapping[str, Any]) -> Optional[str]:
    return " ".join(problem["message"] for problem in found["problems"]) or None


def _owner(path: str) -> Optional[str]:
    try:
        return host.account_of(path).name
    except (OSError, KeyError):
        return None


def _lock(context: Context) -> Tuple[str, Optional[str], Tuple[str, ...]]:
    """The state of the deploy lock, whose file it is, and who holds it."""
    path = context.settings.deploy_lock_file
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return of.FREE, None, ()
    except OSError:
        return of.UNKNOWN, None, ()
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = "account %d" % status.st_uid
    state = locks.state(path)
    if state == "held":
        return of.HELD, owner, locks.holders(path)
    if not stat.S_ISREG(status.st_mode) or owner != context.settings.service_user:
        return of.FOREIGN, owner, ()
    return (of.FREE if state in ("free", "absent") else of.UNKNOWN), owner, ()


def _sudo(context: Context) -> Finding:
    """Whether the service user may restart API and worker with sudo and without a password, as the script does."""
    for unit in (API, WORKER):
        argv = ["/usr/bin/sudo", "-n", "-l", "/usr/bin/systemctl", "restart", unit.rpartition(".")[0]]
        result = context.run(argv, _SECONDS, host.account(context.settings.service_user))
        if result.failure is not None:
            return Finding(None, [failed(result, "sudo -l")])
        if result.rc != 0:
            why = complaint(result.stderr)
            return Finding({"allowed": False}, [Problem("command_failed", why)] if why else [])
    return Finding({"allowed": True}, [])


def _held_jobs(context: Context) -> Set[int]:
    """The jobs whose lock somebody holds, in each directory where one may lie."""
    held: Set[int] = set()
    for directory in set(filter(None, environment.lock_directories(context).values())):
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(directory):
                match = _LOCK_NAME.fullmatch(name)
                if match and locks.state(os.path.join(directory, name)) == "held":
                    held.add(int(match.group(1)))
    return held


def _rows(context: Context) -> Finding:
    problem = context.database_problem()
    if problem is not None:
        return Finding(None, [problem])
    try:
        held = _held_jobs(context)
    except OSError as error:
        return Finding(None, [Problem("unreachable", "The job locks cannot be looked at: %s" % error)])
    result = context.run_service(rows.argv(context.settings, held), _SECONDS, production=True)
    if result.failure is not None:
        return Finding(None, [failed(result, "The question to the database")])
    if result.rc != 0:
        try:
            why = parse_database.failure_of(result.stderr)["detail"]
        except ParseError as error:
            why = str(error)
        return Finding(None, [Problem("command_failed", "The database gave no answer: %s" % why)])
    try:
        found = rows.parse(result.stdout)
    except ParseError as error:
        return Finding(None, [Problem(error.code, "The database gave no answer: %s" % error)])
    return Finding({"jobs": found.jobs, "revisions": found.revisions, "held": held}, [])


def _crawls(context: Context, found: Mapping[str, Any]) -> Tuple[Optional[Tuple[Crawl, ...]], Optional[str]]:
    data = found["data"]
    if data is None:
        return None, _why(found)
    directories = sorted(filter(None, set(environment.lock_directories(context).values())))
    known = {job.id: job for job in data["jobs"]}
    crawls: List[Crawl] = []
    for number in sorted(known.keys() | data["held"]):
        job = known.get(number) or rows.Job(number, "", None, None)
        lock = "held" if number in data["held"] else job_facts.lock_of(number, directories)
        # The answer has what ended between the two looks as well.
        if job.status == "running" or lock == "held":
            crawls.append(Crawl(number, job.name, job.source, job.status, lock))
    return tuple(crawls[:_MOST_CRAWLS]), None


def _commit(context: Context, ref: str) -> Finding:
    problems: List[Problem] = []
    try:
        repository = Repository(context, host.account_of(context.settings.checkout), problems)
    except (OSError, KeyError) as error:
        return Finding(None, [Problem("not_found", "The owner of the checkout is not known: %s" % error)])
    main = repository.main_of_origin()
    if main is None:
        return Finding(None, problems)
    # Beside the checkout, what main of the remote is now; the script itself fetches it into the checkout later.
    with repository.with_main_of_origin() as variables:
        if variables is None:
            return Finding(None, problems)
        return Finding(_described(repository, ref, main, variables), problems)


def _described(repository: Repository, ref: str, main: str, variables: Mapping[str, str]) -> Dict[str, Any]:
    named = repository.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}", variables=variables
    )
    # A tag object has an id of its own, which is no commit's.
    if named.rc != 0 or named.stdout.strip() != ref.encode("ascii"):
        known = False if named.failure is None else None
        return {"known": known, "on_main": None, "origin_main": main}
    found: Dict[str, Any] = {
        "known": True,
        "on_main": repository.is_ancestor(ref, main, variables),
        "origin_main": main,
    }
    ask = repository.ask
    # Here they are not followed; the service's script does.
    found["replaced"] = ask(lambda out: bool(out.strip()), "for-each-ref", "--count=1", "refs/replace/", variables=variables)
    subjects = ask(git.log_z, "log", "-1", *deployment.LOG_FORMAT, ref, "--", variables=variables)
    found["subject"] = subjects[0]["subject"] if subjects else None
    head = ask(git.commit, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")
    found["revisions"] = _revisions(repository, ref, variables)
    if head is None:
        return found
    found["newer"] = ask(git.count, "rev-list", "--count", "%s..%s" % (head, ref), "--", variables=variables)
    found["older"] = ask(git.count, "rev-list", "--count", "%s..%s" % (ref, head), "--", variables=variables)
    span = ("log", "-%d" % _MOST_SUBJECTS, *deployment.LOG_FORMAT, "%s..%s" % (head, ref), "--")
    found["subjects"] = [
        "%s %s" % (each["sha"][:12], each["subject"]) for each in ask(git.log_z, *span, variables=variables) or []
    ]
    there = _revisions(repository, head, variables)
    if found["revisions"] is not None and there is not None:
        found["new_revisions"] = sorted(set(found["revisions"]) - set(there))
    differing = repository.run(
        "diff", "--quiet", "--no-ext-diff", head, ref, "--", _UNIT_TEMPLATES, variables=variables
    )
    found["units_changed"] = differing.rc == 1
    return found


def _revisions(repository: Repository, commit: str, variables: Mapping[str, str]) -> Optional[List[str]]:
    """The migrations that a commit has; None where none was found, for then they are not where they are looked for."""
    result = repository.run(
        *(
            "grep",
            "-h",
            "-E",
            "--no-color",
            "--no-line-number",
            "--no-column",
            "-e",
            _REVISION_LINE,
            commit,
            "--",
            "*.py",
        ),
        variables=variables,
    )
    return parse_database.declared_revisions(result.stdout) or None if result.rc == 0 else None


def _known(found: Mapping[str, Any]) -> Commit:
    data = found["data"]
    if data is None:
        return Commit(None, None, _why(found) or "git does not say.")
    return Commit(
        known=data["known"],
        on_main=data["on_main"],
        problem=None,
        origin_main=data["origin_main"],
        subject=data.get("subject"),
        newer=data.get("newer"),
        older=data.get("older"),
        subjects=tuple(data.get("subjects") or ()),
        revisions=None if data.get("revisions") is None else tuple(data["revisions"]),
        new_revisions=tuple(data.get("new_revisions") or ()),
        units_changed=bool(data.get("units_changed")),
        replaced=data.get("replaced"),
    )
