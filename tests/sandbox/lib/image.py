# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's file system, built once: three read-only layers that every guest shares under its own overlay.

    debian   debootstrap of Debian 12 with the packages of guest/packages.txt
    wheels   the Python packages that the service declares, as wheels in /srv/wheels
    host     users, PostgreSQL with its data, the service's repository, checkout, units and first jobs

Each layer lies in the cache under a key that digests all it was made from, the layer below included, so an edit of the
stand-in service does not cost a debootstrap. Every layer is built in a mount (and process) namespace of its own, under a
temporary name: however a build ends, it leaves no mount, and no half a layer is ever taken for a whole one.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence

from . import control_groups, layout, locks, machine, sources
from .errors import SandboxError

SUITE = "bookworm"
# what the overlay must not do: layers are moved after they were built, and are stacked again elsewhere
OVERLAY_OPTIONS = "index=off,metacopy=off,redirect_dir=off,volatile"
KEEP_UNUSED = 3
Say = Callable[[str], None]


class Layer(NamedTuple):
    """One layer: its name, its key (hexadecimal digest) and what it says while it is built."""

    name: str
    key: str
    title: str

    @property
    def path(self) -> Path:
        return layout.cache() / f"{self.name}-{self.key}"


def _files(root: Path) -> Iterable[Path]:
    """All files below `root` that count, sorted; what Python, editors and test tools leave behind does not."""
    left_out = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".venv", ".hypothesis", ".git"}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in left_out and not name.endswith(".egg-info"))
        for name in sorted(names):
            if not name.endswith((".pyc", "~", ".swp", ".db")):
                yield Path(folder) / name


def _digest(*parts: object) -> str:
    """A digest of texts, and of files and folders by their names, modes and contents."""
    digest = hashlib.sha256()

    def add(data: bytes) -> None:
        digest.update(str(len(data)).encode() + b":" + data)

    for part in parts:
        if isinstance(part, Path):
            for path in _files(part) if part.is_dir() else [part]:
                add(str(path.relative_to(part)).encode())
                if path.is_symlink():
                    add(b"-> " + os.readlink(path).encode())
                else:
                    add(b"x" if os.access(path, os.X_OK) else b"-")
                    add(path.read_bytes())
        else:
            add(str(part).encode())
    return digest.hexdigest()[:20]


def packages() -> List[str]:
    """The names in guest/packages.txt."""
    lines = (layout.GUEST_FILES / "packages.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def layers() -> List[Layer]:
    """The layers for the checkout as it is now, the lowest first."""
    guest, service = layout.GUEST_FILES, layout.SERVICE_FILES
    project = service / "pyproject.toml"
    if not project.is_file():
        raise SandboxError(f"The stand-in service is missing: there is no {project}.")
    own = Path(__file__)
    debian = Layer(
        "debian",
        _digest(SUITE, os.uname().machine, *packages(), guest / "debian.sh"),
        "Debian 12 with PostgreSQL, OpenSSH, Caddy",
    )
    wheels = Layer("wheels", _digest(debian.key, project, guest / "wheels.py"), "Python packages of the service")
    host = Layer("host", _digest(wheels.key, guest, service, own), "the service, its database and first jobs")
    return [debian, wheels, host]


def missing() -> List[Layer]:
    """The layers that are not in the cache yet."""
    return [layer for layer in layers() if not layer.path.is_dir()]


class _Build:
    """One build of the missing layers, with its log file and progress lines."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.log = layout.cache() / "build.log"
        self.started = time.monotonic()

    def run(self, argv: Sequence[str], step: Callable[[str], Optional[str]]) -> None:
        """Run one builder; `step` turns a line of its output into a progress line, or None."""
        with open(self.log, "ab") as log:
            log.write(f"\n$ {shlex.join(argv)}\n".encode())
            log.flush()
            # its own process namespace: when this program ends, however it ends, so does all that it started
            process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    "unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    "--pid",
                    "--mount-proc",
                    "--fork",
                    "--kill-child",
                    "--",
                    *argv,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
            try:
                assert process.stdout is not None
                for raw in process.stdout:
                    log.write(raw)
                    log.flush()
                    line = step(raw.decode("utf-8", "replace").rstrip())
                    if line:
                        self.say(f"  {time.monotonic() - self.started:5.0f} s  {line}")
                code = process.wait()
            except BaseException:
                process.send_signal(signal.SIGKILL)
                process.wait()
                raise
        if code != 0:
            tail = self.log.read_text(errors="replace").splitlines()[-25:]
            raise SandboxError(
                f"Building the guest failed (exit code {code}). The whole log: {self.log}",
                "Its last lines:",
                *("  " + line for line in tail),
            )

    def _environment(self) -> dict:
        environment = machine.environment()
        proxy = sources.apt_proxy()
        if proxy and "http_proxy" not in environment:
            environment["http_proxy"] = proxy
        return environment

    def debian(self, tree: Path) -> None:
        tree.mkdir()
        argv = [
            "debootstrap",
            "--variant=minbase",
            f"--keyring={machine.KEYRING}",
            "--include=" + ",".join(packages()),
            SUITE,
            str(tree),
        ]
        mirror = sources.machine_mirror()
        if mirror:
            argv.append(mirror)
        seen = set()

        def step(line: str) -> Optional[str]:
            # 'I: Retrieving libc6 2.36' and the like, hundreds of them: the first of each kind is a step
            words = line.split()
            kinds = {
                "Retrieving": "download packages",
                "Extracting": "unpack the base system",
                "Installing": "install the core packages",
                "Unpacking": "unpack the other packages",
                "Configuring": "configure packages",
            }
            if len(words) > 2 and words[0] == "I:" and words[1] in kinds and words[1] not in seen:
                if words[1] == "Retrieving" and words[2] in ("InRelease", "Release", "Packages"):
                    return None
                seen.add(words[1])
                return kinds[words[1]]
            return None

        self.run(argv, step)
        self.inside([], tree, "debian.sh", network=False)

    def wheels(self, below: Sequence[Layer], tree: Path) -> None:
        settings = sources.machine_pip_settings()
        options = [
            "--bind-ro=/etc/hosts:/etc/hosts",
            f"--bind-ro={layout.SERVICE_FILES / 'pyproject.toml'}:/run/pyproject.toml",
        ]
        resolver = os.path.realpath("/etc/resolv.conf")
        if os.path.exists(resolver):
            options.append(f"--bind-ro={resolver}:/etc/resolv.conf")
        options += [f"--bind-ro={source}:{inside}" for source, inside in settings.binds]
        options += [f"--setenv={name}={value}" for name, value in settings.environment.items()]
        self.inside(below, tree, "wheels.py", network=True, options=options)

    def host(self, below: Sequence[Layer], tree: Path) -> None:
        # a copy without what the tools of the checkout left in it: these files become the guest's git repository
        with tempfile.TemporaryDirectory(dir=layout.cache(), prefix=".service-") as copy:
            for path in _files(layout.SERVICE_FILES):
                to = Path(copy) / path.relative_to(layout.SERVICE_FILES)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to, follow_symlinks=False)
            self.inside(below, tree, "host.sh", network=False, options=[f"--bind-ro={copy}:/run/service"])

    def inside(
        self, below: Sequence[Layer], tree: Path, script: str, network: bool, options: Sequence[str] = ()
    ) -> None:
        """Run guest/SCRIPT in the guest's file system; what it writes ends in `tree`.

        Lines of it that begin with '==> ' are shown as progress.
        """
        shell = ["set -eu"]
        root = tree
        if below:
            work, root = tree.with_name(tree.name + ".work"), tree.with_name(tree.name + ".root")
            for folder in (tree, work, root):
                folder.mkdir()
            lower = ":".join(str(layer.path) for layer in reversed(below))
            shell.append(
                shlex.join(
                    [
                        "mount",
                        "-t",
                        "overlay",
                        "overlay",
                        "-o",
                        f"lowerdir={lower},upperdir={tree},workdir={work},{OVERLAY_OPTIONS}",
                        str(root),
                    ]
                )
            )
        run = [
            *machine.nspawn(),
            "--as-pid2",
            f"--directory={root}",
            f"--machine=healtharchive-build{os.getpid()}",
            f"--bind-ro={layout.GUEST_FILES}:/run/guest",
            "--setenv=LC_ALL=C.UTF-8",
            *options,
        ]
        if not network:
            run.append("--private-network")
        shell.append("exec " + shlex.join([*run, f"/run/guest/{script}"]))
        group = f"build{os.getpid()}"
        try:
            self.run(
                control_groups.started_in(group, ["sh", "-c", "\n".join(shell)]),
                lambda line: line[4:] if line.startswith("==> ") else None,
            )
        finally:
            control_groups.remove(group)

    def build(self, wanted: Sequence[Layer]) -> None:
        self.log.write_bytes(b"")
        for leftover in layout.cache().glob(".*-*"):  # of a build that was killed; its lock is ours now
            machine.remove_tree(leftover)
        for number, layer in enumerate(wanted):
            if layer.path.is_dir():
                continue
            self.say(f"  {time.monotonic() - self.started:5.0f} s  layer {number + 1} of {len(wanted)}: {layer.title}")
            with tempfile.TemporaryDirectory(dir=layout.cache(), prefix=".building-") as temporary:
                tree = Path(temporary) / "tree"
                try:
                    if layer.name == "debian":
                        self.debian(tree)
                    elif layer.name == "wheels":
                        self.wheels(wanted[:number], tree)
                    else:
                        self.host(wanted[:number], tree)
                    os.rename(tree, layer.path)
                finally:
                    for folder in Path(temporary).iterdir():
                        machine.remove_tree(folder)


def _in_use() -> str:
    return Path("/proc/self/mounts").read_text()


def _forget_old(wanted: Sequence[Layer]) -> None:
    """Keep the newest few layers of each name; the others only fill the disk. What a guest is running on stays."""
    mounts = _in_use()
    for layer in wanted:
        others = [
            path for path in layout.cache().glob(f"{layer.name}-*") if path != layer.path and str(path) not in mounts
        ]
        others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in others[KEEP_UNUSED:]:
            machine.remove_tree(path)


def build(say: Say) -> List[Layer]:
    """Make sure that all layers are in the cache; they are returned, the lowest first."""
    wanted = layers()
    if not missing():
        for layer in wanted:
            os.utime(layer.path)
        return wanted
    machine.require(to_build=True)

    def waiting() -> None:
        say("Another build is running: waiting for it.")

    with locks.locked(layout.cache(), waiting):
        if missing():
            say("Building the guest's file system (once; a first build takes up to 4 minutes):")
            _Build(say).build(wanted)
            _forget_old(wanted)
    return wanted
