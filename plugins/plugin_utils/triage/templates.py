# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts and commands with ``{name}`` in them. Private to this collection.

Not Jinja: Ansible would evaluate it wherever a rule passes by. The names are those of :mod:`.values`, nothing else;
values from a host are data to the end: on one line and printable in a text, quoted for the shell in a command.
"""

from __future__ import annotations

import shlex
from string import Formatter
from typing import Callable, FrozenSet, List, NamedTuple, Optional, Tuple, Union

Value = Union[str, int, List[str], None]
Look = Callable[[str], Value]

# What stands in a text for a value that is not known, and for a list with nothing in it.
UNKNOWN_TEXT = "(unknown)"
EMPTY_TEXT = "(none seen)"
# Ansible evaluates these in a rule that comes from a variables file.
_JINJA = ("{{", "{%", "{#")


class BadTemplate(ValueError):
    """The text or command cannot be used; the message says why, on one line."""


class Template(NamedTuple):
    """A checked text: ``(literal, name)`` parts, the name None at the end."""

    parts: Tuple[Tuple[str, Optional[str]], ...]

    @property
    def names(self) -> FrozenSet[str]:
        return frozenset(name for _literal, name in self.parts if name is not None)

    def text(self, look: Look, printable: Callable[[str], str]) -> str:
        """The text with its values, each made printable; a value that is not known says so."""
        return "".join(
            literal + ("" if name is None else _shown(look(name), printable)) for literal, name in self.parts
        )

    def command(self, look: Look) -> Optional[str]:
        """The command with its values quoted for the shell; None if one of them is not known."""
        command = ""
        for literal, name in self.parts:
            command += literal
            if name is None:
                continue
            value = look(name)
            if value is None:
                return None
            if value == []:  # no options: neither the space in front of them
                command = command[:-1] if command.endswith(" ") else command
            command += (
                " ".join(shlex.quote(word) for word in value) if isinstance(value, list) else shlex.quote(str(value))
            )
        return command


def template(source: object, allowed: FrozenSet[str]) -> Template:
    """Check one text against the names it may use; :class:`BadTemplate` if it cannot be used."""
    if not isinstance(source, str) or not source.strip():
        raise BadTemplate("must be a text that is not empty, not %s" % type(source).__name__)
    if not source.isprintable():
        raise BadTemplate("must be one printable line")
    if any(mark in source for mark in _JINJA):
        raise BadTemplate("must not hold %s: Ansible would evaluate it" % " or ".join(_JINJA))
    try:
        parsed = list(Formatter().parse(source))
    except ValueError as error:
        raise BadTemplate("%s" % error) from error
    for _literal, name, specification, conversion in parsed:
        if name is not None and (name not in allowed or specification or conversion):
            shown = name + ("!" + conversion if conversion else "") + (":" + specification if specification else "")
            raise BadTemplate("{%s} is none of the values it may use: %s" % (shown, ", ".join(sorted(allowed))))
    return Template(tuple((literal, name) for literal, name, _specification, _conversion in parsed))


def _shown(value: Value, printable: Callable[[str], str]) -> str:
    if value is None:
        return UNKNOWN_TEXT
    if value == []:
        return EMPTY_TEXT
    return printable(", ".join(value) if isinstance(value, list) else str(value))
