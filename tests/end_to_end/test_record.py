# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of incidents on a host, looked at as a file and by `stat`, never by our modules."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from typing import Any, Dict, List, Tuple

import pytest

from .conftest import ROOT

OPS = "/srv/healtharchive/ops"
LOG = OPS + "/remediation/audit.jsonl"
TITLE = "API down"
FILES = "sudo find %s -printf '%%p %%u:%%g %%m %%T@ %%s\\n' | sort; sudo find %s -type f -exec sha256sum {} +" % (
    OPS,
    OPS,
)


def ask(host: Any, module: str, *flags: str, **options: Any) -> Tuple[bool, Dict[str, Any]]:
    """Whether the module succeeded, and what it returned."""
    argv = ["ansible", host.name, "-i", str(ROOT / "inventories" / "sandbox"), "--become", *flags]
    argv += ["-m", "healtharchive.remediation." + module, *(["-a", json.dumps(options)] if options else [])]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    done = subprocess.run(
        argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, env=environment
    )
    said = re.search(r"^%s \| [A-Z]+!? => (?=\{)" % re.escape(host.name), done.stdout, re.MULTILINE)
    assert said is not None, done.stdout + done.stderr
    return done.returncode == 0, json.JSONDecoder().raw_decode(done.stdout, said.end())[0]


def incident(host: Any, *flags: str, **options: Any) -> Dict[str, Any]:
    worked, result = ask(host, "incident", *flags, **options)
    assert worked, result
    return result


def refused(host: Any, module: str = "incident", *flags: str, **options: Any) -> str:
    worked, result = ask(host, module, *flags, **options)
    assert not worked, result
    assert result["next_step"]
    assert "\n" not in result["msg"]
    return result["code"]


def lines(host: Any) -> List[bytes]:
    return host.ssh("sudo cat %s" % LOG).stdout.encode().splitlines()


def chained(found: List[bytes]) -> List[Dict[str, Any]]:
    """The events of a log without torn lines; every link is followed by hand."""
    previous, events = "0" * 64, []
    for number, line in enumerate(found, start=1):
        event = json.loads(line)
        assert (event["sequence"], event["previous"]) == (number, previous)
        previous = hashlib.sha256(line).hexdigest()
        events.append(event)
    return events


@pytest.fixture
def clean(host):
    """A host on which nothing has been recorded."""
    host.ssh("sudo rm -rf %s/remediation" % OPS)
    yield host
    host.ssh("sudo rm -rf %s/remediation" % OPS)


def test_from_opening_to_the_end(clean):
    host = clean
    before = host.ssh(FILES).stdout
    planned = incident(host, "--check", title=TITLE, severity="sev1", area="api")
    assert planned["changed"]
    assert host.ssh(FILES).stdout == before

    opened = incident(host, title=TITLE, severity="sev1", area="api", operator="somebody")
    name = opened["incident"]["id"]
    assert opened["changed"]
    theirs = host.ssh("sudo stat -c '%%U:%%G %%a' %s" % OPS).stdout.split()
    assert host.ssh("sudo stat -c '%%U:%%G %%a' %s/remediation" % OPS).stdout.split() == theirs
    assert host.ssh("sudo stat -c '%%U:%%G %%a' %s" % LOG).stdout.split() == [theirs[0], "660"]
    note = "%s/remediation/incidents/%s.md" % (OPS, name)
    assert opened["notes"] == note
    assert host.ssh("sudo stat -c '%%U:%%G %%a' %s" % note).stdout.split() == [theirs[0], "660"]
    # The operator's group reads and writes there, as everywhere below the ops directory.
    assert TITLE in host.ssh("cat %s" % note).stdout

    again = host.ssh(FILES).stdout
    assert not incident(host, title=TITLE, severity="sev1", area="api")["changed"]
    assert host.ssh(FILES).stdout == again

    closing = {"incident": name, "state": "closed", "trigger": "a package", "underlying": "the deploy does not look"}
    assert refused(host, **closing) == "verification_missing"
    checks = [{"check": "API", "result": "passed"}]
    passed = {"kind": "verified", "data": {"verification_id": "v1", "passed": True, "checks": checks}}
    incident(host, incident=name, events=[passed])
    assert incident(host, **closing)["incident"]["state"] == "closed"
    events = chained(lines(host))
    assert [event["kind"] for event in events] == ["incident_opened", "verified", "incident_closed"]
    assert {event["by"]["account"] for event in events} == {"haadmin"}
    assert events[0]["by"]["operator"] == "somebody"
    assert {event["head"] for event in events} == {host.ssh("git -C /opt/healtharchive rev-parse HEAD").stdout.strip()}
    assert "Status: closed" in host.ssh("cat %s" % note).stdout
    worked, info = ask(host, "incident_info")
    assert worked
    assert info["record"]["head_digest"] == hashlib.sha256(lines(host)[-1]).hexdigest()


def test_a_broken_line_is_named_and_a_torn_one_is_continued(clean):
    host = clean
    for number in range(3):
        incident(
            host, title=TITLE, severity="sev1", events=[{"kind": "remark", "data": {"text": "remark %d" % number}}]
        )
    host.ssh('printf \'{"digest":"torn\' | sudo tee -a %s > /dev/null' % LOG)
    _worked, info = ask(host, "incident_info")
    assert (info["record"]["verified"], info["record"]["torn_end"], info["record"]["torn_lines"]) == (True, True, [5])
    incident(host, title=TITLE, severity="sev1", events=[{"kind": "remark", "data": {"text": "remark 3"}}])
    found = lines(host)
    assert found[4] == b'{"digest":"torn'
    event = json.loads(found[5])
    assert event["after_torn_line"] is True
    assert event["previous"] == hashlib.sha256(b"\n".join(found[3:5])).hexdigest()
    _worked, info = ask(host, "incident_info")
    assert (info["record"]["verified"], info["record"]["torn_end"]) == (True, False)
    host.ssh("sudo sed -i '3s/remark 1/remork 1/' %s" % LOG)
    _worked, info = ask(host, "incident_info")
    assert (info["record"]["verified"], info["record"]["first_broken_line"]) == (False, 3)


def test_planted_secrets_are_nowhere(clean):
    host = clean
    file = host.ssh("sudo cat /etc/healtharchive/backend.env").stdout
    values = dict(line.split("=", 1) for line in file.splitlines() if "=" in line and not line.startswith("#"))
    token = values["HEALTHARCHIVE_ADMIN_TOKEN"].strip("'\"")
    url = values["HEALTHARCHIVE_DATABASE_URL"].strip("'\"")
    password = url.split("@")[0].rsplit(":", 1)[1]
    assert len(token) >= 8
    assert len(password) >= 8
    text = "the log said %s and psql %s" % (token, url)
    result = incident(
        host,
        "-vvvv",
        title=text,
        severity="sev2",
        owner=text,
        operator=text,
        events=[{"kind": "remark", "data": {"text": text}}],
    )
    found = host.ssh("sudo cat %s %s" % (LOG, result["notes"])).stdout
    assert "the log said" in found
    for secret in (token, password):
        assert secret not in found
        assert secret not in json.dumps(result["events"]) + json.dumps(result["incident"]) + result["notes"]


def test_a_host_without_the_services_ops_directory(clean):
    host = clean
    host.ssh("sudo mv %s %s.away" % (OPS, OPS))
    try:
        assert refused(host, title=TITLE, severity="sev1") == "ops_directory_missing"
        assert refused(host, "incident_info") == "ops_directory_missing"
        assert host.ssh("test -e %s" % OPS, check=False).returncode == 1
    finally:
        host.ssh("sudo mv %s.away %s" % (OPS, OPS))
    assert incident(host, title=TITLE, severity="sev1")["changed"]


def test_a_disk_that_cannot_be_written(clean):
    """On a file system of its own, full and then read-only; each with the control beside it."""
    host = clean
    place = OPS + "/remediation"
    mount = "sudo mount -t tmpfs -o size=256k,mode=2770,gid=healtharchive tmpfs " + place
    host.ssh("sudo install -d -g healtharchive -m 2770 %s && %s" % (place, mount))
    try:
        host.ssh("sudo dd if=/dev/zero of=%s/filler bs=1k 2>/dev/null" % place, check=False)
        assert refused(host, title=TITLE, severity="sev1") == "audit_disk_full"
        host.ssh("sudo rm %s/filler" % place)
        assert incident(host, title=TITLE, severity="sev1")["changed"]
        host.ssh("sudo mount -o remount,ro %s" % place)
        before = lines(host)
        for flags in ([], ["--check"]):
            assert refused(host, "incident", *flags, title="Another", severity="sev1") == "audit_read_only"
        assert lines(host) == before
        host.ssh("sudo mount -o remount,rw %s" % place)
        assert incident(host, title="Another", severity="sev1")["changed"]
        assert len(chained(lines(host))) == 2
    finally:
        host.ssh("sudo umount %s" % place)


def test_triage_says_first_what_was_never_finished(clean, tmp_path):
    """An action that the log of a running controller left behind: written here by hand, as the form is described."""
    host = clean
    name = incident(host, title=TITLE, severity="sev1")["incident"]["id"]
    (opened,) = lines(host)
    body = {key: value for key, value in json.loads(opened).items() if key != "digest"}
    data = {"action_id": "a1", "action": "deploy", "objective": None, "argv": [["deploy"]], "subjects": ["the API"]}
    data.update(expected_impact=None, rollback=None, plan_id=None)
    body.update(kind="action_begun", sequence=2, event_id="ab" * 8, data=data)
    body["previous"] = hashlib.sha256(opened).hexdigest()
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    line = '{"digest":"%s",%s' % (hashlib.sha256(text.encode()).hexdigest(), text[1:])
    host.ssh("sudo tee -a %s > /dev/null <<'END'\n%s\nEND" % (LOG, line))
    before = host.ssh(FILES).stdout
    triage = host.triage(tmp_path)
    assert triage.rc == 0
    assert host.ssh(FILES).stdout == before
    record = triage.probe("record")["data"]
    assert (record["whole"], record["unfinished_count"], record["open_incidents"]) == (True, 1, [name])
    summary = triage.output[triage.output.index("=== %s" % host.name) :].splitlines()
    assert summary[1].startswith("UNFINISHED: deploy of incident %s" % name)
    settled = {"action_id": "a1", "outcome": "unknown", "changed": None, "detail": "looked at the unit"}
    incident(host, incident=name, events=[{"kind": "action_finished", "data": settled}])
    assert "UNFINISHED" not in host.triage(tmp_path / "again").output
