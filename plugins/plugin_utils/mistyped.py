# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables given with ``-e`` that are almost those of the collection. Private to this collection.

Ansible takes no notice of a variable that nobody reads: ``-e verify_outside_veiw=false`` would do nothing, and say nothing.
A courtesy: the variables of a site pass, and what they set in the inventory is not looked at.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any, FrozenSet, Mapping, Optional, Set

from ansible.utils.vars import load_extra_vars

_ROOT = Path(__file__).resolve().parents[2]
# A parser of YAML would take longer than all the rest. Options of roles, and what they are said to read as it was typed.
_OPTION = re.compile(r"^ {6}([a-z_]+):$", re.MULTILINE)
_TYPED = re.compile(r"extra variables? .*?(?:\.\s|\Z)", re.DOTALL)
_NAMED = re.compile(r"C\(([a-z_]+)\)")
# In all of them: what is given in an example, read of the inventory, or of the command line.
_READ = re.compile(r"-e ([a-z_]+)\b|\b([a-z_]+) \| default\(")
# What Ansible and AWX give by themselves.
_OF_OTHERS = ("ansible_", "awx_", "tower_")
_LEAST_ALIKE = 0.8
_MOST_DIFFERENT = 2  # in length, in characters
_SHORTEST = 4  # shorter names are like too many others
# What Ansible calls the words of -e that are no name=value: of -e title="API down" it would take "API" for the title.
_REST = "_raw_params"


def check(loader: Any) -> None:
    """Refuse a name that is almost that of a variable, and a text that was split. :class:`.incident.refusal.Refused`.

    ``loader``: Ansible's data loader.
    """
    given: Mapping[str, Any] = load_extra_vars(loader)
    if _REST in given:
        _refuse_rest(str(given[_REST]))
    for name in given:
        meant = almost(str(name))
        if meant is not None:
            # Imported where it is needed: Ansible compiles the Python of a collection anew in every run.
            from ..module_utils.parse.text import one_line
            from .incident.refusal import Refused

            raise Refused(
                "unknown_variable",
                "There is no variable %s. %s is meant, it seems." % (one_line(name, 60), meant),
                "Say -e %s=... instead. A variable of your own with such a name belongs in the inventory." % meant,
            )


def _refuse_rest(rest: str) -> None:
    # As above.
    from ..module_utils.parse.text import one_line
    from .incident.refusal import Refused

    raise Refused(
        "text_split",
        "Ansible split what was said with -e at its spaces, and this belongs to no variable: %s." % one_line(rest, 120),
        "A text with spaces needs two pairs of quotes: -e title=\"'API down'\". Or say it in a file: -e @FILE.",
    )


def almost(name: str) -> Optional[str]:
    """The variable that somebody meant who typed this name; None if it is one, or like none."""
    if name in known() or name.startswith(_OF_OTHERS) or len(name) < _SHORTEST:
        return None
    import difflib

    plain = name.lower().replace("-", "_")
    if plain in known():
        return plain
    for meant in difflib.get_close_matches(plain, sorted(known()), n=3, cutoff=_LEAST_ALIKE):
        if abs(len(meant) - len(plain)) <= _MOST_DIFFERENT:
            return str(meant)
    return None


@functools.lru_cache(maxsize=None)
def known() -> FrozenSet[str]:
    """Every variable that a role or a playbook of the collection reads."""
    found = {"remediation_auto_approve"}  # see said.py
    for path in _ROOT.glob("roles/*/meta/argument_specs.yml"):
        text = path.read_text(encoding="utf-8")
        found |= {*_OPTION.findall(text), *_NAMED.findall(" ".join(_TYPED.findall(text))), *_read(text)}
    for path in [*_ROOT.glob("playbooks/*.yml"), *_ROOT.glob("playbooks/vars/*.yml")]:
        found |= _read(path.read_text(encoding="utf-8"))
    return frozenset(found)


def _read(text: str) -> Set[str]:
    return {name for pair in _READ.findall(text) for name in pair if name}
