# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the note rules keep out of a published note (contract 4.14), found in one line. Private to this collection.

A name or a number too many is no harm: the text is read by a person before it is published, and what was left out is
named. One too few is.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Callable, Iterator, List, NamedTuple, Sequence

from .. import secret_forms
from ..secret_forms import MASK

SECRET = "secret"
ADDRESS = "private address"
NAME = "private host"
PING = "ping URL"
LEFT_OUT = "left out"


class Stretch(NamedTuple):
    """From where to where something stands in a line, and what it is."""

    start: int
    end: int
    what: str


_URL = re.compile(r"(?i)\bhttps?://[^\s<>\"'`|)\]}]{1,2048}")
_PING_HOST = re.compile(
    r"(?i)(?:hc-ping\.com|healthchecks\.io|cronitor\.link|nosnch\.in|hooks\.slack\.com)/[^\s<>\"'`|)\]}]{1,2048}"
)
_BEFORE_HOST = re.compile(r"(?:https?://)?[A-Za-z0-9.-]*$")
_PING_PATH = re.compile(r"(?i)/(?:ping|heartbeat|webhooks?|api/push)/")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# HEALTHARCHIVE_HC_PING_*, HC_DISK_URL and their like (contract 1.1).
_PING_VARIABLE = re.compile(
    r"(?i)\b[A-Z0-9_]{0,80}(?:HC_|PING|WEBHOOK)[A-Z0-9_]{0,80}[ \t]{0,3}[:=][ \t]{0,3}['\"]?([^\s'\"(]{4,2048})"
)
_IPV4 = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,60}(?:%[A-Za-z0-9_.-]{1,40})?")
_NAMES = re.compile(
    r"(?i)(?:(?<![a-z0-9._/-])|(?<=//))(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.){1,10}"
    r"(?:ts\.net|tailscale\.net|internal|intranet|local|localdomain|lan|home\.arpa|corp|private|your-storagebox\.de)"
    r"\.?(?![a-z0-9_-]|\.[a-z0-9_])"
)
_NAME_OF_ADDRESS = re.compile(r"(?i)\bip-(?:10|100|172|192|169)(?:-[0-9]{1,3}){3}\b")
_PRIVATE = [
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # shared address space, which Tailscale uses
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
    )
]


def find(line: str, leave_out: Sequence[str] = ()) -> List[Stretch]:
    """Everything in the line that must not be published; stretches may overlap.

    ``leave_out``: more texts that a site wants out, for example the names and addresses of its inventory.
    """
    found = [Stretch(start, end, SECRET) for start, end in secret_forms.find(line)]
    for look in _LOOKS:
        found += look(line)
    for text in leave_out:
        if len(text) > 2:
            pattern = r"(?i)(?<![A-Za-z0-9])%s(?![A-Za-z0-9])" % re.escape(text)
            found += [Stretch(match.start(), match.end(), LEFT_OUT) for match in re.finditer(pattern, line)]
    return [stretch for stretch in found if line[stretch.start : stretch.end] != MASK]


def _pings(line: str) -> Iterator[Stretch]:
    for match in _URL.finditer(line):
        if _PING_PATH.search(match.group()) or ("ping" in match.group().lower() and _UUID.search(match.group())):
            yield Stretch(match.start(), match.end(), PING)
    for match in _PING_HOST.finditer(line):
        # What stands before the name: the rest of the name, and the scheme.
        near = max(match.start() - 255, 0)
        before = _BEFORE_HOST.search(line[near : match.start()])
        yield Stretch(near + before.start() if before else match.start(), match.end(), PING)
    for match in _PING_VARIABLE.finditer(line):
        yield Stretch(match.start(1), match.end(1), PING)


def _addresses(line: str) -> Iterator[Stretch]:
    for match in _IPV4.finditer(line):
        if _is_private(".".join(str(int(part)) for part in match.group().split("."))):
            yield Stretch(match.start(), match.end(), ADDRESS)
    for match in _IPV6.finditer(line):
        address = match.group().rstrip(".:") if not match.group().endswith("::") else match.group()
        if address.count(":") > 1 and _is_private(address.partition("%")[0]):
            yield Stretch(match.start(), match.start() + len(address), ADDRESS)


def _is_private(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _PRIVATE if network.version == address.version)


def _names(line: str) -> Iterator[Stretch]:
    for pattern in (_NAMES, _NAME_OF_ADDRESS):
        for match in pattern.finditer(line):
            yield Stretch(match.start(), match.end(), NAME)


_LOOKS: Sequence[Callable[[str], Iterator[Stretch]]] = (_pings, _addresses, _names)
