# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of every fault and every pair that was broken, in one file of the repository."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from .plan import ROOT

_ADDRESS = re.compile(r"198\.51\.100\.[0-9]+")
FILE = ROOT / "tests" / "pairs" / "recordings.jsonl.xz"


class Recording(NamedTuple):
    """What became of some faults: ``broken`` in this order; ``evidence`` None and the reasons if it could not be done."""

    broken: Tuple[str, ...]
    evidence: Optional[Dict[str, Any]]
    why: Tuple[str, ...]


def from_state(state: Path) -> List[Recording]:
    """What a run has written down so far."""
    return [_recording(json.loads(path.read_text())) for path in sorted(state.glob("[a-z]*.json"))]


def load(file: Path = FILE) -> List[Recording]:
    """What the repository holds."""
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        return [_recording(json.loads(line)) for line in lines]


def save(recordings: Iterable[Recording], file: Path = FILE) -> None:
    """One line of JSON for each, by their names; without what is different on every host and means nothing."""
    with lzma.open(file, "wt", encoding="utf-8", preset=9 | lzma.PRESET_EXTREME) as lines:
        for each in sorted(recordings, key=lambda recording: sorted(recording.broken)):
            line = {"broken": each.broken, "evidence": plain(each.evidence), "why": each.why}
            lines.write(json.dumps(line, separators=(",", ":"), sort_keys=True) + "\n")


def plain(evidence: Optional[Mapping[str, Any]]) -> Optional[Dict[str, Any]]:
    """The same without the guest's own name, boot and address."""
    if evidence is None:
        return None
    copy: Dict[str, Any] = json.loads(_ADDRESS.sub("198.51.100.1", json.dumps(evidence)))
    copy["host"].update(hostname="archive", boot_id=None)
    return copy


def _recording(line: Mapping[str, Any]) -> Recording:
    return Recording(tuple(line["broken"]), line["evidence"], tuple(line["why"]))
