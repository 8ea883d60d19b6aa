# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit in which the deploy script runs, and what is put aside of one that has ended. Private to this collection."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Dict, Mapping

from .. import runtime
from ..transient_unit import files
from ..transient_unit.unit import TransientUnit
from .command import GUARD, NAME, OUTPUT

UNIT = TransientUnit(NAME, "deploy", "deploy.json", OUTPUT, "deploy_not_started")
_KEPT = "deploy-%s.%s"
_MOST_KEPT = 5


def kept(action_id: str) -> Dict[str, Any]:
    """What is known of an earlier deploy of this boot, its result with it; empty where nothing is."""
    return files.read(_KEPT % (action_id, "json"))


def path_of(action_id: str) -> str:
    """Where the output of a deploy lies after its end was recorded, until the next boot."""
    return "%s/%s" % (runtime.DIRECTORY, _KEPT % (action_id, "log"))


def keep(action_id: str, known: Mapping[str, Any]) -> None:
    """Put aside what is known of a deploy that has ended, with ``known`` in place of its state. OSError."""
    with runtime.directory() as directory:
        files.write(directory, _KEPT % (action_id, "json"), json.dumps(dict(known), sort_keys=True).encode("ascii"))
        if UNIT.state().get("action_id") != action_id:
            return
        with contextlib.suppress(FileNotFoundError):
            os.rename(OUTPUT, _KEPT % (action_id, "log"), src_dir_fd=directory, dst_dir_fd=directory)
        for name in (GUARD, UNIT.state_file):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
        kept = [name for name in os.listdir(directory) if name.startswith("deploy-deployment-")]
        for name in sorted(kept, key=lambda name: os.stat(name, dir_fd=directory).st_mtime)[: -2 * _MOST_KEPT]:
            os.unlink(name, dir_fd=directory)
