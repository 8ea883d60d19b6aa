# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the collection's own code on a host without Ansible between: many questions in the time that Ansible takes for one."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Dict, List

from .conftest import SANDBOX
from .test_incident import put_utilities

# Each line of its standard input is one question, each line that it prints is one answer.
_SCRIPT = r"""
import importlib, json, subprocess, sys, time
sys.path.insert(0, "/run/collections")
from ansible_collections.healtharchive.remediation.plugins import module_utils
from ansible_collections.healtharchive.remediation.plugins.module_utils import change, clearance, contexts, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import desk
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import BadInput

def done(script):
    found = subprocess.run(["bash", "-euo", "pipefail", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return {"rc": found.returncode, "stdout": found.stdout, "stderr": found.stderr}

def changed(question):
    module = importlib.import_module("%s.%s" % (module_utils.__name__, question["module"]))
    specification = {**settings.ARGUMENT_SPEC, **change.ARGUMENT_SPEC, **module.ARGUMENT_SPEC}
    parameters = {name: option.get("default") for name, option in specification.items()}
    parameters.update({"incident": sys.argv[1], **question["options"]})
    try:
        context = contexts.context(settings.from_parameters(parameters), time.monotonic() + 60)
        action = getattr(module, question["action"])(parameters)
    except BadInput as error:
        return change.refused(error)
    return change.run(context, parameters, action, question["check"])

def answer(question):
    if question["do"] == "run":
        return done(question["script"])
    if question["do"] == "change":
        return changed(question)
    asked = {"incident": sys.argv[1], **question.get("options", {})}
    specification = {**settings.ARGUMENT_SPEC, **desk.ARGUMENT_SPEC}
    parameters = {**{name: option.get("default") for name, option in specification.items()}, **asked}
    try:
        context = contexts.context(settings.from_parameters(parameters), time.monotonic() + 120)
        if question["do"] == "ask":
            return desk.run(context, parameters, question.get("check", False))
        started = time.monotonic()
        permit = clearance.check(context, question["token"], parameters["incident"], question.get("seconds", 60))
        return {"permit": permit._asdict(), "seconds": time.monotonic() - started}
    except BadInput as error:
        return {"code": error.code, "detail": str(error), "next_step": error.next_step}

for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
"""
_PATH = "/run/ask.py"


class Desk:
    """A process on the host that is asked, until it is closed."""

    def __init__(self, host: Any, incident: str) -> None:
        self.host = host
        self.incident = incident
        put_utilities(host)
        host.root("cat >%s <<'END OF SCRIPT'\n%s\nEND OF SCRIPT\n" % (_PATH, _SCRIPT))
        argv = [str(SANDBOX), "ssh", host.name, "--", "sudo python3 %s %s" % (_PATH, incident)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)

    def _answer(self, **question: Any) -> Dict[str, Any]:
        self.begin(**question)
        return json.loads(self._process.stdout.readline())

    def run(self, script: str) -> str:
        """What a bash script prints that root runs on the host: the second path, without a log-in for each."""
        done = self._answer(do="run", script=script)
        assert done["rc"] == 0, "%s\n%s" % (script, done)
        return done["stdout"]

    def change(self, module: str, action: str, check_mode: bool = False, **options: Any) -> Dict[str, Any]:
        """What a module that changes the host returns, of that class of module_utils."""
        return self._answer(do="change", module=module, action=action, check=check_mode, options=options)

    def begin(self, **question: Any) -> None:
        """Ask without waiting for the answer."""
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()

    def ask(self, check_mode: bool = False, **options: Any) -> Dict[str, Any]:
        """What the module clearance would return."""
        return self._answer(do="ask", check=check_mode, options=options)

    def granted(self, **options: Any) -> Dict[str, Any]:
        result = self.ask(**options)
        assert result["outcome"] == "applied", result
        return result

    def refused(self, **options: Any) -> str:
        result = self.ask(**options)
        assert result["outcome"] == "refused", result
        assert result["next_step"]
        assert "\n" not in result["detail"]
        return result["code"]

    def released(self, token: str) -> None:
        result = self.ask(state="released", clearance=token)
        assert result["outcome"] == "applied", result

    def check(self, token: str, **question: Any) -> Dict[str, Any]:
        """What a module that acts is told: the permit, or a code."""
        return self._answer(do="check", token=token, **question)

    def code(self, token: str, **question: Any) -> str:
        return self.check(token, **question).get("code", "valid")


def race(host: Any, incident: str, commit: str, operators: List[str]) -> List[Dict[str, Any]]:
    """Ask for a clearance in the name of each at once; their answers, in that order."""
    lines = []
    for number, operator in enumerate(operators):
        options = {"required_commit": [commit], "operator": operator, "controller": "laptop-of-" + operator}
        question = json.dumps({"do": "ask", "options": options})
        lines.append("echo '%s' | python3 %s %s >/run/answer-%d &" % (question, _PATH, incident, number))
    lines += ["wait", *("cat /run/answer-%d" % number for number in range(len(operators)))]
    return [json.loads(line) for line in host.root("\n".join(lines)).splitlines()]
