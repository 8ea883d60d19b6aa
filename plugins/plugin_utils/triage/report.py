# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a triage on the controller: readable by their owner only, each whole or not there.

Private to this collection.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from typing import Any, Dict, Optional

from .. import whole_file
from . import html, markdown
from .view import view

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?Z")


def files(
    host: str, evidence: Mapping[str, Any], result: Mapping[str, Any], evidence_file: Optional[str] = None
) -> Dict[str, str]:
    """The content of each file by its name, for the host of that name.

    ``evidence_file``: where the evidence was read from, if no host was asked.
    """
    shown = view(host, evidence, result, evidence_file)
    return {
        "evidence.json": _json(evidence),
        "result.json": _json(result),
        "triage.md": markdown.render(shown),
        "triage.html": html.render(shown),
    }


def _json(content: Any) -> str:
    return json.dumps(content, indent=2) + "\n"


def write(base: str, host: str, moment: Any, contents: Mapping[str, str]) -> str:
    """Write files to ``base/host/stamp/`` and return that directory, absolute.

    The stamp is the moment of the evidence (``20261123T175000Z``, UTC); a second run within it gets ``-2``. Raises
    OSError.
    """
    parent = os.path.join(os.path.abspath(os.path.expanduser(base)), _directory_name(host))
    os.makedirs(parent, mode=0o700, exist_ok=True)
    directory = _new_directory(parent, _stamp(moment))
    for name, content in contents.items():
        whole_file.write(os.path.join(directory, name), content.encode("utf-8"))
    return directory


def _directory_name(host: str) -> str:
    """The inventory's name of the host as one directory name: it can hold anything, a slash too."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", host)[:200]
    return name if name.strip(".") else "_" + name


def _stamp(moment: Any) -> str:
    match = _MOMENT.fullmatch(moment) if isinstance(moment, str) else None
    if match is None:
        return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return "%s%s%sT%s%s%sZ" % match.groups()


def _new_directory(parent: str, stamp: str) -> str:
    number = 1
    while True:
        directory = os.path.join(parent, stamp if number == 1 else "%s-%d" % (stamp, number))
        try:
            os.mkdir(directory, mode=0o700)
        except FileExistsError:
            number += 1
            continue
        return directory
