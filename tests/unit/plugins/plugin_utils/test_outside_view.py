# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The view from outside, against real sockets on the loopback: names, connections, certificates, answers."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import outside_view
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[socket.socket], Any]
NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


class Authority:
    """A certificate authority that makes certificates for the loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test")])
        self.certificate = (
            self._builder(name, name, self.key, NOW - DAY, NOW + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, *, name: str = "127.0.0.1", start: int = -1, days: int = 10) -> ssl.SSLContext:
        """A server's context with a certificate for an address, valid from ``start`` to ``days`` days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = (
            self._builder(subject, self.certificate.subject, key, NOW + start * DAY, NOW + days * DAY)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / ("%s%d%d.pem" % (name, start, days))
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    @staticmethod
    def _builder(subject: x509.Name, issuer: x509.Name, key: Any, start: Any, end: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
        )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextlib.contextmanager
def server(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server on the loopback; its base URL. Every client gets ``answer``."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if context is None:
                answer(connection)
            else:
                with context.wrap_socket(connection, server_side=True) as secured:
                    answer(secured)

    threading.Thread(target=serve, daemon=True).start()
    scheme = "http" if context is None else "https"
    try:
        yield "%s://127.0.0.1:%d" % (scheme, listener.getsockname()[1])
    finally:
        listener.close()


def reply(status: bytes = b"200 OK", asked: list[bytes] | None = None) -> Answer:
    def answer(connection: socket.socket) -> None:
        request = connection.recv(4096)
        if asked is not None:
            asked.append(request)
        connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status)

    return answer


def api(base: str | None, seconds: float = 5, ca_file: Path | None = None) -> dict[str, Any]:
    """What was seen of this API."""
    record = outside_view.look({"api": base, "frontend": None}, seconds, ca_file and str(ca_file))
    assert record["data"]["frontend"] is None
    return record["data"]["api"]


@pytest.mark.parametrize(
    ("status", "sound"), [(b"200 OK", True), (b"301 Moved", True), (b"404 No", False), (b"502 Bad Gateway", False)]
)
def test_an_answer(status: bytes, sound: bool) -> None:
    asked: list[bytes] = []
    with server(reply(status, asked)) as base:
        seen = api(base + "/")
    assert (seen["stage"], seen["failure"], seen["status"]) == ("answer", None, int(status[:3]))
    assert (seen["sound"], seen["addresses"], seen["certificate"]) == (sound, ["127.0.0.1"], None)
    assert asked[0].startswith(b"GET /api/health HTTP/1.1\r\n")
    assert b"\r\nHost: 127.0.0.1:" in asked[0]


def test_both_addresses_are_asked_at_once() -> None:
    def slowly(connection: socket.socket) -> None:
        time.sleep(0.7)
        reply(b"403 Forbidden")(connection)

    with server(slowly) as base:
        record = outside_view.look({"api": base, "frontend": base}, 5)
    assert record["seconds"] < 1.3
    assert record["data"]["frontend"]["url"] == base + "/en/archive"
    # A protection against robots answers 403: the site is there. Of the API it is no sound answer.
    assert record["data"]["frontend"]["sound"] is True
    assert record["data"]["api"]["sound"] is False
    assert record["data"]["sound"] is False
    assert (record["status"], record["problems"]) == ("ok", [])


def test_nobody_listens() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port
        taken.bind(("127.0.0.1", 0))
        seen = api("http://127.0.0.1:%d" % taken.getsockname()[1])
    assert (seen["stage"], seen["failure"], seen["sound"]) == ("connection", "connection_refused", False)


def test_a_server_that_never_answers_costs_the_time_that_was_given() -> None:
    started = time.monotonic()
    with server(lambda connection: connection.recv(1) and time.sleep(4)) as base:
        seen = api(base, 1)
    assert time.monotonic() - started < 2
    assert (seen["stage"], seen["failure"], seen["sound"]) == ("answer", "timed_out", False)


def test_a_server_that_drips_costs_the_time_that_was_given() -> None:
    def drip(connection: socket.socket) -> None:
        for _number in range(50):
            connection.sendall(b"H")
            time.sleep(0.1)

    started = time.monotonic()
    with server(drip) as base:
        seen = api(base, 1)
    assert time.monotonic() - started < 2
    assert (seen["failure"], seen["status"]) == ("timed_out", None)


@pytest.mark.parametrize("said", [b"", b"\x00\xff garbage\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_what_is_not_http(said: bytes) -> None:
    with server(lambda connection: connection.recv(4096) and connection.sendall(said)) as base:
        seen = api(base)
    assert seen["failure"] in ("connection_closed", "not_http")
    assert (seen["sound"], seen["status"]) == (False, None)


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    seen = api("https://api.archive.invalid")
    assert (seen["stage"], seen["failure"], seen["sound"]) == ("name", "name_unknown", False)


def test_a_resolver_that_fails_says_nothing_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    record = outside_view.look({"api": "https://api.archive.invalid", "frontend": "https://archive.invalid"}, 5)
    assert record["data"]["sound"] is None
    assert record["status"] == "partial"
    assert [problem["code"] for problem in record["problems"]] == ["unreachable"] * 2


def test_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: release.wait(5))
    started = time.monotonic()
    seen = api("https://api.archive.invalid", 1)
    release.set()
    assert time.monotonic() - started < 2
    assert (seen["stage"], seen["failure"], seen["sound"]) == ("name", "timed_out", None)


def test_an_address_that_refuses_beside_one_that_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(reply()) as base:
        port = int(base.rpartition(":")[2])
        infos = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, port)) for name in ("127.0.0.2", "127.0.0.1")]

        def resolve(host: Any, *rest: Any, **more: Any) -> Any:
            return infos if host == "a.invalid" else REAL(host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        seen = api("http://a.invalid:%d" % port)
    assert (seen["status"], seen["addresses"]) == (200, ["127.0.0.2", "127.0.0.1"])


REAL = socket.getaddrinfo


def test_a_valid_certificate(authority: Authority) -> None:
    with server(reply(), authority.context(days=10)) as base:
        seen = api(base, ca_file=authority.file)
    certificate = seen["certificate"]
    assert (seen["status"], seen["sound"], seen["failure"]) == (200, True, None)
    assert (certificate["valid"], certificate["failure"]) == (True, None)
    assert 9.9 < certificate["days_left"] <= 10


@pytest.mark.parametrize(
    ("made", "failure"),
    [
        ({"start": -9, "days": -2}, "certificate_expired"),
        ({"start": 2, "days": 9}, "certificate_not_yet_valid"),
        ({"name": "192.0.2.1"}, "certificate_wrong_name"),
    ],
)
def test_a_certificate_that_is_refused(authority: Authority, made: dict[str, Any], failure: str) -> None:
    with server(reply(), authority.context(**made)) as base:
        seen = api(base, ca_file=authority.file)
    assert (seen["certificate"]["valid"], seen["certificate"]["failure"]) == (False, failure)
    # Somebody answers behind it, which tells a broken certificate from a broken service.
    assert (seen["failure"], seen["status"], seen["sound"]) == (failure, 200, False)
    assert "answers 200 all the same" in outside_view.answer(seen)


def test_an_issuer_that_is_not_trusted(authority: Authority) -> None:
    with server(reply(), authority.context()) as base:
        seen = api(base)
    assert (seen["failure"], seen["sound"]) == ("certificate_untrusted", False)


def test_a_refused_certificate_with_nothing_behind_it(authority: Authority) -> None:
    def silent(connection: socket.socket) -> None:
        time.sleep(3)

    with server(silent, authority.context(start=-9, days=-2)) as base:
        seen = api(base, 1, authority.file)
    assert (seen["failure"], seen["status"], seen["sound"]) == ("certificate_expired", None, False)


def test_tls_is_expected_and_not_spoken(authority: Authority) -> None:
    with server(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as base:
        seen = api(base.replace("http:", "https:"), ca_file=authority.file)
    assert (seen["stage"], seen["sound"]) == ("certificate", False)
    assert seen["failure"] in ("tls_failed", "connection_closed")


@pytest.mark.parametrize(
    "base", [None, "", "archive.example.org", "ftp://x.invalid", "http://", "http://a b", "http://x:0"]
)
def test_what_is_not_configured_is_not_asked(base: str | None) -> None:
    record = outside_view.look({"api": base, "frontend": base}, 5)
    assert (record["status"], record["data"]) == ("unknown", None)
    assert [problem["code"] for problem in record["problems"]] == ["not_configured"] * 2
    assert "healtharchive_public_api_base" in record["problems"][0]["message"]


def test_one_of_two_is_configured() -> None:
    with server(reply()) as base:
        record = outside_view.look({"api": None, "frontend": base}, 5)
    assert (record["status"], record["data"]["sound"], record["data"]["api"]) == ("partial", True, None)


def test_a_file_of_authorities_that_does_not_exist() -> None:
    record = outside_view.look({"api": "https://127.0.0.1:1"}, 5, "/no/such/file")
    assert (record["status"], record["problems"][0]["code"]) == ("unknown", "not_found")


@pytest.mark.parametrize("seen", [None, {}, 3, {"failure": "resolver_failed", "sound": None}, {"status": "200"}])
def test_of_what_is_not_known_nothing_is_said(seen: Any) -> None:
    assert outside_view.answer(seen) is None
