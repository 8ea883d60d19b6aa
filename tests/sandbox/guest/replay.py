#!/usr/bin/env python3
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for pywb (contract 1.10), with the machine's Python alone.

replay.py serve           what the container does: archived pages on 127.0.0.1:8090, from the collections and their WARC files
replay.py reindex NAME    what `wb-manager reindex NAME` does in it: write the collection's index
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple
from urllib.parse import urlsplit

COLLECTIONS = Path("/srv/healtharchive/replay/collections")
ADDRESS = ("127.0.0.1", 8090)
# /COLLECTION/[TIMESTAMP][MODIFIER]/URL
REQUEST = re.compile(r"/(job-[0-9]+)/(?:[0-9]{0,14}(?:[a-z]{2}_)?/)?(https?://.+)")


def members(content: bytes) -> Iterator[Tuple[int, int, bytes]]:
    """Offset, length and content of every record: one gzip member each."""
    offset = 0
    while offset < len(content):
        inflater = zlib.decompressobj(wbits=31)
        raw = inflater.decompress(content[offset:])
        length = len(content) - offset - len(inflater.unused_data)
        yield offset, length, raw
        offset += length


def parts(raw: bytes) -> Tuple[Dict[str, str], bytes, bytes]:
    """A record's own headers, the head of the HTTP answer in it, and the answer's body."""
    head, _, block = raw.partition(b"\r\n\r\n")
    lines = (line.partition(":") for line in head.decode().split("\r\n")[1:])
    headers = {name.lower(): value.strip() for name, _, value in lines}
    answer, _, body = block[: int(headers["content-length"])].partition(b"\r\n\r\n")
    return headers, answer, body


def reindex(name: str) -> None:
    """Write the index anew: one sorted line for each answer that was archived."""
    collection = COLLECTIONS / name
    lines = []
    for link in sorted((collection / "archive").iterdir()):
        for offset, length, raw in members(link.read_bytes()):
            headers, answer, _body = parts(raw)
            if headers["warc-type"] != "response":
                continue
            url = headers["warc-target-uri"]
            where = urlsplit(url)
            key = ",".join(reversed((where.hostname or "").split("."))) + ")" + where.path
            record = {
                "url": url,
                "mime": "text/html",
                "status": answer.split(b" ")[1].decode(),
                "length": str(length),
                "offset": str(offset),
                "filename": link.name,
            }
            lines.append("%s %s %s\n" % (key, re.sub("[^0-9]", "", headers["warc-date"]), json.dumps(record)))
    (collection / "indexes/index.cdxj").write_text("".join(sorted(lines)))


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        if self.path == "/":
            self.answer(200, b"<!doctype html><title>Replay</title>")
            return
        asked = REQUEST.fullmatch(self.path)
        record = self.find(asked.group(1), asked.group(2)) if asked else None
        if asked is None or record is None:
            self.answer(404, b"Not in the archive")
            return
        try:
            with open(COLLECTIONS / asked.group(1) / "archive" / record["filename"], "rb") as warc:
                warc.seek(int(record["offset"]))
                _headers, _answer, body = parts(zlib.decompress(warc.read(int(record["length"])), wbits=31))
        except (OSError, zlib.error) as error:
            print("%s: %s" % (asked.group(1), error), file=sys.stderr, flush=True)
            self.answer(503, b"Archived content is temporarily unavailable")
        else:
            self.answer(int(record["status"]), body)

    def find(self, collection: str, url: str) -> Optional[Dict[str, str]]:
        """The index line of an address."""
        try:
            lines = (COLLECTIONS / collection / "indexes/index.cdxj").read_text().splitlines()
        except OSError:
            return None
        records = (json.loads(line.split(" ", 2)[2]) for line in lines)
        return next((record for record in records if record["url"] == url), None)

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing of what goes well."""


def main() -> None:
    if sys.argv[1] == "serve":
        ThreadingHTTPServer(ADDRESS, Handler).serve_forever()
    else:
        reindex(sys.argv[2])


if __name__ == "__main__":
    main()
