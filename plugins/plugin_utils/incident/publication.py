# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A note on a branch of a clone: what is on it, and when it is refused. Private to this collection."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ...module_utils.note import lines, markers
from ...module_utils.note.publishable import Removed, publishable
from ...module_utils.parse.text import one_line
from ...module_utils.shapes import counted, shown
from .. import whole_file
from . import notes
from .clone import Blob, Clone, Workshop, workshop
from .index import Entry, Indexed, with_entry
from .refusal import Refused, checked

DIRECTORY = "docs/operations/incidents"
INDEX = DIRECTORY + "/README.md"
_MOST_NAMED = 5
# Lines of the block `metadata` that are as they were when the incident was opened.
_STAYS = ("- Environment:", "- Start (UTC):")


class Published(NamedTuple):
    """The branch with the note. ``commit`` is None in check mode when it would be made."""

    branch: str
    base: str
    commit: Optional[str]
    changed: bool
    removed: List[Removed]
    problems: List[Dict[str, str]]
    diff: List[Dict[str, str]]


def publish(
    repository: str,
    directory: str,
    incident: Mapping[str, Any],
    leave_out: Sequence[str],
    check_mode: bool,
) -> Published:
    """Put the note of an incident, as it is in ``directory``, its host's, on a new branch. Raises :class:`.refusal.Refused`."""
    name = checked(incident.get("id"))
    branch = "incident/" + name
    note = publishable(_note(directory, name), leave_out)
    entry = _entry(incident, leave_out)
    clone = Clone(repository)
    author = clone.identity()
    changes = clone.changes()
    if changes:
        more = ", ..." if len(changes) > _MOST_NAMED else ""
        raise Refused(
            "tree_dirty",
            "%s has changes that are not committed: %s%s."
            % (clone.path, one_line(", ".join(changes[:_MOST_NAMED]), 300), more),
            "Commit them or put them aside, then run it again. Nothing was touched.",
        )
    base, tip = clone.base(), clone.commit("refs/heads/" + branch)
    with workshop(clone) as place:
        before = _files(place, tip or base, name)
        indexed = with_entry(lines.decode(before[INDEX].content), entry)
        path = "%s/%s.md" % (DIRECTORY, name)
        if path in before and _of_another(lines.decode(before[path].content), note.text):
            raise Refused(
                "note_of_another",
                "%s on commit %s is the note of another incident (another start or environment)."
                % (path, (tip or base)[:12]),
                "Two hosts have incidents of this id. Publish this one by hand under another name. Nothing was touched.",
            )
        after = {
            path: Blob("100644", lines.encode(note.text)),
            INDEX: Blob(before[INDEX].mode, lines.encode(indexed.text)),
        }
        files = {each: blob for each, blob in after.items() if before.get(each) != blob}
        problems = _problems(indexed)
        if tip is not None and not files:
            return Published(branch, base, tip, False, note.removed, problems, [])
        diff = [_diff(each, before.get(each), blob) for each, blob in files.items()]
        if tip is not None:
            raise Refused(
                "branch_differs",
                "The branch %s is there, and %s on it is another text." % (branch, " and ".join(sorted(files))),
                "Rename or delete it (git -C %s branch -m %s %s-earlier), then run it again. Nothing was touched."
                % (clone.path, branch, branch),
            )
        if not files:
            raise Refused(
                "nothing_to_publish",
                "The note of %s is on commit %s already, as it is now." % (name, base[:12]),
                "There is nothing to do.",
            )
        if clone.branch_of_head() == "refs/heads/" + branch:
            raise Refused(
                "branch_checked_out",
                "%s is checked out in %s, without a commit." % (branch, clone.path),
                "Check out another branch there, then run it again.",
            )
        message = _message(name, entry, path in before, len(note.removed))
        commit = place.make(base, files, message, author, not check_mode)
        if not check_mode:
            clone.create_branch(branch, commit)
    return Published(branch, base, None if check_mode else commit, True, note.removed, problems, diff)


def _note(directory: str, name: str) -> str:
    path = notes.path_of(directory, name)
    try:
        content = whole_file.read(path, notes.LARGEST_BYTES)
    except OSError as error:
        raise Refused("note_unreadable", "The note cannot be read: %s." % error, "Mend the file, then run it again.") from error
    if content is None:
        raise Refused(
            "note_missing",
            "There is no note %s." % path,
            "Write it with open_incident or triage with incident=%s, then run it again." % name,
        )
    return lines.decode(content)


def _entry(incident: Mapping[str, Any], leave_out: Sequence[str]) -> Entry:
    title = publishable(shown(incident.get("title"), 120), leave_out).text
    state = incident.get("state")
    return Entry(
        incident["id"],
        title,
        shown(incident.get("severity"), 10),
        state if state in ("closed", "contained") else "draft",
        shown(incident.get("area"), 20),
        publishable(shown(incident.get("owner"), 60), leave_out).text,
    )


def _files(place: Workshop, commit: str, name: str) -> Dict[str, Blob]:
    """The note and the index as they are in a commit."""
    index = place.file(commit, INDEX)
    if index is None:
        raise Refused(
            "not_the_service",
            "Commit %s has no %s: this is no clone of the service's repository." % (commit[:12], INDEX),
            "Give a clone of the service's repository.",
        )
    path = "%s/%s.md" % (DIRECTORY, name)
    note = place.file(commit, path)
    return {INDEX: index, **({path: note} if note is not None else {})}


def _of_another(there: str, ours: str) -> bool:
    """Whether a note tells of another incident: by what stays as long as there is one. Where that was taken out by hand, it
    is not known, and counts as the same."""
    found, wanted = _stays(there), _stays(ours)
    return bool(found and wanted) and found != wanted


def _stays(text: str) -> List[str]:
    every = lines.split(text)
    first, last = markers.find(every, ("metadata",)).places.get("metadata", (0, 0))
    return [line for line in map(lines.bare, every[first:last]) if line.startswith(_STAYS)]


def _problems(indexed: Indexed) -> List[Dict[str, str]]:
    if indexed.recognised:
        return []
    message = "The index in %s has no form that is known. The line stands at its end: move it." % INDEX
    return [{"code": "index_not_recognised", "message": message}]


def _diff(path: str, before: Optional[Blob], after: Blob) -> Dict[str, str]:
    return {
        "before_header": path if before else "/dev/null",
        "after_header": path,
        "before": notes.printable(lines.decode(before.content)) if before else "",
        "after": notes.printable(lines.decode(after.content)),
    }


def _message(name: str, entry: Entry, known: bool, removed: int) -> str:
    text = "Incident note %s (%s, %s)\n\n%s\n\n" % (name, entry.severity, entry.status, entry.title)
    text += "%s the note and its line in the index.\n" % ("Updates" if known else "Adds")
    if removed:
        text += "What the note rules exclude was left out in %s.\n" % counted(removed, "place", "places")
    return text
