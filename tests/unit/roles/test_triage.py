# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook as an operator runs it, with ansible-playbook, on evidence that a stand-in module returns."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml
from ansible_collections.healtharchive.remediation.plugins.module_utils.options import ARGUMENT_SPEC
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage import samples
from ansible_collections.healtharchive.remediation.tests.unit.plugins.plugin_utils.triage.samples import (
    data,
    healthy_evidence,
    job,
)
from ansible_collections.healtharchive.remediation.tests.unit.roles.stand_ins import collection

STAND_IN = """
import json, os
from ansible.module_utils.basic import AnsibleModule
OPTIONS = %r
module = AnsibleModule({name: {} for name in OPTIONS}, supports_check_mode=True)
with open(os.environ["TRIAGE_STAND_IN"]) as handle:
    answer = json.load(handle)
with open(os.environ["TRIAGE_STAND_IN"] + ".asked", "w"):
    pass
module.params["deadline"] = int(module.params["deadline"])
answer.setdefault("asked", module.params)
(module.fail_json if answer.pop("fails", False) else module.exit_json)(**answer)
"""
LINE = "Triage was not done: "


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This collection, with a stand-in for the module that asks the host."""
    stand_in = {"triage_info": STAND_IN % [*ARGUMENT_SPEC]}
    return collection(tmp_path_factory.mktemp("collections"), stand_in)


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(collections: Path, tmp_path: Path) -> Run:
    """Run the playbook in ``tmp_path`` on hosts that are all this machine."""

    def playbook(answer: Any, *arguments: str, hosts: str = "archive") -> subprocess.CompletedProcess[str]:
        (tmp_path / "answer.json").write_text(json.dumps(answer))
        local = "ansible_connection=local\nansible_python_interpreter=%s\nansible_become=false" % sys.executable
        (tmp_path / "inventory").write_text("[healtharchive]\n%s\n[healtharchive:vars]\n%s\n" % (hosts, local))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "TRIAGE_STAND_IN": str(tmp_path / "answer.json"),
            **{name: value for name, value in os.environ.items() if name == "ANSIBLE_PIPELINING"},
        }
        program = Path(sys.executable).with_name("ansible-playbook")
        argv = [str(program), "-i", "inventory", "healtharchive.remediation.triage", *arguments]
        return subprocess.run(
            argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return playbook


def reports(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "triage").glob("*/*/*.json"))


def pages(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "triage").glob("*/*/triage.*"))


def test_defaults_are_those_of_the_argument_spec() -> None:
    role = samples.ROLE
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text())
    options = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert defaults == {name: option["default"] for name, option in options.items()}


def test_a_healthy_host(run: Run, tmp_path: Path) -> None:
    result = run({"evidence": healthy_evidence()})
    assert result.returncode == 0, result.stdout
    assert "=== archive: nothing found ===" in result.stdout
    assert "changed=0" in result.stdout
    assert (tmp_path / "answer.json.asked").exists()
    evidence, classified = reports(tmp_path)
    assert evidence.parent == tmp_path / "triage" / "archive" / "20261123T175000Z"
    written = json.loads(evidence.read_text())
    # The controller's own view stands where the host's evidence had one: here it was told no address.
    assert written["probes"].pop("outside_view")["problems"][0]["code"] == "not_configured"
    expected = healthy_evidence()
    del expected["probes"]["outside_view"]
    assert written == expected
    assert json.loads(classified.read_text())["verdict"] == "nothing_found"
    assert [path.name for path in pages(tmp_path)] == ["triage.html", "triage.md"]
    assert {path.stat().st_mode & 0o777 for path in (evidence, classified, *pages(tmp_path))} == {0o600}


def test_a_fault_is_a_result_and_no_failure(run: Run, tmp_path: Path) -> None:
    evidence = healthy_evidence()
    samples.hot_path_stale(evidence)
    result = run({"evidence": evidence})
    assert result.returncode == 0, result.stdout
    assert "=== archive: storage (certain, sev1) ===" in result.stdout
    assert json.loads(reports(tmp_path)[1].read_text())["classes"][0]["rule"] == "hot_path_stale"


def test_check_mode_says_the_same_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    evidence = healthy_evidence()
    samples.worker_inactive(evidence)
    result = run({"evidence": evidence}, "--check")
    assert result.returncode == 0, result.stdout
    assert "=== archive: service (certain, sev1) ===" in result.stdout
    assert "files     none written" in result.stdout
    assert not (tmp_path / "triage").exists()


def test_every_host_has_its_summary_once_in_the_order_of_the_inventory(run: Run, tmp_path: Path) -> None:
    names = ["host%d" % number for number in range(6)]
    result = run({"evidence": healthy_evidence()}, "--forks", "6", hosts="\n".join(names))
    assert result.returncode == 0, result.stdout
    assert [line.split()[1].rstrip(":") for line in result.stdout.splitlines() if line.startswith("===")] == names
    assert len(reports(tmp_path)) == 12


def test_hosts_that_fail_do_not_change_the_order_of_the_others(run: Run, tmp_path: Path) -> None:
    (tmp_path / "triage").mkdir()
    (tmp_path / "triage" / "second").write_text("a file where a directory belongs")
    hosts = ["first", NO_HOST.replace("archive", "gone"), "second", "third"]
    result = run({"evidence": healthy_evidence()}, hosts="\n".join(hosts))
    assert result.returncode == 2
    assert [line.split()[1] for line in result.stdout.splitlines() if line.startswith("===")] == [
        "first:",
        "second:",
        "third:",
    ]
    assert result.stdout.count("\ngone: Triage was not done: The host was not reached") == 1
    assert result.stdout.count("\nsecond: The files of the triage could not be written on the controller") == 1
    assert {path.parents[1].name for path in reports(tmp_path)} == {"first", "third"}


def test_inventory_variables_reach_the_module_and_others_keep_its_defaults(run: Run) -> None:
    variables = "healtharchive_checkout=/opt/other healtharchive_public_api_base=https://archive.example.org"
    result = run({"evidence": healthy_evidence()}, "-v", hosts="archive " + variables)
    asked = result.stdout
    assert '"checkout": "/opt/other"' in asked
    assert '"public_api_base": "https://archive.example.org"' in asked
    assert '"env_file": "/etc/healtharchive/backend.env"' in asked
    assert '"deadline": 60' in asked


def test_nothing_that_a_host_says_is_evaluated(run: Run, tmp_path: Path) -> None:
    marker = tmp_path / "evaluated"
    template = "{{ lookup('pipe', 'touch %s') }}{%% set x = 1 %%}" % marker
    ugly = "a\nb\x1b[31mred\u202e\u2028" + "x" * 10000
    evidence = healthy_evidence()
    samples.worker_inactive(evidence)
    data(evidence, "jobs")["jobs"] = [job(7, name=template, source=ugly)]
    data(evidence, "deployment").update(dirty=True, dirty_files=[template, ugly])
    samples.unseen(evidence, "public_surface", "bad_evidence", template)
    evidence["host"]["hostname"] = template
    result = run({"evidence": evidence})
    assert result.returncode == 0, result.stdout
    assert "waiting: 7 (a\\nb\\x1b[31mred\\u202e" in result.stdout
    assert template[:40] in " ".join(result.stdout.split())
    assert not marker.exists()
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    evidence_file, result_file = reports(tmp_path)
    written = json.loads(evidence_file.read_text())
    assert {**written, "probes": {**written["probes"], "outside_view": {}}} == {
        **evidence,
        "probes": {**evidence["probes"], "outside_view": {}},
    }
    assert template in json.loads(result_file.read_text())["bad_evidence"][0]["message"]
    for page in pages(tmp_path):
        assert "lookup(" in page.read_text()
        assert "\x1b" not in page.read_text()


def test_that_check_would_notice_an_evaluation(run: Run, tmp_path: Path) -> None:
    """The control: what the operator gives may be a template, and then the file is there."""
    marker = tmp_path / "evaluated"
    directory = "{{ lookup('pipe', 'touch %s; echo triage') }}" % marker
    (tmp_path / "variables.yml").write_text(yaml.safe_dump({"triage_output_directory": directory}))
    assert run({"evidence": healthy_evidence()}, "-e", "@variables.yml").returncode == 0
    assert marker.exists()


def test_a_site_s_rule_is_judged_too(run: Run) -> None:
    rule = {
        "id": "always_here",
        "class": "automation",
        "layer": "backlog",
        "direct": True,
        "summary": "The API is {api_state}.",
        "when": [{"fact": "api.responds == true", "text": "it responds"}],
        "severity": "sev3",
        "severity_reason": "minor, internal, docs",
        "next": [{"why": "Look.", "command": "ls -ld {checkout}"}],
    }
    result = run({"evidence": healthy_evidence()}, "-e", json.dumps({"triage_extra_rules": [rule]}))
    assert result.returncode == 0, result.stdout
    assert "what      The API is active." in result.stdout


def site_rule(**changes: Any) -> Any:
    """The collection's rule for a stopped worker, as a site has it that stops it every night."""
    return {
        "id": "worker_stopped",
        "class": "service",
        "layer": "worker",
        "direct": True,
        "summary": "The worker rests, as every night.",
        "when": [{"fact": "unit('healtharchive-worker.service').active_state == 'inactive'", "text": "it rests"}],
        "severity": "sev3",
        "severity_reason": "minor, internal, docs",
        "next": [{"why": "Nothing to do.", "command": "systemctl status healtharchive-worker.service --no-pager"}],
        **changes,
    }


def test_a_site_s_rule_takes_the_place_of_the_collection_s(run: Run, tmp_path: Path) -> None:
    evidence = healthy_evidence()
    data(evidence, "units")["units"][samples.WORKER] = samples.unit("inactive")
    assert "The worker rests" not in run({"evidence": evidence}).stdout
    variables = tmp_path / "group_vars"
    variables.mkdir()
    (variables / "healtharchive.yml").write_text(yaml.safe_dump({"triage_extra_rules": [site_rule()]}))
    result = run({"evidence": evidence})
    assert result.returncode == 0, result.stdout
    assert "=== archive: service (certain, sev3) ===" in result.stdout
    assert "what      The worker rests, as every night." in result.stdout
    classes = json.loads(reports(tmp_path)[-1].read_text())["classes"]
    assert [each["rule"] for each in classes] == ["worker_stopped"]


NO_HOST = "archive ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args='-F none'"


def test_evidence_of_an_earlier_triage_is_classified_again_with_no_host(run: Run, tmp_path: Path) -> None:
    marker = tmp_path / "evaluated"
    template = "{{ lookup('pipe', 'touch %s') }}" % marker
    evidence = healthy_evidence()
    samples.worker_inactive(evidence)
    data(evidence, "jobs")["jobs"] = [job(7, name=template)]
    first = run({"evidence": evidence})
    assert first.returncode == 0, first.stdout
    earlier = reports(tmp_path)[0]
    again = run(REFUSAL, "-e", "evidence=%s" % earlier.relative_to(tmp_path), hosts=NO_HOST + "\nother\nthird")
    assert again.returncode == 0, again.stdout
    assert again.stdout.count("===") == 2
    assert "=== archive: service (certain, sev1) ===" in again.stdout
    assert "no host was asked" in again.stdout
    assert not marker.exists()
    both = sorted((tmp_path / "triage" / "archive").iterdir())
    assert [directory.name for directory in both] == ["20261123T175000Z", "20261123T175000Z-2"]
    assert json.loads((both[0] / "evidence.json").read_text()) == json.loads((both[1] / "evidence.json").read_text())
    assert json.loads((both[0] / "result.json").read_text()) == json.loads((both[1] / "result.json").read_text())
    assert (both[1] / "triage.html").exists()
    assert "no host was asked" in (both[1] / "triage.md").read_text()


def test_it_needs_no_inventory(run: Run, tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_text(json.dumps(healthy_evidence()))
    result = run(REFUSAL, "-e", "evidence=evidence.json", hosts="")
    assert result.returncode == 0, result.stdout
    assert "=== archive: nothing found ===" in result.stdout


BAD_FILES = {
    "No such file": None,
    "it is not JSON": "{",
    "schema_version must be 1, not 2": json.dumps({"schema_version": 2}),
    "probes must be a mapping": json.dumps({"schema_version": 1, "probes": "{{ lookup('pipe', 'touch evaluated') }}"}),
}


@pytest.mark.parametrize("message", BAD_FILES)
def test_a_bad_evidence_file_is_one_line(run: Run, tmp_path: Path, message: str) -> None:
    content = BAD_FILES[message]
    if content is not None:
        (tmp_path / "evidence.json").write_text(content)
    result = run({"evidence": healthy_evidence()}, "-e", "evidence=evidence.json")
    assert result.returncode == 2
    output = result.stdout + result.stderr
    assert LINE + "the evidence file" in output
    assert message in output
    assert "Traceback" not in output
    assert not (tmp_path / "evaluated").exists()
    assert reports(tmp_path) == []


REFUSAL = {
    "fails": True,
    "msg": "There is no directory /nowhere on this host. Set healtharchive_checkout.",
    "code": "checkout_missing",
}


def test_the_module_s_refusal_is_one_line(run: Run, tmp_path: Path) -> None:
    result = run(REFUSAL)
    assert result.returncode == 2
    assert "archive: " + LINE + REFUSAL["msg"] in result.stdout.splitlines()
    assert reports(tmp_path) == []


def test_a_host_that_is_not_reached_is_one_line_and_the_others_are_triaged(run: Run, tmp_path: Path) -> None:
    gone = "gone ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args='-F none'"
    result = run({"evidence": healthy_evidence()}, hosts=gone + "\narchive")
    assert result.returncode == 2
    lines = [
        line for line in result.stdout.splitlines() if line.startswith("gone: " + LINE + "The host was not reached")
    ]
    assert len(lines) == 1
    assert "Next: try ssh" in lines[0]
    assert "=== archive: nothing found ===" in result.stdout
    assert {path.parents[1].name for path in reports(tmp_path)} == {"archive"}


BAD_INPUTS = {
    "triage_deadline must be from 10 to 600 seconds": {"triage_deadline": 5},
    "'triage_deadline' is of type": {"triage_deadline": "soon"},
    "triage_output_directory must not be empty": {"triage_output_directory": " "},
    "'triage_extra_rules' is of type": {"triage_extra_rules": 3},
    "rule mine: class: is missing": {"triage_extra_rules": [{"id": "mine"}]},
    "archive: Triage was not done: triage_rules is no variable": {"triage_rules": []},
    "archive: Triage was not done: triage_required_facts is no variable": {"triage_required_facts": []},
    "archive: Triage was not done: triage_bad_evidence is no variable": {"triage_bad_evidence": []},
    "There is no variable triage_deadlin. triage_deadline is meant": {"triage_deadlin": 10},
    "There is no variable incidnt. incident is meant": {"my_own": 1, "incidnt": "2026-11-23-api-down"},
}


@pytest.mark.parametrize("message", BAD_INPUTS)
def test_bad_input_is_refused_before_the_host_is_asked(run: Run, tmp_path: Path, message: str) -> None:
    result = run({"evidence": healthy_evidence()}, "-e", json.dumps(BAD_INPUTS[message]))
    assert result.returncode == 2
    assert message in result.stdout + result.stderr
    assert not (tmp_path / "answer.json.asked").exists()
    assert "Traceback" not in result.stdout + result.stderr
    assert reports(tmp_path) == []


def test_a_report_that_cannot_be_written_does_not_hide_the_summary(run: Run, tmp_path: Path) -> None:
    (tmp_path / "triage").write_text("a file where a directory belongs")
    result = run({"evidence": healthy_evidence()})
    assert result.returncode == 2
    assert "could not be written on the controller" in result.stdout
    assert "=== archive: nothing found ===" in result.stdout


def test_a_document_of_another_version_is_refused_in_one_line(run: Run) -> None:
    result = run({"evidence": {**healthy_evidence(), "schema_version": 2}})
    assert result.returncode == 2
    assert "schema_version must be 1, not 2" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_the_public_addresses_are_asked_from_here_and_can_be_left_alone(run: Run, tmp_path: Path) -> None:
    evidence = healthy_evidence()
    del evidence["probes"]["outside_view"]
    with socket.socket() as taken:  # bound and not listening: whoever asks is refused
        taken.bind(("127.0.0.1", 0))
        host = "archive healtharchive_public_api_base=http://127.0.0.1:%d" % taken.getsockname()[1]
        asked = run({"evidence": evidence}, hosts=host)
        left_alone = run({"evidence": evidence}, "-e", "triage_outside_view=false", hosts=host)
    assert asked.returncode == left_alone.returncode == 0, asked.stdout
    assert "=== archive: service (certain, sev1) ===" in asked.stdout
    assert "/api/health refuses the connection" in " ".join(asked.stdout.split())
    assert "=== archive: nothing found ===" in left_alone.stdout
    first, second = (json.loads(path.read_text()) for path in reports(tmp_path) if path.name == "evidence.json")
    assert first["probes"]["outside_view"]["data"]["api"]["failure"] == "connection_refused"
    assert "outside_view" not in second["probes"]


def test_the_public_addresses_are_asked_while_the_host_is(run: Run, tmp_path: Path) -> None:
    """They answer well only once the host has been asked: asked before it, or in its stead, they never do."""

    class Wait(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            deadline = time.monotonic() + 9
            while not (tmp_path / "answer.json.asked").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            self.send_response(200 if (tmp_path / "answer.json.asked").exists() else 503)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wait) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = "archive healtharchive_public_api_base=http://127.0.0.1:%d" % server.server_port
        result = run({"evidence": healthy_evidence()}, hosts=host)
        server.shutdown()
    assert result.returncode == 0, result.stdout
    written = json.loads(reports(tmp_path)[0].read_text())
    assert written["probes"]["outside_view"]["data"]["api"]["status"] == 200


@pytest.mark.parametrize("interpreter", [sys.executable, "/nowhere/python3"])
def test_with_pipelining_the_program_is_read_from_standard_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: str
) -> None:
    """Then the collection's own code runs, not the stand-in: it refuses a checkout that is not there."""
    monkeypatch.setenv("ANSIBLE_PIPELINING", "true")
    host = "archive healtharchive_checkout=/nowhere ansible_python_interpreter=" + interpreter
    result = run({"evidence": healthy_evidence()}, hosts=host)
    assert result.returncode == 2
    line = next(line for line in result.stdout.splitlines() if line.startswith("archive: " + LINE))
    if interpreter == sys.executable:
        assert "There is no directory /nowhere on this host" in line or "it needs root" in line
    else:
        assert "The probes could not be started (The module interpreter was not found" in line
    assert not (tmp_path / "answer.json.asked").exists()


def test_a_host_that_is_not_reached_and_serves_all_the_same(run: Run) -> None:
    class Serve(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = "http://127.0.0.1:%d" % server.server_port
        gone = "gone ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args='-F none'"
        result = run({"evidence": healthy_evidence()}, hosts=gone + " healtharchive_public_api_base=" + base)
        server.shutdown()
    assert result.returncode == 2
    line = next(line for line in result.stdout.splitlines() if line.startswith("gone: " + LINE))
    assert "%s/api/health answers 200: the host runs and serves" % base in line
