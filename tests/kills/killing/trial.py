# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One kill: the host is broken, a plan approved, the controller killed, and then nothing is done but to look.

Afterwards the same command is given again, and must get to its end. One guest is used for many kills: it is broken anew, and the
record is put back to the opened incident, so that no kill is in the budget of the next.
"""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from driving import guest as guests
from driving import playbook

from . import archive, steps
from .archive import File
from .recoveries import Recovery
from .steps import Step

_REASON = "A kill test: nothing of the repository has a part in it"
_LOCK = "/tmp/healtharchive-deploy.lock"
_RECORD = str(Path(guests.LOG).parent)
_KEPT = "/var/tmp/record-of-the-opened-incident"
_ASIDE = "/var/tmp/file-of-the-control"
_NOBODY_ACTS = "! test -e %s/acting.lock || flock --nonblock %s/acting.lock true" % (guests.RUNTIME, guests.RUNTIME)
# Whoever may deploy gets the lock, no permit lies there, and nobody acts.
NOTHING_HELD = r"""
! test -e %s || runuser -u haadmin -- flock --nonblock %s true
! compgen -G '%s/clearance*.json' >/dev/null
%s
""" % (_LOCK, _LOCK, guests.RUNTIME, _NOBODY_ACTS)
# What ends a clearance, as systemd itself sees it.
_END = "systemctl list-timers --output=json healtharchive-remediation-clearance-end.timer"
# Whoever was frozen does not work, whatever systemd says of it.
_WORKS = """
systemctl is-active --quiet %s
! grep --quiet --max-count=1 'State:.T' /proc/$(systemctl show --property=MainPID --value %s)/status
""" % (guests.WORKER, guests.WORKER)
# For a clearance that is left by one who was killed before the act: nothing asks it how long it lasts.
_SHORTEST_MINUTES = 1
# How much longer than what is armed lasts it may take until the host is as it should be, in seconds.
_LONGER = 30
_POLL_SECONDS = 0.5


class Position(NamedTuple):
    """Where the controller is killed: before the task of a number, or ``after`` so many seconds of the act; ``host``: with it
    what it has started on the host, so that the act is cut off, too. ``step``: so is it then, at that step of the act."""

    task: Optional[int]
    after: Optional[float] = None
    host: bool = False
    step: Optional[Step] = None

    @property
    def words(self) -> str:
        if self.task is not None:
            return "before task %d" % self.task
        if self.step is not None:
            return "%s, and the module killed" % self.step.name
        return "%.1f s into the act%s" % (self.after or 0.0, ", and the module with it" if self.host else "")


class Whole(NamedTuple):
    """How many tasks it has without a kill, and which of them acts."""

    tasks: int
    act: int


class Wrong(Exception):
    """A law is broken, or the trial itself could not be made; the text says which."""


class Prepared(NamedTuple):
    """A broken host with an approved plan."""

    incident: str
    said: Dict[str, Any]
    jobs: Dict[int, Dict[str, Any]]
    worker: bool
    files: Dict[str, File]


class Trial:
    """One recovery on one guest, as new; any number of kills."""

    def __init__(self, recovery: Recovery, guest: guests.Guest, directory: Path) -> None:
        self.recovery = recovery
        self.guest = guest
        self.controller = playbook.Controller(guest.name, directory)
        self.directory = directory
        self._incident: Optional[str] = None
        self._not_seen = ""

    # what comes before a kill

    def prepare(self) -> Prepared:
        """The guest broken, with an open incident and a plan."""
        if self._incident is None:
            self.guest.renew()
            opened = self.controller.run("open_incident", title="Kill test", severity="sev3")
            _expect(opened.rc == 0, "no incident was opened", opened)
            self._incident = self.guest.record()[0]["incident"]
            self.guest.root("cp --archive %s %s" % (_RECORD, _KEPT))
            well = self.guest.jobs()
            self.recovery.broken(self.guest)
        else:
            well = self.guest.jobs()
            self.guest.root("rm -rf %s && cp --archive %s %s" % (_RECORD, _KEPT, _RECORD))
            self.recovery.again(self.guest)
        jobs, worker = self.guest.jobs_if_there() or well, self.guest.active(guests.WORKER)
        said = {
            "incident": self._incident,
            "no_repo_change_reason": _REASON,
            **self.recovery.said(self.guest),
        }
        planned = self.planned(said)
        return Prepared(self._incident, {**said, "approve": planned["plan_id"]}, jobs, worker, archive.look(self.guest))

    def planned(self, said: Mapping[str, Any]) -> Dict[str, Any]:
        run = self.controller.run(self.recovery.playbook, **said)
        result = run.result(self.recovery.module) or {}
        _expect(result.get("outcome") == "planned", "nothing is planned: %s" % result.get("detail"), run)
        return result

    def whole(self) -> Whole:
        """The recovery without a kill."""
        prepared = self.prepare()
        self.same_files_sees(prepared.files)
        run = self.controller.run(self.recovery.playbook, **prepared.said)
        _expect(run.rc == 0, "it is not applied", run)
        self._completed("without a kill")
        self.same_rows(prepared.jobs)
        self.same_files(prepared.files)
        # With that module it is planned first, then done.
        acts = [number for number, action in enumerate(run.actions, 1) if action == self.recovery.module]
        _expect(len(acts) == 2, "it does not plan once and act once", run)
        return Whole(len(run.tasks), acts[1])

    # the kill

    def kill(self, position: Position, act: int, wait: bool, wait_switch: bool = True) -> Dict[str, Any]:
        """The row of the report; :class:`Wrong`. ``act``: the number of the task that acts. ``wait``: until a clearance that is
        left has ended by itself; else it is only seen that its end is armed, and for when. ``wait_switch``: likewise of the
        switches that give back; else what they do is done sooner."""
        prepared = self.prepare()
        before = len(self.guest.record())
        early = position.task is not None and position.task <= act
        minutes = _SHORTEST_MINUTES if early else self.recovery.minutes
        run = self.killed(prepared, position, precondition_ttl_minutes=minutes)
        killed_at = time.monotonic()
        if run.rc is not None:
            _expect(position.step is None, "not killed: %s" % self._not_seen, run)
            return self._row(position, run, "the run had ended before", {})
        facts: Dict[str, Any] = {"killed": True, "worker_right_after": self.guest.holds(_WORKS)}
        if self.recovery.switches:
            facts["switches"] = self._switches(killed_at, wait_switch)
        facts["settled_after_seconds"] = self._settled(prepared, killed_at)
        facts["clearance"] = self._clearance(killed_at, minutes * 60, wait)
        self.same_rows(prepared.jobs)
        self.same_files(prepared.files)
        record = self.guest.record()[before:]
        unfinished = self.guest.unfinished()
        begun = [event for event in record if event["kind"] == "action_begun"]
        facts["begun"], facts["end_on_record"] = bool(begun), bool(begun) and not unfinished
        if unfinished:
            self._told_by_triage(unfinished)
        facts["again"], with_clearance = self.again(prepared)
        if with_clearance and not self.guest.holds(NOTHING_HELD):
            raise Wrong("run again, something is held still")
        self.same_rows(prepared.jobs)
        self.same_files(prepared.files)
        self._nothing_left(prepared)
        return self._row(position, run, "as it should be", facts)

    def killed(self, prepared: Prepared, position: Position, **more: Any) -> playbook.Run:
        """The approved run, killed there; its ``rc`` is None if it was."""
        if position.task is not None:
            kill: playbook.Kill = playbook.BeforeTask(position.task, self.directory)
        else:
            then = self._end_of_the_module if position.host else None
            seen = self._act_begins() if position.step is None else self._stopped_at(position.step)
            kill = playbook.When(seen, position.after or 0.0, then)
        return self.controller.run(self.recovery.playbook, kill=kill, **prepared.said, **more)

    def _act_begins(self) -> Callable[[threading.Event], bool]:
        """Waits until another act has begun than those so far, by the host's record."""
        begun = sum(event["kind"] == "action_begun" for event in self.guest.record())
        script = """timeout 2 bash -c 'until [ "$(grep --count action_begun %s)" -gt %d ]; do sleep 0.02; done'"""

        def seen(called_off: threading.Event) -> bool:
            while not called_off.is_set():
                if self.guest.holds(script % (guests.LOG, begun)):
                    return True
            return False

        return seen

    def _stopped_at(self, step: Step) -> Callable[[threading.Event], bool]:
        """Waits until whoever acts was stopped there."""

        def seen(_called_off: threading.Event) -> bool:
            self._not_seen = steps.stop(self.guest, step)
            return not self._not_seen

        return seen

    def _end_of_the_module(self) -> None:
        """SIGKILL to whoever has the turn to act, which the module lends to every command that it runs."""
        self.guest.root(
            "find /proc/[0-9]*/fd -lname '%s/acting.lock' 2>/dev/null | cut -d/ -f3 | sort -u | xargs -r kill -KILL || true"
            % guests.RUNTIME
        )

    # nothing is done but to look

    def _switches(self, killed_at: float, wait: bool) -> str:
        """What becomes of the switches of an act that was cut off. :class:`Wrong` where one would come later than it was asked
        to. Without ``wait``, what their timers start is started now."""
        end = killed_at + self.recovery.act_seconds + _LONGER
        # Who was not killed goes on, and gives back by himself.
        while not self.guest.holds(_NOBODY_ACTS):
            if time.monotonic() > end:
                raise Wrong("%d s after the kill somebody acts still" % (time.monotonic() - killed_at))
            time.sleep(_POLL_SECONDS)
        now = float(self.guest.root("date +%s.%N"))
        left = {}
        for switch in self.recovery.switches:
            name = "healtharchive-remediation-%s" % switch
            timers = json.loads(self.guest.root("systemctl list-timers --output=json %s.timer" % name))
            if timers:
                left[name] = timers[0]["next"] / 1e6 - now
        late = {name: seconds for name, seconds in left.items() if seconds > self.recovery.resumes_after_seconds}
        if late:
            raise Wrong("what gives back comes too late: %s" % late)
        if not left:
            return "none is left"
        told = ", ".join("%s in %d s" % (name, seconds) for name, seconds in left.items())
        if wait:
            return "waited for: " + told
        # As systemd does it when the time has come: the timer is gone then.
        services, timers = (" ".join(name + kind for name in left) for kind in (".service", ".timer"))
        self.guest.root("systemctl start %s; systemctl stop %s" % (services, timers))
        return "sooner than armed: " + told

    def _settled(self, prepared: Prepared, killed_at: float) -> float:
        """Until nobody acts, and the worker and all that is given back are as they were; after how many seconds. :class:`Wrong`
        when it takes longer than was armed."""
        end = killed_at + self.recovery.resumes_after_seconds + self.recovery.act_seconds + _LONGER
        while True:
            worker = self.guest.holds(_WORKS) or not prepared.worker
            free = self.guest.holds(_NOBODY_ACTS)
            missing = [script for script in self.recovery.given_back if not self.guest.holds(script)]
            seconds = time.monotonic() - killed_at
            if worker and free and not missing:
                return round(seconds, 1)
            if time.monotonic() > end:
                told = "as it was" if worker else "not active", "nobody acts" if free else "somebody acts still"
                raise Wrong("%d s after the kill: the worker is %s, %s; %s" % (seconds, *told, "; ".join(missing)))
            time.sleep(_POLL_SECONDS)

    def _clearance(self, killed_at: float, seconds: float, wait: bool) -> str:
        """What becomes of a clearance that is left. :class:`Wrong` when it lasts longer than it was asked for."""
        if self.guest.holds(NOTHING_HELD):
            return "none is left"
        if not wait:
            timers = json.loads(self.guest.root(_END))
            left = timers[0]["next"] / 1e6 - float(self.guest.root("date +%s.%N")) if timers else None
            if left is None or left > seconds:
                raise Wrong("the clearance that is left has no end: %s" % timers)
            return "its end is armed, in %d s" % left
        while not self.guest.holds("! systemctl is-active --quiet healtharchive-remediation-clearance"):
            if time.monotonic() > killed_at + seconds + _LONGER:
                raise Wrong("the clearance is there still, %d s after the kill" % (time.monotonic() - killed_at))
            time.sleep(_POLL_SECONDS)
        # The permit is cleared away by whoever comes next; what it permits has ended with the lock.
        if not self.guest.holds("runuser -u haadmin -- flock --nonblock %s true" % _LOCK):
            raise Wrong("the clearance has ended, and the deploy lock is held")
        return "ended by itself after %d s" % (time.monotonic() - killed_at)

    def same_rows(self, before: Mapping[int, Mapping[str, Any]]) -> None:
        """No job is lost, doubled or changed but as the recovery changes them."""
        now = self.guest.jobs_if_there()
        if not now or not before:
            return
        problems: List[str] = []
        if set(now) != set(before):
            problems.append("the ids were %s and are %s" % (sorted(before), sorted(now)))
        for number, job in before.items():
            after = now.get(number, job)
            for name in ("source_id", "name", "output_dir"):
                if after[name] != job[name]:
                    problems.append("job %d: %s was %s and is %s" % (number, name, job[name], after[name]))
            if after["status"] not in self.recovery.moves.get(job["status"], (job["status"],)):
                problems.append("job %d was %s and is %s" % (number, job["status"], after["status"]))
        if problems:
            raise Wrong("; ".join(problems))

    def same_files(self, before: Mapping[str, File]) -> None:
        """No file of the archive is lost, changed or new but where the recovery says so."""
        now = archive.look(self.guest, before)
        wrong = archive.differing(before, now, self.recovery.growing, self.recovery.rewritten)
        if wrong:
            raise Wrong("files are not as they were: %s" % ", ".join(wrong[:5]))

    def same_files_sees(self, before: Mapping[str, File]) -> None:
        """The control: a WARC file to which something is written, and one that is gone, are seen. They are put back."""
        path = next((path for path in sorted(before) if path.endswith(".warc.gz") and self._stays(path)), None)
        if path is None:
            raise Wrong("there is no WARC file to compare")
        for change in ("echo >>%s", "rm %s"):
            self.guest.root("cp --archive %s %s && %s" % (path, _ASIDE, change % path))
            try:
                self.same_files(before)
            except Wrong:
                self.guest.root("cp --archive %s %s" % (_ASIDE, path))
            else:
                raise Wrong("it was not seen: " + change % path)
        self.same_files(before)

    def _stays(self, path: str) -> bool:
        return not self.recovery.growing or re.match(self.recovery.growing, path) is None

    def _told_by_triage(self, unfinished: List[str]) -> None:
        """What was begun and has no end on record, every look at the host says."""
        run = self.controller.run("triage")
        _expect(run.output.count("UNFINISHED") >= len(unfinished), "triage does not say what was never finished", run)

    # and then the same again

    def again(self, prepared: Prepared) -> Tuple[str, bool]:
        """The same command; where the plan is another one now, its plan, approved. What it came to, and whether it took a
        clearance for that."""
        run = self.controller.run(self.recovery.playbook, **prepared.said)
        result = run.result(self.recovery.module) or {}
        outcome = str(result.get("outcome"))
        if result.get("code") == "plan_changed":
            run = self.controller.run(
                self.recovery.playbook, **{**prepared.said, "approve": result["evidence"]["plan_id"]}
            )
            result = run.result(self.recovery.module) or {}
            outcome = "another plan, " + str(result.get("outcome"))
        _expect(run.rc == 0, "run again it ends with %s: %s" % (outcome, result.get("detail")), run)
        self._completed("run again")
        return outcome, "clearance" in run.actions

    def _nothing_left(self, prepared: Prepared) -> None:
        """For the next one. Where nothing was left to do, no clearance was taken, and the one that is left has its end; whoever
        was killed may give it back before."""
        if not self.guest.holds(NOTHING_HELD):
            released = self.controller.run("release_clearance", incident=prepared.incident)
            _expect(released.rc == 0, "what was left is not given back", released)
        if not self.guest.holds(NOTHING_HELD):
            raise Wrong("given back, something is held still")
        unfinished = self.guest.unfinished()
        if unfinished:
            raise Wrong("run again, the end of %s is not on record" % ", ".join(unfinished))

    def _completed(self, when: str) -> None:
        end = time.monotonic() + 60
        while True:
            missing = [
                script
                for script in (*self.recovery.completed, *self.recovery.given_back)
                if not self.guest.holds(script)
            ]
            if not missing:
                return
            if time.monotonic() > end:
                raise Wrong("%s, it is not completed: %s" % (when, "; ".join(missing)))
            time.sleep(_POLL_SECONDS)

    def _row(self, position: Position, run: playbook.Run, verdict: str, facts: Mapping[str, Any]) -> Dict[str, Any]:
        return {
            "recovery": self.recovery.playbook,
            "position": position.words,
            "task": run.tasks[-1] if run.tasks else None,
            "verdict": verdict,
            **facts,
        }


def _expect(holds: bool, what: str, run: playbook.Run) -> None:
    if not holds:
        raise Wrong("%s\n%s" % (what, run.output[-6000:]))
