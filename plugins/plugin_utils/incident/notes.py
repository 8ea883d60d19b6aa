# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notes on the controller: one file an incident, which people edit, in a folder for each host. Two hosts may have
incidents of one day and one title. Private to this collection."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import quote

from ...module_utils.note import lines
from ...module_utils.note.markers import Problem
from ...module_utils.note.render import render
from .. import whole_file
from .refusal import Refused, checked

LARGEST_BYTES = 8 * 1024 * 1024
_LONGEST_NAME = 200


class Written(NamedTuple):
    """What became of a note, or in check mode would."""

    path: str
    before: str
    after: str
    problems: List[Problem]
    changed: bool


def directory_of(output_directory: str, host: str) -> str:
    """The folder of a host's notes; ``host`` is its name in the inventory. Raises :class:`.refusal.Refused`."""
    name = quote(host, safe="").replace("~", "%7E")
    # No name begins with a dot: it could lead elsewhere.
    name = "%2E" + name[1:] if name.startswith(".") else name
    if not 0 < len(name) <= _LONGEST_NAME:
        raise Refused("bad_host", "The name of the host is empty or too long.", "Name it otherwise in the inventory.")
    return os.path.join(os.path.abspath(os.path.expanduser(output_directory)), name)


def path_of(directory: str, incident: Any) -> str:
    """Where the note of an incident is, below :func:`directory_of`. Raises :class:`.refusal.Refused` for what is no id of one."""
    name = checked(incident)
    return os.path.join(directory, name + ".md")


def write(
    directory: str,
    incident: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    host_template: Optional[str],
    former_id: Optional[str],
    check_mode: bool,
) -> Written:
    """Write the note of an incident again, or for the first time. Raises :class:`.refusal.Refused`.

    ``former_id``: the id that the incident had while its host could not be reached. Its note, with what was written into
    it by hand, becomes this one, unless there is one already.
    """
    path = path_of(directory, incident.get("id"))
    if not any(event.get("kind") == "incident_opened" for event in events):
        raise Refused(
            "events_incomplete",
            "The events of %s do not begin with its opening: its note would lose what they no longer tell." % incident["id"],
            "Give all events of the incident, as the module incident returned them.",
        )
    former = None if former_id in (None, incident.get("id")) else path_of(directory, former_id)
    try:
        if check_mode:
            return _written(path, former, incident, events, host_template)
        whole_file.make_directory(directory)
        with whole_file.locked(directory):
            written = _written(path, former, incident, events, host_template)
            moved = former is not None and _read(path) is None and _read(former) is not None
            if moved:
                os.rename(former or path, path)
                whole_file.sync_directory(directory)
            if written.changed:
                _replace(path, written)
    except OSError as error:
        raise Refused(
            "note_not_written",
            "The note %s could not be written on the controller: %s." % (path, error),
            "Set the output directory to one that you may write, with room on its disk, or mend the file; then run it again.",
        ) from error
    return written


def _written(
    path: str,
    former: Optional[str],
    incident: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    host_template: Optional[str],
) -> Written:
    existing = _read(path)
    if existing is None and former is not None:
        existing = _read(former)
    note = render(existing, host_template, incident, events)
    return Written(path, existing or "", note.text, note.problems, note.changed)


def _read(path: str) -> Optional[str]:
    content = whole_file.read(path, LARGEST_BYTES)
    return None if content is None else lines.decode(content)


def _replace(path: str, written: Written) -> None:
    if (_read(path) or "") != written.before:
        raise OSError("it was changed by somebody else at this moment")
    whole_file.write(path, lines.encode(written.after))


def diff(written: Written) -> Dict[str, str]:
    """The change as Ansible shows it."""
    return {
        "before_header": written.path,
        "after_header": written.path,
        "before": printable(written.before),
        "after": printable(written.after),
    }


def printable(text: str) -> str:
    """A note with bytes that are no UTF-8 replaced: it is only shown."""
    return text.encode("utf-8", "replace").decode("utf-8")
