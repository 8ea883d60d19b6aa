# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's life: what `up` gives, what `reset` renews, what `down`, failures and signals leave (nothing)."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from driver import CHECKOUT, PROGRAM, Sandbox, healthy
from lib import image

BOOT_SECONDS = 10


def wait_for(condition, seconds: float = 30) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def seconds_without_a_processor() -> float:
    """For how long, since the machine's boot, some process had to wait for a processor (pressure stall information)."""
    try:
        text = Path("/proc/pressure/cpu").read_text()
    except FileNotFoundError:
        return 0.0
    return int(text.splitlines()[0].rpartition("total=")[2]) / 1e6


def test_a_cached_boot_serves_within_ten_seconds(sandbox: Sandbox) -> None:
    """On a machine of its own: the other stages of the tests run beside this one, and their share is taken off."""
    before = seconds_without_a_processor()
    text = sandbox("up", "quick")
    waited = seconds_without_a_processor() - before
    sandbox("down", "quick")
    seconds = re.search(r"serving after ([0-9.]+) s", text)
    assert seconds is not None, text
    assert float(seconds.group(1)) - waited <= BOOT_SECONDS


def test_two_guests_at_once_are_two_hosts(sandbox: Sandbox) -> None:
    both = [sandbox.start("up", name) for name in ("one", "two")]
    for process in both:
        text, _nothing = process.communicate(timeout=120)
        assert process.returncode == 0, text
    look = (
        "hostname; cat /etc/machine-id; sudo sha256sum /etc/healtharchive/backend.env /etc/ssh/ssh_host_ed25519_key "
        "/root/.ssh/storagebox; cat /proc/sys/kernel/random/boot_id >/dev/null; ip -4 -o address show host0 | awk '{print $4}'"
    )
    one, two = (sandbox.ssh(name, look).splitlines() for name in ("one", "two"))
    assert (one[0], two[0]) == ("one", "two")
    assert len(one) == len(two) == 6
    assert not set(one) & set(two)
    records = {name: sandbox.record(name) for name in ("one", "two")}

    # what happens in one is not seen in the other
    sandbox("break", "postgresql_down", "--name", "one")
    assert sandbox.ssh("one", "systemctl is-active postgresql") == "inactive"
    assert sandbox.ssh("two", "systemctl is-active postgresql") == "active"
    assert sandbox("list").count("running") == 2

    assert sandbox.leftovers("one", records["one"])  # positive control: there is something to be left
    sandbox("down", "one")
    assert sandbox.leftovers("one", records["one"]) == []
    assert sandbox.ssh("two", "curl -s -o /dev/null -w '%{http_code}' localhost/api/health") == "200"
    sandbox("down", "two")
    assert sandbox.leftovers("two", records["two"]) == []
    assert not sandbox.state.exists()


def test_reset_gives_a_new_host_at_the_same_address(sandbox: Sandbox, guest: str) -> None:
    look = "cat /etc/machine-id; ls /home/haadmin; ip -4 -o address show host0 | awk '{print $4}'"
    sandbox("break", "missing_column", "--name", guest)
    assert sandbox.ssh(guest, "touch mark") == ""
    machine, mark, address = sandbox.ssh(guest, look).splitlines()
    assert mark == "mark"
    assert "missing_column" in sandbox("status", guest)
    before = sandbox.record(guest)

    sandbox("reset", guest)
    new_machine, new_address = sandbox.ssh(guest, look).splitlines()
    assert new_address == address
    assert new_machine != machine
    assert sandbox.record(guest)["index"] == before["index"]
    assert sandbox.ssh(guest, "curl -s -o /dev/null -w '%{http_code}' 'localhost/api/search?q=page'") == "200"
    assert "faults  none" in sandbox("status", guest)


def test_a_number_that_another_guest_took_meanwhile_is_let_go(sandbox: Sandbox) -> None:
    sandbox("up", "slow")
    number = sandbox.record("slow")["index"]
    # A reset that is cut off after it has ended the guest leaves its record, and nothing that holds its number.
    end = "from lib.guest import Guest; Guest('slow')._clear()"
    subprocess.run([sys.executable, "-c", end], cwd=PROGRAM.parent, env=sandbox.environment, check=True)
    sandbox("up", "quick")
    taken = sandbox.record("quick")["index"]
    link = ["ip", "link", "add", f"ha-sandbox{number}", "type", "dummy"]
    if taken != number:  # a smaller one had become free
        subprocess.run(link, check=True)
    try:
        sandbox("reset", "slow")
    finally:
        if taken != number:
            subprocess.run(["ip", "link", "delete", link[3]], check=True)
    assert sandbox.record("slow")["index"] not in (number, taken)
    for name in ("slow", "quick"):
        assert sandbox.ssh(name, "systemctl is-system-running") == "running"
        record = sandbox.record(name)
        sandbox("down", name)
        assert sandbox.leftovers(name, record) == []


def test_a_healthy_guest_is_well_by_the_service_s_own_checks(sandbox: Sandbox, guest: str) -> None:
    checks = healthy(sandbox, guest)
    assert checks == [], "\n".join(checks)


def test_up_again_changes_nothing(sandbox: Sandbox, guest: str) -> None:
    before = sandbox.record(guest)
    assert "is up at" in sandbox("up", guest)
    assert sandbox.record(guest) == before


def test_the_guest_is_as_the_contract_says(sandbox: Sandbox, guest: str) -> None:
    def shell(command: str) -> str:
        return sandbox.ssh(guest, command)

    assert shell("id -un; id -u; id -nG | tr ' ' '\\n' | grep healtharchive").split() == [
        "haadmin",
        "1000",
        "healtharchive",
    ]
    assert shell("sudo -n id -u") == "0"
    assert shell("getent hosts $(hostname) | wc -l") == "1"
    assert shell("ps -o comm= -p 1") == "systemd"
    assert shell(
        "stat -c '%U:%G %a' /etc/healtharchive /etc/healtharchive/backend.env /srv/healtharchive/backups /srv/healtharchive/ops"
    ).splitlines() == [
        "root:healtharchive 750",
        "root:healtharchive 640",
        "root:healtharchive 2770",
        "root:healtharchive 2770",
    ]
    assert shell(
        "git -C /opt/healtharchive remote get-url origin; git -C /opt/healtharchive branch --show-current"
    ).split() == ["/srv/git/healtharchive.git", "main"]
    assert int(shell("git -C /opt/healtharchive rev-list --count HEAD")) >= 2
    # the deploy's own installation, with no network to install from
    assert shell("ip route show default | wc -l") == "0"
    assert (
        shell(
            "cd /opt/healtharchive && .venv/bin/pip uninstall -qy slowapi && .venv/bin/pip install -q -e '.[dev]' "
            "&& .venv/bin/python -c 'import slowapi' && git status --porcelain"
        )
        == ""
    )
    mounts = shell("findmnt --list --noheadings --types fuse.sshfs --output TARGET").split()
    assert mounts[0] == "/srv/healtharchive/storagebox"
    assert len([path for path in mounts if "/jobs/imports/" in path]) == 2
    assert len([path for path in mounts if "__hc-20260101" in path]) == 1


def test_the_host_key_is_checked(sandbox: Sandbox, guest: str) -> None:
    known = sandbox.state / guest / "ssh/known_hosts"
    right = known.read_text()
    assert sandbox.run("ssh", guest, "--", "true").returncode == 0
    address = right.split()[0]
    known.write_text(f"{address} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
    refused = sandbox.run("ssh", guest, "--", "true")
    known.write_text(right)
    assert refused.returncode == 255
    assert "verification failed" in refused.stderr


def test_the_inventory_reaches_every_running_guest(sandbox: Sandbox, guest: str) -> None:
    script = CHECKOUT / "inventories/sandbox/guests"
    listed = subprocess.run(
        [str(script), "--list"], env=sandbox.environment, capture_output=True, text=True, check=True
    )
    document = json.loads(listed.stdout)
    assert document["healtharchive"]["hosts"] == [guest]
    assert document["_meta"]["hostvars"][guest]["ansible_user"] == "haadmin"
    ansible = Path(sys.executable).with_name("ansible")
    done = subprocess.run(
        [
            str(ansible),
            "-i",
            str(CHECKOUT / "inventories/sandbox"),
            "healtharchive",
            "-b",
            "-m",
            "command",
            "-a",
            "id -un",
        ],
        env=sandbox.environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{guest} | CHANGED" in done.stdout
    assert "root" in done.stdout


def test_a_guest_that_does_not_come_up_says_why_and_is_gone(sandbox: Sandbox, tmp_path: Path) -> None:
    """The same layers, but one unit of the guest cannot start."""
    rootfs = tmp_path / "rootfs"
    rootfs.mkdir()
    debian, wheels, host = image.layers()
    for layer in (debian, wheels):
        (rootfs / layer.path.name).symlink_to(layer.path)
    subprocess.run(["cp", "--archive", str(host.path), str(rootfs)], check=True)
    units = rootfs / host.path.name / "etc/systemd/system"
    (units / "refuses.service").write_text("[Service]\nType=oneshot\nExecStart=/bin/false\n")
    (units / "multi-user.target.wants/refuses.service").symlink_to("../refuses.service")
    environment = {**sandbox.environment, "HEALTHARCHIVE_CACHE": str(tmp_path)}
    process = subprocess.Popen(
        [str(PROGRAM), "up", "broken"],
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_for(lambda: (sandbox.state / "broken/guest.json").exists() and sandbox.record("broken")["leader"])
    record = sandbox.record("broken")
    text, _nothing = process.communicate(timeout=120)
    assert process.returncode == 1, text
    assert "refuses.service" in text, text
    assert "Traceback" not in text
    assert sandbox.leftovers("broken", record) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_up_leaves_nothing(sandbox: Sandbox, number: signal.Signals) -> None:
    process = sandbox.start("up", "halfway")
    wait_for(lambda: (sandbox.state / "halfway/guest.json").exists() and sandbox.record("halfway")["leader"])
    record = sandbox.record("halfway")
    process.send_signal(number)
    text, _nothing = process.communicate(timeout=60)
    assert process.returncode == 128 + number, text
    assert "Traceback" not in text
    assert sandbox.leftovers("halfway", record) == []


def test_what_a_killed_up_left_is_removed_by_down(sandbox: Sandbox) -> None:
    process = sandbox.start("up", "killed")
    wait_for(lambda: (sandbox.state / "killed/guest.json").exists() and sandbox.record("killed")["leader"])
    record = sandbox.record("killed")
    process.kill()
    process.communicate(timeout=60)
    assert sandbox.leftovers("killed", record)
    sandbox("down", "killed")
    assert sandbox.leftovers("killed", record) == []


def test_down_ends_a_guest_whose_storage_hangs(sandbox: Sandbox) -> None:
    sandbox("up", "hung")
    record = sandbox.record("hung")
    sandbox("break", "hot_path_hung", "--name", "hung")
    reader = sandbox.start("ssh", "hung", "--", "ls /srv/healtharchive/jobs/imports/hc-2019")
    sandbox("down", "hung")
    assert reader.wait(timeout=20) != 0  # its connection was closed, not left to time out
    assert sandbox.leftovers("hung", record) == []
