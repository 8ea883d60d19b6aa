# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one clear line, a next step, and nothing changed."""

from __future__ import annotations

import json
import subprocess

import pytest

from .conftest import SANDBOX
from .test_bounded import CLI, START_API, done_to


def inventory(tmp_path, host, **changes):
    """The host's own inventory with some variables changed."""
    known = json.loads(
        subprocess.run([str(SANDBOX), "inventory", host.name], capture_output=True, text=True, check=True).stdout
    )
    variables = {**known["_meta"]["hostvars"][host.name], **changes}
    path = tmp_path / "inventory.yml"
    path.write_text(json.dumps({"healtharchive": {"hosts": {host.name: variables}}}))
    return path


def clear_lines(output: str, *words: str) -> list:
    return [line for line in output.splitlines() if all(word.lower() in line.lower() for word in words)]


def test_a_host_that_cannot_be_reached(host, tmp_path):
    port = inventory(tmp_path, host, ansible_port=9, ansible_ssh_timeout=5)
    triage = host.triage(tmp_path / "out", inventory=port)
    assert triage.rc != 0
    assert clear_lines(triage.output, host.name, "was not reached")
    assert triage.evidence is None


def test_an_operator_without_sudo(host, tmp_path):
    host.ssh("sudo mv /etc/sudoers.d /etc/sudoers.away")
    try:
        triage = host.triage(tmp_path)
    finally:
        host.sandbox("reset", host.name)
    assert triage.rc != 0
    assert clear_lines(triage.output, "sudo")
    assert triage.evidence is None


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"healtharchive_checkout": "/opt/elsewhere"}, ["no directory /opt/elsewhere", "healtharchive_checkout"]),
        ({"healtharchive_checkout": "/etc"}, ["/etc", "not a git checkout"]),
        ({"healtharchive_service_user": "nobody-here"}, ["no account nobody-here", "healtharchive_service_user"]),
        ({"healtharchive_public_api_base": "archive.example.org"}, ["public_api_base", "http"]),
        ({"healtharchive_env_file": "relative/path"}, ["env_file", "absolute"]),
    ],
)
def test_a_wrong_setting(host, tmp_path, variables, words):
    triage = host.triage(tmp_path / "out", inventory=inventory(tmp_path, host, **variables))
    assert triage.rc != 0
    assert clear_lines(triage.output, *words)
    assert "Traceback" not in triage.output


def bad_evidence(triage) -> str:
    assert triage.rc == 0
    assert triage.probe("jobs")["data"] is None
    assert triage.result["verdict"] != "nothing_found"
    assert "Traceback" not in triage.output
    return " ".join(finding["message"] for finding in triage.result["bad_evidence"])


def test_no_environment_file(host, tmp_path):
    wrong = inventory(tmp_path, host, healtharchive_env_file="/etc/healtharchive/no-such.env")
    triage = host.triage(tmp_path / "out", inventory=wrong)
    assert "/etc/healtharchive/no-such.env does not exist" in bad_evidence(triage)


ENV_FILE = "/etc/healtharchive/backend.env"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ("/^HEALTHARCHIVE_DATABASE_URL=/d", "no HEALTHARCHIVE_DATABASE_URL"),
        ("s/^HEALTHARCHIVE_DATABASE_URL=.*/HEALTHARCHIVE_DATABASE_URL=/", "empty HEALTHARCHIVE_DATABASE_URL"),
        ("s/^HEALTHARCHIVE_DATABASE_URL=/export &/", "no HEALTHARCHIVE_DATABASE_URL"),
        ("s,^HEALTHARCHIVE_DATABASE_URL=.*,HEALTHARCHIVE_DATABASE_URL=sqlite:////tmp/x.db,", "SQLite"),
    ],
)
def test_no_database_url_is_bad_evidence_never_no_jobs(host, tmp_path, edit, message):
    with done_to(
        host,
        "sudo cp -a %s /run/env.keep; sudo sed -i '%s' %s" % (ENV_FILE, edit, ENV_FILE),
        "sudo cp -a /run/env.keep " + ENV_FILE,
    ):
        triage = host.triage(tmp_path)
        assert host.ssh("sudo ls /opt/healtharchive/healtharchive.db", check=False).returncode != 0
    assert message in bad_evidence(triage)
    assert clear_lines(triage.output, "bad evidence") or clear_lines(triage.output, message)


def test_no_cli(host, tmp_path):
    away = "sudo mv %s /run/cli.keep; sudo systemctl stop healtharchive-api" % CLI
    with done_to(host, away, "sudo mv /run/cli.keep %s; %s" % (CLI, START_API)):
        triage = host.triage(tmp_path)
    assert triage.rc == 0
    assert clear_lines(triage.output, CLI)
    assert triage.result["verdict"] != "nothing_found"
