# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making an attempt: the host before and after it, why it was refused, and what the same call does where nothing is wrong."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Dict, Iterator, List, Mapping, Optional

from end_to_end.asking import Desk

from .host import JOB, State, Target
from .runs import COLLECTION, Controller, Ran, Result
from .ways import WORDS, Run

# `make bypass` tries all of them, and calls each module through Ansible. `make test` tries one of most families, and asks the
# module's code on the host itself where the controller has no part in it.
ALL = os.environ.get("HEALTHARCHIVE_BYPASS") == "all"

FORGED = "0" * 64
# What is asked for: a failed job is to be tried again.
WISH = {"job_id": JOB, "state": "retryable"}
UNTOUCHED, DONE = "failed|2", "retryable|2"
_INCIDENT, _JOB = "healtharchive.remediation.incident", "healtharchive.remediation.job"
_ENDED = {
    _INCIDENT: {"incident": "{{ three.incident.id }}", "state": "contained", "reason": "To have one that has ended"}
}


def _preparation(all_of_it: bool) -> List[Dict[str, Any]]:
    """Incidents, and a plan in each that is open; of the two others the cases of `make test` want none."""
    slugs = ("one", "two", "three") if all_of_it else ("one",)
    opened = [{_INCIDENT: {"title": slug, "slug": slug, "severity": "sev3"}, "register": slug} for slug in slugs]
    planned = [{_JOB: {**WISH, "incident": "{{ %s.incident.id }}" % slug}} for slug in slugs[:2]]
    return [*opened, *([_ENDED] if all_of_it else []), *planned]


class Attempts:
    """``shipped``: a controller with the collection as it is; ``bare``: one with a copy of which what looks at the controller is
    cut out, so that only the host is left."""

    def __init__(self, target: Target, shipped: Controller, bare: Controller) -> None:
        self.target, self.shipped, self.bare = target, shipped, bare
        self.name = target.host.name
        self._token: Optional[str] = None
        self._desk: Optional[Desk] = None
        self.words = {"$HEAD": target.head, "$FORMER": target.former, "$UNDEPLOYED": target.undeployed}
        self.words["$SHORT"] = target.undeployed[:12]
        self.words.update({"$FORGED": FORGED, "$HOST": self.name, "$JOB": str(JOB)})
        prepared = bare.play([{"hosts": self.name, "become": True, "gather_facts": False, "tasks": _preparation(ALL)}])
        assert prepared.rc == 0
        opened = [event["incident"] for event in target.state().events if event["kind"] == "incident_opened"]
        self.words.update(zip(("$INCIDENT", "$OTHER", "$CLOSED"), opened))
        plans = [str(result.plan_id) for result in prepared.of("job") if result.outcome == "planned"]
        self.words.update(zip(("$PLAN", "$OTHER_PLAN"), plans))
        assert not ALL or set(WORDS) == {*self.words, "$SPARE"}
        assert target.job() == UNTOUCHED
        target.keep()

    def close(self) -> None:
        if self._desk is not None:
            self._desk.close()

    def _module(self, name: str, options: Mapping[str, Any]) -> Ran:
        """What a module of the collection answers on the host, without the controller's part of it."""
        if ALL:
            return self.bare.module(self.name, name, options)
        if self._desk is None:
            self._desk = Desk(self.target.host, self.words["$INCIDENT"])
        told = self._desk.change("job", "Job", **options) if name == "job" else self._desk.ask(**options)
        status = "ok" if told["outcome"] in ("planned", "applied", "nothing_to_do") else "failed"
        kept = [told.get(each) for each in ("code", "outcome", "detail", "changed", "plan_id", "token")]
        result = Result(status, self.name, name, "%s.%s" % (COLLECTION, name), *kept)
        return Ran(0 if status == "ok" else 2, json.dumps(told), [result])

    @property
    def token(self) -> str:
        """A clearance that is good."""
        if self._token is None:
            # Somebody else's, whose run goes on: one of a run that has ended would be taken away by the next one.
            whose = {"operator": "somebody-else", "controller": "elsewhere", "run": "still-going-on"}
            wish = {
                "incident": self.words["$INCIDENT"],
                "required_commit": [self.target.head],
                "ttl_minutes": 240,
                **whose,
            }
            granted = self._module("clearance", wish).results[-1]
            assert granted.outcome == "applied", granted
            self._token = str(granted.token)
        return self._token

    def filled(self, value: Any, words: Mapping[str, str]) -> Any:
        """The same with values in place of the words."""
        if isinstance(value, str):
            # The longer ones first: one may be the beginning of another.
            for word in sorted({**self.words, **words}, key=len, reverse=True):
                value = value.replace(word, {**self.words, **words}[word])
            return value
        if isinstance(value, Mapping):
            return {self.filled(key, words): self.filled(each, words) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.filled(each, words) for each in value]
        return value

    @contextlib.contextmanager
    def trying(self, way: Any) -> Iterator[State]:
        """What happens in this way round; it is undone afterwards. The host as it is before the attempt."""
        variables = {word[1:]: value for word, value in self.words.items() if word != "$JOB"}
        try:
            yield self.target.state(first=way.happens, **variables)
        finally:
            if way.undone:
                self.target.script(way.undone, **variables)

    def call(self, options: Mapping[str, Any]) -> Ran:
        """The module that acts, with everything as it should be but these options."""
        good = {**WISH, "incident": "$INCIDENT", "approve": "$PLAN"}
        if "clearance" not in options:
            good["clearance"] = self.token
        wanted = {name: value for name, value in {**good, **options}.items() if value is not None}
        return self._module("job", self.filled(wanted, {}))

    def ask(self, options: Mapping[str, Any]) -> Ran:
        """The module that grants a clearance."""
        good = {"incident": "$INCIDENT", "required_commit": ["$HEAD"]}
        wanted = {name: value for name, value in {**good, **options}.items() if value is not None}
        return self._module("clearance", self.filled(wanted, {}))

    def run(self, controller: Controller, run: Run, spare: str, commit: str) -> Ran:
        """A run of Ansible, with this in place of $SPARE, which demands this commit."""
        words = {"$SPARE": spare}
        said = {
            "incident": "$INCIDENT",
            "job_id": "$JOB",
            "approve": "$PLAN",
            "required_commit": commit,
            **run.variables,
        }
        more = (*self.filled(run.arguments, words), "-e", json.dumps(self.filled(said, words)))
        how = {
            "environment": run.environment,
            "settings": self.filled(run.settings, words),
            "typed": run.typed,
        }
        if run.earlier is not None:
            assert controller.play(self.filled(run.earlier, words), **how).rc == 0
        if run.command:
            program, *arguments = self.filled(run.command, words)
            return controller.run(program, *arguments, *more, **how)
        if run.play is None:
            return controller.playbook("recover_failed_jobs", *more, **how)
        return controller.play(self.filled(run.play, words), *more, **how)

    def put_back(self, clearance_too: bool = False) -> None:
        """The host as it was before the first attempt, but for a clearance that is good still."""
        self.target.put_back(clearance_too)
        if clearance_too:
            self._token = None

    def unchanged(self, before: State, restless: str = "") -> State:
        """The host, which must be as it was; of what changes by itself below a path nothing is said."""
        after = self.target.state()
        difference = after.difference(before, restless)
        assert difference == "", difference
        return after
