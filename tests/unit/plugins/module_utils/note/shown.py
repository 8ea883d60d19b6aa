# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reader of Markdown sees of a note, and what is in it besides text; a second path to what the markers mean."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any, Dict, List, Tuple

from markdown_it import MarkdownIt

_BLOCK = re.compile(
    r"^(<!-- healtharchive\.remediation begin: (\w+) -->\r?\n)(.*?)(^<!-- healtharchive\.remediation end: \2 -->\r?$)",
    re.MULTILINE | re.DOTALL,
)
ELEMENTS = set("h1 h2 p br strong em ul ol li pre code table thead tbody tr th td".split())


class Page(HTMLParser):
    """Elements, attributes and text."""

    def __init__(self, note: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.comments: List[str] = []
        self.headings: List[str] = []
        self.columns: List[int] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(note))
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.add(tag)
        self.attributes.update(name for name, _value in attrs)
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append("")
        elif tag == "tr":
            self.columns.append(0)
        elif tag in ("td", "th"):
            self.columns[-1] += 1

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.lasttag in ("h1", "h2", "h3", "h4", "h5", "h6") and data.strip():
            self.headings[-1] += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data.strip())


def blocks(note: str) -> Dict[str, str]:
    """What stands in each managed block."""
    return {match.group(2): match.group(3) for match in _BLOCK.finditer(note)}


def outside(note: str) -> str:
    """The note without what stands in its managed blocks."""
    return _BLOCK.sub(r"\1\4", note)


def sections(note: str) -> List[Tuple[str, str]]:
    """Each heading of the second level with the text up to the next."""
    parts = re.split(r"^## (.*)$", note, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))
