# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output directories of an annual job on the local disk, empty and not, and one of root's: on a real kernel, with a real sshfs.

The module's own code, without Ansible between; looked at with findmnt, SQL and checksums. A job that gets its attempts back takes
a minute: longer_output_directories.py, which `make storage` runs.
"""

from __future__ import annotations

import pytest

from . import record
from .outputs import DIRECTORY, EMPTY, NAME, OF_ROOT, Outputs
from .storage import ARCHIVE, HELPERS
from .test_incident import Controller, put_utilities


@pytest.fixture
def outputs(host, tmp_path):
    controller = Controller(host, tmp_path)
    assert controller.run("open_incident", "-e", "title=Outputs", "-e", "severity=sev3").rc == 0
    put_utilities(host)
    (incident,) = controller.notes()
    host.root(HELPERS + "systemctl stop healtharchive-worker")
    yield Outputs(host, incident)
    host.root(
        HELPERS
        + "mountpoint --quiet {0} && umount {0}; forget_jobs {1}; forget_jobs of-root\n"
        "rm -rf /home/storagebox/jobs/hc/*__{1}; start_worker".format(DIRECTORY, NAME)
    )
    host.ssh("sudo rm -rf " + record.DIRECTORY)


def test_what_is_empty_is_bound_and_all_else_is_a_persons(host, outputs):
    host.root(EMPTY + OF_ROOT)
    # Something lies in it: nothing is planned, and the commands for a person are exact.
    refused = outputs("runuser -u haadmin -- touch %s/crawled" % DIRECTORY)
    assert refused["code"] == "needs_person", refused
    mine, of_root = (each for each in refused["evidence"]["directories"].values())
    assert any(command.startswith("sudo rsync") and DIRECTORY in command for command in mine["commands"])
    assert any(command.startswith("sudo namei -l") for command in of_root["commands"])
    before = host.root("rm %s/crawled\n%s" % (DIRECTORY, ARCHIVE))
    done = outputs(act=True)
    assert done["outcome"] == "applied", done
    assert done["plan"]["subjects"] == ["mount " + DIRECTORY]
    (left,) = done["plan"]["left_out"].values()
    assert "sudo namei -l" in left
    shown = host.ssh("findmnt --noheadings --output FSTYPE,FSROOT %s" % DIRECTORY).stdout.split()
    assert shown == ["fuse.sshfs", DIRECTORY.replace("/srv/healtharchive/jobs", "/jobs")]
    host.root("runuser -u haadmin -- touch {0}/x; rm {0}/x".format(DIRECTORY))
    assert host.root(ARCHIVE) == before
    # As the person was told; then nothing is left.
    (chown,) = (command for command in of_root["commands"] if "chown" in command)
    host.root(chown)
    assert outputs()["outcome"] == "nothing_to_do"
