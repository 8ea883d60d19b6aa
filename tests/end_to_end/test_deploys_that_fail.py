# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands against a deploy, or breaks it, on a real host: each time the result says what is there, and the way back works.

`make deploys` runs them, each of which takes a minute; `make test` has the ones of test_deploy.py alone.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any, Dict, Iterator, List

import pytest

from . import commits, deploys, record
from .deploys import UNIT, Cut, Site, failed_deploy, following, plan_of, said, stopped_at
from .test_incident import Run


@pytest.fixture(scope="module")
def site(host, tmp_path_factory) -> Iterator[Site]:
    yield from deploys.site(host, tmp_path_factory.mktemp("operator"))


def occupy(site: Site) -> str:
    """The worker crawls a job for an hour; its number."""
    return site.host.root(
        r"""
        service() { runuser -u haadmin -- bash -euc 'set -a; source /etc/healtharchive/backend.env; set +a
            exec /opt/healtharchive/.venv/bin/healtharchive "$@"' - "$@"; }
        sql() { runuser -u postgres -- psql -qAt -v ON_ERROR_STOP=1 healtharchive -c "$1"; }
        systemctl stop healtharchive-worker
        id=$(service create-job --source hc --page-limit 6 | sed -n 's/^ *ID: *//p')
        sql "UPDATE archive_jobs SET name = 'hc-long', config =
             (config::jsonb || '{\"tool_options\": {\"simulated_seconds\": 3600}}')::json WHERE id = $id"
        systemctl start healtharchive-worker
        until [ "$(sql "SELECT status FROM archive_jobs WHERE id = $id")" = running ]; do sleep 0.2; done
        echo $id"""
    ).strip()


def release(site: Site) -> None:
    site.host.root(
        """systemctl stop healtharchive-worker
        runuser -u postgres -- psql -qAt healtharchive -c "DELETE FROM archive_jobs WHERE name IN ('hc-long', 'without')"
        systemctl start healtharchive-worker"""
    )


def test_a_crawl_is_left_alone_and_the_way_back_over_a_migration(site):
    """The API of the new commit does not come up, after its migration was run; all the while a job is crawled, and another one,
    which no listing shows for it has no source, is marked running."""
    job = occupy(site)
    site.host.sql(
        "INSERT INTO archive_jobs (name, output_dir, status, started_at) "
        "VALUES ('without', '/srv/healtharchive/jobs/x', 'running', now())"
    )
    without = site.host.root(
        "runuser -u postgres -- psql -qAt healtharchive -c \"SELECT id FROM archive_jobs WHERE name = 'without'\""
    )
    without = without.strip()
    before = site.seen()
    revision = following(before.revision)
    ref = commits.push(site.host, "migration", "silent API", base=before.head)
    planned = site.run(ref)
    assert "hc-long" in planned.output
    assert "job %s (without, without a source)" % without in " ".join(planned.output.split())
    assert "accept_interruption_of=%s,%s" % tuple(sorted((job, without), key=int)) in planned.output
    assert "left as it runs" in said(planned.output, "left out")
    failed = site.run(ref, "-e", "approve=" + plan_of(planned.output))
    assert failed.rc == 2
    assert re.search(r"\((unit_not_active|api_not_healthy)\)", said(failed.output, "FAILED"))
    assert re.search("the API is (restarting|activating|failed)", said(failed.output, "not yet"))
    seen = site.seen()
    assert (seen.head, seen.revision, seen.worker_pid) == (ref, revision, before.worker_pid)
    assert site.answers("/api/health") != "200"
    assert site.outcomes(ref) == ["failed"]

    accepted = site.run(before.head, "-e", "accept_interruption_of=%s,%s" % (job, without))
    assert "THE CRAWL OF JOB %s, %s IS INTERRUPTED" % tuple(sorted((job, without), key=int)) in said(
        accepted.output, "impact"
    )
    assert "--skip-migrations" in accepted.output
    done = site.go_back(failed.output, before.head, "-e", "accept_interruption_of=%s,%s" % (job, without))
    assert said(done.output, "worker") == "worker restarted"
    assert "the schema stays at " + revision in said(done.output, "deployed")
    seen = site.is_live(before.head, revision)
    assert seen.worker_pid != before.worker_pid
    release(site)
    # The schema is brought back by hand, as no deploy does, so that what follows begins on sound ground.
    site.host.sql("DROP TABLE \"%s\"; UPDATE alembic_version SET version_num = '%s'" % (revision, before.revision))


def test_a_dependency_that_cannot_be_installed(site):
    before = site.seen()
    ref = commits.push(site.host, "missing dependency", base=before.head)
    done = failed_deploy(site, ref, "dependencies_not_installed", "dependencies")
    assert "ha-nowhere" in said(done.output, "FAILED")
    assert "not installed: ha-nowhere>=1" in said(done.output, "not yet")
    assert site.seen().api_pid == before.api_pid
    assert site.seen().head == ref
    site.go_back(done.output, before.head)
    site.is_live(before.head, before.revision)


def test_postgresql_stops_before_the_migration(site):
    before = site.seen()
    ref = commits.push(site.host, "text", base=before.head)
    approval = site.approval(ref)
    running = site.start(ref, *approval)
    # It stands still meanwhile: on a busy machine it would be past its migrations before PostgreSQL has stopped.
    site.host.root(stopped_at("pip install") + "systemctl stop postgresql; systemctl kill --signal=CONT %s" % UNIT)
    output = running.communicate(timeout=300)[0]
    print(output)
    done = failed_deploy(site, ref, "migration_failed", "migrations", Run(running.returncode, output))
    assert "Connection refused" in output or "connection failed" in output
    assert "the schema" in said(output, "not seen")
    seen = site.seen()
    assert (seen.head, seen.api_pid, seen.worker) == (ref, before.api_pid, "inactive")
    refused = site.run(ref)
    assert refused.rc == 2
    assert "database_unreachable" in refused.output
    site.host.ssh("sudo systemctl start postgresql healtharchive-worker")
    site.go_back(done.output, before.head)
    site.is_live(before.head, before.revision)


def test_the_public_check_fails_and_a_stopped_worker_stays_stopped(site):
    before = site.seen()
    site.host.ssh("sudo systemctl stop healtharchive-worker")
    good = commits.push(site.host, "text", base=before.head)
    done = site.deploy(good)
    assert done.rc == 0, done.output
    assert "does not run, as before" in said(done.output, "not yet")
    site.is_live(good, before.revision, worker="inactive", worker_is_newer=False)
    ref = commits.push(site.host, "no search", base=good)
    done = failed_deploy(site, ref, "public_check_failed", "public surface")
    assert "api search" in said(done.output, "public")
    assert said(done.output, "live") == "the API"
    assert site.answers("/api/search?q=page") == "404"
    site.is_live(ref, before.revision, worker="inactive", worker_is_newer=False)
    site.host.ssh("sudo systemctl start healtharchive-worker")
    site.go_back(done.output, good)
    site.is_live(good, before.revision)


LOCK_FILE = "/tmp/healtharchive-deploy.lock"
ENVIRONMENT = "/etc/healtharchive/backend.env"
# What stands against a deploy: what brings it about on the host, what undoes that, and the code that is expected.
OBSTACLES = {
    "dirty": ("touch /opt/healtharchive/left-behind", "rm /opt/healtharchive/left-behind", "tree_dirty"),
    "edited": (
        "echo >>/opt/healtharchive/README.md",
        "runuser -u haadmin -- git -C /opt/healtharchive checkout -q README.md",
        "tree_dirty",
    ),
    "locked": (
        "systemd-run --quiet --unit=other-deploy --uid=haadmin flock -n %s sleep 600; "
        "for i in $(seq 100); do flock --nonblock --shared %s true || exit 0; sleep 0.1; done; exit 1"
        % (LOCK_FILE, LOCK_FILE),
        "systemctl stop other-deploy",
        "deploy_running",
    ),
    "foreign lock": ("chown root " + LOCK_FILE, "chown haadmin " + LOCK_FILE, "deploy_lock_foreign"),
    "unreadable": ("chgrp root " + ENVIRONMENT, "chgrp healtharchive " + ENVIRONMENT, "env_file_unreadable"),
    "no sudo": (
        "mv /etc/sudoers.d /etc/sudoers.aside; install -d -m 0750 /etc/sudoers.d; cp -a /etc/sudoers.aside/* /etc/sudoers.d/; "
        "echo 'haadmin ALL=(ALL:ALL) NOPASSWD: ALL, !/usr/bin/systemctl restart healtharchive-api' >/etc/sudoers.d/zz-less",
        "rm -r /etc/sudoers.d; mv /etc/sudoers.aside /etc/sudoers.d",
        "sudo_refused",
    ),
    "replaced": (
        "cd /opt/healtharchive; runuser -u haadmin -- git replace HEAD HEAD~1",
        "cd /opt/healtharchive; runuser -u haadmin -- git replace -d $(runuser -u haadmin -- git rev-parse HEAD)",
        "commits_replaced",
    ),
    "no origin": ("mv /srv/git /srv/git.aside", "mv /srv/git.aside /srv/git", "origin_unreachable"),
}


def test_what_stands_against_a_deploy_is_told_and_changes_nothing(site, tmp_path):
    """One playbook, in which each obstacle is put in the way and taken away again; without one there is a plan."""
    head = site.head()
    good = commits.push(site.host, "text", base=head)
    unmerged = commits.push(site.host, "text", base=head, branch="unmerged")
    local = site.host.root(
        "cd /opt/healtharchive; git() { runuser -u haadmin -- git \"$@\"; }; t=$(git rev-parse 'HEAD^{tree}'); "
        "git commit-tree -p HEAD -m 'Never pushed' $t"
    ).strip()
    refs = {
        "short": (good[:12], "bad_ref"), "branch": ("main", "bad_ref"), "remote branch": ("origin/main", "bad_ref"),
        "unknown": ("0" * 40, "ref_unknown"), "unmerged": (unmerged, "ref_unknown"), "local": (local, "ref_not_on_main"),
        "twice": (good, "bad_option"),
    }  # fmt: skip
    tasks: List[Dict[str, Any]] = []
    for name, (ref, _code) in refs.items():
        tasks.append(attempt(site, name, ref, **({"accept_interruption_of": [3, 3]} if name == "twice" else {})))
    for name, (prepare, undo, _code) in OBSTACLES.items():
        tasks += [shell(prepare), attempt(site, name, good), shell(undo)]
    tasks.append(attempt(site, "nothing", good))
    report = tmp_path / "told.json"
    tasks.append(
        {
            "name": "Keep",
            "ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(report)},
            "delegate_to": "localhost",
            "become": False,
        }
    )
    play = [
        {
            "name": "Obstacles",
            "hosts": "healtharchive",
            "become": True,
            "gather_facts": False,
            "vars": {"told": {}},
            "tasks": tasks,
        }
    ]
    (tmp_path / "obstacles.yml").write_text(json.dumps(play))
    site.host.ssh("sudo -u haadmin touch " + LOCK_FILE)
    before, events = site.seen(), len(record.events(site.host))
    argv = [
        "ansible-playbook",
        "-i",
        str(site.controller.inventory),
        "--limit",
        site.host.name,
        str(tmp_path / "obstacles.yml"),
    ]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(report.read_text())
    expected = {name: code for name, (_ref, code) in refs.items()}
    expected.update({name: code for name, (_prepare, _undo, code) in OBSTACLES.items()}, nothing="planned")
    assert told == expected
    assert site.seen() == before
    assert len(record.events(site.host)) == events


def shell(script: str) -> Dict[str, Any]:
    return {"name": "Shell", "ansible.builtin.shell": {"cmd": "set -e; " + script, "executable": "/bin/bash"}}


def attempt(site: Site, name: str, ref: str, **options: Any) -> Dict[str, Any]:
    """Tasks that keep under ``told`` what the module said: the code of its refusal, or its outcome."""
    module = {"incident": site.incident, "deploy_ref": ref, "approve": "0" * 12, **options}
    if name == "nothing":
        del module["approve"]

    def keep(value: str) -> Dict[str, Any]:
        return {
            "name": "Keep",
            "ansible.builtin.set_fact": {"told": "{{ told | combine({'%s': %s}) }}" % (name, value)},
        }

    return {
        "name": name,
        "block": [
            {"name": name, "healtharchive.remediation.deployment": module, "register": "answer"}, keep("answer.outcome"),
        ],
        "rescue": [keep("ansible_failed_result.code")],
    }  # fmt: skip


def test_a_boot_in_the_middle_leaves_what_is_seen(site):
    before = site.seen()
    ref = commits.push(site.host, "text", base=before.head)
    approval = site.approval(ref)
    cut = Cut(site, "boot", 0)
    process = site.start(ref, *approval)
    site.host.root(stopped_at("pip install"))
    cut.cut(process)
    process.communicate(timeout=60)
    told = site.run(ref)
    assert told.rc == 0
    assert "settled" in told.output
    assert site.outcomes(ref) == ["unknown"]
    assert "how it ended is not known" in said(told.output, "settled")
    assert site.head() == ref
    done = site.run(ref, "-e", "approve=" + plan_of(told.output)) if "PLANNED" in told.output else told
    assert done.rc == 0, done.output
    site.is_live(ref, before.revision)
