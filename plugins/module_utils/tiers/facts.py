# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a decision on storage is made from. No input, no output. Private to this collection.

States of a path are those of the storage probe: ``ok``, ``stale`` (Errno 107), ``hung``, ``missing``, ``not_mounted`` (a plain
directory of the local disk), ``other_mount``, ``not_writable`` (mounted read-only), ``error``; None: it could not be looked at.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple, Optional, Tuple

SSHFS_UNIT = "healtharchive-storagebox-sshfs.service"
TIERING_UNIT = "healtharchive-warc-tiering.service"
ANNUAL_UNIT = "healtharchive-annual-output-tiering.service"
REPLAY_UNIT = "healtharchive-replay.service"
# What may have failed only because a mount did (incident I1), and does nothing but look when it runs again.
LOOKING_UNITS = ("healtharchive-crawl-metrics.service", "healtharchive-tiering-metrics.service")
UNITS = (SSHFS_UNIT, TIERING_UNIT, ANNUAL_UNIT, REPLAY_UNIT, *LOOKING_UNITS)

DEAD = ("stale", "hung", "error")
ABSENT = ("missing", "not_mounted")


class Base(NamedTuple):
    """The mount of the storage box. ``layers``: mounts at just this place; ``below``: mount points under it. ``files``: whether
    there are any in it where nothing is mounted; None: not known."""

    path: str
    state: Optional[str]
    layers: int = 1
    below: Tuple[str, ...] = ()
    files: Optional[bool] = False


class Path(NamedTuple):
    """A hot path, or a mount below the archive root.

    ``kind``: by what it is known: ``manifest``, ``annual`` (an annual job's directory), ``job`` (another job's), ``import``
    (directly below ``imports``), ``kept`` (unmounted by a recovery that was cut off); ``other``: by nothing.
    ``layers``: mounts at just this place; ``below``: mount points under it; ``above``: the nearest mount over it that does not
    answer. ``shared``: whether it is of the file system that the base mount is of now. ``bound_from``: the place on the storage
    box that the kernel says it shows, ``cold``: the one that it should. ``cold_there``: whether that is a directory now; None:
    not known. ``expected``: whether something says that it must be a mount. ``entries``: how many lie in it where nothing is
    mounted.
    """

    path: str
    kind: str
    state: Optional[str]
    layers: int = 1
    below: Tuple[str, ...] = ()
    above: Optional[str] = None
    shared: bool = False
    bound_from: Optional[str] = None
    cold: Optional[str] = None
    cold_there: Optional[bool] = None
    expected: bool = True
    entries: Optional[int] = None


class UnitState(NamedTuple):
    """``load`` and ``active`` as systemd has them."""

    load: str
    active: str


class Facts(NamedTuple):
    """``tiered``: the annual paths that the service's script knows by itself; None: it was not asked, for it would hang.
    ``campaigns``: year and source of each annual path. ``begun``: the hot paths of a recovery that was cut off before its end;
    ``starting``: whether it had the tiering unit to start, whose failed state it may have cleared."""

    base: Base
    paths: Tuple[Path, ...]
    units: Mapping[str, UnitState]
    tiered: Optional[Tuple[str, ...]] = ()
    campaigns: Mapping[str, Tuple[int, str]] = {}
    with_manifest: bool = True
    begun: Tuple[str, ...] = ()
    starting: bool = False
