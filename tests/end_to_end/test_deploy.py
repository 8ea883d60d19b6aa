# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys on a real host: one that goes well, one that fails and the way back, and some that are cut off.

`make deploys N=20` cuts 20, and tries what is in test_deploys_that_fail.py.
"""

from __future__ import annotations

import os
import random
import re
import time
from typing import Iterator

import pytest

from . import commits, deploys
from .deploys import RUNTIME, Cut, Site, ended, failed_deploy, following, last_step, plan_of, said

CUTS = int(os.environ.get("HEALTHARCHIVE_DEPLOY_CUTS", "1"))
SEED = int(os.environ.get("HEALTHARCHIVE_DEPLOY_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
# How much longer than its plan a whole deploy takes, more or less: cuts fall anywhere in it.
WHOLE = 3.0


@pytest.fixture(scope="module")
def site(host, tmp_path_factory) -> Iterator[Site]:
    yield from deploys.site(host, tmp_path_factory.mktemp("operator"))


REFS = "git -C /opt/healtharchive for-each-ref; git -C /opt/healtharchive rev-parse HEAD; ls -la --time-style=full-iso \
/opt/healtharchive/.git /opt/healtharchive/.git/objects | grep -v '\\.$'; ls -d /run/healtharchive-* 2>/dev/null; true"


def test_a_dependency_and_a_migration(site):
    before = site.seen()
    ref = commits.push(site.host, "dependency", "migration")
    there = site.host.ssh(REFS).stdout
    planned = site.run(ref)
    assert planned.rc == 0
    assert "PLANNED, nothing was changed" in planned.output
    for label in ("objective", "commands", "impact", "rollback"):
        assert said(planned.output, label)
    revision = following(before.revision)
    assert revision in said(planned.output, "impact")
    assert "deploy_ref=" + before.head in said(planned.output, "rollback")
    # Not even a ref or an object came into the checkout, and nothing runs that did not.
    assert site.host.ssh(REFS).stdout == there
    assert site.seen() == before

    done = site.run(ref, "-e", "approve=" + plan_of(planned.output))
    assert done.rc == 0, done.output
    steps = re.findall(r": deploy +[0-9]+ s  (.{15}) ", done.output)
    assert [step.strip() for step in steps if step.strip()][:7] == [
        *("fetch", "checkout", "dependencies", "migrations", "reload", "restart API", "restart worker")
    ]
    assert said(done.output, "live") == "the API; the worker"
    assert "public check passes" in said(done.output, "public")
    seen = site.is_live(ref, revision)
    assert commits.PACKAGE + "==1.0" in [package.split(" ")[0] for package in seen.packages]
    assert seen.worker_pid != before.worker_pid
    site.host.sql('INSERT INTO "%s" (id) VALUES (1)' % revision)
    assert site.outcomes(ref) == ["applied"]
    (begun,) = [event for event in site.actions() if event["kind"] == "action_begun"]
    assert begun["head"] == before.head

    again = site.run(ref, "-e", "approve=" + plan_of(planned.output))
    assert again.rc == 0
    assert "nothing to do" in again.output
    assert site.outcomes(ref) == ["applied"]


def test_a_migration_that_fails_and_the_way_back(site):
    before = site.seen()
    ref = commits.push(site.host, "failing migration", base=before.head)
    done = failed_deploy(site, ref, "migration_failed", "migrations")
    assert "UndefinedColumn" in said(done.output, "FAILED")
    seen = site.seen()
    assert (seen.head, seen.revision) == (ref, before.revision)
    assert (seen.api_pid, seen.worker_pid) == (before.api_pid, before.worker_pid)
    wanted = "the schema is at %s, and the commit wants %s" % (before.revision, following(before.revision))
    assert wanted in said(done.output, "not yet")
    assert "the API was started before" in said(done.output, "not yet")
    site.go_back(done.output, before.head)
    site.is_live(before.head, before.revision)


@pytest.mark.parametrize(
    ("way", "number"), [*(("link", n) for n in range(CUTS)), *(("controller", n) for n in range(CUTS // 4))]
)
def test_cut_off_at_any_moment_it_ends_and_is_recorded_once(site, way, number):
    """Whatever was cut, and whenever: what was said by then is true, the same command again ends it, and it was done once."""
    before = site.seen()
    ref = commits.push(site.host, "text", base=before.head)
    started = time.monotonic()
    approval = site.approval(ref)
    seconds = random.Random("%d %s %d" % (SEED, way, number)).uniform(0.1, WHOLE) * (time.monotonic() - started)
    moves = "git -C %s log -g --format=%%H HEAD | grep -c %s || true" % (commits.CHECKOUT, ref)
    started = time.monotonic()
    output = Cut(site, way, seconds).start(ref, approval)
    print(output)
    told = ended(output)
    print(
        "CUT seed %d, number %d: the %s after %.1f s, in the step %s; it ended after %.1f s and said %s"
        % (SEED, number, way, seconds, last_step(output), time.monotonic() - started, told)
    )
    if told == "applied":
        assert site.outcomes(ref) == ["applied"]
    # Of one that was cut off before it could say anything, or says that it does not know, nothing is asked but the way on.
    assert told in ("applied", "UNKNOWN", None), output
    for _attempt in range(5):
        done = site.run(ref, *approval)
        if done.rc == 0:
            break
        # A run that was cut off before it began to deploy may still be planning, for some seconds.
        assert "(busy)" in done.output or "(deploy_running)" in done.output, done.output
        time.sleep(3)
    assert done.rc == 0, done.output
    assert site.outcomes(ref) == ["applied"]
    assert site.host.ssh(moves).stdout.strip() == "1"
    site.is_live(ref, before.revision)
    assert not site.host.ssh("sudo ls %s" % RUNTIME).stdout.count("deploy.json")
