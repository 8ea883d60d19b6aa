# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that runs another playbook of the collection as this one was run, to be pasted. Private to this collection."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Any, List, Mapping, Sequence

from ansible import context

from ..module_utils.parse.text import one_line

COLLECTION = "healtharchive.remediation."


def playbook(name: str, *variables: str) -> str:
    """One line for a shell: the same inventory, hosts and ways to become root; ``variables`` are ``name=value``.

    A value that could only be told on several lines is a placeholder of the caller's.
    """
    words = [_program(), *_options(getattr(context, "CLIARGS", {})), COLLECTION + name]
    for variable in variables:
        words += ["-e", variable]
    return one_line(" ".join(shlex.quote(word) for word in words), 4000)


def _program() -> str:
    """As it was typed, so that a virtual environment that is not on PATH is found again."""
    typed = sys.argv[0] if sys.argv and isinstance(sys.argv[0], str) else ""
    return typed if os.path.basename(typed) == "ansible-playbook" else "ansible-playbook"


def _options(arguments: Mapping[str, Any]) -> List[str]:
    words: List[str] = []
    for inventory in _texts(arguments.get("inventory")):
        words += ["-i", _shortest(inventory)]
    if isinstance(arguments.get("subset"), str):
        words += ["--limit", arguments["subset"]]
    if arguments.get("become_ask_pass"):
        words.append("--ask-become-pass")
    if arguments.get("ask_pass"):
        words.append("--ask-pass")
    if arguments.get("ask_vault_pass"):
        words.append("--ask-vault-pass")
    return words


def _texts(value: Any) -> Sequence[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple)) else []


def _shortest(path: str) -> str:
    """Ansible makes inventories absolute; one that lies below where it was started is shorter as it was typed."""
    if not os.path.isabs(path):
        return path
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative
