# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment file as bash reads it for ``set -a; source FILE``, as far as that can be known without a shell.

Only what assigns constants is understood. A line that runs a command or expands something makes its own variables
unknown; one that could change variables, or how the rest of the file is read, makes all of them unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT_ANYWHERE = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]*)(?:=|\+=|\[)")
_ASSIGNMENT_PREFIX = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=|\+=|\[)")
_PLAIN_EXPANSION = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9$?!#@*_-]|\{[A-Za-z_][A-Za-z0-9_]*\})")
_ANSI_C_QUOTED = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL)
_ENDS_A_COMMAND = "\n;&|<>()"
_ENDS_A_WORD = " \t" + _ENDS_A_COMMAND

# Words after which variables, or what is read next, may be anything.
_CHANGES_THE_SHELL = frozenset(
    (
        ". source eval exec exit logout return unset read readarray mapfile printf declare typeset local readonly"
        " let getopts cd pushd popd dirs alias unalias shopt enable set shift trap builtin command export wait suspend"
        " break continue umask hash history fc bind complete compopt compgen"
        " if then else elif fi case esac for select while until do done in function time coproc { } ! [[ ]]"
    ).split()
)
# To assign these ends the reading of the file, or changes its rules.
_READ_ONLY = frozenset("BASHOPTS BASH_VERSINFO EUID POSIXLY_CORRECT PPID SHELLOPTS UID".split())
_SET_BY_THE_SHELL = frozenset(
    (
        "_ BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_COMMAND BASH_COMPAT BASH_LINENO"
        " BASH_SOURCE BASH_SUBSHELL COMP_WORDBREAKS DIRSTACK EPOCHREALTIME EPOCHSECONDS FUNCNAME GROUPS HISTCMD LINENO"
        " OPTARG OPTIND PIPESTATUS RANDOM SECONDS SRANDOM"
    ).split()
)


class _Undecidable(Exception):
    """From here on only a shell can say what the variables are, the earlier ones included."""


@dataclass
class _Word:
    text: str = ""
    assigns: Optional[str] = None  # the variable, when the word has the form of an assignment
    value: str = ""
    certain: bool = True
    braces: bool = False


def read(text: str) -> tuple[dict[str, str], set[str]]:
    """Variables that ``set -a; source FILE`` certainly sets, and those of which only a shell could tell.

    Text with bytes that are no UTF-8 comes decoded with ``surrogateescape`` and goes out like that.
    """
    reader = _Bash(text)
    try:
        reader.read()
    except _Undecidable:
        # Also with continued lines joined, which a name may lie across.
        texts = (text, text.replace("\\\n", ""))
        return {}, {match.group(1) for each in texts for match in _ASSIGNMENT_ANYWHERE.finditer(each)}
    return reader.known, reader.unknown


class _Bash:
    """The part of the shell's grammar that assigns constants; everything else is unknown or undecidable."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.known: dict[str, str] = {}
        self.unknown: set[str] = set()

    def read(self) -> None:
        if "\0" in self.text:
            raise _Undecidable  # taken for a program, or read without the NUL
        follows_operator = False
        while True:
            self._skip_blank()
            character = self._next()
            if character == "":
                if follows_operator:
                    raise _Undecidable
                return
            if character == "\n":
                self.position += 1
                continue
            words = self._words()
            if not words and self._next() not in ("<", ">"):
                raise _Undecidable  # an operator without a command before it
            operator = self._operator()
            self._run(words, certain=not follows_operator and operator in ("", "\n", ";"))
            follows_operator = operator not in ("", "\n", ";", "&")

    def _run(self, words: list[_Word], certain: bool) -> None:
        """The effect of a simple command. Not certain: it runs in a subshell, on a condition or with a redirection."""
        count = 0
        while count < len(words) and words[count].assigns is not None:
            count += 1
        assignments, command = words[:count], words[count:]
        if not command:
            for word in assignments:
                self._assign(word, certain)
            return
        name = command[0].text
        if not command[0].certain or (name in _CHANGES_THE_SHELL and name not in ("export", "set")):
            raise _Undecidable
        # The command sees these, the shell does not keep them.
        for word in assignments:
            self._assign(word, False)
        if name == "export":
            for word in command[1:]:
                if word.assigns is not None:
                    self._assign(word, certain and not word.braces)
                elif _NAME.fullmatch(word.text) is None or not word.certain:
                    raise _Undecidable
        elif name == "set" and [word.text for word in command[1:]] != ["-a"]:
            raise _Undecidable

    def _assign(self, word: _Word, certain: bool) -> None:
        name = word.assigns or ""
        if name in _READ_ONLY:
            raise _Undecidable
        if certain and word.certain and name not in _SET_BY_THE_SHELL:
            self.known[name] = word.value
            self.unknown.discard(name)
        else:
            self.known.pop(name, None)
            self.unknown.add(name)

    def _next(self, offset: int = 0) -> str:
        return self.text[self.position + offset : self.position + offset + 1]

    def _skip_blank(self) -> None:
        while True:
            character = self._next()
            if character and character in " \t":
                self.position += 1
            elif character == "\\" and self._next(1) == "\n":
                self.position += 2
            elif character == "#":
                end = self.text.find("\n", self.position)
                self.position = len(self.text) if end == -1 else end
            else:
                return

    def _operator(self) -> str:
        """What ends a command. Text in parentheses, here-documents and misplaced operators are undecidable."""
        character = self._next()
        if character in ("", "\n"):
            return character
        if character in "()":
            raise _Undecidable
        two = character + self._next(1)
        if two in (";;", ";&", "<<", "|&"):
            raise _Undecidable
        operator = two if two in ("&&", "||", ">>", "<>", ">&", "<&", ">|", "&>") else character
        self.position += len(operator)
        self._refuse_continuation(0)
        return operator

    def _refuse_continuation(self, offset: int) -> None:
        """A line that is continued in the middle of what the shell reads as one piece: only the shell joins it."""
        if self._next(offset) == "\\" and self._next(offset + 1) == "\n":
            raise _Undecidable

    def _words(self) -> list[_Word]:
        words: list[_Word] = []
        while True:
            self._skip_blank()
            character = self._next()
            if character == "" or character in _ENDS_A_COMMAND:
                return words
            words.append(self._word())

    def _word(self) -> _Word:
        word = _Word()
        match = _ASSIGNMENT_PREFIX.match(self.text, self.position)
        if match is not None:
            if match.group(2) == "[":
                raise _Undecidable
            word.assigns = match.group(1)
            word.certain = match.group(2) == "="
            self.position = match.end()
        parts: list[str] = []
        while True:
            character = self._next()
            if character == "" or character in _ENDS_A_WORD:
                break
            if character == "\\":
                following = self._next(1)
                if following == "":
                    raise _Undecidable
                if following != "\n":
                    parts.append(following)
                elif word.assigns is None:
                    raise _Undecidable  # what it is joined to may make an assignment, or another command, of it
                self.position += 2
            elif character == "'":
                parts.append(self._single_quoted())
            elif character == '"':
                self.position += 1
                self._double_quoted(word, parts)
            elif character == "$" or character == "`":
                self._expansion(word, parts, quoted=False)
            else:
                if character == "~" and (not parts or parts[-1] == ":"):
                    word.certain = False
                if character == "{":
                    word.braces = True
                parts.append(character)
                self.position += 1
        word.value = word.text = "".join(parts)
        return word

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.position + 1)
        if end == -1:
            raise _Undecidable
        content = self.text[self.position + 1 : end]
        self.position = end + 1
        return content

    def _double_quoted(self, word: _Word, parts: list[str]) -> None:
        while True:
            character = self._next()
            if character == "":
                raise _Undecidable
            if character == '"':
                self.position += 1
                return
            if character == "\\":
                following = self._next(1)
                if following == "":
                    raise _Undecidable
                if following in '$`"\\':
                    parts.append(following)
                elif following != "\n":
                    parts.append("\\" + following)
                self.position += 2
            elif character == "$" or character == "`":
                self._expansion(word, parts, quoted=True)
            else:
                parts.append(character)
                self.position += 1

    def _expansion(self, word: _Word, parts: list[str], quoted: bool) -> None:
        """An expansion makes the value uncertain; one that can run or assign something makes everything undecidable."""
        match = _PLAIN_EXPANSION.match(self.text, self.position)
        if match is not None:
            word.certain = False
            self.position = match.end()
            return
        self._refuse_continuation(1)
        following = self._next(1)
        if self._next() == "`" or (following and following in "({["):
            raise _Undecidable
        if not quoted and following == "'":
            word.certain = False
            ansi = _ANSI_C_QUOTED.match(self.text, self.position)
            if ansi is None:
                raise _Undecidable
            self.position = ansi.end()
            return
        if not quoted and following == '"':
            word.certain = False
            self.position += 2
            self._double_quoted(word, parts)
            return
        parts.append("$")
        self.position += 1
