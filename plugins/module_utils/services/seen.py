# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a host beside the probes of triage: the words for it, without the asking. Private to this collection."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Optional, Sequence, Tuple

from ..parse.unit_ends import End

API = "healtharchive-api.service"
WORKER = "healtharchive-worker.service"
POSTGRESQL = "postgresql.service"
DOCKER = "docker.service"
# What a unit stops with (contract 1.4).
REQUIRED: Mapping[str, Tuple[str, ...]] = {API: (), WORKER: (POSTGRESQL, DOCKER), POSTGRESQL: ()}


class Look(NamedTuple):
    """``ends``: how units ended that do not run; of others only since when the last run of them is. ``dead_clusters``: servers
    of PostgreSQL that do not run, by unit, with systemd's result; None: not known. ``env_file_changed_at``: None where it cannot
    be told. ``routes_fail``: whether the API answers 500 where it reads the archive (contract 1.4, I8); None: not asked, or no
    answer. ``pause``: in words, the pause of the worker by another change of this collection, after which it starts by itself.
    ``problems``: why something is not known."""

    ends: Mapping[str, End] = {}
    dead_clusters: Optional[Mapping[str, str]] = None
    env_file_changed_at: Optional[str] = None
    routes_fail: Optional[bool] = None
    pause: Optional[str] = None
    problems: Sequence[str] = ()
