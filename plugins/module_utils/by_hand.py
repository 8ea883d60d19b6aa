# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does about something: commands that can be pasted, and what must be seen before the next one is. Pure.

The summary prints each command on a line of its own and whole, for half a command is another one. Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from .parse.text import one_line

_COMMAND_LIMIT = 4000
_WORDS_LIMIT = 600
# What is left of it is shown, for who can write it.
_NO_COMMAND = "The next command cannot be pasted, for it is too long or names what no line can show: "


# What a refusal with `by_hand` in its evidence says is next.
IN_THEIR_ORDER = "Type what is said of each by hand, on the host and in that order; then plan again."


class Step(NamedTuple):
    """``run`` a command of the host's shell, or ``see`` that something is true."""

    do: str
    text: str


def run(command: str) -> Step:
    """Words that come from the host are quoted by whoever makes the command."""
    return Step("run", command)


def see(words: str) -> Step:
    return Step("see", words)


# It is not everywhere, and what comes after it must not go on without it.
HAS_RSYNC = (
    run("command -v rsync"),
    see("It must be there; if it is not, install it first: sudo apt-get install rsync"),
)


class ByHand(NamedTuple):
    """Of one subject: why it is a person's, and the steps in their order."""

    subject: str
    why: str
    steps: Tuple[Step, ...]

    def described(self) -> Dict[str, Any]:
        """As a module returns it: each text on one line, so that none makes another one."""
        return {
            "subject": one_line(self.subject, _WORDS_LIMIT),
            "why": one_line(self.why, _WORDS_LIMIT),
            "steps": [_step(each) for each in self.steps],
        }


def _step(step: Step) -> Dict[str, str]:
    """A command that cannot be printed as it is would, pasted, be another one: then it is said, and there is none to paste."""
    if step.do != "run":
        return {"do": step.do, "text": one_line(step.text, _WORDS_LIMIT)}
    if one_line(step.text, _COMMAND_LIMIT) == step.text:
        return {"do": step.do, "text": step.text}
    return {"do": "see", "text": one_line(_NO_COMMAND + step.text, _WORDS_LIMIT)}


def sentence(why: str, steps: Sequence[Step]) -> str:
    """All of it as one text, for the record and for who reads no lists."""
    words: List[str] = [why] if why else []
    words += ["Type: %s" % each.text if each.do == "run" else each.text for each in steps]
    return " ".join(words)
