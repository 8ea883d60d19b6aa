# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets stay on the host: in no output, no file, no line of a journal and no command line."""

from __future__ import annotations

import contextlib
import json
import uuid

import pytest

# What only a line holds: such a one is known by its form alone.
_OF_NO_FILE = {
    "password of another database": "could not connect to postgresql+psycopg://healtharchive:%s@127.0.0.1:5432/healtharchive",
    "bearer token": "denied: Authorization: Bearer %s",
    "cookie": "denied: Cookie: theme=dark; session=%s",
    "password of a command": "failed: sshpass -p '%s' sftp storage.example.org",
    "password in JSON": 'denied: {"message": "{\\"password\\": \\"%s\\"}"}',
    "password in a URL in a URL": "GET /?next=https%%3A%%2F%%2Fuser%%3A%s%%40archive.example.org",
}

# Looks at all processes again and again, as an account that has no rights: what it sees, every account of the host sees.
SAMPLER = """
import glob, json, os, sys, time
secrets = [line.rstrip("\\n").encode() for line in open("/run/sampler/secrets")]
seen, looks = {}, 0
while not os.path.exists("/run/sampler/stop"):
    looks += 1
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        for kind in ("cmdline", "environ"):
            try:
                with open("/proc/%s/%s" % (name, kind), "rb") as file:
                    content = file.read()
            except OSError:
                continue
            for number, secret in enumerate(secrets):
                if secret in content:
                    seen[kind + " of secret %d" % number] = content.replace(b"\\0", b" ").decode("utf-8", "replace")
with open("/run/sampler/seen", "w") as file:
    json.dump({"looks": looks, "seen": seen}, file)
"""


def secret() -> str:
    return "planted" + uuid.uuid4().hex


@pytest.fixture
def planted(host):
    """Secrets in every place that the contract names, and in lines of the API's journal; name -> text to look for."""
    file = host.ssh("sudo cat /etc/healtharchive/backend.env").stdout
    values = dict(line.split("=", 1) for line in file.splitlines() if "=" in line and not line.startswith("#"))
    secrets = {
        "admin token": values["HEALTHARCHIVE_ADMIN_TOKEN"].strip("'\""),
        "database password": values["HEALTHARCHIVE_DATABASE_URL"].split("@")[0].rsplit(":", 1)[1],
        "other variable": secret(),
        "ping address": secret(),
        "metrics token": secret(),
        "dashboard password": secret(),
        **{name: secret() for name in _OF_NO_FILE},
    }
    key_file = "/etc/healtharchive/storagebox_key"
    key = host.root("ssh-keygen -q -t ed25519 -N '' -C '' -f %s; cat %s" % (key_file, key_file))
    secrets["storage box key"] = key.splitlines()[2]
    host.root(
        "cp -a /etc/healtharchive/backend.env /run/env.keep\n"
        "echo HEALTHARCHIVE_TEST_SECRET=%(other variable)s >>/etc/healtharchive/backend.env\n"
        "echo HEALTHARCHIVE_HC_PING_TEST=https://ping.example.org/%(ping address)s >/etc/healtharchive/healthchecks.env\n"
        "install -d -g healtharchive -m 0750 /etc/healtharchive/observability\n"
        "echo %(metrics token)s >/etc/healtharchive/observability/prometheus_backend_admin_token\n"
        "echo %(dashboard password)s >/etc/healtharchive/observability/grafana_admin_password\n" % secrets
    )
    yield secrets
    host.root(
        "mv /run/env.keep /etc/healtharchive/backend.env\n"
        "rm -r /etc/healtharchive/healthchecks.env /etc/healtharchive/observability /etc/healtharchive/storagebox_key*\n"
    )


def write_lines(host, secrets: dict) -> None:
    """The worker's journal, which is quiet otherwise, gets lines that hold every secret, as errors of programs do."""
    url = "postgresql+psycopg://healtharchive:%s@127.0.0.1:5432/healtharchive"
    # The last ten lines are shown as they are, so one secret of each kind comes last.
    lines = [
        *("said %s and more" % value for name, value in secrets.items() if name not in _OF_NO_FILE),
        "[Errno 13] Permission denied: '/srv/%s'" % secrets["admin token"],
        "could not connect to " + url % secrets["database password"],
        *(form % secrets[name] for name, form in _OF_NO_FILE.items()),
    ]
    # Whose line it is is looked up by the journal in its own time: the one who writes them stays until they are there.
    host.root(
        "for group in $(find /sys/fs/cgroup -path '*/healtharchive-worker.service/cgroup.procs'); do echo $$ >$group; done\n"
        "systemd-cat bash -c 'mapfile -t lines; printf \"%%s\\n\" \"${lines[@]}\"\n"
        "until [ $(journalctl --quiet --boot --output=cat _PID=$$ | wc -l) -ge %d ]; do sleep 0.05; done' <<'END'\n"
        "%s\nEND\n" % (len(lines), "\n".join(lines))
    )


@contextlib.contextmanager
def sampled(host, secrets: dict):
    """Watch the host's processes; the list that is given is filled when it is over."""
    found: dict = {}
    host.root(
        "rm -rf /run/sampler; install -d -o nobody /run/sampler\n"
        "cat >/run/sampler/secrets <<'END'\n%s\nEND\ncat >/run/sampler/sampler.py <<'END'\n%s\nEND\n"
        "systemd-run --quiet --unit=sampler --uid=nobody nice python3 /run/sampler/sampler.py\n"
        % ("\n".join(secrets.values()), SAMPLER)
    )
    try:
        yield found
    finally:
        host.root("touch /run/sampler/stop; until ! systemctl is-active --quiet sampler; do sleep 0.1; done\n")
        found.update(json.loads(host.root("cat /run/sampler/seen; rm -r /run/sampler")))


def cursor(host) -> str:
    return host.root("journalctl --sync; journalctl --lines=0 --show-cursor | sed -n 's/^-- cursor: //p'").strip()


def in_it(secrets: dict, text: str) -> set:
    return {name for name, value in secrets.items() if value in text}


def test_the_looks_find_what_is_there(host, planted):
    """The positive control: a secret in a command line, in an environment, and in a journal is found."""
    begin = cursor(host)
    with sampled(host, planted) as found:
        host.root(
            "systemd-run --quiet --uid=nobody --setenv=SECRET='%(admin token)s' sleep 1\n"
            "sleep 1 & exec -a 'program %(database password)s' sleep 1\n" % planted
        )
    assert found["looks"] > 5
    assert {kind.split()[0] for kind in found["seen"]} == {"cmdline", "environ"}
    write_lines(host, planted)
    written = host.root("journalctl --sync; journalctl --after-cursor='%s' --output=cat" % begin)
    assert in_it(planted, written) == set(planted)


def test_no_secret_gets_out(host, planted, tmp_path):
    """Law 9, at the highest verbosity: on a healthy host, and with the database down, so that error texts are shown too."""
    write_lines(host, planted)
    begin = cursor(host)
    with sampled(host, planted) as found:
        triages = [host.triage(tmp_path / "well", "-vvvv")]
        host.sandbox("break", "postgresql_down", "--name", host.name)
        try:
            triages.append(host.triage(tmp_path / "ill", "-vvvv"))
        finally:
            host.sandbox("mend", "postgresql_down", "--name", host.name)
    for triage in triages:
        assert triage.rc == 0
        assert "healtharchive-api.service" in triage.output
        assert in_it(planted, triage.output) == set()
    # The lines were read and shown: it is not for want of them that nothing is found.
    tail = triages[0].probe("journal")["data"]["units"]["healtharchive-worker.service"]["tail"]
    assert "said ******** and more" in tail
    assert [line for line in tail if line.startswith("could not connect to postgresql+psycopg://healtharchive:****")]
    files = sorted(path for path in tmp_path.rglob("*.*") if path.is_file())
    assert {path.name for path in files} >= {"evidence.json", "result.json", "triage.md", "triage.html"}
    assert [(path.name, in_it(planted, path.read_text())) for path in files] == [(path.name, set()) for path in files]
    assert found["looks"] > 5
    assert found["seen"] == {}
    written = host.root("journalctl --sync; journalctl --after-cursor='%s' --output=json" % begin)
    assert "AnsiballZ" in written or "COMMAND=" in written, "nothing was written of the way in"
    assert in_it(planted, written) == set()
