# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the drift check finds, what the policy demands, and how the paths are: read at one time, nothing is written.

Private to this collection.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .. import files, host, service
from ..parse import drift
from ..parse.errors import ParseError
from ..probe import Context, Problem, complaint, failed
from ..refusal import Refusal
from ..repository import Repository
from . import decide, policy
from . import files as paths

_CHECK_SECONDS = 45.0
_POLICY_SECONDS = 15.0
# Where the templates of units lie in the checkout.
_TEMPLATES = "docs/deployment/systemd"
_UNIT_SUFFIXES = (".service", ".timer", ".mount", ".target")
_MOST_TEMPLATES = 200
# The installer writes this one, too (contract 1.4, 3.5); under which name its template lies, the contract does not say.
_DROP_IN = "healtharchive-worker.service.d/override.conf"
# With git's name of what was read. By the service's interpreter: the one that runs us may be too old to read TOML.
_READ_POLICY = r"""
import hashlib, json, sys, tomllib
with open(sys.argv[1], "rb") as file:
    content = file.read(1024 * 1024)
digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
print(json.dumps({"digest": digest, "policy": tomllib.loads(content.decode("utf-8"))}, default=str))
"""


class Survey(NamedTuple):
    """``report`` as :mod:`..parse.drift` gives it; ``look`` of every path that a finding is about."""

    report: Mapping[str, Any]
    policy: policy.Policy
    look: paths.Look
    decision: decide.Decision


def survey(context: Context) -> Survey:
    """:class:`Refusal` where something is not certain."""
    report = check(context)
    demanded = _policy(context)
    about = {decide.path_of(each["key"], demanded)[0] for each in report["failures"]} - {""}
    look = paths.look(about)
    known = decide.Known(
        look.seen,
        paths.users(),
        paths.groups(),
        _installers(context),
        _templates(context),
        context.settings.ops_directory,
        context.settings.checkout,
    )
    return Survey(report, demanded, look, decide.decide(report["failures"], demanded, known))


def check(context: Context) -> Mapping[str, Any]:
    """The drift report, which its own JSON agrees with; :class:`Refusal`."""
    argv = service.check_baseline_drift(context.settings, "local", as_json=True)
    result = context.run_service(argv, _CHECK_SECONDS)
    if result.failure is not None:
        raise _unreadable(failed(result, "check_baseline_drift.py").message)
    try:
        return drift.drift_report_with_json(result.stdout, result.rc)
    except ParseError as error:
        said = complaint(result.stderr)
        raise _unreadable("%s.%s" % (str(error).rstrip("."), " Its last words: " + said if said else "")) from error


def _unreadable(why: str) -> Refusal:
    return Refusal(
        "drift_unreadable",
        "Whether the host is what its policy says is not known. %s" % why,
        "See what the check says by hand; triage prints the command, which writes nothing.",
    )


def _policy(context: Context) -> policy.Policy:
    """As HEAD of the checkout has it: what was edited on the host is no policy."""
    path = "%s/%s" % (context.settings.checkout, policy.PATH)
    result = context.run_service([context.settings.python, "-I", "-S", "-c", _READ_POLICY, path], _POLICY_SECONDS)
    if result.failure is not None or result.rc != 0:
        why = failed(result, "It").message if result.failure is not None else complaint(result.stderr)
        raise _no_policy("it cannot be read: %s" % why)
    try:
        found = policy.parse(result.stdout)
    except ParseError as error:
        raise _no_policy(str(error)) from error
    problems: List[Problem] = []
    try:
        owner = host.account_of(context.settings.checkout)
    except (OSError, KeyError) as error:
        raise _no_policy("whose the checkout is cannot be told: %s" % error) from error
    committed = Repository(context, owner, problems).ask(_digest, "rev-parse", "--verify", "HEAD:" + policy.PATH)
    if committed is None:
        raise _no_policy("git does not say what HEAD has: %s" % (problems[0].message if problems else "nothing"))
    if committed != found.digest:
        raise Refusal(
            "policy_changed",
            "%s of the checkout is not what HEAD has: somebody has edited it on the host." % policy.PATH,
            "A policy is changed in the repository, and deployed. See who did: git diff HEAD -- %s" % policy.PATH,
        )
    return found


def _digest(stdout: bytes) -> str:
    return stdout.decode("ascii", "replace").strip()


def _no_policy(why: str) -> Refusal:
    return Refusal(
        "policy_unreadable",
        "What the host should be is not known: the policy %s: %s." % (policy.PATH, why.rstrip(".")),
        "See what is wrong with it in the checkout; without it nothing is put back.",
    )


def _installers(context: Context) -> FrozenSet[str]:
    return frozenset(
        name for name in (decide.OPS, decide.UNITS) if os.path.isfile(context.settings.script(name))
    )  # fmt: skip


def _templates(context: Context) -> Dict[str, Optional[bool]]:
    """What the installer of units would write: whether the host has the same, None where it has none."""
    templates = templates_of(context.settings.checkout)
    found = {name: _is_same(name, [content]) for name, content in templates.items() if name.endswith(_UNIT_SUFFIXES)}
    drop_in = _is_same(_DROP_IN, list(templates.values())) if templates else None
    return found if drop_in is None else {**found, _DROP_IN: drop_in}


def templates_of(checkout: str) -> Dict[str, bytes]:
    """The files in the directory of templates, and one below it."""
    names = _names("%s/%s" % (checkout, _TEMPLATES))
    names += [
        "%s/%s" % (name, inner)
        for name in names
        if name.endswith(".d")
        for inner in _names("%s/%s/%s" % (checkout, _TEMPLATES, name))
    ]
    found: Dict[str, bytes] = {}
    for name in names[:_MOST_TEMPLATES]:
        with contextlib.suppress(OSError):
            found[name] = files.read_below(checkout, "%s/%s" % (_TEMPLATES, name))
    return found


def _names(directory: str) -> List[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _is_same(name: str, contents: Sequence[bytes]) -> Optional[bool]:
    try:
        return files.read_regular(decide.UNIT_DIRECTORY + name) in contents
    except FileNotFoundError:
        return None
    except OSError:
        return False


def subjects_of(decision: decide.Decision) -> Tuple[str, ...]:
    return tuple(
        "path " + path
        for path in [
            *(each.path for each in decision.steps),
            *(path for each in decision.installs for path in each.paths),
        ]
    )
