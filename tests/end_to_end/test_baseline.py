# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is not what its policy says, put back as far as a program may, without Ansible between; looked at with stat and
sha256sum. The molecule scenario remediate_drift goes through the playbook."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Dict

import pytest

from . import record
from .asking import Desk
from .changes import COLLECTION, INVENTORY
from .conftest import ROOT
from .storage import ARCHIVE

INCIDENT = "2026-11-23-drift"
OPENED = {"title": "Drift", "severity": "sev3", "slug": "drift", "started_at": "2026-11-23T17:50:00Z"}
BACKUPS, ADOPTION, SEARCH, VICTIM = (
    "/srv/healtharchive/" + name for name in ("backups", "ops/adoption", "ops/search-eval", "victim")
)
POLICY = "/opt/healtharchive/docs/operations/production-baseline-policy.toml"
# Another owner and mode; a link in the place of a directory, to what nobody planned; a directory that is gone; a variable.
# The installer is what the service's own is by its description: it makes the ops directories at once.
DRIFT = r"""
chown haadmin:root /srv/healtharchive/backups; chmod 00755 /srv/healtharchive/backups
mkdir --mode=0700 /srv/healtharchive/victim
rmdir /srv/healtharchive/ops/search-eval /srv/healtharchive/ops/adoption
ln -s /srv/healtharchive/victim /srv/healtharchive/ops/search-eval
sed -i 's|^HEALTHARCHIVE_CORS_ORIGINS=.*|HEALTHARCHIVE_CORS_ORIGINS=https://old.example.org|' /etc/healtharchive/backend.env
cat >/opt/healtharchive/scripts/vps-bootstrap-ops-dirs.sh <<'END'
install --directory --owner=root --group=healtharchive --mode=2770 /srv/healtharchive/ops/adoption
END
"""
MENDED = r"""
rm -rf /srv/healtharchive/victim /opt/healtharchive/scripts/vps-bootstrap-ops-dirs.sh
[ ! -L /srv/healtharchive/ops/search-eval ] || rm /srv/healtharchive/ops/search-eval
for path in backups ops/search-eval ops/adoption; do
    install --directory --owner=root --group=healtharchive --mode=2770 /srv/healtharchive/$path
done
sed -i 's|^HEALTHARCHIVE_CORS_ORIGINS=.*|HEALTHARCHIVE_CORS_ORIGINS=https://archive.example.org|' /etc/healtharchive/backend.env
runuser -u haadmin -- git -C /opt/healtharchive checkout --quiet -- docs
"""
# All that the policy names, with what it must not touch.
LOOK = "stat --format '%n %U:%G %04a' /srv/healtharchive/* /srv/healtharchive/ops/* /etc/healtharchive /etc/healtharchive/*"
SUMS = "sha256sum /etc/healtharchive/backend.env " + POLICY


@pytest.fixture
def desk(host):
    argv = ["ansible", host.name, "-i", INVENTORY, "-b", "-m", COLLECTION + "incident", "-a", json.dumps(OPENED)]
    host.ssh("sudo rm -rf %s /run/healtharchive-remediation" % record.DIRECTORY)
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    found = Desk(host, INCIDENT)
    found.run(DRIFT)
    yield found
    found.close()
    host.root(MENDED)
    host.ssh("sudo rm -rf " + record.DIRECTORY)


def asked(desk: Desk, **said: Any) -> Dict[str, Any]:
    return desk.change("baseline.action", "BaselineDrift", **said)


def looked(desk: Desk) -> Dict[str, str]:
    return dict(line.split(" ", 1) for line in desk.run(LOOK).splitlines())


def test_what_the_policy_names_is_put_back_and_nothing_else(host, desk):
    before, sums, files = looked(desk), desk.run(SUMS), desk.run(ARCHIVE)
    planned = asked(desk)
    assert planned["outcome"] == "planned", planned
    plan = planned["plan"]
    assert set(plan["subjects"]) == {"path " + BACKUPS, "path " + ADOPTION}
    was, shall = ({"owner": owner, "group": group, "mode": mode} for owner, group, mode in (
        ("haadmin", "root", "0755"), ("root", "healtharchive", "2770")))  # fmt: skip
    assert (plan["before"]["path " + BACKUPS], plan["after"]["path " + BACKUPS]) == (was, shall)
    assert (plan["before"]["path " + ADOPTION], plan["after"]["path " + ADOPTION]) == (
        {"there": False},
        {"there": True},
    )
    assert "symbolic link" in plan["left_out"]["filesystem:%s:mode" % SEARCH]
    assert (
        "HEALTHARCHIVE_CORS_ORIGINS=https://archive.example.org" in plan["left_out"]["env:HEALTHARCHIVE_CORS_ORIGINS"]
    )
    assert looked(desk) == before

    token = desk.granted(no_repo_change_reason="The policy is right")["token"]
    assert asked(desk, approve=planned["plan_id"])["code"] == "clearance_missing"
    done = asked(desk, approve=planned["plan_id"], clearance=token)
    assert (done["outcome"], done["changed"]) == ("applied", True), done
    assert "env:HEALTHARCHIVE_CORS_ORIGINS" in done["detail"]
    desk.released(token)
    now = looked(desk)
    assert now.pop(ADOPTION) == now[BACKUPS] == "root:healtharchive 2770"
    # The record is in a directory of its own.
    assert {path for path, state in now.items() if state != before.get(path)} <= {BACKUPS, record.DIRECTORY}
    assert now[VICTIM] == "root:root 0700"
    assert (desk.run(SUMS), desk.run(ARCHIVE)) == (sums, files)

    left = asked(desk)
    assert (left["outcome"], left["code"]) == ("refused", "needs_person")
    assert (
        left["evidence"]["findings"]["env:HEALTHARCHIVE_CORS_ORIGINS"]["next_step"]
        == "sudoedit /etc/healtharchive/backend.env"
    )
    # A policy that somebody has edited on the host is none.
    desk.run("sed -i 's/^version = .*/&  # edited/' " + POLICY)
    assert asked(desk)["code"] == "policy_changed"
