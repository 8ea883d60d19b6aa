# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which paths are unmounted and bound again, which are left alone, and which need a person. Pure. Private to this collection.

Only what is confirmed as Errno 107 is ever unmounted, each path on its own, and only if it is known what it is, that nothing is
mounted below it, and that it can be bound again from where it was. A path that hangs is not: if it hangs with the base mount, the
base mount is made anew, and what then answers Errno 107 is dead for good.
"""

from __future__ import annotations

import shlex
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from ..by_hand import HAS_RSYNC, IN_THEIR_ORDER, ByHand, Step, run, see, sentence
from ..refusal import Refusal
from .facts import ABSENT, ANNUAL_UNIT, DEAD, LOOKING_UNITS, REPLAY_UNIT, SSHFS_UNIT, TIERING_UNIT, Base, Facts, Path

KEEP, UNMOUNT, AFTER_BASE, BIND, PERSON = "keep", "unmount", "after_base", "bind", "person"
LOCAL_FILES = "local_files"
# The worker, and what would start it again within two minutes (contract 1.4, 4.4).
_HELD = "healtharchive-worker-auto-start.timer healtharchive-worker.service"


class Verdict(NamedTuple):
    """What is done with a path, and why; ``steps``: what a person does about it, in this order."""

    do: str
    why: str = ""
    steps: Tuple[Step, ...] = ()

    @property
    def next_step(self) -> str:
        return sentence("", self.steps)

    def by_hand(self, subject: str) -> Dict[str, Any]:
        return ByHand(subject, self.why, self.steps).described()


class Annual(NamedTuple):
    """One call of the service's script, and the paths that it is called for."""

    year: int
    sources: Tuple[str, ...]
    paths: Tuple[str, ...]


class Decision(NamedTuple):
    """What is done, in this order. ``base``: None, ``restart``, or ``unmount_restart``. ``binds``: hot path -> cold path of all
    that is to be a mount in the end; ``by_manifest``: whether the manifest's script binds its own, else each is bound by itself.
    ``direct``: the paths that no script is sure to bind. ``owed``: hot path -> cold path of what a recovery that was cut off has
    bound again; what comes after that, the proof first, may not have been done."""

    base: Optional[str]
    unmounts: Tuple[str, ...]
    after_base: Tuple[str, ...]
    binds: Dict[str, str]
    manifest: Tuple[str, ...]
    by_manifest: bool
    annual: Tuple[Annual, ...]
    direct: Tuple[str, ...]
    reset: Tuple[str, ...]
    start_tiering: bool
    restart_replay: bool
    persons: Dict[str, Verdict]
    owed: Dict[str, str] = {}

    @property
    def mounts(self) -> bool:
        """Whether a mount is changed, and not only a unit."""
        return bool(self.base or self.binds)

    @property
    def proven(self) -> Dict[str, str]:
        """What must be seen to be well before a job is given back."""
        return {**self.owed, **self.binds}


class Nothing(NamedTuple):
    """Every mount is as it should be."""

    detail: str


def verdict(path: Path, base: Base) -> Verdict:
    """What to do with one path."""
    findmnt = run("findmnt %s" % shlex.quote(path.path))
    if path.state is None:
        return Verdict(PERSON, "It could not be looked at.", (findmnt, see("Why does it not answer?")))
    if path.state == "ok":
        return Verdict(KEEP)
    if path.state in ABSENT:
        return _absent(path, base)
    if path.state == "other_mount":
        where = "something else than %s" % path.cold if path.cold else "something else than it should"
        return Verdict(
            PERSON,
            "It answers, and shows %s." % where,
            (findmnt, see("See who mounted it, and take it away when nobody uses it.")),
        )
    if path.state == "not_writable":
        return Verdict(
            PERSON,
            "It is mounted read-only.",
            (findmnt, see("See by what: it is mounted anew with other options, no unmount mends that.")),
        )
    dead = _dead(path)
    if dead is not None:
        return dead
    if path.state == "stale":
        # While the base mount is broken that is looked at when it is back, before anything is unmounted.
        if path.cold_there is not True and not broken(base):
            return Verdict(
                PERSON,
                "Its place on the storage box, %s, %s."
                % (path.cold, "is not there" if path.cold_there is False else "could not be looked at"),
                (
                    see(
                        "See what became of it on the box. Unmounted now, it would be a plain directory of the local disk."
                    ),
                ),
            )
        return Verdict(UNMOUNT, "It answers Errno 107, and shows %s." % path.cold)
    if broken(base) and path.shared:
        return Verdict(AFTER_BASE, "It does not answer, as the base mount does not, of whose file system it is.")
    words = "It hangs" if path.state == "hung" else "It answers with an error that is not Errno 107"
    return Verdict(
        PERSON,
        "%s, while the base mount answers or is of another file system: what is not confirmed as dead is not unmounted."
        % words,
        (
            findmnt,
            run("ps -C sshfs -o pid,stat,args"),
            see("See what serves it. When that process has ended it answers Errno 107: plan again then."),
        ),
    )


def broken(base: Base) -> bool:
    """Whether the base mount is itself unreadable."""
    return base.state in (*DEAD, *ABSENT)


def _dead(path: Path) -> Optional[Verdict]:
    """Why a path that does not answer is not touched all the same; None: it may be."""
    quoted = shlex.quote(path.path)
    umount = (see("By hand, when it is known what that hits:"), run("sudo umount %s" % quoted))
    if path.above is not None:
        return Verdict(
            PERSON,
            "It lies below %s, which does not answer itself, so nothing can be said of it." % path.above,
            (see("First %s, then plan again." % path.above),),
        )
    if path.layers == 0:
        return Verdict(
            PERSON,
            "It does not answer, and is no mount.",
            (run("sudo dmesg --ctime | tail -50"), run("findmnt --target %s" % quoted), see("See what the disk says.")),
        )
    if path.below:
        return Verdict(
            PERSON,
            "Mounts lie below it (%s), and a parent is never unmounted." % ", ".join(path.below),
            (see("Those first, by hand; then plan again."),),
        )
    if path.layers > 1:
        return Verdict(PERSON, "%d mounts lie over each other there." % path.layers, umount)
    if path.kind == "other":
        return Verdict(PERSON, "Neither the manifest nor a job knows it.", umount)
    if path.cold is None or path.bound_from != path.cold:
        shown = path.bound_from or "nothing of the storage box"
        return Verdict(PERSON, "It shows %s, and should show %s." % (shown, path.cold or "what, is not known"), umount)
    return None


def _absent(path: Path, base: Base) -> Verdict:
    if path.layers and path.state == "missing":
        # The kernel's table has a mount there, and the path is not there: something was mounted or moved over it.
        return Verdict(
            PERSON,
            "A mount is there by the kernel's table, and the path itself is not: another mount hides it.",
            (
                run("findmnt --target %s" % shlex.quote(path.path.rpartition("/")[0] or "/")),
                see("See what lies over it, and take that away when it is known what it hits."),
            ),
        )
    if not path.expected or path.cold is None:
        return Verdict(KEEP)
    if path.entries:
        return Verdict(
            LOCAL_FILES, "It is no mount, and on the local disk lies something in it.", _moved_aside(path.path)
        )
    if path.cold_there is False and not broken(base):
        return Verdict(
            PERSON,
            "Its place on the storage box, %s, is not there." % path.cold,
            (see("See what became of it on the box, or correct the manifest."),),
        )
    return Verdict(BIND, "It is no mount, and should show %s." % path.cold)


def _moved_aside(path: str) -> Tuple[Step, ...]:
    """Exact, and never done by us: what copies files of the archive is a person's (contract 4.5). Typed twice it does no harm."""
    here, aside = shlex.quote(path), shlex.quote(path + ".local")
    return (
        *HAS_RSYNC,
        run("sudo find %s -xdev -ls | head -50" % here),
        see(
            "See what it is, and that no crawl writes there: the worker is stopped for it. Leave out what is inactive:"
        ),
        run("systemctl is-active %s" % _HELD),
        run("sudo systemctl stop %s" % _HELD),
        run(
            "sudo mv --no-target-directory %s %s && sudo mkdir %s && sudo chown --reference=%s %s"
            % (here, aside, here, aside, here)
        ),
        see(
            "Run this playbook again: it mounts over the empty directory. When it has, the next one must show fuse.sshfs:"
        ),
        run("findmnt %s && sudo rsync --recursive --links --times --ignore-existing %s/ %s/" % (here, aside, here)),
        run("sudo rsync --recursive --links --checksum --dry-run --itemize-changes %s/ %s/" % (aside, here)),
        see(
            "That must print nothing: each file is on the box, byte for byte. What it prints is another file there; which of the "
            "two is right only you know."
        ),
        run("sudo systemctl start %s" % " ".join(reversed(_HELD.split()))),
        see("%s is deleted by you when the next crawl has ended well, or never." % aside),
    )


def decide(facts: Facts) -> Union[Decision, Nothing, Refusal]:
    """The whole of it, or why nothing can be done."""
    base = facts.base
    verdicts = {path.path: verdict(path, base) for path in facts.paths}
    refusal = _refused(facts, verdicts)
    if refusal is not None:
        return refusal
    by_path = {path.path: path for path in facts.paths}
    of = {name: tuple(p for p, v in sorted(verdicts.items()) if v.do == name) for name in (UNMOUNT, AFTER_BASE, BIND)}
    persons = {path: found for path, found in sorted(verdicts.items()) if found.do == PERSON}
    binds = {path: str(by_path[path].cold) for name in (UNMOUNT, AFTER_BASE, BIND) for path in of[name]}
    manifest = tuple(path for path in sorted(binds) if by_path[path].kind == "manifest")
    # The script ends at the first line whose path does not answer, and what comes after it is left (contract 3.5).
    stops = any(by_path[path].kind == "manifest" and by_path[path].state in DEAD for path in persons)
    by_manifest = bool(manifest) and not stops
    annual = _annual(facts, binds)
    sure = {path for each in annual for path in each.paths if facts.tiered is not None and path in facts.tiered}
    direct = tuple(path for path in sorted(binds) if path not in sure and not (by_manifest and path in manifest))
    restarted = _base(base)
    units = facts.units
    tiering = units.get(TIERING_UNIT)
    failed = tuple(name for name in (ANNUAL_UNIT, *LOOKING_UNITS) if name in units and units[name].active == "failed")
    start_tiering = (
        tiering is not None
        and tiering.load == "loaded"
        and not stops
        and (
            tiering.active == "failed"
            or (tiering.active == "inactive" and facts.starting)
            or (bool(restarted) and facts.with_manifest)
        )
    )
    owed = {
        p: str(by_path[p].cold) for p in facts.begun if p in by_path and by_path[p].state == "ok" and by_path[p].cold
    }
    changed = bool(restarted or binds or owed)
    replay = units.get(REPLAY_UNIT)
    decision = Decision(
        restarted,
        of[UNMOUNT],
        of[AFTER_BASE],
        binds,
        manifest,
        by_manifest,
        annual,
        direct,
        failed if changed or start_tiering else (),
        start_tiering,
        changed and replay is not None and replay.load == "loaded" and replay.active == "active",
        persons,
        owed,
    )
    if changed or start_tiering:
        return decision
    if persons:
        return _needs_person(persons)
    return Nothing("The storage box answers, and every hot path shows its place on it.")


def _refused(facts: Facts, verdicts: Dict[str, Verdict]) -> Optional[Refusal]:
    unseen = [path.path for path in facts.paths if path.state is None]
    if facts.base.state is None:
        unseen.insert(0, facts.base.path)
    if unseen:
        return Refusal(
            "evidence_missing",
            "What state %s is in could not be seen, so nothing is done." % _listed(unseen),
            "Run triage, which says why; then plan again.",
            paths=unseen,
        )
    local = {path: found for path, found in sorted(verdicts.items()) if found.do == LOCAL_FILES}
    if local:
        first = next(iter(local))
        return Refusal(
            "local_files_in_the_way",
            "%s: %s A mount over it would hide that, and what would copy or delete files of the archive is for a person."
            % (first, local[first].why),
            IN_THEIR_ORDER,
            by_hand=[found.by_hand(path) for path, found in local.items()],
            paths={path: found.next_step for path, found in local.items()},
        )
    return _base_refused(facts)


def _base_refused(facts: Facts) -> Optional[Refusal]:
    base, unit = facts.base, facts.units.get(SSHFS_UNIT)
    if base.state == "not_writable":
        return Refusal(
            "needs_person",
            "The storage box is mounted read-only.",
            "See why (findmnt %s), and mount it anew when that is known." % base.path,
        )
    if not broken(base):
        return None
    if unit is None or unit.load != "loaded":
        return Refusal(
            "storage_unit_missing",
            "The storage box does not answer, and %s, which mounts it, %s."
            % (SSHFS_UNIT, "is not there" if unit is None else "is %s" % unit.load),
            "See what mounts it on this host: findmnt %s" % base.path,
        )
    if base.state == "not_mounted" and base.files is not False:
        return _over_files(base)
    alive = sorted(path.path for path in facts.paths if path.state == "ok" and path.shared)
    if alive:
        return Refusal(
            "needs_person",
            "The base mount %s does not answer (%s), and %s does, which the same process may serve: a restart would end it."
            % (base.path, base.state, _listed(alive)),
            "See which process serves what (findmnt --types fuse.sshfs; ps -C sshfs -o pid,args), and mount the base by hand.",
        )
    if base.state == "stale" and (base.layers != 1 or base.below):
        return Refusal(
            "needs_person",
            "The base mount %s is dead, and %s: it is not unmounted by itself."
            % (
                base.path,
                "other mounts lie below it" if base.below else "%d mounts lie over each other there" % base.layers,
            ),
            "Look at them (findmnt --submounts %s) and unmount them by hand, the innermost first." % base.path,
        )
    return None


def _over_files(base: Base) -> Refusal:
    if base.files is None:
        return Refusal(
            "evidence_missing",
            "Nothing is mounted at %s, and whether files lie there on the local disk could not be seen." % base.path,
            "Look at it by hand (sudo find %s -xdev -type f); then plan again." % shlex.quote(base.path),
        )
    why = "The storage box is not mounted, and files lie in its place on the local disk."
    return Refusal(
        "local_files_in_the_way",
        "%s: %s A mount over it would hide them, and what would copy or delete files of the archive is for a person."
        % (base.path, why),
        IN_THEIR_ORDER,
        by_hand=[Verdict(LOCAL_FILES, why, _moved_aside(base.path)).by_hand(base.path)],
    )


def _base(base: Base) -> Optional[str]:
    if not broken(base):
        return None
    return "unmount_restart" if base.state == "stale" else "restart"


def _annual(facts: Facts, binds: Dict[str, str]) -> Tuple[Annual, ...]:
    """One call for each year. A path that the script does not know is bound directly: it is not called for that."""
    years: Dict[int, List[Tuple[str, str]]] = {}
    for path in sorted(binds):
        campaign = facts.campaigns.get(path)
        if campaign is not None and (facts.tiered is None or path in facts.tiered):
            years.setdefault(campaign[0], []).append((campaign[1], path))
    return tuple(
        Annual(year, tuple(sorted({source for source, _path in found})), tuple(path for _source, path in found))
        for year, found in sorted(years.items())
    )


def _needs_person(persons: Dict[str, Verdict]) -> Refusal:
    first, *others = persons
    words = "".join(" As well %s: %s" % (path, persons[path].why) for path in others[:5])
    words += " And %d more." % (len(others) - 5) if len(others) > 5 else ""
    return Refusal(
        "needs_person",
        "%s is not well, and is nothing that may be unmounted or bound by a program: %s%s"
        % (first, persons[first].why, words),
        IN_THEIR_ORDER,
        by_hand=[found.by_hand(path) for path, found in persons.items()],
        paths={path: {"why": found.why, "next_step": found.next_step} for path, found in persons.items()},
    )


def _listed(paths: List[str]) -> str:
    return ", ".join(paths[:3]) + (" and %d more" % (len(paths) - 3) if len(paths) > 3 else "")
