# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which finding of the drift check is put back by whom: owner and mode of what the policy names by us, what an installer of the
checkout owns by that installer, everything else by a person, with the command to begin with. Pure.

Private to this collection.
"""

from __future__ import annotations

import shlex
import stat
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..by_hand import ByHand, run
from ..parse.text import one_line
from .policy import Entry, Policy

OPS, UNITS = "vps-bootstrap-ops-dirs.sh", "vps-install-systemd-units.sh"
UNIT_DIRECTORY = "/etc/systemd/system/"
# What the installer of the ops directories makes no directory for (contract 3.5), and with which it is run without a word.
_NOT_OPS = ("preflight", "watchdog", "observability")
_OPS_DIRECTORY, _OPS_GROUP = "/srv/healtharchive/ops", "healtharchive"
_KINDS = ("owner", "group", "mode", "setgid")
_OTHER_KINDS = ("writable",)
_ENABLED = ":enabled"
_MESSAGE_LIMIT = 300


class Seen(NamedTuple):
    """A path as it is: ``kind`` is directory, file, absent, link (it, or one on the way), other or unseen. Then ``owner`` and
    ``group`` are names, or numbers where an account has none; ``names`` is how many it has in its file system, ``fstype`` what
    that is."""

    kind: str
    owner: str = ""
    group: str = ""
    mode: int = 0
    names: int = 1
    fstype: str = ""

    def described(self) -> Dict[str, Any]:
        return {"owner": self.owner, "group": self.group, "mode": "%04o" % self.mode}


class Step(NamedTuple):
    """A path that gets another owner, group or mode, and the findings that this answers."""

    path: str
    before: Seen
    after: Seen
    keys: Tuple[str, ...]


class Install(NamedTuple):
    """An installer that is run, for what is not there: ``paths`` by the findings that it answers."""

    script: str
    paths: Tuple[str, ...]
    keys: Tuple[str, ...]

    @property
    def enabling(self) -> Tuple[str, ...]:
        """The findings that may be there still when it has done all that it does: it enables nothing."""
        return tuple(key for key in self.keys if key.endswith(_ENABLED)) if self.script == UNITS else ()


class Left(NamedTuple):
    """A finding that is a person's: the check's own message, why, and the command to begin with."""

    message: str
    why: str
    command: str

    def told(self) -> str:
        return "%s. %s On the host: %s" % (self.message.rstrip("."), self.why, self.command)

    def by_hand(self, key: str) -> Dict[str, Any]:
        return ByHand(key, "%s. %s" % (self.message.rstrip("."), self.why), (run(self.command),)).described()


class Known(NamedTuple):
    """Beside the findings: paths as they are; accounts and groups that the host has; the installers that the checkout has; its
    templates of units, by whether the host has the same (None: it has none)."""

    seen: Mapping[str, Seen]
    users: FrozenSet[str]
    groups: FrozenSet[str]
    installers: FrozenSet[str]
    templates: Mapping[str, Optional[bool]]
    ops_directory: str
    checkout: str


class Decision(NamedTuple):
    steps: Tuple[Step, ...]
    installs: Tuple[Install, ...]
    left: Mapping[str, Left]


def path_of(key: str, policy: Policy) -> Tuple[str, str]:
    """The path of a finding on one, and which part of it is meant; empty for any other."""
    prefix, _colon, rest = key.partition(":")
    if prefix != "filesystem":
        return "", ""
    if rest in policy.paths:
        return rest, ""
    path, _colon, kind = rest.rpartition(":")
    return (path, kind) if path in policy.paths and kind in (*_KINDS, *_OTHER_KINDS) else ("", "")


def decide(failures: Sequence[Mapping[str, str]], policy: Policy, known: Known) -> Decision:
    """``failures``: of the drift report. Each of them is answered by one of the three."""
    keys: Dict[str, List[str]] = {}
    missing: Dict[str, List[Tuple[str, str]]] = {OPS: [], UNITS: []}
    left: Dict[str, Left] = {}
    messages = {each["key"]: one_line(each["message"], _MESSAGE_LIMIT) for each in failures}
    for key, message in messages.items():
        path, kind = path_of(key, policy)
        if path and kind in _KINDS:
            why = _untouchable(path, policy.paths[path], known)
            if why is None:
                keys.setdefault(path, []).append(key)
            else:
                left[key] = Left(message, *why)
            continue
        script, made = _installer(key, message, path, kind, policy, known)
        if script is not None:
            missing[script].append((key, made))
        else:
            left[key] = Left(message, *_person(key, message, path, policy, known))
    steps = tuple(
        Step(path, known.seen[path], wanted(known.seen[path], policy.paths[path]), tuple(found))
        for path, found in sorted(keys.items())
    )
    installs = tuple(
        Install(script, tuple(dict.fromkeys(path for _key, path in found)), tuple(key for key, _path in found))
        for script, found in missing.items()
        if found
    )
    return Decision(steps, installs, left)


def wanted(seen: Seen, entry: Entry) -> Seen:
    """A path as the policy has it; what the policy does not say stays."""
    mode = seen.mode if entry.mode is None else entry.mode
    return seen._replace(
        owner=entry.owner or seen.owner,
        group=entry.group or seen.group,
        mode=mode | stat.S_ISGID if entry.setgid else mode,
    )


def _untouchable(path: str, entry: Entry, known: Known) -> Optional[Tuple[str, str]]:
    """Why a person must see to it that a path gets its owner and mode, and where to look first; None: we may."""
    seen = known.seen.get(path, Seen("unseen"))
    look = "sudo namei --long -- %s" % shlex.quote(path)
    if seen.kind not in ("directory", "file"):
        words = {"link": "It, or a directory on the way, is a symbolic link: what it leads to is not changed by its name.",
                 "absent": "It is gone since.", "other": "It is neither a file nor a directory."}  # fmt: skip
        return words.get(seen.kind, "It could not be looked at in time."), look
    if seen.fstype.startswith("fuse") or seen.fstype in ("nfs", "nfs4", "cifs"):
        return (
            "It lies on a mount (%s) whose options say whose its files are: nothing is changed there." % seen.fstype,
            ("findmnt --target %s --output TARGET,SOURCE,FSTYPE,OPTIONS" % shlex.quote(path)),
        )
    if seen.kind == "file" and seen.names != 1:
        return "The file has %d names: which of them the policy means only you know." % seen.names, (
            "sudo stat -- %s" % shlex.quote(path)
        )
    for name, found, database in ((entry.owner, known.users, "passwd"), (entry.group, known.groups, "group")):
        if name is not None and name not in found:
            return "The host has no %s %s." % ("account" if database == "passwd" else "group", name), (
                "getent %s %s" % (database, shlex.quote(name))
            )
    special = wanted(seen, entry).mode & (stat.S_ISUID | (stat.S_ISGID if seen.kind == "file" else 0))
    if special:
        return "The policy wants a program that runs with another's rights: that is set by hand.", look
    return None


def _installer(key: str, message: str, path: str, kind: str, policy: Policy, known: Known) -> Tuple[Optional[str], str]:
    """The installer that makes what is not there, and the path that it makes; None: none, or not here."""
    if path and not kind and known.seen.get(path, Seen("unseen")).kind == "absent":
        below = path[len(known.ops_directory) + 1 :] if path.startswith(known.ops_directory + "/") else ""
        usual = (known.ops_directory, policy.ops_group) == (_OPS_DIRECTORY, _OPS_GROUP)
        if OPS in known.installers and usual and below and below.split("/")[0] not in _NOT_OPS:
            return OPS, path
    unit = unit_of(key)
    # It copies every template: only where that adds what is missing, and overwrites nothing that somebody has changed.
    if unit in known.templates and known.templates[unit] is None and UNITS in known.installers:
        if all(same is not False for same in known.templates.values()):
            return UNITS, UNIT_DIRECTORY + unit
    return None, ""


def unit_of(key: str) -> str:
    """The unit of a finding on one; empty for any other."""
    prefix, _colon, rest = key.partition(":")
    unit = rest[: -len(_ENABLED)] if rest.endswith(_ENABLED) else rest
    return unit if prefix == "systemd" else ""


def _person(key: str, message: str, path: str, policy: Policy, known: Known) -> Tuple[str, str]:
    """Why it is a person's, and the command to begin with."""
    prefix, _colon, name = key.partition(":")
    if path:
        return _path_by_hand(path, message, policy.paths[path], known)
    if prefix == "env" and name:
        return _variable(name, policy)
    if prefix in ("env", "env_read_error"):
        return (
            "Whose the environment file is, and where it went, comes first.",
            "sudo namei --long -- %s" % shlex.quote(policy.env_file),
        )
    if prefix == "operator_in_ops_group":
        words = (policy.ops_group, policy.operator_user)
        return (
            "An account's groups are a person's; what runs keeps those that it was started with.",
            "sudo usermod --append --groups %s %s" % tuple(map(shlex.quote, words)),
        )
    if prefix == "dependencies":
        return (
            "The deploy installs it: deploy_pinned_ref, and not pip by hand.",
            "git -C %s log --oneline -1" % shlex.quote(known.checkout),
        )
    if prefix == "systemd":
        return _unit(unit_of(key), known)
    if prefix == "hsts":
        caddyfile = shlex.quote(policy.caddyfile)
        return (
            "What the web server says only a person changes: edit, validate, then systemctl reload caddy.",
            "sudoedit %s && sudo caddy validate --config %s" % (caddyfile, caddyfile),
        )
    if prefix == "network":
        return "Which program listens there decides.", "sudo ss --listening --tcp --numeric --processes"
    if prefix in ("http", "cors"):
        return (
            "What the API answers follows from its environment file and its restart.",
            "systemctl status healtharchive-api.service --no-pager --lines=20",
        )
    checkout = shlex.quote(known.checkout)
    return (
        "Nothing here owns it: see the service's guide on baseline drift.",
        "%s/.venv/bin/python3 %s/scripts/check_baseline_drift.py --no-write" % (checkout, checkout),
    )


def _path_by_hand(path: str, message: str, entry: Entry, known: Known) -> Tuple[str, str]:
    quoted = shlex.quote(path)
    if known.seen.get(path, Seen("unseen")).kind != "absent":
        return "Owners and modes on the way to it decide.", "sudo namei --long -- %s" % quoted
    if path.startswith("/etc/healtharchive/") and path.endswith("-enabled"):
        return (
            "This file switches an automation on by being there: whether it shall be on only you know.",
            "sudo install --owner=root --group=root --mode=0644 /dev/null %s" % quoted,
        )
    said = [
        *(["--owner=" + entry.owner] if entry.owner else []),
        *(["--group=" + entry.group] if entry.group else []),
        *(["--mode=%04o" % entry.mode] if entry.mode is not None else []),
    ]
    return (
        "No installer of the checkout makes it. Where it went, and whether what was in it is needed, comes first. Anew:",
        " ".join(["sudo install --directory", *map(shlex.quote, said), quoted]),
    )  # fmt: skip


def _variable(name: str, policy: Policy) -> Tuple[str, str]:
    edit = "sudoedit %s" % shlex.quote(policy.env_file)
    value = policy.environment.get(name)
    if value is None:
        return "No program writes into the environment file, and no secret is shown here.", edit
    plain = value if shlex.quote(value) == value else '"%s"' % value
    return (
        "No program writes into the environment file. The line must read %s=%s; then restart the services when no crawl runs."
        % (name, plain),
        edit,
    )


def _unit(unit: str, known: Known) -> Tuple[str, str]:
    quoted = shlex.quote(unit)
    if known.templates.get(unit, True) is None:
        changed = sorted(name for name, same in known.templates.items() if same is False)
        why = (
            "%s would install it, and overwrite what is another one on the host: %s." % (UNITS, ", ".join(changed[:5]))
            if UNITS in known.installers and changed
            else "Its template is in the checkout, and no installer that could be run."
        )
        return why, "ls -l %s" % UNIT_DIRECTORY
    return "Was it disabled on purpose? If not, this starts nothing.", "sudo systemctl enable %s" % quoted
