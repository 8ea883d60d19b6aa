# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a unit came to be down decides what is planned for it: on a real systemd, with the module's own code, without Ansible."""

from __future__ import annotations

import json

import pytest

from . import record
from .test_incident import Controller, put_utilities

API, WORKER = "healtharchive-api.service", "healtharchive-worker.service"
POSTGRESQL, CLUSTER = "postgresql.service", "postgresql@15-main.service"
# Runs what is after the first line of its standard input, then prints what would be planned; and so on.
_SCRIPT = r"""
import json, subprocess, sys, time
sys.path.insert(0, "/run/collections")
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, contexts, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.services import action

def planned(said):
    known = {**settings.ARGUMENT_SPEC, **change.ARGUMENT_SPEC, **action.ARGUMENT_SPEC}
    parameters = {**{name: option.get("default") for name, option in known.items()}, "incident": sys.argv[1], **said}
    context = contexts.context(settings.from_parameters(parameters), time.monotonic() + 60)
    return change.run(context, parameters, action.Services(parameters), False)

def acted():
    # What the class does between the begin record and the end record; then, as if its end had not been recorded.
    from ansible_collections.healtharchive.remediation.plugins.module_utils import recorded
    known = {**settings.ARGUMENT_SPEC, **change.ARGUMENT_SPEC, **action.ARGUMENT_SPEC}
    parameters = {**{name: option.get("default") for name, option in known.items()}, "incident": sys.argv[1]}
    context = contexts.context(settings.from_parameters(parameters), time.monotonic() + 100)
    host = change.Host(context, None, sys.argv[1])
    services = action.Services(parameters)
    plan = services.plan(host)
    services.act(host, plan)
    begun = recorded.Action("service-1", sys.argv[1], "service", "2026-11-23T18:00:00Z", plan.subjects)
    return [seen._asdict() for seen in (services.observe(host, plan), services.settle(host, begun))]

said = json.loads(sys.argv[2])
print(json.dumps(acted() if "act" in said else planned(said)))
"""


@pytest.fixture(scope="module")
def incident(host, tmp_path_factory):
    """An open one, and the module's code on the host."""
    controller = Controller(host, tmp_path_factory.mktemp("controller"))
    assert controller.run("open_incident", "-e", "title=Services", "-e", "severity=sev3").rc == 0
    put_utilities(host)
    (name,) = controller.notes()
    yield name
    host.ssh("sudo rm -rf " + record.DIRECTORY)


@pytest.fixture
def planned(host, incident):
    """Break the host with a script of root, then see what would be planned; afterwards all runs."""

    def plan(script: str, **said) -> dict:
        host.root(script)
        argv = "python3 - %s '%s' <<'END OF PROGRAM'\n%s\nEND OF PROGRAM\n" % (incident, json.dumps(said), _SCRIPT)
        return json.loads(host.root(argv))

    yield plan
    host.root(
        "rm -rf /run/systemd/system/healtharchive-*.d /run/systemd/system/docker.service.d; systemctl daemon-reload\n"
        "systemctl reset-failed; systemctl start postgresql postgresql@15-main docker\n"
        "systemctl start healtharchive-replay healtharchive-api healtharchive-worker\n"
        "for _ in {1..100}; do curl -sf -o /dev/null 127.0.0.1:8001/api/health && exit; sleep 0.2; done; exit 1"
    )


def starts(result: dict) -> list:
    assert result["outcome"] == "planned", result
    assert all(argv[1] in ("start", "reset-failed") for argv in result["plan"]["commands"])
    return [subject.split(" ")[1] for subject in result["plan"]["subjects"]]


def noted(result: dict, words: str) -> bool:
    return any(words in remark for remark in result["plan"]["remarks"])


def test_what_stopped_with_postgresql_comes_back_with_it(planned):
    result = planned("systemctl stop postgresql")
    assert starts(result) == [POSTGRESQL, WORKER]
    assert noted(result, "The worker stopped with postgresql.service at 2")
    # Somebody has started PostgreSQL since; stopped it and started it once more.
    assert starts(planned("systemctl start postgresql")) == [WORKER]
    assert starts(planned("systemctl stop postgresql; systemctl start postgresql")) == [WORKER]


def test_a_worker_that_was_stopped_before_postgresql_stays_so(planned):
    result = planned("systemctl stop healtharchive-worker; systemctl stop postgresql")
    assert starts(result) == [POSTGRESQL]
    assert result["plan"]["left_out"]["unit " + WORKER].startswith("worker_stopped_on_purpose: ")
    assert starts(planned("true", start_worker=True)) == [POSTGRESQL, WORKER]
    assert planned("systemctl start postgresql")["code"] == "worker_stopped_on_purpose"


def test_a_worker_that_was_stopped_in_one_command_before_postgresql_stays_so(planned):
    assert starts(planned("systemctl stop healtharchive-worker postgresql")) == [POSTGRESQL]


def test_a_worker_that_was_killed_and_started_and_then_stopped_was_stopped(planned):
    script = "systemctl kill --signal=KILL healtharchive-worker; sleep 6; systemctl is-active healtharchive-worker\n"
    assert planned(script + "systemctl stop healtharchive-worker")["code"] == "worker_stopped_on_purpose"


def test_units_that_died_are_started(planned):
    limit = "for _ in {1..8}; do systemctl restart %s || true; done; systemctl is-failed %s"
    result = planned("\n".join(limit % (unit, unit) for unit in ("healtharchive-api", "healtharchive-worker")))
    assert starts(result) == [API, WORKER]
    assert noted(result, "The worker ended by itself")
    assert result["plan"]["before"]["unit " + API] == {"state": "failed", "result": "start-limit-hit"}


def test_a_worker_that_ended_without_an_error_is_started(planned):
    drop_in = "d=/run/systemd/system/healtharchive-worker.service.d; mkdir -p $d\n"
    drop_in += "printf '[Service]\\nExecStart=\\nExecStart=/bin/true\\n' >$d/x.conf; systemctl daemon-reload\n"
    result = planned(drop_in + "systemctl restart healtharchive-worker; sleep 0.5")
    assert starts(result) == [WORKER]
    assert noted(result, "The worker ended by itself")


def test_a_server_of_postgresql_that_died_is_started_and_the_worker_left_as_it_is(host, planned):
    script = "systemctl kill --signal=KILL %s; until systemctl is-failed %s; do sleep 0.1; done" % (CLUSTER, CLUSTER)
    assert starts(planned(script)) == [CLUSTER]
    assert host.ssh("systemctl is-active healtharchive-worker").stdout == "active\n"


def test_without_docker_the_worker_is_left(planned):
    script = "systemctl stop docker; systemctl is-active healtharchive-worker && exit 1 || true"
    assert planned(script)["code"] == "docker_down"
    assert starts(planned("systemctl start docker")) == [WORKER]
    # Its start was asked for, and Docker did not come.
    drop_in = "d=/run/systemd/system/docker.service.d; mkdir -p $d\n"
    drop_in += "printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >$d/x.conf; systemctl daemon-reload\n"
    given_up = drop_in + "systemctl stop healtharchive-worker docker; systemctl start healtharchive-worker || true\n"
    assert planned(given_up)["code"] == "docker_down"
    mended = "rm -r /run/systemd/system/docker.service.d; systemctl daemon-reload; systemctl start docker"
    assert starts(planned(mended)) == [WORKER]


def test_who_has_the_password_of_before_is_restarted(host, broken, planned):
    broken("wrong_database_password")
    assert planned("true")["code"] == "credentials_refused"
    result = planned(
        "cp --preserve=all /run/backend.env.kept /etc/healtharchive/backend.env; touch /etc/healtharchive/backend.env"
    )
    assert result["plan"]["commands"] == [["/usr/bin/systemctl", "restart", unit] for unit in (API, WORKER)]
    host.root("systemctl restart healtharchive-api healtharchive-worker")


def test_a_worker_that_another_change_has_paused_is_left_to_it(host, planned):
    code = """
import sys, time
sys.path.insert(0, "/run/collections")
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, contexts, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.stuck import pause
known = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
context = contexts.context(settings.from_parameters(known), time.monotonic() + 60)
pause.begin(context, "worker", "2026-11-23-crawl", 300, lambda: None)
"""
    result = planned("python3 - <<'END OF CODE'%sEND OF CODE" % code, start_worker=True)
    assert result["code"] == "worker_paused", result
    assert "by worker (incident 2026-11-23-crawl) at 2" in result["detail"]
    # Its timer is gone: whoever stopped the worker meant to.
    assert (
        planned("systemctl stop healtharchive-remediation-worker-resume.timer")["code"] == "worker_stopped_on_purpose"
    )


def test_what_dies_again_has_failed_and_what_holds_is_applied(planned):
    drop_in = "d=/run/systemd/system/healtharchive-api.service.d; mkdir -p $d\n"
    drop_in += "printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep 3\\n' >$d/x.conf; systemctl daemon-reload\n"
    seen, settled = planned("systemctl stop healtharchive-api\n" + drop_in, act=True)
    assert (seen["outcome"], seen["changed"], seen["code"]) == ("failed", True, "died_again")
    assert seen["states"]["unit " + API]["state"] != "active"
    assert (settled["outcome"], settled["changed"]) == ("failed", None)
    mended = "rm -r /run/systemd/system/healtharchive-api.service.d; systemctl daemon-reload; systemctl stop healtharchive-api"
    seen, settled = planned(mended, act=True)
    assert (seen["outcome"], seen["changed"], seen["code"]) == ("applied", True, None)
    assert "/api/health answers 200. check-db reaches PostgreSQL." in seen["detail"]
    assert (settled["outcome"], settled["changed"]) == ("applied", None)
    assert settled["detail"].startswith("It was cut off; this is how it is now. ")


def test_a_unit_that_loops_for_no_known_cause_is_left(planned):
    drop_in = "d=/run/systemd/system/healtharchive-api.service.d; mkdir -p $d\n"
    drop_in += "printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >$d/x.conf; systemctl daemon-reload\n"
    assert planned(drop_in + "systemctl restart healtharchive-api; sleep 1")["code"] == "api_restart_loop"
