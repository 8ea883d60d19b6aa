# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a role that are read where no variable can take their place. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # a PyYAML without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]


class Unreadable(ValueError):
    """The file cannot be used; one line."""


def variables(path: str) -> Mapping[str, Any]:
    """What the file sets; :class:`Unreadable`."""
    try:
        with open(path, encoding="utf-8") as file:
            # The loader is a safe one.
            found = yaml.load(file, Loader=Loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Unreadable("%s cannot be read: %s" % (path, " ".join(str(error).split()))) from error
    if not isinstance(found, Mapping):
        raise Unreadable("%s holds no variables" % path)
    return found
