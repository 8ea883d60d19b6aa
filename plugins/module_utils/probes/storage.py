# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage box mount, the hot paths on it, and the disk (contract 1.9).

The base mount says nothing about the hot paths: each is looked at on its own, by a child that can be ended.
"""

from __future__ import annotations

import errno
import os
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from .. import files, host, job_directories, links, look
from ..parse import mounts
from ..parse.errors import ParseError
from ..probe import Context, Finding, Problem

SECONDS = 15.0
# How long one path may take to answer before it is called hung, in seconds.
HUNG_AFTER_SECONDS = 6.0
_FOLLOW_SECONDS = 3.0
_DIRECTORY_OF_BOX = "/jobs"
# Directories of jobs that are looked at: those of the present campaign and of what was tried of late.
_JOB_DIRECTORIES = 20


def probe(context: Context) -> Finding:
    """Base mount, manifest entries, every mount below the archive root, and what should be one of an annual job."""
    settings = context.settings
    problems: List[Problem] = []
    mounted = _mounted(problems)
    written, entries = manifest(settings.tiering_manifest, problems)
    # The kernel's table names mounts by where they are, settings and manifest perhaps by a link to there.
    followed = links.follow([settings.storage_mount, settings.archive_root, *written], context.seconds(_FOLLOW_SECONDS))
    base_path, root = (followed[path] or path for path in (settings.storage_mount, settings.archive_root))
    hot_paths = {followed[hot] or hot: below(base_path, settings.storage_mount, cold) for hot, cold in written.items()}
    kinds: Dict[str, str] = {}
    if mounted is not None:
        kinds.update((path, "mount") for path in mounted if path.startswith(root + "/"))
    kinds.update((hot, "manifest") for hot in hot_paths)
    of_jobs = job_directories.newest(root, _JOB_DIRECTORIES, context.seconds(_FOLLOW_SECONDS))
    annual = [path for path in of_jobs or [] if job_directories.is_annual(path) and path not in kinds]
    wanted = {
        **dict.fromkeys([base_path, settings.archive_root, "/", *kinds, *(of_jobs or [])]),
        **dict.fromkeys(annual, ""),
    }
    looks = look.look(wanted, context.seconds(HUNG_AFTER_SECONDS), host.account(settings.service_user))
    empty = {path: base_path + _DIRECTORY_OF_BOX + path[len(root) :] for path in annual if looks[path].matches == 0}
    if mounted is not None and base_path in mounted and not looks[base_path].hung:
        kinds.update(dict.fromkeys(not_here(empty, context.seconds(HUNG_AFTER_SECONDS)), "annual"))
    paths = [
        _path(path, kinds[path], looks[path], mounted, expected(hot_paths.get(path), base_path, mounted))
        for path in sorted(kinds)
    ]
    base = _path(base_path, "base", looks[base_path], mounted, None)
    disks = [disk for disk in (_disk(path, looks[path]) for path in ("/", settings.archive_root)) if disk]
    data = {
        "base": base,
        "paths": paths,
        "disk": disks,
        "manifest": entries,
        "job_directories": None if of_jobs is None else [_of_job(path, looks[path], mounted) for path in of_jobs],
    }
    if of_jobs is None:
        problems.append(Problem("unreachable", "The directories of jobs below %s could not be listed." % root))
    if not looks[base_path].asked:
        problems.append(Problem("not_started", "The paths could not be looked at: the child that looks did not start."))
    if not any(disk["path"] == settings.archive_root for disk in disks):
        problems.append(
            Problem("not_found", "The size of the file system of %s could not be read." % settings.archive_root)
        )
    return Finding(data, problems)


Mounts = Mapping[str, Mapping[str, str]]


def not_here(empty: Mapping[str, str], seconds: float) -> Set[str]:
    """Of directories that are empty here, with their places on the storage box: those of which something lies there. They belong
    there, and no script of the service says so of a job whose first run has dropped its campaign metadata (surprise 24)."""
    looks = look.look(dict.fromkeys(empty.values(), ""), seconds) if empty else {}
    return {path for path, cold in empty.items() if looks[cold].is_directory and looks[cold].matches}


def _mounted(problems: List[Problem]) -> Optional[Mounts]:
    """The topmost mount of each mount point, read from the kernel's table, which touches no mount."""
    try:
        with open("/proc/self/mountinfo", "rb") as handle:
            entries = mounts.mountinfo(handle.read())
    except (OSError, ParseError) as error:
        problems.append(Problem("unparsable", "/proc/self/mountinfo: %s" % error))
        return None
    return {entry["mount_point"]: entry for entry in entries}


def manifest(path: str, problems: List[Problem]) -> Tuple[Dict[str, str], Dict[str, Any]]:
    """Hot path -> cold path, from the tiering manifest: ``<cold> <hot>`` on each line, ``#`` comments (contract 1.1)."""
    try:
        text = files.read_regular(path).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return {}, {"exists": False, "entries": None}
    except OSError as error:
        problems.append(Problem("permission_denied", "The tiering manifest cannot be read: %s" % error))
        return {}, {"exists": True, "entries": None}
    hot_paths = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if len(words) == 2 and os.path.isabs(words[1]):
            hot_paths[os.path.normpath(words[1])] = os.path.normpath(words[0])
        elif words:
            problems.append(Problem("unparsable", "Line %d of the tiering manifest is not `<cold> <hot>`." % number))
    return hot_paths, {"exists": True, "entries": len(hot_paths)}


def below(base_path: str, written_base: str, cold: str) -> str:
    """The cold path by where the base mount is; nothing on the mount itself is looked at."""
    return base_path + cold[len(written_base) :] if cold.startswith(written_base + "/") else cold


def _path(
    path: str, kind: str, seen: look.Look, mounted: Optional[Mounts], wanted: Optional[Mapping[str, str]]
) -> Dict[str, Any]:
    mount = None if mounted is None else mounted.get(path)
    return {
        "path": path,
        "kind": kind,
        "mounted": None if mounted is None else mount is not None,
        "fstype": mount["fstype"] if mount else None,
        "state": state_of(seen, mounted is not None, mount, wanted),
        "errno": seen.errno,
    }


def _of_job(path: str, seen: look.Look, mounted: Optional[Mounts]) -> Dict[str, Any]:
    return {
        "path": path,
        "annual": job_directories.is_annual(path),
        "mounted": None if mounted is None else path in mounted,
        "writable": seen.writable,
    }


def expected(cold: Optional[str], base_path: str, mounted: Optional[Mounts]) -> Optional[Mapping[str, str]]:
    """What a hot path must be a bind mount of: the cold path's place on the file system of the base mount."""
    base = None if mounted is None else mounted.get(base_path)
    if base is None or cold is None or not cold.startswith(base_path + "/"):
        return None
    return {
        "fstype": base["fstype"],
        "source": base["source"],
        "root": base["root"].rstrip("/") + cold[len(base_path) :],
    }


def state_of(
    seen: look.Look, table_known: bool, mount: Optional[Mapping[str, str]], wanted: Optional[Mapping[str, str]]
) -> Optional[str]:
    if not seen.asked:
        return None
    if seen.hung:
        return "hung"
    if seen.errno == errno.ENOTCONN:
        return "stale"
    if seen.errno == errno.ENOENT:
        return "missing"
    if seen.errno is not None:
        return "error"
    # A plain directory in the place of a mount lists fine (surprise 5), and so does another one that is mounted there:
    # only the mount table tells.
    if not table_known:
        return None
    if mount is None:
        return "not_mounted"
    if wanted is not None and any(mount[key] != value for key, value in wanted.items()):
        return "other_mount"
    return "not_writable" if "ro" in mount["options"].split(",") else "ok"


def _disk(path: str, seen: look.Look) -> Optional[Dict[str, Any]]:
    """Used as the worker counts it: what is reserved by the file system counts as used (contract 1.9). None: not known."""
    if not seen.size_bytes or seen.available_bytes is None:
        return None
    used = 100.0 * (seen.size_bytes - seen.available_bytes) / seen.size_bytes
    return {
        "path": path,
        "size_bytes": seen.size_bytes,
        "available_bytes": seen.available_bytes,
        "used_percent": round(used, 1),
    }
