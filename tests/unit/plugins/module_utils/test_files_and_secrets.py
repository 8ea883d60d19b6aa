# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are not what they seem, and the secrets that are known before anything is read."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import envfile, files, known_secrets


def test_reads_a_regular_file_up_to_the_cap(tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    assert files.read_regular(str(tmp_path / "file")) == b"0123456789"
    assert files.read_regular(str(tmp_path / "file"), 4) == b"0123"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    started = time.monotonic()
    with pytest.raises(OSError, match="not a regular file"):
        files.read_regular(str(tmp_path / "pipe"))
    assert time.monotonic() - started < 1


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(OSError, match="regular file|directory"):
        files.read_regular(str(tmp_path))


@pytest.fixture
def configuration(tmp_path):
    (tmp_path / "backend.env").write_text("HEALTHARCHIVE_ADMIN_TOKEN=token-of-the-api\nHEALTHARCHIVE_ENV=staging\n")
    (tmp_path / "storagebox.env").write_text("STORAGEBOX_PASSWORD=password-of-the-box\n")
    (tmp_path / "observability").mkdir()
    (tmp_path / "observability" / "prometheus_backend_admin_token").write_text("token-of-prometheus\n")
    (tmp_path / "warc-tiering.binds").write_text("/cold /hot\n")
    os.mkfifo(tmp_path / "pipe.env")
    return tmp_path


def test_every_file_of_the_directory_counts(configuration):
    found = known_secrets.collect(str(configuration / "backend.env"), [])
    assert {"token-of-the-api", "password-of-the-box", "token-of-prometheus"} <= found
    assert not {"staging", "/cold /hot"} & found


def test_a_private_key_is_known_line_by_line(configuration, tmp_path_factory):
    """Beside the environment file, or where the storage box's settings say."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "identity"
    for name, path in (("beside", configuration / "key"), ("named", elsewhere)):
        path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nfirst-%s\nsecond-%s\n-----END X-----\n" % (name, name))
    (configuration / "storagebox.env").write_text("STORAGEBOX_IDENTITY=%s\n" % elsewhere)
    found = known_secrets.collect(str(configuration / "backend.env"), [])
    assert {"first-beside", "second-beside", "first-named", "second-named"} <= found
    assert not [secret for secret in found if "BEGIN" in secret]


def test_the_long_parts_of_a_secret_address_are_secret_too():
    variables = {
        "HC_PING_URL": "https://ping.example.org/0123456789abcdef0123/start",
        "SITE": "https://a.example.org/0123456789abcdef",
    }
    assert envfile.secret_values_of(variables) == {
        "https://ping.example.org/0123456789abcdef0123/start",
        "0123456789abcdef0123",
    }


def test_without_the_environment_file_the_processes_still_know(tmp_path, monkeypatch):
    process = subprocess.Popen(
        ["sleep", "60"], env={"HEALTHARCHIVE_DATABASE_URL": "postgresql://a:password-in-use@127.0.0.1/a"}
    )
    try:
        # The kernel lays out a new program's environment a moment after it has started it.
        patience = time.monotonic() + 20
        while not Path("/proc/%d/environ" % process.pid).read_bytes():
            assert time.monotonic() < patience
        shown = b"Id=a.service\nMainPID=%d\n" % process.pid
        result = known_secrets.host.Result((), 0, shown, b"", 0.0, None)
        monkeypatch.setattr(known_secrets.host, "run", lambda *arguments: result)
        assert "password-in-use" in known_secrets.collect(str(tmp_path / "gone.env"), ["a.service"])
    finally:
        process.kill()
        process.wait()


def test_a_file_of_carriage_returns_is_read_in_time(tmp_path):
    content = b"\r".join(b"HEALTHARCHIVE_VARIABLE_%d=value" % number for number in range(4000))
    started = time.process_time()
    assert len(envfile.parse(content).services) == 4000
    assert time.process_time() - started < 10
