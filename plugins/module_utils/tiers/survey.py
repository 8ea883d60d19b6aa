# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at the storage box and everything that is mounted from it. Nothing is changed. Private to this collection.

The kernel's table is read first, which touches no mount; then each path is looked at by a child that can be ended.
"""

from __future__ import annotations

import os
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .. import host, job_directories, killable, links, look, service
from ..parse import annual_tiering, job_config, mounts, systemd
from ..parse.errors import ParseError
from ..probe import Context, Problem, complaint, failed
from ..probes import storage
from ..refusal import Refusal
from . import facts
from .facts import Base, Facts, Path, UnitState

_FOLLOW_SECONDS = 3.0
_LOOK_SECONDS = 6.0
_SHOW_SECONDS = 10.0
TIERING_SECONDS = 30.0
# Directories of jobs that are looked at beside those that are mounts: the newest.
_JOB_DIRECTORIES = 40
_DIRECTORY_OF_BOX = "/jobs"

Entry = Mapping[str, str]
Table = Mapping[str, Sequence[Entry]]


# Directories alone are what the service's scripts make there; a mount over them hides nothing. More than can be looked at in that
# time is not nothing.
_HOLDS_FILES = r"""
import os
def fail(error):
    raise error
def answer(path):
    for number, (_directory, _names, files) in enumerate(os.walk(path, onerror=fail)):
        if files or number > 20000:
            return b"yes"
    return b"no"
"""


class Place(NamedTuple):
    """Where things are, as the kernel names them. ``manifest``: hot path -> cold path."""

    base: str
    root: str
    manifest: Mapping[str, str]
    with_manifest: bool


def survey(context: Context, kept: Mapping[str, str], of_jobs: Set[str]) -> Facts:
    """``kept``: what a recovery that was cut off had to mend, with its cold path. ``of_jobs``: output directories of jobs that
    matter now. :class:`Refusal`."""
    place = where(context)
    kept = {hot: cold for hot, cold in kept.items() if hot.startswith(place.root + "/")}
    table = mounted()
    listed = job_directories.newest(place.root, _JOB_DIRECTORIES, context.seconds(_FOLLOW_SECONDS))
    campaigns = _campaigns(place.root, [*table, *(listed or []), *kept])
    points = {point for point in table if point.startswith(place.root + "/")}
    units = unit_states(context)
    wanted = {*points, *place.manifest, *kept, *campaigns}
    paths = _paths(context, place, table, wanted, kept, of_jobs, campaigns)
    base = _base(context, place, table)
    if base.state == "not_mounted":
        base = base._replace(files=_holds_files(context, base.path))
    found = Facts(base, paths, units, None, campaigns, place.with_manifest, tuple(sorted(kept)))
    if base.state != "ok" or any(path.state == "hung" for path in paths):
        # It lists each directory, and would hang with it.
        return found
    tiered = _tiered(context, campaigns)
    beyond = {path for path in tiered.known if path.startswith(place.root + "/")} - wanted
    if beyond:
        campaigns = {**campaigns, **_campaigns(place.root, beyond)}
        paths = _paths(context, place, table, wanted | beyond, kept, of_jobs, campaigns)
    paths = tuple(_expected(path, tiered) for path in paths)
    paths = _evident(context, paths)
    paths = _with_cold(context, paths)
    return found._replace(paths=paths, tiered=tuple(sorted(tiered.known)), campaigns=campaigns)


def where(context: Context) -> Place:
    """:class:`Refusal` where a link on the way cannot be followed, or the manifest is not what the script can read."""
    settings = context.settings
    problems: List[Problem] = []
    written, said = storage.manifest(settings.tiering_manifest, problems)
    if problems:
        raise Refusal(
            "manifest_unusable",
            problems[0].message,
            "Correct %s: the service's own script ends at such a line, and leaves what comes after it."
            % settings.tiering_manifest,
        )
    followed = links.follow([settings.storage_mount, settings.archive_root, *written], context.seconds(_FOLLOW_SECONDS))
    lost = sorted(path for path in (settings.storage_mount, settings.archive_root) if followed[path] is None)
    if lost:
        raise Refusal(
            "evidence_missing",
            "Where %s leads could not be told." % lost[0],
            "Something hangs on the way there. Run triage; look with findmnt.",
        )
    base, root = str(followed[settings.storage_mount]), str(followed[settings.archive_root])
    manifest = {
        str(followed[hot] or hot): storage.below(base, settings.storage_mount, cold) for hot, cold in written.items()
    }
    outside = sorted(hot for hot in manifest if not hot.startswith(root + "/"))
    if outside:
        raise Refusal(
            "manifest_unusable",
            "The manifest names %s, which is not below %s." % (outside[0], root),
            "Correct %s: nothing outside of the archive is mounted or unmounted here." % settings.tiering_manifest,
        )
    return Place(base, root, manifest, bool(said["exists"]))


def mounted() -> Dict[str, List[Entry]]:
    """Mount point -> the mounts there, the oldest first. :class:`Refusal`."""
    try:
        with open("/proc/self/mountinfo", "rb") as handle:
            entries = mounts.mountinfo(handle.read())
    except (OSError, ParseError) as error:
        raise Refusal(
            "mounts_unreadable", "The kernel's table of mounts cannot be read: %s." % error, "Look by hand: findmnt"
        ) from error
    found: Dict[str, List[Entry]] = {}
    for entry in entries:
        found.setdefault(entry["mount_point"], []).append(entry)
    return found


def unit_states(context: Context, names: Sequence[str] = facts.UNITS) -> Dict[str, UnitState]:
    """:class:`Refusal` where systemd does not say."""
    properties = "--property=" + ",".join(systemd.PROPERTIES)
    argv = ["/usr/bin/systemctl", "show", *names, "--no-pager", "--timestamp=unix", properties]
    result = context.run(argv, _SHOW_SECONDS)
    try:
        if result.rc != 0:
            raise ParseError("command_failed", complaint(result.stderr) or str(result.failure))
        shown = systemd.show(result.stdout)
        return {
            name: UnitState(properties["LoadState"], properties["ActiveState"])
            for name, properties in ((name, shown[name]) for name in names)
        }
    except (ParseError, KeyError) as error:
        raise Refusal(
            "unit_unreadable",
            "systemd does not say what state the storage's units are in: %s." % error,
            "See for yourself: systemctl status %s" % facts.SSHFS_UNIT,
        ) from error


def base_now(context: Context) -> Base:
    """The base mount alone, as it is now."""
    return _base(context, where(context), mounted())


def states(context: Context, paths: Sequence[str], binds: Mapping[str, str]) -> Dict[str, Optional[str]]:
    """What state these paths are in now; ``binds``: the cold path that each must show. By the kernel's table and a look."""
    place = where(context)
    table = mounted()
    looks = look.look(dict.fromkeys(paths), context.seconds(_LOOK_SECONDS))
    newest = {point: found[-1] for point, found in table.items()}
    return {
        path: storage.state_of(
            looks[path], True, newest.get(path), storage.expected(binds.get(path), place.base, newest)
        )
        for path in paths
    }


def _base(context: Context, place: Place, table: Table) -> Base:
    seen = look.look({place.base: None}, context.seconds(_LOOK_SECONDS))[place.base]
    found = table.get(place.base, ())
    below = tuple(sorted(point for point in table if point.startswith(place.base + "/")))
    return Base(place.base, storage.state_of(seen, True, found[-1] if found else None, None), len(found), below)


def _holds_files(context: Context, path: str) -> Optional[bool]:
    try:
        (answer,) = killable.ask(_HOLDS_FILES, [path], context.seconds(_LOOK_SECONDS), 10)
    except killable.NotAsked:
        return None
    return None if answer is None else answer == b"yes"


def _paths(
    context: Context,
    place: Place,
    table: Table,
    wanted: Set[str],
    kept: Mapping[str, str],
    of_jobs: Set[str],
    campaigns: Mapping[str, Tuple[int, str]],
) -> Tuple[Path, ...]:
    # What is no mount is listed whole: whether something lies in it decides.
    looks = look.look({path: None if path in table else "" for path in wanted}, context.seconds(_LOOK_SECONDS))
    newest = {point: found[-1] for point, found in table.items()}
    silent = {path for path in wanted if path in table and (looks[path].hung or looks[path].errno is not None)}
    found: List[Path] = []
    for path in sorted(wanted):
        kind = _kind(path, place, kept, of_jobs, campaigns)
        cold = _cold(path, place, kept)
        entry = newest.get(path)
        expected = storage.expected(cold, place.base, newest) if kind in ("manifest", "kept") else None
        above = [other for other in silent if path.startswith(other + "/")]
        found.append(
            Path(
                path,
                kind,
                _state(storage.state_of(looks[path], True, entry, expected), kind, entry, newest.get(place.base)),
                len(table.get(path, ())),
                tuple(sorted(point for point in table if point.startswith(path + "/"))),
                max(above, key=len) if above else None,
                _shared(entry, newest.get(place.base)),
                _bound_from(entry, newest.get(place.base), place.base),
                cold,
                None,
                path in place.manifest or path in kept,
                looks[path].matches,
            )
        )
    return tuple(found)


def _state(state: Optional[str], kind: str, entry: Optional[Entry], base: Optional[Entry]) -> Optional[str]:
    """The directory of an annual job may show any place of a storage box; the local disk is none."""
    on_box = base is not None and base["fstype"].startswith("fuse")
    local = kind == "annual" and state == "ok" and entry is not None and not entry["fstype"].startswith("fuse")
    return "other_mount" if on_box and local else state


def _kind(
    path: str,
    place: Place,
    kept: Mapping[str, str],
    of_jobs: Set[str],
    campaigns: Mapping[str, Tuple[int, str]],
) -> str:
    if path in place.manifest:
        return "manifest"
    if path in campaigns:
        return "annual"
    if path in of_jobs:
        return "job"
    if path in kept:
        return "kept"
    return "import" if os.path.dirname(path) == place.root + "/imports" else "other"


def _cold(path: str, place: Place, kept: Mapping[str, str]) -> str:
    """Where it should show: the manifest says so, or it is the same place on the box (contract 1.9)."""
    written = place.manifest.get(path) or kept.get(path)
    return written or place.base + _DIRECTORY_OF_BOX + path[len(place.root) :]


def _shared(entry: Optional[Entry], base: Optional[Entry]) -> bool:
    """Of one file system with the base mount; while that is no mount, whatever could be of the process that serves it."""
    if entry is None or not entry["fstype"].startswith("fuse"):
        return False
    return base is None or not base["fstype"].startswith("fuse") or entry["device"] == base["device"]


def _bound_from(entry: Optional[Entry], base: Optional[Entry], base_path: str) -> Optional[str]:
    """The place on the storage box that a mount shows, by the kernel; also when the file system is dead."""
    if entry is None or entry["fstype"] != "fuse.sshfs":
        return None
    if base is not None and base["fstype"] == "fuse.sshfs" and base["source"] != entry["source"]:
        return None
    top = base["root"].rstrip("/") if base is not None and base["fstype"] == "fuse.sshfs" else ""
    return base_path + entry["root"][len(top) :] if entry["root"].startswith(top + "/") else None


def _expected(path: Path, tiered: annual_tiering.Tiering) -> Path:
    """What the script would bind should be a mount, to where the script says."""
    cold = tiered.binds.get(path.path)
    return path if cold is None or path.kind == "manifest" else path._replace(expected=True, cold=cold)


def _evident(context: Context, paths: Tuple[Path, ...]) -> Tuple[Path, ...]:
    """The directory of an annual job that is empty here and not on the box belongs there; after a reboot nothing binds it."""
    empty = {
        path.path: str(path.cold)
        for path in paths
        if (path.kind, path.state, path.entries) == ("annual", "not_mounted", 0) and path.cold and not path.expected
    }
    there = storage.not_here(empty, context.seconds(_LOOK_SECONDS))
    return tuple(path._replace(expected=True) if path.path in there else path for path in paths)


def _with_cold(context: Context, paths: Tuple[Path, ...]) -> Tuple[Path, ...]:
    asked = {str(path.cold): None for path in paths if path.state in (*facts.DEAD, *facts.ABSENT) and path.cold}
    if not asked:
        return paths
    looks = look.look(asked, context.seconds(_LOOK_SECONDS))
    there: Dict[str, Optional[bool]] = {}
    for cold, seen in looks.items():
        there[cold] = None if not seen.asked or seen.hung else bool(seen.errno is None and seen.is_directory)
    annual = {path.path for path in paths if path.kind == "annual"}
    return tuple(
        # The script makes the place of an annual job that never ran.
        path._replace(
            cold_there=None if path.path in annual and path.state in facts.ABSENT else there.get(str(path.cold))
        )
        for path in paths
    )


def _campaigns(root: str, paths: "Sequence[str] | Set[str]") -> Dict[str, Tuple[int, str]]:
    """Those that are, by their place and name, directories of annual jobs: with the year and the source."""
    found: Dict[str, Tuple[int, str]] = {}
    for path in paths:
        source, name = job_directories.source_and_name(path)
        year = job_config.campaign_year(source, name, None)
        if year is not None and os.path.dirname(os.path.dirname(path)) == root and service.is_source(source):
            found[path] = (year, source)
    return found


def _tiered(context: Context, campaigns: Mapping[str, Tuple[int, str]]) -> annual_tiering.Tiering:
    """What the service's script says of every campaign that there are directories of. A dry run; :class:`Refusal`."""
    binds: Dict[str, str] = {}
    known: Set[str] = set()
    for year in sorted({year for year, _source in campaigns.values()}):
        sources = sorted({source for at, source in campaigns.values() if at == year})
        argv = service.annual_tiering(context.settings, year, sources)
        try:
            said = ask_tiering(context, argv)
        except NotSaid as error:
            raise Refusal(
                "tiering_unreadable",
                "Which annual directories belong on the storage box is not known: %s." % error,
                "Run it by hand, as a dry run, as root with the environment loaded, and see: %s" % " ".join(argv),
            ) from error
        binds.update(said.binds)
        known |= said.known
    return annual_tiering.Tiering(binds, frozenset(known))


class NotSaid(Exception):
    """The script did not say what it was asked. One line."""


def ask_tiering(context: Context, argv: Sequence[str]) -> annual_tiering.Tiering:
    """Run the script, dry or not: as root, which alone may mount, with the production environment. :class:`NotSaid`."""
    problem = context.database_problem()
    if problem is not None:
        raise NotSaid(problem.message.rstrip("."))
    checkout = context.settings.checkout
    result = context.run(argv, TIERING_SECONDS, None, environment=context.variables, cwd=checkout)
    if result.failure is not None:
        raise NotSaid(failed(result, "it").message.rstrip("."))
    try:
        # Its exit code is 1 where a directory is dead, which is what it is asked about.
        return annual_tiering.tiering(result.stdout)
    except ParseError as error:
        raise NotSaid((complaint(result.stderr) or str(error)).rstrip(".")) from error


def account(context: Context) -> host.Account:
    """Who writes to the hot paths."""
    return host.account(context.settings.service_user)
