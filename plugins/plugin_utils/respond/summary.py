# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done next in an incident, for a terminal. Private to this collection.

Whatever the host said is made printable; nothing of it is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import List

from ..change_summary import RESPOND, variables
from ..incident.summary import Command
from ..terminal import headline, labelled, pasted
from .answers import DEPLOY, PERSON, WAIT
from .decide import VERIFY, Decision

ON_THE_HOST = "On the host, by ssh, as the operator:"
_MOST = 6
_WORDS = {VERIFY: "nothing is left to recover: it is verified", PERSON: "A PERSON IS NEEDED", WAIT: "WAIT, and look again"}


def render(host: str, decision: Decision, incident: str, approval: str, command: Command) -> str:
    """The summary of one host. ``approval``: what was approved with ``-e approve``, else empty."""
    lines = ["", headline(host, "respond: %s" % _WORDS.get(decision.do, decision.do)), "incident %s" % incident, ""]
    if decision.rule is not None:
        lines.append(labelled("found", "%s (%s)" % (decision.summary, decision.rule)))
    if decision.why:
        lines.append(labelled("answer", decision.why))
    if decision.guide is not None:
        lines.append(labelled("guide", decision.guide))
    if decision.do == DEPLOY:
        lines.append(labelled("commit", str(decision.commit)))
    if decision.jobs:
        lines.append(labelled("jobs", ", ".join(str(each) for each in decision.jobs)))
    lines += _listed("needs you", decision.persons) + _listed("may wait", decision.waiting)
    if decision.undeployed and decision.do not in (DEPLOY, VERIFY):
        words = "%d commits on origin/main are not deployed. If a fix that you need is among them, deploy it first:"
        lines.append(labelled("repo first", words % decision.undeployed))
        lines.append("    " + command(DEPLOY, *_named(incident), "deploy_ref=COMMIT"))
    if approval and decision.do in (VERIFY, PERSON, WAIT):
        lines.append(labelled("approval", "%s approves nothing of this, so nothing was done with it." % approval))
    if decision.do not in (PERSON, WAIT):
        return "\n".join(lines) + "\n"
    return "\n".join(lines + _person(decision, incident, command)) + "\n"


def _person(decision: Decision, incident: str, command: Command) -> List[str]:
    lines: List[str] = []
    if decision.look.get("command"):
        lines = pasted(str(decision.look["why"]), str(decision.look["command"]), ON_THE_HOST)
    elif decision.look.get("why"):
        lines = ["", labelled("next", str(decision.look["why"])), ""]
    return lines + ["Then, to go on:", "    " + command(RESPOND, *_named(incident)), ""]


def _named(incident: str) -> List[str]:
    return variables({"incident": incident})


def _listed(label: str, told: Sequence[Mapping[str, str]]) -> List[str]:
    lines = []
    for number, each in enumerate(told[:_MOST]):
        lines.append(labelled(label if number == 0 else "", "%s (%s)" % (each["summary"], each["rule"])))
    if len(told) > _MOST:
        lines.append(labelled("", "and %d more, which triage names above" % (len(told) - _MOST)))
    return lines
