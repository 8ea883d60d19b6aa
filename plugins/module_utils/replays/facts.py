# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a decision on replay is made from. No input, no output. Private to this collection."""

from __future__ import annotations

from typing import FrozenSet, Mapping, NamedTuple, Optional, Tuple

SMOKE_UNIT = "healtharchive-replay-smoke.service"
PASSED_OVER = "replay-reconcile does not take it: it is not indexed by the service, or its index is as it should be."


class Unit(NamedTuple):
    """As systemd has it. ``condition_met``: of the last start; None: never checked."""

    load: str = "loaded"
    active: str = "active"
    sub: str = "running"
    file_state: str = "enabled"
    condition_met: Optional[bool] = True


class Page(NamedTuple):
    """A page that replay was asked for. ``tier``: ``mounted`` or ``local``, None: it cannot be told. ``state``: ``served``,
    ``not_found``, ``failing`` (an error of the server), ``silent``; None: it could not be asked.

    ``on_host``: whether the host itself sees every WARC file of its collection; None: not looked at, or not known. ``missing``:
    the first one that it does not see.
    """

    job: int
    tier: Optional[str]
    state: Optional[str]
    on_host: Optional[bool] = None
    missing: Optional[str] = None


class Facts(NamedTuple):
    """``base``, ``hot``: states as those of the storage probe, of the mount of the storage box and of every hot path;
    ``manifest``: the hot paths that must be mounts. ``responds``: whether the front page gives an answer, None: it could not be
    asked; ``status``: of that answer. ``indexes``: the jobs whose index is to be written anew, each with why it is not, ``""``
    where the service's dry run takes it, and ``PASSED_OVER`` where it says nothing of it. ``served``: those of them of which
    replay serves a page. ``unseen``: what of replay's collections could not be seen, one sentence each."""

    base: Optional[str]
    hot: Mapping[str, Optional[str]]
    manifest: Tuple[str, ...]
    with_box: bool
    units: Mapping[str, Unit]
    responds: Optional[bool]
    status: Optional[int]
    pages: Tuple[Page, ...]
    indexes: Mapping[int, str] = {}
    served: FrozenSet[int] = frozenset()
    unseen: Tuple[str, ...] = ()
