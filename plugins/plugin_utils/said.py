# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator said with ``-e``, as it was typed: a text of an incident is data, not a template.

Ansible evaluates ``{{ }}`` in an extra variable as soon as a task or a condition names the variable. The texts of an
incident hold what people paste: error messages, log lines, other people's words. So no task, condition or role option
names them; they are read here, where nothing is evaluated. Private to this collection.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from typing import Any, Dict, Iterable, Optional

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.vars import load_extra_vars

from ..module_utils.parse.text import one_line

# For drills: said once, it is said for every plan. The host takes it only where it says itself that it is not production
# (module_utils/approval.py).
_AUTOMATIC = ("remediation_auto_approve", "approve", "auto")


class NotSaid(ValueError):
    """A value is no text; one line says which."""


def said(loader: Any, names: Iterable[str]) -> Dict[str, str]:
    """The extra variables of these names that are given and not empty, as plain texts. :class:`NotSaid`.

    ``loader``: Ansible's data loader, which decrypts files of ``-e @FILE`` where need be.
    """
    return _found(load_extra_vars(loader), names, text)


def written(loader: Any, names: Iterable[str]) -> Dict[str, str]:
    """The same, of what is no text as it is written in JSON: who wants a commit refuses ``true`` in words of his own."""
    return _found(load_extra_vars(loader), names, _written)


def _found(given: Mapping[str, Any], names: Iterable[str], read: Callable[[str, Any], Optional[str]]) -> Dict[str, str]:
    found = {name: read(name, given.get(name)) for name in names}
    switch, name, word = _AUTOMATIC
    if name in found and found[name] is None and boolean(given.get(switch, False), strict=False):
        found[name] = word
    return {name: value for name, value in found.items() if value is not None}


def text(name: str, value: Any) -> Optional[str]:
    """One value as a text without any mark of Ansible's; None if there is nothing in it."""
    if value is None:
        return None
    if _kind(value) is not None:
        raise NotSaid("%s must be a text, not %s." % (one_line(name, 40), _kind(value)))
    if isinstance(value, datetime.datetime):
        # YAML makes one of 2026-11-23T17:50:00Z. One without a zone keeps none, and is refused where a time is wanted.
        return value.isoformat()
    # Not str(): it would keep a subclass, and with it the mark that says "a template".
    plain = "".join(list(str(value)))
    return plain if plain.strip() else None


def _written(name: str, value: Any) -> Optional[str]:
    if _kind(value) is None:
        return text(name, value)
    return json.dumps(value, default=str, sort_keys=True)


def _kind(value: Any) -> Optional[str]:
    """In words, what is no text; the names of Ansible's own types say nothing to people."""
    if isinstance(value, bool):
        return "a yes or no"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple, set)) else None
