# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One guest: made, booted, looked into, ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

from . import control_groups, image, layout, locks, machine, network
from .errors import SandboxError

BOOT_SECONDS = 60
USER = "haadmin"
Say = Callable[[str], None]


@dataclass
class Record:
    """What is written down about a guest, in guest.json of its folder."""

    name: str
    index: int
    leader: int = 0  # its PID 1, as the machine numbers it
    supervisor: int = 0  # systemd-nspawn
    leader_started: str = ""  # clock ticks since the machine's boot: a number that came back is another process
    supervisor_started: str = ""
    faults: List[str] = field(default_factory=list)


def _process_started(pid: int) -> str:
    """When the process started, or '' when there is none or only its corpse."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _children(pid: int) -> List[int]:
    """The processes that `pid` started and that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = path.read_text().rpartition(")")[2].split()
            if fields[1] == str(pid) and fields[0] not in "ZX":
                found.append(int(path.parent.name))
    return found


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds; False if it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.05)
    return True


class Guest:
    """A guest by its name, running or not. Methods that change it must be called with `locked()` held."""

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            raise SandboxError(f"'{name}' cannot be a guest's name: use small letters, digits and dashes.")
        self.name = name
        self.home = layout.state() / name
        self.root = self.home / "root"

    # what is written down

    def record(self) -> Optional[Record]:
        """What is written down, or None when there is nothing."""
        try:
            return Record(**json.loads((self.home / "guest.json").read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise SandboxError(f"{self.home}/guest.json cannot be read: {error}") from error

    def write(self, record: Record) -> None:
        """Write it down, whole or not at all."""
        temporary = self.home / ".guest.json"
        temporary.write_text(json.dumps(asdict(record), indent=1) + "\n")
        os.replace(temporary, self.home / "guest.json")

    def locked(self, say: Say) -> "contextlib.AbstractContextManager[None]":
        """Keep other runs of this program away from this guest."""
        return locks.locked(self.home, lambda: say(f"Another command is working on '{self.name}': waiting for it."))

    def running(self) -> Optional[Record]:
        """Its record if it runs, else None."""
        record = self.record()
        if record and record.leader and _process_started(record.leader) == record.leader_started:
            return record
        return None

    def must_run(self) -> Record:
        """Its record; an error if it does not run."""
        record = self.running()
        if record is None:
            raise SandboxError(f"There is no running guest '{self.name}'.", *_how_to_start(self.name))
        return record

    @property
    def address(self) -> str:
        record = self.record()
        if record is None:
            raise SandboxError(f"There is no guest '{self.name}'.", *_how_to_start(self.name))
        return network.guest_address(record.index)

    # its life

    def up(self, layers: Sequence[image.Layer]) -> None:
        """Make it anew and boot it; a guest that has a number keeps it, if nobody takes it meanwhile. On any failure everything
        of it is removed."""
        try:
            record = self.record()
            self._clear()
            record = Record(self.name, network.create(self.home / "netns", record.index if record else None))
            self.write(record)
            self._mount(layers)
            self._personalise(record)
            self._boot(record)
            self._wait_until_it_serves(record)
        except BaseException as error:
            reasons = self._why() if isinstance(error, SandboxError) else []
            self.remove()
            if isinstance(error, SandboxError):
                raise SandboxError(error.message, *error.details, *reasons) from error
            raise

    def remove(self) -> None:
        """End it and remove all that it was, from whatever state it is in."""
        self._clear()
        machine.remove_tree(self.home)
        with contextlib.suppress(OSError):  # other guests live there
            layout.state().rmdir()

    def _clear(self) -> None:
        """End it and remove all but its folder, which is locked, and its record, which holds its number."""
        record = self.record()
        if record is not None:
            self._end(record)
            # Without the link the number may be another guest's by now, and so the group of that name.
            if network.is_claimed(self.home / "netns"):
                control_groups.remove(network.control_group(record.index))
        network.remove(self.home / "netns")
        for point in machine.mounts_below(self.home):
            machine.run(["umount", point], what="Unmounting the guest's file system")
        for path in self.home.iterdir():
            if path.name != "guest.json":
                machine.remove_tree(path)

    def _mount(self, layers: Sequence[image.Layer]) -> None:
        for folder in ("upper", "work", "root", "ssh"):
            (self.home / folder).mkdir()
        (self.home / "ssh").chmod(0o700)
        lower = ":".join(str(layer.path) for layer in reversed(layers))
        options = f"lowerdir={lower},upperdir={self.home}/upper,workdir={self.home}/work,{image.OVERLAY_OPTIONS}"
        machine.run(
            ["mount", "-t", "overlay", f"healtharchive-{self.name}", "-o", options, str(self.root)],
            what="Mounting the guest's file system",
        )

    def _personalise(self, record: Record) -> None:
        """Its name, addresses, keys and secrets: nothing of that is shared by two guests."""
        key = self.home / "ssh/id_ed25519"
        machine.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"sandbox-{self.name}", "-f", str(key)],
            what="Making the key to the guest",
        )
        setup = [
            *machine.nspawn(),
            "--as-pid2",
            "--private-network",
            f"--directory={self.root}",
            f"--machine={network.interface(record.index)}-setup",
            f"--bind-ro={layout.GUEST_FILES}:/run/guest",
            f"--setenv=GUEST_NAME={self.name}",
            f"--setenv=GUEST_ADDRESS={self.address}",
            f"--setenv=OPERATOR_KEY={key.with_suffix('.pub').read_text().strip()}",
            "--setenv=LC_ALL=C.UTF-8",
            "/run/guest/personalise.sh",
        ]
        machine.run(
            control_groups.started_in(network.control_group(record.index), setup),
            what="Giving the guest its name and secrets",
        )
        host_key = (self.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
        (self.home / "authority.pem").write_bytes((self.root / "etc/caddy/authority.crt").read_bytes())
        (self.home / "ssh/known_hosts").write_text(f"{network.guest_address(record.index)} {' '.join(host_key)}\n")

    def _boot(self, record: Record) -> None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        address = f"@healtharchive-sandbox-{os.getpid()}-{self.name}"
        listener.bind("\0" + address[1:])
        environment = machine.environment()
        environment["NOTIFY_SOCKET"] = address
        argv = [
            *machine.nspawn(),
            "--boot",
            f"--directory={self.root}",
            f"--machine={network.interface(record.index)}",
            f"--hostname={self.name}",
            f"--network-namespace-path={self.home / 'netns'}",
            "--bind=/dev/fuse",
            "--kill-signal=SIGRTMIN+4",
        ]
        with open(self.home / "console.log", "ab") as console, listener:
            process = subprocess.Popen(
                control_groups.started_in(network.control_group(record.index), argv),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
            record.supervisor, record.supervisor_started = process.pid, _process_started(process.pid)
            self.write(record)
            record.leader = _leader(listener, process)
            record.leader_started = _process_started(record.leader)
            self.write(record)

    def _wait_until_it_serves(self, record: Record) -> None:
        address = network.guest_address(record.index)
        answer = ["nothing"]

        def serves() -> bool:
            if self.running() is None:
                raise SandboxError("The guest ended while it booted.")
            answer[0] = _get(f"http://{address}/api/health")
            return answer[0] == "200"

        if not _wait(serves, BOOT_SECONDS):
            raise SandboxError(
                f"The guest's API did not serve within {BOOT_SECONDS} s; "
                f"http://{address}/api/health answered: {answer[0]}."
            )
        done = self.script("tier_annual_jobs")
        if done.returncode != 0:
            raise SandboxError(
                "The hot paths of the annual jobs could not be mounted.",
                *(done.stdout + done.stderr).splitlines()[-10:],
            )
        done = self.ssh("sudo systemctl is-system-running --wait", seconds=BOOT_SECONDS)
        if done.stdout.strip() != "running":
            raise SandboxError(f"The guest booted, but systemd says '{done.stdout.strip() or done.stderr.strip()}'.")

    def _end(self, record: Record) -> None:
        """End it like a power cut. Its processes are gone before its network is: peers see their connections closed."""
        supervisor = record.supervisor if _process_started(record.supervisor) == record.supervisor_started else 0
        leaders = _children(supervisor) if supervisor else []
        if record.leader and _process_started(record.leader) == record.leader_started:
            leaders.append(record.leader)
        for pid in {*leaders, supervisor} - {0}:
            with contextlib.suppress(ProcessLookupError):
                # the supervisor ends by itself when its guest has; it must not be killed, it clears up
                os.kill(pid, signal.SIGTERM if pid == supervisor else signal.SIGKILL)
        left = {pid: _process_started(pid) for pid in {*leaders, supervisor} - {0}}
        if not _wait(lambda: all(not then or _process_started(pid) != then for pid, then in left.items()), 20):
            raise SandboxError(f"The processes {sorted(left)} of guest '{self.name}' do not end.")

    def _why(self) -> List[str]:
        """The last words of a guest that did not come up."""
        lines: List[str] = []
        if self.running():
            for command in (
                "systemctl --failed --no-legend --plain",
                "journalctl -b -p warning -n 25 --no-pager -o cat",
            ):
                try:
                    done = self.enter(command, seconds=20)
                except SandboxError:
                    continue
                lines += [f"{command}:", *("  " + line for line in (done.stdout + done.stderr).splitlines())]
        console = self.home / "console.log"
        if console.exists():
            tail = [line for line in console.read_text(errors="replace").splitlines() if line.strip()][-10:]
            if tail:
                lines += ["Its console:", *("  " + re.sub(r"\x1b\[[0-9;]*m", "", line) for line in tail)]
        return lines

    # ways in

    def ssh_argv(self) -> List[str]:
        """ssh to it, with its own key and its known host key and nothing of the caller's configuration."""
        folder = self.home / "ssh"
        return [
            "ssh",
            "-F",
            "none",
            "-i",
            str(folder / "id_ed25519"),
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            f"UserKnownHostsFile={folder / 'known_hosts'}",
            "-o",
            "GlobalKnownHostsFile=none",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=10",
            "-o",
            "LogLevel=ERROR",
            f"{USER}@{self.address}",
        ]

    def ssh(self, command: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """Run a shell command as the operator, over SSH."""
        return self._run([*self.ssh_argv(), command], seconds)

    def enter(self, command: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """Run a bash script as root without SSH and sudo, which a fault may have broken."""
        record = self.must_run()
        argv = [
            "nsenter",
            "--target",
            str(record.leader),
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "--cgroup",
            "--root",
            "--wd",
            "--",
            "env",
            "-i",
            f"PATH={machine.PATH}",
            "HOME=/root",
            "LC_ALL=C.UTF-8",
            "bash",
            "-euo",
            "pipefail",
            "-c",
            command,
        ]
        return self._run(argv, seconds)

    def script(self, text: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """Run a bash script like `enter`, with the functions of guest/helpers.sh."""
        return self.enter((layout.GUEST_FILES / "helpers.sh").read_text() + "\n" + text, seconds)

    def _run(self, argv: Sequence[str], seconds: float) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                list(argv),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env=machine.environment(),
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SandboxError(f"Guest '{self.name}': no end after {seconds:g} s: {shlex.join(argv)[-200:]}") from error


def _how_to_start(name: str) -> Tuple[str, ...]:
    return (f"Start it with: tests/sandbox/sandbox up {name}",)


def _leader(listener: socket.socket, process: "subprocess.Popen[bytes]") -> int:
    """The guest's PID 1, as systemd-nspawn tells it once it has started it."""
    listener.settimeout(0.2)
    end = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < end:
        try:
            message = listener.recv(4096).decode("utf-8", "replace")
        except socket.timeout:
            if process.poll() is not None:
                raise SandboxError(f"systemd-nspawn ended with exit code {process.returncode}.") from None
            continue
        for line in message.splitlines():
            if line.startswith("X_NSPAWN_LEADER_PID="):
                return int(line.partition("=")[2])
    raise SandboxError(f"systemd-nspawn did not start the guest within {BOOT_SECONDS} s.")


def _get(url: str) -> str:
    """The status code of a GET, or what went wrong."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except (OSError, ValueError) as error:
        return str(error)


def guests() -> Iterator[Guest]:
    """All guests that have a folder, by name."""
    root = layout.state()
    for home in sorted(root.iterdir()) if root.is_dir() else []:
        if home.is_dir() and (home / "guest.json").exists():
            yield Guest(home.name)


def health(guest: Guest) -> str:
    """What the guest's public /api/health answers: a status code, or an error's words."""
    return _get(f"http://{guest.address}/api/health")
