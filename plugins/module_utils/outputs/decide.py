# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with each output directory, and what a person does about it. Pure. Private to this collection.

A program binds an empty directory to its place on the storage box, and gives a job its attempts back when its directory can be
written again. Whatever would copy, move or delete files of the archive, or give them another owner, is a person's: each finding
comes with the exact commands, and with what must be seen before the next one is typed (contract 4.4, 4.11; incident I3).
"""

from __future__ import annotations

import shlex
from typing import Any, Dict, List, NamedTuple, Tuple, Union

from ..by_hand import HAS_RSYNC, IN_THEIR_ORDER, ByHand, Step, run, see, sentence
from ..refusal import Refusal
from .facts import Directory, Facts

KEEP, BIND, RESET, PERSON, STORAGE, UNKNOWN = "keep", "bind", "reset", "person", "storage", "unknown"
_DEAD = ("stale", "hung", "error")
_FREE = ("free", "absent")
_WAITING = ("failed", "retryable")
# The worker, and what would start it again within two minutes (contract 1.4, 4.4).
_HELD = "healtharchive-worker-auto-start.timer healtharchive-worker.service"


class Verdict(NamedTuple):
    """What is done with the directory of a job, and why. ``steps``: what a person types and sees, in this order."""

    do: str
    why: str = ""
    steps: Tuple[Step, ...] = ()

    @property
    def commands(self) -> Tuple[str, ...]:
        return tuple(step.text for step in self.steps if step.do == "run")

    @property
    def checks(self) -> Tuple[str, ...]:
        return tuple(step.text for step in self.steps if step.do == "see")

    def described(self) -> Dict[str, object]:
        return {"why": self.why, "commands": list(self.commands), "checks": list(self.checks)}

    def sentence(self) -> str:
        return sentence(self.why, self.steps)

    def by_hand(self, subject: str) -> Dict[str, Any]:
        return ByHand(subject, self.why, self.steps).described()


class Call(NamedTuple):
    """One call of the annual tiering, and what it must bind: hot path -> cold path, no other. ``jobs``: whose they are."""

    year: int
    source: str
    binds: Dict[str, str]
    jobs: Tuple[int, ...] = ()


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
            (
                run("sudo journalctl --unit healtharchive-worker.service --lines 200 --no-pager"),
                see("What is different now? Without an answer it fails in the same way."),
            ),
        )
    return Verdict(RESET, "Its attempts failed because it could not be written, and now it can.")


def _not_writable(facts: Facts, each: Directory) -> Verdict:
    path, user = shlex.quote(str(each.path)), shlex.quote(facts.user)
    look = run("findmnt --target %s --output TARGET,SOURCE,FSTYPE,OPTIONS" % path)
    if "ro" in (each.options or "").split(","):
        return Verdict(
            PERSON,
            "%s may not write in it: what it lies on is mounted read-only." % facts.user,
            (
                look,
                run("sudo dmesg --ctime --level err,warn | tail -50"),
                see(
                    "Why comes first: a file system that was set read-only after an error is checked before it is written."
                ),
            ),
        )
    if (each.fstype or "").startswith("fuse"):
        return Verdict(
            PERSON,
            "%s may not write in it, and it is a mount of %s (%s): it belongs to another user there. chown is refused by design."
            % (facts.user, each.fstype, each.options or "its options are not known"),
            (
                look,
                run("sudo grep -E 'STORAGEBOX_(UID|GID)' /etc/healtharchive/storagebox.env; id %s" % user),
                see(
                    "They must be the two numbers of %s; if so, the cause is another one. Correct them, then:"
                    % facts.user
                ),
                run("sudoedit /etc/healtharchive/storagebox.env"),
                *_held(),
                run("sudo systemctl restart healtharchive-storagebox-sshfs.service"),
                see("Every hot path is dead now: recover_storage binds them again; run it before the worker starts."),
                _write(path, user),
                see("That must print nothing."),
                _given_back(),
            ),
        )
    return Verdict(
        PERSON,
        "%s may not write in it: something ran there as another user. Whose files these are only you can tell."
        % facts.user,
        (
            run("sudo namei -l %s" % path),
            run("sudo find %s -xdev ! -user %s -ls | head -50" % (path, user)),
            see(
                "Nothing may crawl it meanwhile, and the second command must show only what the crawl itself has made."
            ),
            run("sudo find %s -xdev -user root -exec chown --no-dereference %s: {} +" % (path, user)),
            _write(path, user),
            see("That must print nothing. Then plan again: the job gets its attempts back."),
        ),
    )


def _write(path: str, user: str) -> Step:
    return run("sudo -u %s touch %s/.written && sudo -u %s rm %s/.written" % (user, path, user, path))


def _held() -> Tuple[Step, ...]:
    return (
        run("systemctl is-active %s" % _HELD),
        see(
            "Leave out of the next command, and of the last one, what is inactive. A crawl of the worker ends with it."
        ),
        run("sudo systemctl stop %s" % _HELD),
    )


def _given_back() -> Step:
    return run("sudo systemctl start %s" % " ".join(reversed(_HELD.split())))


def _as_service(facts: Facts, user: str, command: str) -> str:
    """With the production environment; a file that cannot be read ends it, for without it the commands use an empty SQLite file
    and say that all is well (contract 1.3)."""
    inner = 'set -ea; . %s; exec %s "$@"' % (shlex.quote(facts.env_file), command)
    return "sudo -u %s bash -c %s -" % (shlex.quote(user), shlex.quote(inner))


def _not_on_the_box(facts: Facts, each: Directory) -> Verdict:
    path, user, source = shlex.quote(str(each.path)), shlex.quote(facts.user), shlex.quote(str(each.source))
    dry = _as_service(facts, "root", "%s --year %s --sources %s" % (facts.tier_script, each.year, source))
    if each.status == "running" or each.lock not in _FREE:
        return Verdict(
            PERSON,
            "It is on the local disk, and something crawls or may crawl there (its lock is %s): the disk fills."
            % each.lock,
            (
                run("df -h %s" % path),
                run(dry),
                see(
                    "Let it end, or stop it when you accept that (recover_stalled_crawl names what that hits). Then plan again."
                ),
            ),
        )
    if each.campaign == "lost":
        words = "reconcile-annual-tool-options --year %s --sources %s" % (each.year, source)
        return Verdict(
            PERSON,
            "It belongs on the storage box, and its job has lost its campaign metadata: the annual tiering does not know it, "
            "says that there is nothing to do, and ends with 0.",
            (
                run(_as_service(facts, facts.user, "%s %s" % (shlex.quote(facts.cli), words))),
                see("That is a dry run: each line `key: old -> new` must be what you want."),
                see("The playbook reconcile_config plans the same, sets it and reads it back; then plan again."),
            ),
        )
    bound = (
        run(dry),
        see("It must say MOUNT for this path, and for no other."),
        run(dry + " --apply"),
        run("findmnt %s" % path),
        see("That must show fuse.sshfs."),
        _write(path, user),
        see("That must print nothing."),
        _given_back(),
    )
    if each.tier == "no_directory":
        return Verdict(
            PERSON,
            "It is not there, so that the worker would crawl onto the local disk without asking.",
            (*_held(), *bound),
        )
    if each.entries is None:
        return Verdict(UNKNOWN, "What lies in it could not be seen.")
    if each.entries:
        return _copy(facts, each, bound)
    tiering = facts.tiering.get((each.year or 0, each.source or ""))
    if tiering is None or tiering.problem is not None:
        why = "nobody asked" if tiering is None else str(tiering.problem)
        return Verdict(UNKNOWN, "What the annual tiering would do is not known: %s." % why.rstrip("."))
    if str(each.path) not in tiering.binds:
        year = each.year or 0
        longer = "%s --created-after %d-01-01T00:00:00+00:00 --created-before %d-01-01T00:00:00+00:00" % (
            dry,
            year,
            year + 1,
        )
        return Verdict(
            PERSON,
            "It is on the local disk and empty, and the annual tiering does not take it: its job was not made on the first two "
            "days of the year, or its source is another.",
            (
                run(longer),
                see("It must say MOUNT for this path, and for no other."),
                run(longer + " --apply"),
                run("findmnt %s" % path),
                see("That must show fuse.sshfs."),
            ),
        )
    if set(tiering.binds) - _empty(facts, each):
        return Verdict(
            PERSON,
            "It is on the local disk and empty, and the annual tiering would bind others with it: %s."
            % ", ".join(sorted(set(tiering.binds) - _empty(facts, each))[:3]),
            (run(dry), see("What lies in the others comes first: a mount over it would hide it.")),
        )
    return Verdict(BIND, "It is on the local disk, and empty.")


def _copy(facts: Facts, each: Directory, bound: Tuple[Step, ...]) -> Verdict:
    """Exact, and never done by us: what copies or deletes files of the archive is a person's (contract 4.5).

    Whatever it is cut off in, the same commands can be typed again: no half of a file gets its name, and what was moved aside is
    not moved into what was moved aside before.
    """
    path, user = shlex.quote(str(each.path)), shlex.quote(facts.user)
    aside = shlex.quote(str(each.path) + ".local")
    cold = shlex.quote("/".join([facts.box, *str(each.path).split("/")[-2:]]))
    return Verdict(
        PERSON,
        "It is on the local disk and %d entries lie in it: a mount over them would hide them." % (each.entries or 0),
        (
            *HAS_RSYNC,
            *_held(),
            run("sudo -u %s mkdir -p %s" % (user, cold)),
            run("sudo rsync --recursive --links --times --ignore-existing %s/ %s/" % (path, cold)),
            run("sudo rsync --recursive --links --checksum --dry-run --itemize-changes %s/ %s/" % (path, cold)),
            see(
                "That must print nothing: each file is on the box, byte for byte. What it prints is another file there; which of "
                "the two is right only you know. Go on when it prints nothing."
            ),
            run("sudo mv --no-target-directory %s %s && sudo -u %s mkdir %s" % (path, aside, user, path)),
            *bound,
            see(
                "The way back, as long as no crawl writes there: sudo umount %s && sudo rmdir %s && "
                "sudo mv --no-target-directory %s %s" % (path, path, aside, path)
            ),
            see("%s is deleted by you when the next crawl has ended well, or never." % aside),
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
        jobs = found[key].jobs if key in found else ()
        found[key] = Call(*key, dict(facts.tiering[key].binds), (*jobs, each.job))
    return tuple(found[key] for key in sorted(found))


def _needs_person(facts: Facts, persons: Dict[int, Verdict]) -> Refusal:
    first = min(persons)
    paths = {each.job: each.path for each in facts.directories}
    others = "".join(" As well job %d: %s" % (job, found.why) for job, found in sorted(persons.items()) if job != first)
    return Refusal(
        "needs_person",
        "The output directory of job %d, %s: %s%s" % (first, paths[first], persons[first].why, others[:1000]),
        IN_THEIR_ORDER,
        by_hand=[found.by_hand("job %d, %s" % (job, paths[job])) for job, found in sorted(persons.items())],
        directories={str(job): {"path": paths[job], **found.described()} for job, found in sorted(persons.items())},
    )
