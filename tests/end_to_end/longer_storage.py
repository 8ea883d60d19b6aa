# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hot paths that hang, a storage box that is gone, an act that is killed, what is left alone: a real kernel and a real sshfs.

The module's own code, without Ansible between. Each takes a minute: `make storage` runs them, `make test` does not.
"""

from __future__ import annotations

import time

import pytest

from . import record
from .storage import (
    ANNUAL,
    ARCHIVE,
    BASE,
    HELD,
    HELPERS,
    IMPORT,
    JOBS,
    OTHER,
    SWITCHES,
    WATCHDOGS,
    active,
    asked,
    dead,
    given_back,
    mounts,
)
from .test_incident import Controller, put_utilities


@pytest.fixture(scope="module")
def incident(host, tmp_path_factory):
    """An open one, the module's code on the host, and its watchdogs."""
    controller = Controller(host, tmp_path_factory.mktemp("controller"))
    assert controller.run("open_incident", "-e", "title=Storage", "-e", "severity=sev3").rc == 0
    put_utilities(host)
    host.root(WATCHDOGS)
    (name,) = controller.notes()
    yield name
    host.ssh("sudo rm -rf " + record.DIRECTORY)


@pytest.fixture
def storage(host, incident, broken):
    return lambda *words, **said: asked(host, incident, *words, **said)


def test_paths_that_hang_come_back_with_the_base_mount(host, storage, broken):
    before = mounts(host)
    broken("hot_path_hung")
    done = storage(act=True)
    assert done["outcome"] == "applied", done
    assert mounts(host) == before
    assert given_back(host)


def test_a_storage_box_that_is_gone_costs_no_mount_and_gives_all_back(host, storage, broken):
    broken("hot_path_stale")
    gone = "mv /root/.ssh/storagebox /root/.ssh/kept\n"
    gone += "systemctl kill --kill-whom=main --signal=KILL healtharchive-storagebox-sshfs; sleep 1"
    try:
        started = time.monotonic()
        done = storage(gone, act=True)
        assert time.monotonic() - started < 240
        assert (done["outcome"], done["code"]) == ("failed", "storage_box_gone"), done
        assert done["next_step"].startswith("This needs a person")
        assert all(dead(host, path) for path in (IMPORT, OTHER, ANNUAL))
        assert given_back(host)
    finally:
        host.root("mv /root/.ssh/kept /root/.ssh/storagebox")
    done = storage(act=True)
    assert done["outcome"] == "applied", done
    assert given_back(host)


@pytest.mark.parametrize("step", ["_unmount", "_bind_all", "_judge"])
def test_killed_in_the_middle_it_comes_back_and_the_next_run_ends_it(host, storage, broken, step):
    before = mounts(host)
    broken("hot_path_stale")
    # Without its metadata the service's script does not know the annual job any more.
    host.root(HELPERS + "sql \"UPDATE archive_jobs SET config = (config::jsonb - 'campaign_kind')::json WHERE id = 3\"")
    try:
        storage(killed=True, act=True, kill_at=step)
        assert active(host, "healtharchive-worker", HELD[0], *SWITCHES) == ["inactive", "inactive", "active", "active"]
        done = storage(act=True)
        assert done["outcome"] == "applied", done
        assert mounts(host) == before
        assert given_back(host)
        assert storage()["outcome"] == "nothing_to_do"
    finally:
        host.root(HELPERS + "service reconcile-annual-tool-options --year 2026 --apply")


def test_what_the_switches_do_by_themselves(host, storage, broken):
    broken("hot_path_stale")
    storage(killed=True, act=True, kill_at="_unmount")
    # Their time has come.
    host.root("systemctl start --no-block healtharchive-remediation-{worker-resume,watchdogs-return}.service; sleep 3")
    assert active(host, "healtharchive-worker", HELD[0]) == ["active", "active"]
    done = storage(act=True)
    assert done["outcome"] == "applied", done
    assert given_back(host)


def test_what_is_not_known_or_lies_in_the_way_is_left(host, storage, broken):
    # A mount that nothing knows, over a directory of the local disk.
    foreign = "mkdir -p {0}/foreign/x; mount --bind {1}/jobs/imports/hc-2019 {0}/foreign/x".format(JOBS, BASE)
    host.root(foreign)
    try:
        broken("hot_path_stale")
        planned = storage()
        assert planned["outcome"] == "planned"
        assert "Neither the manifest nor a job knows it." in planned["plan"]["left_out"]["mount %s/foreign/x" % JOBS]
        assert not any("foreign" in word for argv in planned["plan"]["commands"] for word in argv)
        done = storage(act=True)
        assert done["outcome"] == "applied", done
        assert dead(host, JOBS + "/foreign/x")
    finally:
        host.root("umount -l {0}/foreign/x; rm -r {0}/foreign".format(JOBS))
    refused = storage("umount %s; runuser -u haadmin -- touch %s/written-on-the-disk" % (OTHER, OTHER))
    assert refused["code"] == "local_files_in_the_way"
    host.root("rm %s/written-on-the-disk" % OTHER)
    # Nothing is dead, and one path is no mount.
    done = storage(act=True)
    assert done["outcome"] == "applied", done


def test_a_crawl_of_the_worker_on_a_healthy_path_is_not_interrupted_by_accident(host, storage, broken):
    host.root(HELPERS + "occupy_worker")
    try:
        broken("hot_path_stale")
        refused = storage()
        assert refused["code"] == "would_interrupt", refused
        (job,) = [each["job"] for each in refused["evidence"]["jobs"]]
        assert storage(accept_interruption_of=[job])["outcome"] == "planned"
    finally:
        host.root(HELPERS + "release_worker; start_worker")


def test_after_a_reboot_an_annual_directory_that_no_script_knows_is_bound(host, storage, broken):
    """Its job's first run has dropped the campaign metadata, and the annual tiering says that there is nothing to do."""
    before = mounts(host)
    host.root(HELPERS + "sql \"UPDATE archive_jobs SET config = (config::jsonb - 'campaign_kind')::json WHERE id = 3\"")
    try:
        done = storage("umount %s" % ANNUAL, act=True)
        assert done["outcome"] == "applied", done
        assert done["plan"]["after"]["mount " + ANNUAL]["state"] == "ok"
        assert mounts(host) == before
        assert given_back(host)
    finally:
        host.root(HELPERS + "service reconcile-annual-tool-options --year 2026 --apply")


def test_the_storage_box_is_not_mounted_over_files(host, storage, broken):
    before = mounts(host)
    gone = "systemctl stop healtharchive-storagebox-sshfs; umount -l %s %s %s" % (IMPORT, OTHER, ANNUAL)
    try:
        refused = storage(gone + "; mkdir -p %s/jobs/hc; touch %s/jobs/hc/crawled" % (BASE, BASE))
        assert refused["code"] == "local_files_in_the_way", refused
        assert host.ssh("findmnt --types fuse.sshfs", check=False).stdout == ""
    finally:
        host.root("rm -f %s/jobs/hc/crawled" % BASE)
    # Directories alone are in nobody's way. What the annual tiering knows is asked when the box is back.
    done = storage(act=True)
    assert done["outcome"] == "applied", done
    assert done["evidence"]["remaining"]["outcome"] == "planned"
    done = storage(act=True)
    assert done["outcome"] == "applied", done
    assert mounts(host) == before
    assert given_back(host)


# Everything of it dies, as when the box drops every connection; sshfs is started again by nobody.
_DIES = """
systemctl kill --kill-whom=main --signal=KILL healtharchive-storagebox-sshfs
while stat /srv/healtharchive/storagebox >/dev/null 2>&1; do sleep 0.1; done
"""


@pytest.mark.parametrize("step", ["_unmount", "_bind_all"])
def test_a_mount_that_dies_again_in_the_middle(host, storage, broken, step):
    """After one of the paths was unmounted, and after all of them were bound again."""
    before, files = mounts(host), host.root(ARCHIVE)
    broken("hot_path_stale")
    done = storage(act=True, after=(step, _DIES))
    assert (done["outcome"], done["code"]) == ("failed", "not_mended"), done
    assert dead(host, BASE)
    # What it held off is back, and nothing was written in the place of a mount.
    assert given_back(host)
    again = storage(act=True)
    assert again["outcome"] == "applied", again
    assert mounts(host) == before
    assert given_back(host)
    assert host.root(ARCHIVE) == files
    assert storage()["outcome"] == "nothing_to_do"


_HANGS = r"""
cp /usr/bin/umount /run/umount.kept
printf '#!/bin/sh\ncase "$*" in *%s*) exec sleep 600 ;; esac\nexec /run/umount.kept "$@"\n' >/run/umount.hangs
chmod 755 /run/umount.hangs
mount --bind /run/umount.hangs /usr/bin/umount
"""


def test_an_unmount_that_hangs_keeps_no_other_path_and_nothing_that_was_held_off(host, storage, broken):
    before, files = mounts(host), host.root(ARCHIVE)
    broken("hot_path_stale")
    host.root(_HANGS % IMPORT.rpartition("/")[2])
    try:
        started = time.monotonic()
        done = storage(act=True)
        assert time.monotonic() - started < 240
        assert (done["outcome"], done["code"]) == ("failed", "not_mended"), done
        assert "umount" in done["detail"]
        assert (dead(host, IMPORT), dead(host, OTHER), dead(host, ANNUAL)) == (True, False, False)
        assert given_back(host)
        assert host.ssh("pgrep --full 'sleep 600'", check=False).stdout == ""
    finally:
        host.root("/run/umount.kept /usr/bin/umount")
    done = storage(act=True)
    assert done["outcome"] == "applied", done
    assert mounts(host) == before
    assert host.root(ARCHIVE) == files


# A job of its own whose directory lies on the storage box, crawled in a unit of its own once the base mount is back.
_HEALTHY = """
systemctl stop healtharchive-worker
id=$(new_job phac)
place_job $id on-the-box phac/on-the-box '{{"simulated_seconds": 3600}}'
runuser -u haadmin -- mkdir -p {jobs}/phac/on-the-box {base}/jobs/phac/on-the-box
mount --bind {base}/jobs/phac/on-the-box {jobs}/phac/on-the-box
crawl_detached on-the-box $id
wait_until 30 crawl_writes {jobs}/phac/on-the-box
start_worker
""".format(jobs=JOBS, base=BASE)
_NO_MORE = """
systemctl stop on-the-box
umount --lazy {jobs}/phac/on-the-box
forget_jobs on-the-box
rm -rf /home/storagebox/jobs/phac/on-the-box
""".format(jobs=JOBS)
_LOOK = (
    "systemctl show --property=MainPID,ActiveState on-the-box; pgrep --full '[-]-output-dir {0}/phac/on-the-box';"
    " grep ' {0}/phac/on-the-box ' /proc/self/mountinfo"
).format(JOBS)
_SIZE = "stat --format %%s %s/phac/on-the-box/*.combined.log" % JOBS


def test_a_healthy_mount_beside_dead_ones_and_the_crawl_that_writes_on_it_are_left_alone(host, storage, broken):
    broken("hot_path_stale")
    try:
        host.root(HELPERS + _HEALTHY)
        before, written = host.ssh(_LOOK).stdout, int(host.ssh(_SIZE).stdout)
        planned = storage()
        assert not [word for argv in planned["plan"]["commands"] for word in argv if "on-the-box" in word]
        done = storage(act=True)
        assert done["outcome"] == "applied", done
        # The same process, on the same mount, and it goes on writing.
        assert host.ssh(_LOOK).stdout == before
        now = int(host.ssh(_SIZE).stdout)
        assert now > written
        host.root(HELPERS + "grows() { [ $(%s) -gt %d ]; }; wait_until 20 grows" % (_SIZE, now))
        assert given_back(host)
    finally:
        host.root(HELPERS + _NO_MORE)
