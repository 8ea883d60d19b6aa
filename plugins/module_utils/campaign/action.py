# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Annual jobs are told what the deployed code wants, and get their campaign's metadata back, by the service's own command
(contract 2.2, 2.3, 4.11; incident I11).

Private to this collection.
"""

from __future__ import annotations

import shlex
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from .. import change, recorded, service
from ..budget import Budget
from ..change import ActFailed, Host, Observation
from ..parse import annual
from ..parse.errors import ParseError
from ..parse.text import one_line
from ..plan import NothingToDo, Plan
from ..probe import complaint, failed
from ..refusal import Refusal
from ..settings import BadInput
from . import decide, survey

# Beside those of `settings` and `change`.
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {"jobs": {"type": "list", "elements": "int", "default": []}}
_LARGEST_ID = 2**31 - 1
_APPLY_SECONDS = 45.0
_LINE_LIMIT = 300

_IMPACT = (
    "Only the configuration in these rows is another one afterwards. No process is stopped or started; statuses, retries and "
    "files stay as they are. A waiting job is crawled with it when its turn comes."
)
_RUNNING = " %s: a crawl keeps what it was started with until its next start."
_ROLLBACK = (
    "The options as they were, of a queued, retryable or failed job: %s. Each of these drops the campaign's metadata again, "
    "without which annual tiering does not know the job; that it is there hurts nothing."
)
_NO_OPTIONS = "None is needed: the campaign's metadata is what the job was scheduled with."


class AnnualToolOptions(change.Action):
    """Each job by a command of its own, so that what is said of it is said of no other."""

    name = "annual-tool-options"
    # A deploy may change them several times a day; the same job for the fourth time is a loop (law 11).
    budget = Budget(per_host=12, per_subject=3, window_seconds=24 * 3600)
    plan_seconds = 120
    seconds = 240

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(parameters)
        wrong = [number for number in parameters["jobs"] if not 1 <= number <= _LARGEST_ID]
        if wrong:
            raise BadInput(
                "bad_job_id",
                "jobs must be numbers of jobs, and not %d." % wrong[0],
                "Triage lists jobs with their numbers.",
            )
        if len(set(parameters["jobs"])) > survey.MOST:
            raise survey.too_many()
        self._steps: Sequence[decide.Step] = ()

    def plan(self, host: Host) -> Union[Plan, NothingToDo]:
        found = survey.survey(host.context, set(self.parameters["jobs"]))
        decided = found.decision
        self._steps = decided.steps
        left_out = {decide.subject(job): each.why for job, each in decided.left.items()}
        if not decided.steps:
            if decided.left:
                raise _refusal(decided.left)
            return NothingToDo(_well(decided.well, bool(self.parameters["jobs"])), left_out)
        settings = host.context.settings
        before = {
            decide.subject(each.job.id): decide.state(each, each.job.config, each.job.status) for each in decided.steps
        }
        return Plan(
            action=self.name,
            objective=_objective(decided.steps),
            commands=tuple(
                tuple(service.reconcile_annual_tool_options_applied(settings, each.job.year, each.job.source))
                for each in decided.steps
            ),
            subjects=tuple(before),
            before=before,
            after={decide.subject(each.job.id): decide.wished(each) for each in decided.steps},
            expected_impact=_impact(decided.steps),
            rollback=_rollback(decided.steps, settings.cli),
            left_out=left_out,
            symptom="annual job not told what the deployed code wants",
            remarks=_remarks(found),
        )

    def act(self, host: Host, plan: Plan) -> None:
        wrong: List[str] = []
        for step in self._steps:
            argv = service.reconcile_annual_tool_options_applied(host.context.settings, step.job.year, step.job.source)
            result = host.context.run_service(argv, _APPLY_SECONDS, production=True)
            if result.failure is not None:
                # Whether it wrote is not known: no other is begun.
                raise ActFailed(" ".join([*wrong, failed(result, _named(step)).message]))
            said = _complaint(step, result.rc, result.stdout, result.stderr)
            if said is not None:
                wrong.append(said)
        if wrong:
            raise ActFailed(" ".join(wrong))

    def observe(self, host: Host, plan: Plan) -> Observation:
        now = survey.read(host.context, [step.job for step in self._steps])
        seen = decide.judge(self._steps, now, survey.words(host.context))
        states = {
            decide.subject(step.job.id): decide.state(step, now[step.job.id].config, now[step.job.id].status)
            for step in self._steps
            if step.job.id in now
        }
        return Observation(seen.outcome, seen.changed, seen.detail, states, seen.code, seen.next_step)

    def settle(self, host: Host, action: recorded.Action) -> Optional[Observation]:
        """What the dry run says now of the jobs that it was about: each is one transaction of the database."""
        numbers = {int(name[4:]) for name in action.subjects if name.startswith("job ") and name[4:].isdigit()}
        try:
            decided = survey.survey(host.context, numbers).decision
        except BadInput as error:
            return Observation("unknown", None, "It was cut off, and the jobs cannot be seen now: %s" % error)
        return settled(decided, numbers)


def settled(decided: decide.Decision, numbers: "set[int]") -> Observation:
    """By what is left to do. Pure."""
    left = {step.job.id for step in decided.steps}
    told = "It was cut off. As they should be now: %s; not so: %s."
    told %= (_jobs(decided.well), _jobs(sorted(numbers - set(decided.well))))
    if numbers <= set(decided.well):
        return Observation("applied", None, told)
    if numbers <= left:
        return Observation("failed", False, told)
    return Observation("unknown", None, told)


def _complaint(step: decide.Step, rc: int, stdout: bytes, stderr: bytes) -> Optional[str]:
    """What is wrong with the answer of a command, whose exit code is 0 also when it passed over the job; None for nothing."""
    said = annual.complaint_about(stderr, step.job.id) or complaint(stderr)
    if rc != 0:
        return "%s ended with %d: %s." % (_named(step), rc, one_line(said, _LINE_LIMIT).rstrip("."))
    try:
        found = annual.verdicts(stdout, applied=True) if stdout.strip() else []
    except ParseError as error:
        return "%s: %s." % (_named(step), str(error).rstrip("."))
    verdict = next((each for each in found if each.job_id == step.job.id), None)
    others = [each.job_id for each in found if each.job_id != step.job.id and each.said == annual.UPDATED]
    if others:
        return "%s says that it changed %s, which nobody planned." % (_named(step), _jobs(others))
    if verdict is None:
        words = one_line(said, _LINE_LIMIT).rstrip(".") or "it says nothing"
        return "%s ended with 0 and did not change the job: %s." % (_named(step), words)
    if verdict.said != annual.UPDATED:
        return "%s says %s." % (_named(step), verdict.said)
    return None


def _named(step: decide.Step) -> str:
    return "The command for job %d (%s, %d)" % (step.job.id, step.job.source, step.job.year)


def _refusal(left: Mapping[int, decide.Left]) -> Refusal:
    codes = {each.code for each in left.values()}
    code = decide.WRONG_TYPE if decide.WRONG_TYPE in codes else decide.NEEDS_PERSON
    first = next(job for job, each in sorted(left.items()) if each.code == code)
    return Refusal(
        code,
        "Nothing is planned that the service's command could do. Job %d: %s" % (first, left[first].why),
        "Do what it says of each job; then plan again.",
        jobs={decide.subject(job): each.why for job, each in sorted(left.items())},
    )


def _well(jobs: Sequence[int], asked: bool) -> str:
    if not jobs:
        return "No job of an annual campaign crawls or waits."
    which = "that were named" if asked else "that crawl or may crawl again"
    told = "The service's own dry run and the rows agree: the annual jobs %s are told what they should be (%s)."
    return told % (which, _jobs(jobs))


def _jobs(jobs: Sequence[int]) -> str:
    if not jobs:
        return "no job"
    return "%s %s" % ("job" if len(jobs) == 1 else "jobs", ", ".join(map(str, jobs)))


def _objective(steps: Sequence[decide.Step]) -> str:
    keys = {one.key for step in steps for one in step.changes}
    what = []
    if keys - annual.CAMPAIGN_KEYS:
        what.append("tell %s what the deployed code wants" % _jobs([step.job.id for step in steps]))
    if keys & annual.CAMPAIGN_KEYS:
        lost = [step.job.id for step in steps if any(one.key in annual.CAMPAIGN_KEYS for one in step.changes)]
        what.append("give %s the campaign's metadata back" % _jobs(lost))
    text = ", and ".join(what)
    return text[0].upper() + text[1:] + "."


def _impact(steps: Sequence[decide.Step]) -> str:
    running = [step.job.id for step in steps if step.job.status == "running"]
    if not running:
        return _IMPACT
    told = _jobs(running)
    return _IMPACT + _RUNNING % (told[0].upper() + told[1:] + (" runs" if len(running) == 1 else " run"))


def _rollback(steps: Sequence[decide.Step], cli: str) -> str:
    lines = []
    for step in steps:
        words = []
        for one in step.changes:
            group, _dot, option = one.key.rpartition(".")
            # What had no value, or is no plain option, has no command that takes it back.
            if (
                one.key not in annual.CAMPAIGN_KEYS
                and group in ("", "tool_options")
                and isinstance(one.old, (int, str))
            ):
                words += [
                    "--set-tool-option",
                    "%s=%s" % (option, str(one.old).lower() if isinstance(one.old, bool) else one.old),
                ]
        if words:
            lines.append(shlex.join([cli, "patch-job-config", "--id", str(step.job.id), *words, "--apply"]))
    return _ROLLBACK % "; ".join(lines) if lines else _NO_OPTIONS


def _remarks(found: survey.Survey) -> tuple[str, ...]:
    said = [
        "job %d (%s, %s) %s"
        % (
            step.job.id,
            step.job.source,
            one_line(step.job.name, 60) or "no name",
            "runs now, and keeps its options until its next start"
            if step.job.status == "running"
            else "is %s" % step.job.status,
        )
        for step in found.decision.steps
    ]
    if found.unasked:
        said.append("%d more waiting jobs were not asked for; none of them is annual by its name." % found.unasked)
    return tuple(said)


__all__ = ("ARGUMENT_SPEC", "AnnualToolOptions", "settled")
