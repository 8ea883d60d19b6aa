# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public API and site as the controller reaches them: name, connection, certificate, answer.

Nothing on the host is needed, so it can be asked when the host cannot. Private to this collection.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
import threading
import time
from typing import Any, Dict, List, Mapping, Optional, Tuple
from urllib.parse import SplitResult, urlsplit

from ..module_utils.parse.text import one_line

# What is asked of each address; an answer below this status is a sound one. The site may redirect or refuse a program
# (a protection against robots does), the API may not.
ASKED = {"api": ("/api/health", 400), "frontend": ("/en/archive", 500)}
VARIABLES = {"api": "healtharchive_public_api_base", "frontend": "healtharchive_public_frontend_base"}
# A name may have many addresses; each that does not answer costs its share of the time.
_MOST_ADDRESSES = 4
_DETAIL_LIMIT = 200

# OpenSSL's numbers for why a certificate is not accepted; every other one means that its issuer is not trusted.
_CERTIFICATE_FAILURES = {
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    62: "certificate_wrong_name",
    64: "certificate_wrong_name",
}
# The controller's own network or resolver is at fault, or may be: nothing follows for the host.
_OURS = ("no_way_out", "resolver_failed")

Record = Dict[str, Any]


def look(bases: Mapping[str, Optional[str]], seconds: float, ca_file: Optional[str] = None) -> Record:
    """Ask the public addresses (``api``, ``frontend``; None: not known) at once, for ``seconds`` in all.

    ``ca_file`` names a PEM file of authorities that are trusted besides those of the system. Returns a record like a
    probe's (docs/evidence.md, ``outside_view``); never raises for what the network does.
    """
    started = time.monotonic()
    problems: List[Dict[str, str]] = []
    wanted: Dict[str, Tuple[str, SplitResult]] = {}
    for name, base in bases.items():
        parts = _parts(base)
        if parts is None:
            said = "is not set" if not base else "is no http or https URL with a host"
            problems.append(_problem("not_configured", "%s %s: it was not asked." % (VARIABLES[name], said)))
        else:
            wanted[name] = (str(base).rstrip("/") + ASKED[name][0], parts)
    if ca_file is not None and not os.path.isfile(ca_file):
        wanted = {}
        problems = [_problem("not_found", "There is no file %s with certificate authorities." % one_line(ca_file, 200))]
    if not wanted:
        return _record(None, problems, started)
    looks = {
        name: _Look(url, parts, ASKED[name][1], started + seconds, ca_file) for name, (url, parts) in wanted.items()
    }
    # Daemons: nothing bounds the system's resolver, and it must not keep us from ending.
    threads = [threading.Thread(target=each.run, daemon=True) for each in looks.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(started + seconds - time.monotonic(), 0))
    data: Dict[str, Any] = {name: looks[name].result() if name in looks else None for name in ASKED}
    for seen in data.values():
        if seen is not None and seen["sound"] is None:
            problems.append(
                _problem("unreachable", "%s: the controller has no way to it: %s" % (seen["url"], seen["detail"]))
            )
    soundness = [data[name]["sound"] for name in wanted]
    data["sound"] = False if False in soundness else None if None in soundness else True
    return _record(data, problems, started)


def _parts(base: Optional[str]) -> Optional[SplitResult]:
    try:
        parts = urlsplit(base or "")
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if valid and str(base).isprintable() and " " not in str(base) and "@" not in str(base) else None


def _problem(code: str, message: str) -> Dict[str, str]:
    return {"code": code, "message": message}


def _record(data: Optional[Record], problems: List[Dict[str, str]], started: float) -> Record:
    status = "unknown" if data is None else "partial" if problems else "ok"
    return {
        "status": status,
        "seconds": round(time.monotonic() - started, 3),
        "problems": problems,
        "data": data,
    }


class _Look:
    """One address. The thread that runs it writes down how far it came; who waits for it may read that at any time."""

    def __init__(self, url: str, parts: SplitResult, limit: int, deadline: float, ca_file: Optional[str]) -> None:
        self.url = url
        self.host = parts.hostname or ""
        self.https = parts.scheme == "https"
        self.port = parts.port or (443 if self.https else 80)
        self.target = urlsplit(url).path
        self.limit = limit
        self.started = time.monotonic()
        self.deadline = deadline
        self.ca_file = ca_file
        self.seen: Record = {
            "url": url,
            "stage": "name",
            "failure": "timed_out",
            "detail": "no answer in time",
            "addresses": [],
            "certificate": None,
            "status": None,
            "seconds": None,
        }

    def result(self) -> Record:
        """What is known by now; of a look that has not ended, that it timed out at its stage."""
        seen = dict(self.seen)
        if seen["certificate"] and seen["certificate"]["failure"]:
            seen["failure"] = seen["certificate"]["failure"]
        if seen["seconds"] is None:
            seen["seconds"] = round(time.monotonic() - self.started, 3)
        if seen["failure"] in _OURS or (seen["failure"] == "timed_out" and seen["stage"] == "name"):
            seen["sound"] = None
        else:
            seen["sound"] = seen["failure"] is None and seen["status"] < self.limit
        return seen

    def run(self) -> None:
        try:
            self._ask()
        except Exception as error:  # whatever it is, it is what this address gave: OSError, HTTPException, UnicodeError
            failure = self._certificate_failure() or _failure(error, self.seen["stage"])
            detail = "%s: %s" % (type(error).__name__, error)
        else:
            failure, detail = self._certificate_failure(), None
        # In one step: a reader must not see half of it.
        self.seen.update(
            failure=failure,
            detail=None if detail is None else one_line(detail, _DETAIL_LIMIT),
            seconds=round(time.monotonic() - self.started, 3),
        )

    def _certificate_failure(self) -> Optional[str]:
        certificate = self.seen["certificate"]
        return certificate["failure"] if certificate else None

    def _ask(self) -> None:
        infos = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(info[4][0] for info in infos))[:_MOST_ADDRESSES]
        self.seen.update(addresses=addresses, stage="connection")
        connection = self._connect(addresses)
        try:
            if self.https:
                self.seen["stage"] = "certificate"
                connection = self._secured(connection, addresses)
            self.seen["stage"] = "answer"
            self.seen["status"] = self._status(connection)
        finally:
            connection.close()

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("no answer in time")
        return left

    def _connect(self, addresses: List[str]) -> socket.socket:
        errors: List[OSError] = []
        for number, address in enumerate(addresses):
            try:
                return socket.create_connection((address, self.port), self._left() / (len(addresses) - number))
            except OSError as error:
                errors.append(error)
        # A controller without IPv6 says so of every such address: what another address said tells more.
        raise next((error for error in errors if error.errno != errno.ENETUNREACH), errors[0])

    def _secured(self, connection: socket.socket, addresses: List[str]) -> socket.socket:
        """The connection with TLS. One whose certificate is not valid is opened once more without looking at it, to see
        whether somebody answers behind it; nothing is sent that the public does not send."""
        try:
            secured = self._handshake(connection, self._context())
        except ssl.SSLCertVerificationError as error:
            failure = _CERTIFICATE_FAILURES.get(error.verify_code, "certificate_untrusted")
            self.seen["certificate"] = {
                "valid": False,
                "failure": failure,
                "detail": one_line(error.verify_message, _DETAIL_LIMIT),
                "days_left": None,
            }
            connection.close()
            blind = self._context()
            blind.check_hostname = False
            blind.verify_mode = ssl.CERT_NONE
            return self._handshake(self._connect(addresses), blind)
        expires = (secured.getpeercert() or {}).get("notAfter")
        days = None if expires is None else (ssl.cert_time_to_seconds(str(expires)) - time.time()) / 86400
        self.seen["certificate"] = {
            "valid": True,
            "failure": None,
            "detail": None,
            "days_left": None if days is None else round(days, 1),
        }
        return secured

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        # Browsers take certificates without key identifiers; Python 3.13 by default does not.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context

    def _handshake(self, connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        connection.settimeout(self._left())
        try:
            return context.wrap_socket(connection, server_hostname=self.host)
        except BaseException:
            connection.close()
            raise

    def _status(self, connection: socket.socket) -> int:
        connection.settimeout(self._left())
        client = http.client.HTTPConnection(self.host, self.port)
        client.sock = connection
        name = "[%s]" % self.host if ":" in self.host else self.host
        usual = 443 if self.https else 80
        headers = {
            "Host": name if self.port == usual else "%s:%d" % (name, self.port),
            "User-Agent": "healtharchive-remediation",
            "Connection": "close",
        }
        client.request("GET", self.target, headers=headers)
        return client.getresponse().status


def _failure(error: Exception, stage: str) -> str:
    if isinstance(error, socket.gaierror):
        unknown = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        # Anything else may be the controller's resolver as well as the name's own servers.
        return "name_unknown" if error.errno in unknown else "resolver_failed"
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timed_out"
    if isinstance(error, ConnectionRefusedError):
        return "connection_refused"
    if isinstance(error, OSError) and error.errno == errno.ENETUNREACH:
        return "no_way_out"
    if isinstance(error, OSError) and error.errno == errno.EHOSTUNREACH:
        return "host_unreachable"
    if isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)):
        return "connection_closed"
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    if isinstance(error, http.client.HTTPException):
        return "not_http"
    return "name_unknown" if isinstance(error, UnicodeError) and stage == "name" else "other"


def answer(seen: Any) -> Optional[str]:
    """What one address gave, in words that follow its URL; None when nothing is known of it."""
    if not isinstance(seen, Mapping):
        return None
    status, failure, stage = seen.get("status"), seen.get("failure"), seen.get("stage")
    if failure is None and isinstance(status, int):
        return "answers %d" % status
    if not isinstance(failure, str) or seen.get("sound") is None:
        return None
    words = _WORDS.get(failure, "fails")
    if failure == "timed_out":
        words = "gives no %s in time" % {"connection": "connection", "certificate": "TLS"}.get(str(stage), "answer")
    return "%s (it answers %d all the same)" % (words, status) if isinstance(status, int) else words


_WORDS = {
    "name_unknown": "has a name that does not resolve",
    "connection_refused": "refuses the connection",
    "host_unreachable": "is not reached by the network",
    "connection_closed": "closes the connection without an answer",
    "tls_failed": "fails to agree on TLS",
    "certificate_expired": "has an expired certificate",
    "certificate_not_yet_valid": "has a certificate that is not valid yet",
    "certificate_wrong_name": "has a certificate for another name",
    "certificate_untrusted": "has a certificate whose issuer is not trusted",
    "not_http": "answers something that is not HTTP",
}
