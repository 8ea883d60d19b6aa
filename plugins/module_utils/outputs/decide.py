# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with each output directory, and what a person does about it. Pure. Private to this collection.

A program binds an empty directory to its place on the storage box, and gives a job its attempts back when its directory can be
written again. Whatever would copy, move or delete files of the archive, or give them another owner, is a person's: each finding
comes with the exact commands, and with what must be seen before the next one is typed (contract 4.4, 4.11; incident I3).
"""

from __future__ import annotations

import shlex
from typing import Dict, List, NamedTuple, Tuple, Union

from ..refusal import Refusal
from .facts import Directory, Facts

KEEP, BIND, RESET, PERSON, STORAGE, UNKNOWN = "keep", "bind", "reset", "person", "storage", "unknown"
_DEAD = ("stale", "hung", "error")
_FREE = ("free", "absent")
_BOX_FILE = "/etc/healtharchive/storagebox.env"
_WAITING = ("failed", "retryable")


class Verdict(NamedTuple):
    """What is done with the directory of a job, and why. ``commands``: what a person types, in this order; ``checks``: what must
    be true before the next one, or afterwards."""

    do: str
    why: str = ""
    commands: Tuple[str, ...] = ()
    checks: Tuple[str, ...] = ()

    def described(self) -> Dict[str, object]:
        return {"why": self.why, "commands": list(self.commands), "checks": list(self.checks)}

    def sentence(self) -> str:
        return "%s Type: %s. Then see: %s" % (self.why, "; ".join(self.commands), " ".join(self.checks))


class Call(NamedTuple):
    """One call of the annual tiering, and what it must bind: hot path -> cold path, and nothing else."""

    year: int
    source: str
    binds: Dict[str, str]


class Decision(NamedTuple):
    """``calls`` bind directories, ``resets`` are jobs that get their attempts back, ``persons`` are told."""

    calls: Tuple[Call, ...]
    resets: Tuple[Directory, ...]
    persons: Dict[int, Verdict]


class Nothing(NamedTuple):
    """Every directory that was seen is as it should be."""

    detail: str


def verdict(facts: Facts, each: Directory) -> Verdict:
    """What to do with one directory."""
    if each.path is None or each.state is None:
        return Verdict(UNKNOWN, "Where it lies, or what state it is in, could not be seen.")
    if each.state in _DEAD:
        return Verdict(STORAGE, "It does not answer (%s)." % each.state)
    if each.year is not None and each.tier in ("local", "no_directory"):
        return _not_on_the_box(facts, each)
    if each.year is not None and each.tier is None:
        return Verdict(UNKNOWN, "Whether it lies on the storage box could not be seen.")
    if each.state != "ok":
        # Not annual, and not there: the crawl makes it.
        return Verdict(KEEP)
    if each.writable is None:
        return Verdict(UNKNOWN, "Whether %s may write there could not be seen." % facts.user)
    if each.writable is False:
        return _not_writable(facts, each)
    return _writable(each)


def _writable(each: Directory) -> Verdict:
    spent = each.status in _WAITING and (each.status == "failed" or bool(each.retry_count))
    if not spent or each.failed_on_it is False or each.lock == "held":
        return Verdict(KEEP)
    if each.failed_on_it is None:
        return Verdict(UNKNOWN, "Whether its attempts failed because it could not be written was not seen.")
    if each.lock not in _FREE:
        return Verdict(UNKNOWN, "Whether somebody holds the lock of the job could not be seen.")
    if each.parked is not None:
        return Verdict(
            PERSON,
            each.parked,
            ("sudo journalctl --unit healtharchive-worker.service --lines=100 --no-pager",),
            ("What its last attempt failed of is not what this would mend again.",),
        )
    return Verdict(RESET, "Its attempts failed because it could not be written, and now it can.")


def _not_writable(facts: Facts, each: Directory) -> Verdict:
    path, user = shlex.quote(str(each.path)), facts.user
    seen = "sudo -u %s touch %s/.written && sudo -u %s rm %s/.written" % (user, path, user, path)
    if (each.fstype or "").startswith("fuse"):
        return Verdict(
            PERSON,
            "%s may not write in it, and it is a mount of %s (%s): it belongs to another user there. chown is refused by design."
            % (user, each.fstype, each.options or "its options are not known"),
            (
                "findmnt --target %s --output TARGET,SOURCE,FSTYPE,OPTIONS" % path,
                "id %s; sudo grep -E 'STORAGEBOX_(UID|GID)' %s" % (user, _BOX_FILE),
                "sudoedit %s" % _BOX_FILE,
                seen,
            ),
            (
                "The two numbers must be those of %s. If they were others, pause the worker and restart "
                "healtharchive-storagebox-sshfs.service." % user,
                "That leaves every hot path stale: the playbook recover_storage binds them again.",
                "It is mended when the last one writes.",
            ),
        )
    return Verdict(
        PERSON,
        "%s may not write in it: something ran there as another user. Whose files these are only you can tell." % user,
        (
            "sudo namei -l %s" % path,
            "sudo find %s -xdev ! -user %s -ls | head -50" % (path, user),
            "sudo find %s -xdev -user root -exec chown --no-dereference %s: {} +" % (path, user),
            seen,
        ),
        (
            "Nothing may crawl it meanwhile, and the second command must show only what the crawl itself has made.",
            "It is mended when the last one writes. Then plan again: the job gets its attempts back.",
        ),
    )


def _not_on_the_box(facts: Facts, each: Directory) -> Verdict:
    path = shlex.quote(str(each.path))
    tier = "sudo bash -c 'set -a; . %s; exec %s --year %s --sources %s \"$@\"' tiering"
    dry = tier % (facts.env_file, facts.tier_script, each.year, each.source)
    if each.status == "running" or each.lock not in _FREE:
        return Verdict(
            PERSON,
            "It is on the local disk, and something crawls or may crawl there (its lock is %s): the disk fills."
            % each.lock,
            ("df -h %s" % path, dry),
            (
                "Let it end, or stop it when you accept that (recover_stalled_crawl names what that hits). Then plan again.",
            ),
        )
    if each.campaign == "lost":
        return Verdict(
            PERSON,
            "It belongs on the storage box, and its job has lost its campaign metadata: the annual tiering does not know it, "
            "says that there is nothing to do, and ends with 0.",
            (
                "sudo -u %s bash -c 'set -a; . %s; exec %s reconcile-annual-tool-options --year %s --sources %s'"
                % (facts.user, facts.env_file, facts.cli, each.year, each.source),
            ),
            (
                "It is a dry run: each line `key: old -> new` must be what you want, and the campaign's four keys among them.",
                "Then the playbook reconcile_config plans each key, sets it and reads it back. After it, plan again.",
            ),
        )
    if each.tier == "no_directory":
        return Verdict(
            PERSON,
            "It is not there, so that the worker would crawl onto the local disk without asking.",
            (
                "sudo systemctl stop healtharchive-worker.service",
                dry,
                dry + " --apply",
                "findmnt %s" % path,
                "sudo systemctl start healtharchive-worker.service",
            ),
            (
                "No crawl may be running when the worker is stopped. The dry run must name this one path.",
                "findmnt must show fuse.sshfs before the worker is started.",
            ),
        )
    if each.entries is None:
        return Verdict(UNKNOWN, "What lies in it could not be seen.")
    if each.entries:
        return _copy(facts, each, dry)
    tiering = facts.tiering.get((each.year or 0, each.source or ""))
    if tiering is None or tiering.problem is not None:
        why = "nobody asked" if tiering is None else str(tiering.problem)
        return Verdict(UNKNOWN, "What the annual tiering would do is not known: %s." % why.rstrip("."))
    if str(each.path) not in tiering.binds:
        return Verdict(
            PERSON,
            "It is on the local disk and empty, and the annual tiering does not take it: its job was not made on the first two "
            "days of the year, or its source is another.",
            (dry, "findmnt %s" % path),
            (
                "Say also --created-after and --created-before, with days around that on which the job was made: then the dry "
                "run must say MOUNT for this path and no other. The same with --apply binds it, which findmnt shows.",
            ),
        )
    if set(tiering.binds) - _empty(facts, each):
        return Verdict(
            PERSON,
            "It is on the local disk and empty, and the annual tiering would bind others with it: %s."
            % ", ".join(sorted(set(tiering.binds) - _empty(facts, each))[:3]),
            (dry,),
            ("What lies in the others comes first: a mount over it would hide it.",),
        )
    return Verdict(BIND, "It is on the local disk, and empty.")


def _copy(facts: Facts, each: Directory, dry: str) -> Verdict:
    """Exact, and never done by us: what copies or deletes files of the archive is a person's (contract 4.5)."""
    path = shlex.quote(str(each.path))
    cold = shlex.quote("/".join([facts.box, *str(each.path).split("/")[-2:]]))
    return Verdict(
        PERSON,
        "It is on the local disk and %d entries lie in it: a mount over them would hide them." % (each.entries or 0),
        (
            "sudo systemctl stop healtharchive-worker.service",
            "sudo -u %s mkdir -p %s" % (facts.user, cold),
            "sudo rsync --recursive --links --times --ignore-existing --partial %s/ %s/" % (path, cold),
            "sudo rsync --recursive --links --times --checksum --dry-run --itemize-changes %s/ %s/" % (path, cold),
            "sudo mv %s %s.local && sudo -u %s mkdir %s" % (path, path, facts.user, path),
            dry + " --apply",
            "findmnt %s" % path,
            "sudo systemctl start healtharchive-worker.service",
        ),
        (
            "No crawl may be running when the worker is stopped.",
            "The fourth command must print nothing: every file is on the box, byte for byte.",
            "findmnt must show fuse.sshfs, and as %s a file must be written there." % facts.user,
            "%s.local is the way back (umount, rmdir, mv): it is deleted by you, when the next crawl has ended well, or never."
            % path,
        ),
    )


def _empty(facts: Facts, like: Directory) -> "set[str]":
    return {
        str(each.path)
        for each in facts.directories
        if (each.year, each.source) == (like.year, like.source)
        and each.tier == "local"
        and each.entries == 0
        and each.lock in _FREE
        and each.status != "running"
    }


def decide(facts: Facts) -> Union[Decision, Nothing, Refusal]:
    """The whole of it, or why nothing can be done."""
    verdicts = {each.job: verdict(facts, each) for each in facts.directories}
    of = {
        do: [each for each in facts.directories if verdicts[each.job].do == do]
        for do in (BIND, RESET, STORAGE, UNKNOWN)
    }
    if of[STORAGE]:
        first = of[STORAGE][0]
        return Refusal(
            "storage_first",
            "The output directory of job %d, %s, does not answer (%s): of no directory more can be said."
            % (first.job, first.path, first.state),
            "Bring storage back first (playbook recover_storage), then plan again.",
        )
    persons = {each.job: verdicts[each.job] for each in facts.directories if verdicts[each.job].do == PERSON}
    calls = _calls(facts, of[BIND])
    if calls or of[RESET]:
        persons.update((each.job, verdicts[each.job]) for each in of[UNKNOWN])
        return Decision(calls, tuple(of[RESET]), persons)
    if persons:
        return _needs_person(facts, persons)
    if of[UNKNOWN] or facts.truncated:
        told = [(each.job, verdicts[each.job].why) for each in of[UNKNOWN]] or [
            (0, "There are more jobs than were listed.")
        ]
        return Refusal(
            "evidence_missing",
            "Of job %d: %s Nothing is said to be well that was not seen." % told[0],
            "Run triage, which says why; then plan again.",
            jobs=dict(told),
        )
    return Nothing(
        "Every output directory that a job is to write in can be written by %s, and is where it belongs." % facts.user
    )


def _calls(facts: Facts, empty: List[Directory]) -> Tuple[Call, ...]:
    found: Dict[Tuple[int, str], Call] = {}
    for each in empty:
        key = (each.year or 0, each.source or "")
        found[key] = Call(*key, dict(facts.tiering[key].binds))
    return tuple(found[key] for key in sorted(found))


def _needs_person(facts: Facts, persons: Dict[int, Verdict]) -> Refusal:
    first = min(persons)
    paths = {each.job: each.path for each in facts.directories}
    others = "".join(" As well job %d: %s" % (job, found.why) for job, found in sorted(persons.items()) if job != first)
    return Refusal(
        "needs_person",
        "The output directory of job %d, %s: %s%s" % (first, paths[first], persons[first].why, others[:1000]),
        "Type: %s. %s" % ("; ".join(persons[first].commands), " ".join(persons[first].checks)),
        directories={str(job): {"path": paths[job], **found.described()} for job, found in sorted(persons.items())},
        next={
            "why": "A person's: one command after the other, and each only when what must be seen is seen.",
            "steps": [
                {"about": "job %d, %s" % (job, paths[job]), "commands": list(found.commands), "checks": list(found.checks)}
                for job, found in sorted(persons.items())
            ],
        },
    )
