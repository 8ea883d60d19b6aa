# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage brought back: one act for the whole of it, so that nothing lies between its steps that could be left out.

The host's watchdogs are held off and the worker is paused under a switch each, which are armed before and give both back whatever
becomes of us. Only then is anything unmounted. No job is given back before each path shows its place on the storage box and the
worker's user has written there. Private to this collection.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .. import change, job_rules, look, recorded, service, tried
from ..budget import Budget
from ..change import ActFailed, Host, Observation
from ..plan import NothingToDo, Plan
from ..probe import Context
from ..probes import database
from ..probes import replay as replay_probe
from ..probes.units import WORKER
from ..refusal import Refusal
from ..settings import BadInput
from ..stuck import applying, hits, lock_directories, pause, rows, worker_unit
from ..stuck import survey as stuck_survey
from ..stuck.worker_unit import SYSTEMCTL
from . import bundle, decide, hold, jobs, noted, survey, writing
from .decide import Decision, Nothing
from .facts import REPLAY_UNIT, SSHFS_UNIT, TIERING_UNIT, Facts

# Beside those of `settings` and `change`.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "accept_interruption_of": {"type": "list", "elements": "int", "default": []},
    "resume_after": {"type": "int", "default": 1200},
}
ACTION = "storage"
_ACT_SECONDS = 900
# The worker must not start in the middle of it.
_RESUME_RANGE = (_ACT_SECONDS + 60, 12 * 3600)
_UMOUNT, _MOUNT = "/usr/bin/umount", "/usr/bin/mount"
_UMOUNT_SECONDS = 20.0
_UNIT_SECONDS = 120.0
_SCRIPT_SECONDS = 60.0
_LOOK_SECONDS = 6.0
# A storage box that is there is mounted in a few seconds.
_BASE_SECONDS = 45.0
_POLL_SECONDS = 0.5
# Of the act, what is kept for starting the worker and giving the watchdogs back.
_RESUME_SECONDS = 120.0
_NOTE = "storage-unmounted.json"
_ENOTCONN = 107
_WORKER = "unit " + WORKER
_PERSON = (
    "This needs a person: why the box does not answer (its host, its network, its key) is told by journalctl -u %s. When it "
    "answers, plan again." % SSHFS_UNIT
)
_AGAIN = "Plan again: what is left is planned then, and what needs a person is named."


class Storage(change.Action):
    """Unmount what is dead, bind it again, give back what waited for it."""

    name = ACTION
    # As often as the service's own watchdog may in an hour, for a path; what dies more often has a cause that no mount mends.
    budget = Budget(per_host=4, per_subject=2, window_seconds=24 * 3600)
    plan_seconds = 180
    seconds = _ACT_SECONDS
    observe_seconds = 120

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        low, high = _RESUME_RANGE
        self.after = parameters["resume_after"]
        if not low <= self.after <= high:
            raise BadInput(
                "out_of_range",
                "resume_after must be from %d to %d seconds, not %d: before that this may still be at work."
                % (low, high, self.after),
                "Give a value in that range, or leave it out.",
            )
        self._facts: Any = None
        self._decision: Any = None
        self._part: Any = None
        self._directory = ""
        self._timers: Tuple[str, ...] = ()
        self._pauses = self._resumes = False
        self._recovery: Any = None
        self._said: List[str] = []
        self._code: Optional[str] = None
        self._replay_run: Optional[str] = None
        self._written: Dict[str, str] = {}
        self._kept: List[str] = []

    def counted(self, plan: Plan) -> Sequence[str]:
        """The mounts and units that are mended; a job has budgets of its own."""
        return [subject for subject in plan.subjects if subject.startswith(("mount ", "unit " + TIERING_UNIT))]

    # What would be done.

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        context = host.context
        self._directory = lock_directories.agreed(context)
        _prove_database(context)
        known = jobs.look(context, self._directory)
        note = noted.read(_NOTE)
        kept = {str(hot): str(cold) for hot, cold in note.get("binds", {}).items()}
        seen = survey.survey(context, kept, set(known.output.values()))
        seen = self._facts = seen._replace(starting=note.get("start") is True)
        decided = decide.decide(seen)
        if isinstance(decided, Refusal):
            raise decided
        paused = pause.in_force(context)
        paused = paused if paused is not None and paused.action == self.name else None
        if isinstance(decided, Nothing):
            return self._left_behind(host, decided, paused is not None)
        self._decision = decided
        # What one that was cut off has held off is given back with it.
        self._timers = hold.to_hold(context) if decided.mounts or hold.armed(context) else ()
        self._plan_worker(context, paused is not None)
        hangs = seen.base.state == "hung" or any(path.state == "hung" for path in seen.paths)
        head, before = host.log.origin.head, change.actions_of(host.log)
        self._part = jobs.part(
            context,
            known,
            tuple(decided.binds),
            self._pauses,
            self.parameters["accept_interruption_of"],
            hangs,
            lambda row: job_rules.check_parked(row, before, head),
            tuple(decided.owed),
        )
        return self._planned(context, seen, decided, known)

    def _left_behind(self, host: Host, nothing: Nothing, paused: bool) -> Union[Plan, NothingToDo]:
        """All mounts are well: what an act that was cut off has held off is given back, if its switch has not done that."""
        self._timers = hold.to_hold(host.context) if hold.armed(host.context) else ()
        if not paused and not self._timers:
            return NothingToDo(nothing.detail)
        self._resumes = paused
        before: Dict[str, Any] = {each: {"state": "held off"} for each in ("unit " + name for name in self._timers)}
        if paused:
            before[_WORKER] = {"state": "paused"}
        commands = [*(pause.resume_commands() if paused else []), *hold.return_commands(self._timers)]
        return Plan(
            action=self.name,
            objective="Give back what a recovery of storage that was cut off has held off.",
            commands=tuple(tuple(argv) for argv in commands),
            subjects=tuple(before),
            before=before,
            after={name: {"state": "running"} for name in before},
            expected_impact="%s No mount is touched." % nothing.detail,
            rollback="Pause the worker again (module worker); stop the timers by hand.",
        )

    def _plan_worker(self, context: Context, paused: bool) -> None:
        unit = worker_unit.show(context)
        if not unit.runs and not unit.stopped:
            raise Refusal(
                "unit_changing",
                "%s: it starts or stops right now." % unit.described(),
                "Wait a moment, then plan again.",
            )
        self._pauses = unit.runs and self._decision.mounts
        self._resumes = self._pauses or paused

    def _planned(self, context: Context, seen: Facts, decided: Decision, known: jobs.Known) -> Union[Plan, NothingToDo]:
        before, after = self._states(seen, decided)
        part = self._part
        for row in (*part.recovered, *part.retried):
            name = stuck_survey.subject(row["id"])
            before[name] = stuck_survey.state(row)
            after[name] = {**before[name], "status": "retryable"}
        planned = {row["id"] for row in part.recovered}
        for job in part.hit:
            if job.id not in planned:
                before[stuck_survey.subject(job.id)] = {"crawl": "runs"}
                after[stuck_survey.subject(job.id)] = {"crawl": "interrupted"}
        if not before:
            return NothingToDo("What a recovery that was cut off has bound again answers, and nothing waits for it.")
        left_out = {"mount " + path: "%s %s" % (found.why, found.next_step) for path, found in decided.persons.items()}
        left_out.update((name, why) for name, why in sorted(part.left_out.items()) if name not in before)
        return Plan(
            action=self.name,
            objective=_objective(decided),
            commands=tuple(tuple(argv) for argv in self._commands(context, decided)),
            subjects=tuple(before),
            before=before,
            after=after,
            expected_impact=self._impact(decided),
            rollback=self._rollback(decided),
            left_out=left_out,
            symptom=_symptom(decided),
            remarks=tuple(self._remarks(decided, seen, known)),
            by_hand=tuple(found.by_hand("mount " + path) for path, found in decided.persons.items()),
        )

    def _states(self, seen: Facts, decided: Decision) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        before: Dict[str, Any] = {}
        after: Dict[str, Any] = {}
        if decided.base:
            before["mount " + seen.base.path] = {"state": seen.base.state}
            after["mount " + seen.base.path] = {"state": "ok"}
        for path in seen.paths:
            if path.path in decided.binds:
                before["mount " + path.path] = {"state": path.state, "shows": path.bound_from}
                after["mount " + path.path] = {"state": "ok", "shows": decided.binds[path.path]}
        if decided.start_tiering:
            before["unit " + TIERING_UNIT] = {"state": seen.units[TIERING_UNIT].active}
            after["unit " + TIERING_UNIT] = {"state": "active"}
        for unit in decided.reset:
            before["unit " + unit] = {"state": "failed"}
            after["unit " + unit] = {"state": "inactive"}
        if decided.restart_replay:
            before["unit " + REPLAY_UNIT] = {"state": "active"}
            after["unit " + REPLAY_UNIT] = {"state": "active, started again"}
        if self._resumes:
            before[_WORKER] = {"state": "running" if self._pauses else "paused"}
            after[_WORKER] = {"state": "running"}
        for name in self._timers:
            before["unit " + name] = {"state": "active"}
            after["unit " + name] = {"state": "active"}
        return before, after

    def _commands(self, context: Context, decided: Decision) -> List[List[str]]:
        settings = context.settings
        commands = hold.hold_commands(self._timers, self.after)
        commands += pause.pause_commands(self.after) if self._pauses else []
        if decided.base == "unmount_restart":
            commands += _unmount_commands(self._facts.base.path)
        if decided.base:
            commands += [_systemctl("reset-failed", SSHFS_UNIT), _systemctl("restart", SSHFS_UNIT)]
        for path in (*decided.unmounts, *decided.after_base):
            commands += _unmount_commands(path)
        if decided.by_manifest:
            commands.append(service.bind_mounts(settings))
        for each in decided.annual:
            commands.append(service.annual_tiering(settings, each.year, each.sources))
            commands.append(service.annual_tiering_applied(settings, each.year, each.sources))
        commands += [_bind(decided.binds[path], path, self._is_missing(path)) for path in decided.direct]
        if decided.start_tiering:
            commands += [_systemctl("reset-failed", TIERING_UNIT), _systemctl("start", TIERING_UNIT)]
        commands += [_systemctl("reset-failed", unit) for unit in decided.reset]
        for selection in self._part.selections:
            commands.append(service.recover_stale_jobs(settings, selection))
            commands.append(service.recover_stale_jobs_applied(settings, selection))
        commands += [service.retry_job(settings, row["id"]) for row in self._part.retried]
        if decided.restart_replay:
            commands.append(_systemctl("restart", REPLAY_UNIT))
        commands += pause.resume_commands() if self._resumes else []
        return commands + hold.return_commands(self._timers)

    def _impact(self, decided: Decision) -> str:
        words = []
        if self._pauses:
            words.append("The worker is stopped meanwhile, for a minute or two.")
            struck = [job.id for job in self._part.hit]
            words.append(
                "INTERRUPTED: %s." % ", ".join(stuck_survey.subject(job) for job in struck)
                if struck
                else "It runs no crawl that this would interrupt."
            )
        elif decided.mounts or self._resumes:
            words.append("The worker does not run, and is %s." % ("started at the end" if self._resumes else "left so"))
        if self._timers:
            words.append("The host's watchdogs are held off meanwhile: %s." % ", ".join(self._timers))
        if decided.base:
            words.append("The storage box is mounted anew, for its base mount does not answer.")
        if decided.restart_replay:
            words.append("Replay is away for some seconds.")
        words.append(
            "No file is copied, moved or deleted, but for one small file that is written and taken away in each path as %s."
            % "the worker's user"
            if decided.mounts or decided.owed
            else "No mount is changed."
        )
        return " ".join(words)

    def _rollback(self, decided: Decision) -> str:
        if not decided.mounts:
            return "None is needed: no mount is taken away."
        words = (
            "A dead mount cannot be put back, and holds no data: the data is on the storage box, and is not touched. "
        )
        if self._resumes or self._timers:
            words += (
                "Whatever happens, what is held off comes back by itself %d s after it was; by hand: systemctl start %s."
                % (
                    self.after,
                    " ".join([*([WORKER] if self._resumes else []), *self._timers]),
                )
            )
        return words.strip()

    def _remarks(self, decided: Decision, seen: Facts, known: jobs.Known) -> List[str]:
        told = []
        if decided.base or decided.unmounts or decided.after_base:
            told.append(
                "Each path is unmounted only if it answers Errno 107 at that moment; umount -l follows only where the plain "
                "umount fails and it still does."
            )
        if decided.direct:
            why = (
                ""
                if seen.tiered is None
                else ": the manifest does not name it, or its job has lost its campaign metadata"
            )
            told.append(
                "mount --bind is run for what is no mount when the service's own scripts have ended (%s%s)."
                % (", ".join(decided.direct), why)
            )
        if decided.owed:
            told.append(
                "A recovery that was cut off has bound %s again: that the worker's user can write there is seen before a job is "
                "given back." % ", ".join(sorted(decided.owed))
            )
        told += [job.sentence() for job in self._part.hit]
        told += hits.indexing(known.marked) if self._pauses else []
        told += [
            "job %d (%s) failed, and lies on a path that is mended: that the mount was the cause is likely and not proven."
            % (row["id"], row["source"])
            for row in self._part.retried
        ]
        return told

    # Doing it.

    def act(self, host: Host, plan: Plan) -> None:
        if self._decision is None:
            self._give_back(host.context)
            return
        # Whatever takes too long: what gives back has its time.
        context = host.context._replace(deadline=host.context.deadline - _RESUME_SECONDS)
        self._kept.append(bundle.keep(host, "before"))
        hold.begin(context, self._timers, self.after)
        try:
            if self._pauses:
                pause.begin(context, self.name, host.incident, self.after, self._more)
            try:
                self._mend(context)
            except BadInput as error:
                # By now something may have been done: it is no refusal any more.
                raise ActFailed(str(error)) from error
            finally:
                if self._resumes:
                    pause.end(host.context)
        finally:
            hold.end(host.context, self._timers)

    def _give_back(self, context: Context) -> None:
        noted.forget(_NOTE)
        try:
            if self._resumes:
                pause.end(context)
        finally:
            hold.end(context, self._timers)

    def _more(self) -> Optional[Refusal]:
        """Why the frozen worker is let go: it runs something that the plan does not name. Quick, for it is frozen meanwhile."""
        return hits.refuse_more(self._directory, {WORKER}, {job.id for job in self._part.hit})

    def _mend(self, context: Context) -> None:
        decided = self._decision
        if decided.base:
            self._mend_base(context)
        unmounts = (*decided.unmounts, *decided.after_base)
        if decided.base and unmounts:
            _refuse_without_place(context, {path: decided.binds[path] for path in unmounts})
        if decided.binds or decided.start_tiering:
            noted.write(_NOTE, {"binds": decided.proven, "start": decided.start_tiering})
        # Whatever becomes of one path, what was unmounted is bound again: nothing is left a plain directory of the local disk.
        for path in unmounts:
            self._unmount(context, path)
        self._bind_all(context)
        self._judge(context)
        if decided.start_tiering:
            self._try(context, _systemctl("reset-failed", TIERING_UNIT), _UNIT_SECONDS)
            self._try(context, _systemctl("start", TIERING_UNIT), _UNIT_SECONDS)
        for unit in decided.reset:
            self._try(context, _systemctl("reset-failed", unit), _UNIT_SECONDS)
        self._give_jobs_back(context)
        if decided.restart_replay:
            self._replay_run = worker_unit.show(context, REPLAY_UNIT).run
            self._try(context, _systemctl("restart", REPLAY_UNIT), _UNIT_SECONDS)
        # Not sooner: whoever is cut off before this owes what is after the bind.
        noted.forget(_NOTE)

    def _mend_base(self, context: Context) -> None:
        base = self._facts.base.path
        if self._answers_again(context):
            self._said.append("%s answers again, and was not mounted anew." % base)
            return
        if self._decision.base == "unmount_restart":
            self._unmount(context, base)
            if _dead(context, base):
                raise ActFailed("The base mount %s could not be unmounted. %s" % (base, " ".join(self._said)))
        tried.run(context, _systemctl("reset-failed", SSHFS_UNIT), _UNIT_SECONDS)
        # How it ends is seen at the mount: a unit that has started has mounted nothing yet.
        problem = tried.problem(context, _systemctl("restart", SSHFS_UNIT), _UNIT_SECONDS)
        until = time.monotonic() + context.seconds(_BASE_SECONDS)
        state = survey.base_now(context).state
        while state != "ok" and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            state = survey.base_now(context).state
        if state != "ok":
            self._code = "storage_box_gone"
            raise ActFailed(
                "The storage box does not come back: %s is %s%s. No hot path was unmounted."
                % (base, state, ", and %s" % problem if problem else "")
            )
        # It is started again with the base mount, gives up at the first dead path, and must not bind beside us.
        until = time.monotonic() + context.seconds(_UNIT_SECONDS)
        while worker_unit.show(context, TIERING_UNIT).active_state == "activating":
            if time.monotonic() >= until:
                raise ActFailed("%s does not end. No hot path was unmounted." % TIERING_UNIT)
            time.sleep(_POLL_SECONDS)

    def _answers_again(self, context: Context) -> bool:
        """Whether the base mount does, since the plan: a link may have come back, and a restart would end what is well then."""
        base = self._facts.base.path
        seen = survey.states(context, [base, *(path.path for path in self._facts.paths if path.shared)], {})
        if seen[base] == "ok":
            return True
        alive = sorted(path for path, state in seen.items() if state == "ok")
        if alive:
            raise ActFailed(
                "%s answers by now, which the process of the base mount may serve: a restart would end it. Nothing was unmounted."
                % alive[0]
            )
        return False

    def _unmount(self, context: Context, path: str) -> None:
        """Only what answers Errno 107 now; plain, and lazily where that fails and it still does."""
        if not _dead(context, path):
            self._said.append("%s does not answer Errno 107 any more, and was not unmounted." % path)
            return
        problem = tried.problem(context, [_UMOUNT, path], _UMOUNT_SECONDS)
        if problem is None:
            return
        if not _dead(context, path):
            self._said.append("%s: %s, and it does not answer Errno 107 any more." % (path, problem))
            return
        if self._try(context, [_UMOUNT, "-l", path], _UMOUNT_SECONDS):
            self._said.append("%s was unmounted lazily: something has it open still (%s)." % (path, problem))

    def _bind_all(self, context: Context) -> None:
        decided = self._decision
        if decided.by_manifest:
            self._try(context, service.bind_mounts(context.settings), _SCRIPT_SECONDS)
        for each in decided.annual:
            self._tier(context, each)
        table = survey.mounted()
        for path in sorted(decided.binds):
            if path not in table:
                self._try(context, _bind(decided.binds[path], path, self._is_missing(path)), _UMOUNT_SECONDS)

    def _is_missing(self, path: str) -> bool:
        return any(each.path == path and each.state == "missing" for each in self._facts.paths)

    def _try(self, context: Context, argv: Sequence[str], seconds: float) -> bool:
        """Whether it ended well. What it did is seen afterwards; what it said is told."""
        problem = tried.problem(context, argv, seconds)
        if problem is not None:
            self._said.append(problem + ".")
        return problem is None

    def _tier(self, context: Context, each: decide.Annual) -> None:
        """The service's script, if a dry run says that it would bind nothing but what is planned."""
        settings = context.settings
        try:
            would = survey.ask_tiering(context, service.annual_tiering(settings, each.year, each.sources))
            if not would.binds:
                return
            if any(self._decision.binds.get(hot) != cold for hot, cold in would.binds.items()):
                self._said.append("The annual tiering would bind more than is planned, and was not run.")
                return
            survey.ask_tiering(context, service.annual_tiering_applied(settings, each.year, each.sources))
        except survey.NotSaid as error:
            self._said.append("The annual tiering of %d did not end as it should: %s." % (each.year, error))

    def _judge(self, context: Context) -> None:
        """By the kernel's table, a look, and a file that the worker's user writes; never by what a script said."""
        binds = self._decision.proven
        if not binds:
            return
        seen = survey.states(context, sorted(binds), binds)
        wrong = ["%s is %s" % (path, state) for path, state in sorted(seen.items()) if state != "ok"]
        if wrong:
            self._code = "not_mended"
            raise ActFailed("After all that, %s. No job was given back." % ", ".join(wrong))
        self._written = writing.test(sorted(binds), survey.account(context), context.seconds(writing.SECONDS))
        wrong = ["%s: %s" % (path, said) for path, said in sorted(self._written.items()) if said != "written"]
        if wrong:
            self._code = "not_writable"
            raise ActFailed("The worker's user cannot write in %s. No job was given back." % ", ".join(wrong))

    def _give_jobs_back(self, context: Context) -> None:
        part = self._part
        if part.recovered:
            planned = {row["id"]: row for row in part.recovered}
            self._recovery = applying.Recovery(context, self._directory, planned)
            self._recovery.run(part.selections, untouched=False)
        for row in part.retried:
            problem = jobs.retry(context, row["id"])
            if problem is not None:
                self._said.append(problem + ".")

    # Seeing what became of it.

    def observe(self, host: Host, plan: Plan) -> Observation:
        context = host.context
        states, wrong = self._seen(context, plan)
        evidence: Dict[str, Any] = {"write_test": dict(self._written), "said": list(self._said)}
        if self._decision is not None:
            try:
                self._kept.append(bundle.keep(host, "after"))
            except BadInput as error:
                self._said.append("The evidence of after was not kept: %s" % error)
            evidence["remaining"] = self._remaining(context)
        evidence["kept"] = list(self._kept)
        changed = any(states.get(name) != state for name, state in plan.before.items())
        detail = "%s %s" % (_told(plan, wrong), " ".join(self._said))
        if self._kept:
            detail += " Evidence: %s." % ", ".join(self._kept)
        if not wrong:
            return Observation("applied", True, detail.strip(), states, None, None, evidence)
        code = self._code or ("worker_not_back" if any(name == _WORKER for name in wrong) else "not_mended")
        step = _PERSON if code == "storage_box_gone" else _AGAIN
        return Observation("failed", changed, detail.strip(), states, code, step, evidence)

    def _seen(self, context: Context, plan: Plan) -> Tuple[Dict[str, Any], Dict[str, str]]:
        """The state of each subject, and what is not as it should be."""
        states: Dict[str, Any] = {}
        wrong: Dict[str, str] = {}
        self._seen_mounts(context, plan, states, wrong)
        for name in plan.subjects:
            unit = name[len("unit ") :] if name.startswith("unit ") else None
            if unit is None:
                continue
            shown = worker_unit.show(context, unit)
            active, wanted = shown.active_state, plan.after[name]["state"]
            good = active != "failed" if wanted == "inactive" else active == "active"
            if not good:
                wrong[name] = "%s is %s" % (name, active)
            elif unit == REPLAY_UNIT and self._replay_run in (None, shown.run):
                # It runs, and holds the dead mounts still.
                wrong[name] = "%s was not started again" % name
            states[name] = {"state": active} if name in wrong else plan.after[name]
        if _WORKER in states and pause.armed(context):
            wrong[_WORKER] = "the timer that starts the worker is still armed"
        if self._timers and hold.armed(context):
            wrong["timer"] = "the timer that gives the watchdogs back is still armed"
        self._seen_jobs(context, plan, states, wrong)
        return states, wrong

    def _seen_mounts(self, context: Context, plan: Plan, states: Dict[str, Any], wrong: Dict[str, str]) -> None:
        if self._decision is None:
            return
        binds = self._decision.binds
        seen = survey.states(context, sorted(binds), binds)
        base = self._facts.base.path
        if self._decision.base:
            seen[base] = survey.base_now(context).state
        for path, state in seen.items():
            name = "mount " + path
            states[name] = plan.after[name] if state == "ok" else {"state": state}
            if state != "ok":
                wrong[name] = "%s is %s" % (path, state)
        for path, said in self._written.items():
            if said != "written":
                wrong["mount " + path] = "%s cannot be written: %s" % (path, said)

    def _seen_jobs(self, context: Context, plan: Plan, states: Dict[str, Any], wrong: Dict[str, str]) -> None:
        wanted = {int(name[4:]): name for name in plan.subjects if name.startswith("job ")}
        if not wanted:
            return
        now = rows.states(context, wanted)
        for job, name in wanted.items():
            row = now.get(job)
            if "crawl" in plan.after[name]:
                states[name] = plan.after[name]
            elif row is None:
                wrong[name] = "job %d cannot be seen" % job
            else:
                states[name] = stuck_survey.state(row)
                # The worker may have been faster than the look.
                was = plan.before[name]
                if (row["status"], row["started_at"]) == (was["status"], was["started_at"]):
                    wrong[name] = "job %d is %s still" % (job, row["status"])

    def _remaining(self, context: Context) -> Dict[str, Any]:
        """Storage judged again from scratch: what was mended may have been the first layer only."""
        try:
            found = decide.decide(survey.survey(context, {}, set()))
        except BadInput as error:
            return {"outcome": "unknown", "detail": str(error)}
        if isinstance(found, Nothing):
            answer = replay_probe.probe(context).data or {}
            failing = [each["job_id"] for each in answer.get("targets", []) if each["state"] in ("failing", "silent")]
            if failing:
                self._said.append("Replay does not serve pages of job %s." % ", ".join(map(str, failing)))
            self._said.append("Judged again from scratch: %s" % found.detail)
            return {"outcome": "nothing", "detail": found.detail, "replay_failing": failing}
        if isinstance(found, Refusal):
            self._said.append("Judged again from scratch: %s" % found)
            return {"outcome": found.code, "detail": str(found)}
        self._said.append("Judged again from scratch, something is left: %s" % _objective(found))
        return {"outcome": "planned", "detail": _objective(found)}

    def settle(self, host: Host, action: recorded.Action) -> Observation:
        """What its subjects are now; the switches give back what it held off."""
        context = host.context
        unit, switch, watchdogs = worker_unit.show(context), pause.armed(context), hold.armed(context)
        return Observation(
            "unknown",
            None,
            "It was cut off. %s; the timer that starts it is %s, the one that gives the watchdogs back is %s. %s"
            % (
                unit.described(),
                "armed" if switch else "gone",
                "armed" if watchdogs else "gone",
                applying.told(context, action.subjects),
            ),
        )


def _prove_database(context: Context) -> None:
    found = database.probe(context)
    data = found.data or {}
    if data.get("reachable") is True and data.get("backend") == "postgresql":
        return
    why = found.problems[0].message if found.problems else "check-db: %s" % data.get("detail")
    raise Refusal(
        "database_unproven",
        "That the service's commands reach PostgreSQL was not seen (%s), and without it neither jobs nor annual "
        "directories are known." % why.rstrip("."),
        "Bring the database back first (playbook recover_services), then plan again.",
    )


def _symptom(decided: Decision) -> str:
    if decided.mounts:
        return "hot paths do not answer"
    return "a recovery of storage was cut off" if decided.owed else "the tiering unit does not run"


def _objective(decided: Decision) -> str:
    parts = []
    if decided.base:
        parts.append("mount the storage box anew, whose base mount does not answer")
    dead = len(decided.unmounts) + len(decided.after_base)
    if dead:
        parts.append(
            "unmount %s that %s dead and bind %s again"
            % (("1 hot path", "is", "it") if dead == 1 else ("%d hot paths" % dead, "are", "them"))
        )
    absent = len(decided.binds) - dead
    if absent:
        parts.append(
            "bind %s that %s not mounted" % (("1 hot path", "is") if absent == 1 else ("%d hot paths" % absent, "are"))
        )
    if decided.owed and not parts:
        parts.append("finish what a recovery that was cut off has begun, whose hot paths are bound again")
    if decided.start_tiering and not parts:
        parts.append("start %s, which does not run while its manifest can be bound" % TIERING_UNIT)
    text = ", and ".join(parts)
    return text[0].upper() + text[1:] + "."


def _told(plan: Plan, wrong: Mapping[str, str]) -> str:
    if not wrong:
        mounts = [name for name in plan.subjects if name.startswith("mount ")]
        if mounts:
            return (
                "As planned: %s, each by the kernel's table, a look and a file that the worker's user wrote."
                % ", ".join(mounts)
            )
        return "As planned: %s." % ", ".join(plan.subjects)
    return "Not as planned: %s." % "; ".join(sorted(set(wrong.values())))


def _systemctl(verb: str, unit: str) -> List[str]:
    return [SYSTEMCTL, verb, unit]


def _unmount_commands(path: str) -> List[List[str]]:
    return [[_UMOUNT, path], [_UMOUNT, "-l", path]]


def _bind(cold: str, hot: str, missing: bool) -> List[str]:
    """The service's scripts make a directory that is not there, too."""
    return [_MOUNT, "--bind", *(["--options=X-mount.mkdir"] if missing else []), cold, hot]


def _dead(context: Context, path: str) -> bool:
    """Whether it answers Errno 107 right now."""
    seen = look.look({path: None}, context.seconds(_LOOK_SECONDS))[path]
    return seen.asked and not seen.hung and seen.errno == _ENOTCONN


def _refuse_without_place(context: Context, binds: Mapping[str, str]) -> None:
    """Nothing is unmounted that could not be bound again."""
    looks = look.look(dict.fromkeys(binds.values()), context.seconds(_LOOK_SECONDS))
    for hot, cold in sorted(binds.items()):
        if looks[cold].errno is not None or looks[cold].hung or not looks[cold].is_directory:
            raise ActFailed(
                "The storage box is back, and %s, which %s should show, is not on it. No hot path was unmounted."
                % (cold, hot)
            )
