#!/usr/bin/env python3
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the frontend's pages (contract 3.4) as files for Caddy: frontend_pages.py FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

PAGES = (
    "archive",
    "browse-by-source",
    "changes",
    "digest",
    "exports",
    "researchers",
    "brief",
    "cite",
    "methods",
    "governance",
    "status",
    "impact",
)
PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>HealthArchive: {name}</title></head>
<body><div id="__next"><h1>{name}</h1></div><script id="__NEXT_DATA__" type="application/json">{{}}</script></body></html>
"""
# a snapshot's page holds what the API says of it at that moment; Caddy fills it in
SNAPSHOT = PAGE.format(language="en", name='{{httpInclude (printf "/api/snapshots/%s" (.Req.URL.Query.Get "id"))}}')


def main() -> None:
    for language in ("en", "fr"):
        folder = Path(sys.argv[1]) / language
        folder.mkdir(parents=True)
        for name in PAGES:
            (folder / f"{name}.html").write_text(PAGE.format(language=language, name=name))
    (Path(sys.argv[1]) / "snapshot.html").write_text(SNAPSHOT)


if __name__ == "__main__":
    main()
