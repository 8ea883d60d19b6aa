# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The view from outside through real TLS: names that are resolved, a proxy with certificates, an authority to trust."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .conftest import SANDBOX
from .test_bad_input import inventory

DNS_ADDRESS = "127.0.0.77"
OTHER_NAME = "elsewhere.test"


@pytest.fixture(scope="module")
def known(host):
    """What the sandbox tells of the host: its address, and the file with the authority of its certificates."""
    listed = subprocess.run([str(SANDBOX), "inventory", host.name], capture_output=True, text=True, check=True).stdout
    return json.loads(listed)["_meta"]["hostvars"][host.name]


@pytest.fixture(scope="module")
def resolver(known, host, tmp_path_factory):
    """Starts a command with a resolver that knows two names, both of the host, and says of all others that there are none.

    In a mount name space of the command's own: the machine's settings stay as they are.
    """
    names = {"%s.test" % host.name: known["ansible_host"], OTHER_NAME: known["ansible_host"]}
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((DNS_ADDRESS, 53))
    threading.Thread(target=_serve_names, args=(server, names), daemon=True).start()
    folder = tmp_path_factory.mktemp("resolver")
    (folder / "resolv.conf").write_text("nameserver %s\n" % DNS_ADDRESS)
    (folder / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    script = (
        "mount --bind %s/resolv.conf $(realpath /etc/resolv.conf) && mount --bind %s/nsswitch.conf /etc/nsswitch.conf"
        ' && exec "$@"' % (folder, folder)
    )
    yield ["unshare", "--mount", "--propagation", "private", "bash", "-c", script, "resolver"]
    server.close()


def _serve_names(server: socket.socket, names: dict) -> None:
    while True:
        try:
            query, peer = server.recvfrom(1024)
        except OSError:
            return
        labels, place = [], 12
        while query[place]:
            labels.append(query[place + 1 : place + 1 + query[place]].decode())
            place += query[place] + 1
        question, kind = query[12 : place + 5], query[place + 1 : place + 3]
        address = names.get(".".join(labels).lower())
        answer = b""
        if address and kind == b"\0\1":
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address)
        flags = b"\x81\x80" if address else b"\x81\x83"
        counts = b"\0\1" + (b"\0\1" if answer else b"\0\0") + b"\0\0\0\0"
        server.sendto(query[:2] + flags + counts + question + answer, peer)


def bases(name: str) -> dict:
    return {
        "healtharchive_public_api_base": "https://" + name,
        "healtharchive_public_frontend_base": "https://%s:8443" % name,
    }


def test_a_healthy_host_through_tls(host, known, resolver, tmp_path):
    by_name = inventory(tmp_path, host, **bases(host.name + ".test"))
    triage = host.triage(tmp_path / "out", inventory=by_name, through=resolver)
    assert triage.rc == 0
    assert triage.result["verdict"] == "nothing_found", triage.result
    for address in ("api", "frontend"):
        seen = triage.probe("outside_view")["data"][address]
        assert seen["url"].startswith("https://%s.test" % host.name)
        assert seen["addresses"] == [known["ansible_host"]]
        assert (seen["certificate"]["valid"], seen["sound"]) == (True, True)


LOOK = """
import json, sys
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.outside_view import answer, look
seen = look({"api": sys.argv[1]}, 10, sys.argv[2] or None)["data"]["api"]
print(json.dumps([seen["failure"], answer(seen)]))
"""


def looked(resolver, base: str, ca_file: str = "") -> list:
    """What the view from outside says of one address, in a word and in words, without the rest of triage."""
    argv = [*resolver, sys.executable, "-c", LOOK, base, ca_file]
    return json.loads(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_the_right_authority_and_an_unknown_one(known, resolver):
    base = "https://" + known["ansible_host"]
    assert looked(resolver, base, known["healtharchive_public_ca_file"]) == [None, "answers 200"]
    assert looked(resolver, base) == [
        "certificate_untrusted",
        "has a certificate whose issuer is not trusted (it answers 200 all the same)",
    ]


def test_names_that_lead_nowhere(known, resolver):
    authority = known["healtharchive_public_ca_file"]
    unknown = looked(resolver, "https://no-such-name.test", authority)
    assert unknown == ["name_unknown", "has a name that does not resolve"]
    # It leads to the host, whose proxy has no certificate for it.
    assert looked(resolver, "https://" + OTHER_NAME, authority) == ["tls_failed", "fails to agree on TLS"]


def test_a_port_that_is_closed_on_a_host_that_is_there(host, known, resolver):
    assert host.ssh("ss --no-header --listening --tcp --numeric '( sport = :444 )'").stdout == ""
    closed = looked(resolver, "https://%s.test:444" % host.name, known["healtharchive_public_ca_file"])
    assert closed == ["connection_refused", "refuses the connection"]


@contextlib.contextmanager
def another_certificate(host, names: list, begins: datetime, ends: datetime):
    """Caddy shows a certificate of the right authority, for these names and this time."""
    key_file = host.root("cat /etc/caddy/authority.key")
    authority = x509.load_pem_x509_certificate(host.root("cat /etc/caddy/authority.crt").encode())
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(serialization.load_pem_private_key(key_file.encode(), None), hashes.SHA256())
    )
    texts = [
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    ]
    host.root(
        "cp -a /etc/caddy/Caddyfile /run/Caddyfile.kept\n"
        "cat >/etc/caddy/other.crt <<'END'\n%sEND\ncat >/etc/caddy/other.key <<'END'\n%sEND\n"
        # who names no host, as for an address, is shown whatever certificate there is
        "sed -i 's,tls internal,tls /etc/caddy/other.crt /etc/caddy/other.key,; s,disable_redirects,off,;"
        " s,admin off,&\\n\\tdefault_sni %s,' /etc/caddy/Caddyfile\n"
        "systemctl reset-failed caddy; systemctl restart caddy" % (*(text.decode() for text in texts), OTHER_NAME)
    )
    try:
        yield
    finally:
        host.root(
            "mv /run/Caddyfile.kept /etc/caddy/Caddyfile; rm /etc/caddy/other.*\n"
            "systemctl reset-failed caddy; systemctl restart caddy\n"
            "until curl -fsS -o /dev/null http://localhost/api/health; do sleep 0.2; done"
        )


NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)


def test_certificates_that_are_not_valid(host, known, resolver):
    right = [x509.IPAddress(ipaddress.ip_address(known["ansible_host"])), x509.DNSName(host.name + ".test")]
    wrong = [x509.DNSName(OTHER_NAME)]
    for names, begins, ends, said in (
        (right, NOW - 9 * DAY, NOW + 9 * DAY, [None, "answers 200"]),  # the positive control
        (wrong, NOW - 9 * DAY, NOW + 9 * DAY, ["certificate_wrong_name", "has a certificate for another name%s"]),
        (right, NOW - 9 * DAY, NOW - 2 * DAY, ["certificate_expired", "has an expired certificate%s"]),
        (
            right,
            NOW + 2 * DAY,
            NOW + 9 * DAY,
            ["certificate_not_yet_valid", "has a certificate that is not valid yet%s"],
        ),
    ):
        with another_certificate(host, names, begins, ends):
            seen = looked(resolver, "https://" + known["ansible_host"], known["healtharchive_public_ca_file"])
        assert seen == [said[0], said[1].replace("%s", " (it answers 200 all the same)")]


def test_an_expired_certificate_is_named_first(host, known, tmp_path):
    right = [x509.IPAddress(ipaddress.ip_address(known["ansible_host"]))]
    with another_certificate(host, right, NOW - 9 * DAY, NOW - 2 * DAY):
        triage = host.triage(tmp_path / "out", inventory=inventory(tmp_path, host, **bases(known["ansible_host"])))
    assert triage.rc == 0
    assert (triage.first["class"], triage.first["rule"]) == ("service", "certificate_refused")
    assert "expired" in triage.output
