# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A triage as the record of an incident keeps it. Private to this collection."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Dict

from .report import json_text

_MOST_CLASSES = 20


def triage_run(evidence: Mapping[str, Any], result: Mapping[str, Any]) -> Dict[str, Any]:
    """The event ``triage_run``; ``evidence_digest`` is the SHA-256 of evidence.json as :mod:`.report` writes it."""
    classes = list(result.get("classes") or [])
    first = classes[0] if classes else None
    said = {"nothing_found": "Nothing was found.", "unknown": "No rule applies, and not everything was seen."}
    return {
        "kind": "triage_run",
        "at": evidence.get("collected_at"),
        "data": {
            "evidence_digest": hashlib.sha256(json_text(evidence).encode("utf-8")).hexdigest(),
            "classes": [
                {name: each.get(name) for name in ("class", "confidence", "summary")} for each in classes[:_MOST_CLASSES]
            ],
            "severity": first["severity"] if first else None,
            "summary": first["summary"] if first else said.get(str(result.get("verdict")), "The verdict is not known."),
        },
    }
