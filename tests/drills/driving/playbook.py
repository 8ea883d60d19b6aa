# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a playbook by ansible-runner: by its path in the project, as AWX does, and judged by its events."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Union

import ansible_runner

from . import ROOT

INVENTORY = ROOT / "inventories" / "sandbox"
CALLBACKS = Path(__file__).resolve().parents[1] / "callbacks"
COLLECTION = "healtharchive.remediation."
SECONDS = 900
# In the environment of everything that a run starts, its ssh included.
_MARK = "HEALTHARCHIVE_RUN"


class Run(NamedTuple):
    """How a run ended: ``rc`` None when it was killed. ``events`` as the runner keeps them."""

    playbook: str
    rc: Optional[int]
    seconds: float
    output: str
    events: List[Dict[str, Any]]

    def results(self, action: str) -> List[Dict[str, Any]]:
        """What the tasks of one module of the collection returned, in their order."""
        found = []
        for event in self.events:
            data = event.get("event_data") or {}
            if data.get("task_action") == COLLECTION + action and event["event"] in (
                "runner_on_ok",
                "runner_on_failed",
            ):
                found.append(data["res"])
        return found

    def result(self, action: str) -> Optional[Dict[str, Any]]:
        """What the last of them returned."""
        return (self.results(action) or [None])[-1]

    @property
    def tasks(self) -> List[str]:
        """The tasks in the order in which they began."""
        return [event["event_data"]["task"] for event in self.events if event["event"] == "playbook_on_task_start"]

    @property
    def actions(self) -> List[str]:
        """Their modules; those of the collection by their short names."""
        started = [event["event_data"] for event in self.events if event["event"] == "playbook_on_task_start"]
        return [str(data.get("task_action")).replace(COLLECTION, "") for data in started]

    @property
    def failed(self) -> List[str]:
        """Messages of tasks that failed."""
        return [
            str((event["event_data"].get("res") or {}).get("msg"))
            for event in self.events
            if event["event"] in ("runner_on_failed", "runner_on_unreachable")
        ]

    @property
    def stats(self) -> Mapping[str, Any]:
        """Of the last event: what AWX shows."""
        found = [event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"]
        return found[-1] if found else {}


class Controller:
    """A controller with a directory of its own: its notes and triages lie there."""

    def __init__(self, guest: str, directory: Path) -> None:
        self.guest = guest
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        playbook: str,
        kill: Optional["Kill"] = None,
        cmdline: str = "",
        seconds: int = SECONDS,
        **said: Any,
    ) -> Run:
        """Run it to its end, or until it is killed."""
        work = Path(tempfile.mkdtemp(prefix="run-", dir=self.directory))
        mark = uuid.uuid4().hex
        environment = {
            _MARK: mark,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_NOCOLOR": "1",
            # A link of its own: no other run's is cut, and none is left.
            "ANSIBLE_SSH_CONTROL_PATH_DIR": _links(mark),
            **(kill.environment() if kill is not None else {}),
        }
        folders = {name: str(self.directory / name) for name in ("triage", "incidents")}
        said = {
            "triage_output_directory": folders["triage"],
            "incident_output_directory": folders["incidents"],
            "incident_triage_directory": folders["triage"],
            **said,
        }
        watch = threading.Thread(target=kill.watch, args=(lambda: end(mark),)) if kill is not None else None
        started = time.monotonic()
        try:
            if watch is not None:
                watch.start()
            done = ansible_runner.run(
                private_data_dir=str(work),
                project_dir=str(ROOT),
                playbook="playbooks/%s.yml" % playbook,
                inventory=str(INVENTORY),
                limit=self.guest,
                extravars=said,
                envvars=environment,
                cmdline=cmdline or None,
                quiet=True,
                timeout=seconds,
                settings={"suppress_env_files": True},
                event_handler=lambda _event: True,
            )
            took = time.monotonic() - started
            with open(os.path.join(done.config.artifact_dir, "stdout"), encoding="utf-8", errors="replace") as file:
                output = file.read()
            events = sorted(done.events, key=lambda event: event["counter"])
            killed = kill is not None and kill.killed()
            return Run(playbook, None if killed else done.rc, took, output, events)
        finally:
            if kill is not None:
                kill.over()
            if watch is not None:
                watch.join()
            end(mark)
            shutil.rmtree(work, ignore_errors=True)
            shutil.rmtree(environment["ANSIBLE_SSH_CONTROL_PATH_DIR"], ignore_errors=True)


class Kill:
    """A power cut of the controller: nobody gets to say a last word."""

    def environment(self) -> Dict[str, str]:
        return {}

    def watch(self, cut: Callable[[], int]) -> None:
        """In a thread of its own: call ``cut`` when the moment has come."""
        raise NotImplementedError

    def killed(self) -> bool:
        raise NotImplementedError

    def over(self) -> None:
        """The run has ended."""


class BeforeTask(Kill):
    """Before the task of a number, from 1, or as NAME#NUMBER of those with that module of the collection."""

    def __init__(self, which: Union[int, str], directory: Path) -> None:
        self._which = which
        self._file = directory / ("killed-%s" % uuid.uuid4().hex)
        self._over = threading.Event()
        self.task: Optional[str] = None

    def environment(self) -> Dict[str, str]:
        return {
            "ANSIBLE_CALLBACKS_ENABLED": "stop_before_task",
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "STOP_BEFORE_TASK": str(self._which),
            "STOPPED_FILE": str(self._file),
        }

    def watch(self, cut: Callable[[], int]) -> None:
        while not self._over.wait(0.02):
            if self._file.exists():
                self.task = self._file.read_text()
                cut()
                return

    def killed(self) -> bool:
        return self._file.exists()

    def over(self) -> None:
        self._over.set()


class When(Kill):
    """So many seconds after something is seen; ``seen`` waits for it, and returns False when it is called off. ``then``: what is
    done at once after it."""

    def __init__(
        self, seen: Callable[[threading.Event], bool], seconds: float, then: Optional[Callable[[], None]] = None
    ) -> None:
        self._seen = seen
        self._seconds = seconds
        self._then = then
        self._over = threading.Event()
        self._cut = 0

    def watch(self, cut: Callable[[], int]) -> None:
        if self._seen(self._over) and not self._over.wait(self._seconds):
            self._cut = cut()
            if self._then is not None:
                self._then()

    def killed(self) -> bool:
        return self._cut > 0

    def over(self) -> None:
        self._over.set()


def end(mark: str) -> int:
    """SIGKILL to everything that a run has started and that still runs, its link to the host included; how many that were."""
    found = list(_marked(mark))
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(found)


def _links(mark: str) -> str:
    """Where its links lie: short, for a socket's path is."""
    return "/tmp/ha-%s" % mark[:12]


def _marked(mark: str) -> Iterator[int]:
    """By the environment; ssh writes where its link lies over its own."""
    wanted = b"%s=%s" % (_MARK.encode(), mark.encode())
    link = b"ssh: %s/" % _links(mark).encode()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            process = int(path.name)
            if process != os.getpid() and (
                wanted in (path / "environ").read_bytes().split(b"\0")
                or (path / "cmdline").read_bytes().startswith(link)
            ):
                yield process
