# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block ``commands``: every command on record that changed the state of the host, or was to.

Private to this collection.
"""

from __future__ import annotations

import shlex
from typing import Any, List, Sequence, Tuple

from .. import markdown
from ..shapes import counted, words
from . import outcomes, shortened
from .history import Action, objective
from .wording import comma, day_and_clock, said, size, span

_MOST_ACTIONS = 100
_MOST_CHARACTERS = 500_000
_MOST_COMMANDS = 40
_LONGEST_COMMAND = 1000
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "'": "\\'", "\\": "\\\\"}


def lines(actions: Sequence[Action]) -> List[str]:
    """A paragraph, a list and the commands for each action, in the order of the log."""
    if not actions:
        return ["No command that changes the host is on record. What was typed by hand belongs below this block."]
    told = [_action(number, action) for number, action in enumerate(actions, 1)]
    cut = shortened.middle_left_out(told, 0, _MOST_ACTIONS, _MOST_CHARACTERS)
    shown: List[str] = []
    if cut.left_out:
        shown.append(shortened.left_out(cut.left_out, "earlier action", "earlier actions"))
        told = told[cut.left_out :]
    for lines_of in told:
        shown += [""] if shown else []
        shown += lines_of
    return shown


def _action(number: int, action: Action) -> List[str]:
    begun = action.begun.data
    if action.finished is None:
        when, ended = day_and_clock(action.begun.at), "**no outcome is on record**"
    else:
        when = span(action.begun.at, action.finished.at)
        ended = outcomes.of_action(action.finished.data)
    shown = ["**%d. %s** (%s UTC): %s." % (number, said(objective(action)), when, ended), ""]
    shown += ["- %s: %s" % (label, value) for label, value in _facts(action)]
    return [*shown, "", *_commands(begun.get("argv"))]


def _facts(action: Action) -> List[Tuple[str, str]]:
    begun = action.begun.data
    facts = [("What", said(words(begun.get("action"))))]
    subjects = [said(subject, 120) for subject in _list(begun.get("subjects"))]
    if subjects:
        facts.append(("On", comma(subjects)))
    for label, key in (("Expected", "expected_impact"), ("Way back", "rollback"), ("Plan", "plan_id")):
        if begun.get(key):
            facts.append((label, said(begun[key])))
    if action.finished is not None and action.finished.data.get("detail"):
        facts.append(("Result", said(action.finished.data["detail"])))
    return facts


def _commands(argv: Any) -> List[str]:
    typed = [shell(command) for command in _list(argv) if _list(command)]
    if not typed:
        return ["No command is on record for it."]
    shown: List[str] = []
    for command in typed[:_MOST_COMMANDS]:
        if len(command) > _LONGEST_COMMAND:
            shown += ["# shortened, %s characters in all:" % size(len(command)), "# " + command[:_LONGEST_COMMAND]]
        else:
            shown.append(command)
    if len(typed) > _MOST_COMMANDS:
        shown.append("# and %s" % counted(len(typed) - _MOST_COMMANDS, "more command", "more commands"))
    return markdown.code(shown)


def shell(argv: Any) -> str:
    """An argv as one printable line that a shell (bash) takes for the same words."""
    return " ".join(_quoted(str(argument)) for argument in _list(argv))


def _quoted(argument: str) -> str:
    if argument.isprintable():
        return shlex.quote(argument)
    return "$'%s'" % "".join(_escaped(character) for character in argument)


def _escaped(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return "\\x%02x" % (code - 0xDC00)
    return "\\u%04x" % code if code <= 0xFFFF else "\\U%08x" % code


def _list(value: Any) -> List[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
