# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WARC files: one gzip member a record, so that a record can be read from its offset alone."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

CHUNK = 64 * 1024


@dataclass(frozen=True)
class Record:
    """One record: its offset in the compressed file, its headers and its block."""

    offset: int
    headers: dict[str, str]
    block: bytes

    @property
    def kind(self) -> str:
        """``response``, ``warcinfo``, ..."""
        return self.headers.get("warc-type", "")

    @property
    def url(self) -> str:
        """The target of the record."""
        return self.headers.get("warc-target-uri", "")

    @property
    def captured_at(self) -> datetime:
        """When it was captured (UTC)."""
        return datetime.fromisoformat(self.headers["warc-date"])

    def http(self) -> tuple[int, str, bytes]:
        """Status, content type and body of a response record."""
        head, _, body = self.block.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("iso-8859-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(status_line.split()[1]), headers.get("content-type", "application/octet-stream"), body


def _member(kind: str, target: str, content_type: str, block: bytes) -> bytes:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid4()}>",
        f"WARC-Date: {now}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(block)}",
    ]
    if target:
        headers.insert(2, f"WARC-Target-URI: {target}")
    raw = "\r\n".join(headers).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(raw) + compressor.flush()


def info_member(software: str) -> bytes:
    """The record every WARC file begins with."""
    return _member("warcinfo", "", "application/warc-fields", f"software: {software}\r\n".encode())


def page_member(url: str, title: str, text: str) -> bytes:
    """A captured HTML page."""
    body = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1><p>{text}</p></body></html>\n"
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return _member("response", url, "application/http;msgtype=response", head + body)


def _parse(offset: int, raw: bytes) -> Record:
    head, _, rest = raw.partition(b"\r\n\r\n")
    version, *lines = head.decode("utf-8").split("\r\n")
    if not version.startswith("WARC/"):
        raise ValueError(f"not a WARC record at offset {offset}")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Record(offset, headers, rest[: int(headers["content-length"])])


def _members(stream: BinaryIO, offset: int) -> Iterator[tuple[int, bytes]]:
    """Offsets and contents of the gzip members from ``offset`` on; ``EOFError`` when the last one is cut."""
    stream.seek(offset)
    pending = stream.read(CHUNK)
    while pending:
        start, inflater, parts = offset, zlib.decompressobj(wbits=31), []
        while not inflater.eof:
            if not pending:
                raise EOFError("Compressed file ended before the end-of-stream marker was reached")
            parts.append(inflater.decompress(pending))
            offset += len(pending) - len(inflater.unused_data)
            pending = inflater.unused_data if inflater.eof else stream.read(CHUNK)
        yield start, b"".join(parts)
        pending = pending or stream.read(CHUNK)


def records(path: Path, offset: int = 0) -> Iterator[Record]:
    """The records of a file from ``offset`` on; ``EOFError``, ``zlib.error`` or ``ValueError`` when it is damaged."""
    with path.open("rb") as stream:
        for start, raw in _members(stream, offset):
            yield _parse(start, raw)
