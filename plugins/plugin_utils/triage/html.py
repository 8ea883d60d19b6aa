# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for a browser: one file that reads no other. Private to this collection.

The template is a file of this collection; evidence is only ever a value in it, and every value is escaped.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

_TEMPLATE = os.path.join(os.path.dirname(__file__), "pages", "triage.html.j2")


def render(view: Mapping[str, Any]) -> str:
    """The page of one :func:`.view.view`."""
    return page().render(view)


@functools.lru_cache(maxsize=None)
def page() -> Template:
    """The template, compiled: that takes longer than to fill it in."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_value, keep_trailing_newline=True)
    with open(_TEMPLATE, encoding="utf-8") as file:
        return environment.from_string(file.read())


def _value(value: Any) -> Any:
    """Escaped, and an address written so that no program that reads along takes it for a link."""
    return value if isinstance(value, Markup) else Markup(str(escape(value)).replace("://", "&#58;//"))
