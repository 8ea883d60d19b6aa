# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's table of mounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import mounts
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / name).read_bytes()


def test_a_bind_mount_of_the_storage_box() -> None:
    found = mounts.mounted_at(
        mounts.mountinfo(read("mountinfo-storage.txt")), "/srv/healtharchive/jobs/imports/hc-2019"
    )
    assert found == {
        "mount_point": "/srv/healtharchive/jobs/imports/hc-2019",
        "root": "/jobs/imports/hc-2019",
        "device": "0:55",
        "options": "rw,nosuid,nodev,relatime",
        "fstype": "fuse.sshfs",
        "source": "storagebox@storagebox.test:/home/storagebox",
        "super_options": "rw,user_id=0,group_id=0",
    }


def test_escapes_are_resolved() -> None:
    found = mounts.mountinfo(read("mountinfo-storage.txt"))[3]
    assert found["mount_point"] == "/srv/healtharchive/jobs/imports/with space\\and\ttab"
    assert found["root"] == "/jobs/with space\\and\ttab"


def test_a_source_may_be_missing_and_options_may_hold_spaces() -> None:
    table = mounts.mountinfo(read("mountinfo-storage.txt"))
    assert (table[4]["source"], table[4]["super_options"]) == ("", "rw,size=1024k")
    assert table[6]["super_options"] == "rw,options with spaces"


def test_of_several_mounts_the_last_is_visible() -> None:
    table = mounts.mountinfo(read("mountinfo-storage.txt"))
    found = mounts.mounted_at(table, "/mnt/on-top")
    assert found is not None
    assert found["source"] == "second"
    assert mounts.mounted_at(table, "/srv/healtharchive/jobs") is None
    assert mounts.mounted_at(table, "/srv/healtharchive/storagebox/") is None


def test_the_table_of_this_machine() -> None:
    found = mounts.mounted_at(mounts.mountinfo(Path("/proc/self/mountinfo").read_bytes()), "/proc")
    assert found is not None
    assert found["fstype"] == "proc"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"22 1 8:1 / / rw - ext4 /dev/sda1 rw", "truncated"),
        (b"22 1 8:1 / / rw ext4 /dev/sda1 rw\n", "unparsable"),
        (b"22 1 8:1 / / rw - ext4\n", "unparsable"),
        (b"22 1 / / rw - ext4 /dev/sda1 rw\n", "unparsable"),
        (b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\n", "unparsable"),
    ],
)
def test_other_content_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        mounts.mountinfo(content)
    assert caught.value.code == code


paths = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30).map(lambda name: "/" + name)


@given(paths, paths)
def test_what_the_kernel_writes_is_read_back(mount_point: str, source: str) -> None:
    def escaped(path: str) -> str:
        return "".join("\\%03o" % ord(character) if character in " \t\n\\#" else character for character in path)

    line = "22 1 8:1 / %s rw shared:1 - ext4 %s rw\n" % (escaped(mount_point), escaped(source))
    (found,) = mounts.mountinfo(line.encode("utf-8"))
    assert (found["mount_point"], found["source"]) == (mount_point, source)
