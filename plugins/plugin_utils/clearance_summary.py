# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clearance for a terminal: what was required, what was found, what to run. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Dict, List

from ..module_utils.clearance.wish import FORCE_REASON
from ..module_utils.parse.text import one_line
from .terminal import headline, labelled, pasted

# Builds the command for a playbook: its name, then what is given with -e.
Command = Callable[..., str]
_WORDS = {
    "applied": {"granted": "clearance GRANTED", "renewed": "clearance renewed", "released": "clearance released"},
    "nothing_to_do": {"released": "no clearance to release"},
    "planned": {
        "granted": "clearance would be granted",
        "renewed": "clearance would be renewed",
        "released": "clearance would be released",
    },
}
# What a deploy mends, the first two of a commit that is not there yet.
_DEPLOYED = ("required_commit_not_deployed", "environment_behind", "schema_behind", "process_behind")
_LAYERS = ("git", "deploy", "disk", "tree", "origin", "environment", "schema", "process")


def render(host: str, result: Mapping[str, Any], command: Command) -> str:
    """The summary of one host. ``result``: what the module ``clearance``, or its action plugin, returned."""
    state, outcome = str(result.get("state") or "granted"), str(result.get("outcome"))
    refused = "clearance REFUSED, nothing was changed" if outcome == "refused" else "clearance UNKNOWN"
    words = _WORDS.get(outcome, {}).get(state, refused)
    evidence = _mapping(result.get("evidence"))
    facts = _mapping(result.get("facts") or evidence.get("facts"))
    findings = _findings(result) or _findings(evidence)
    lines = ["", headline(host, words)]
    if facts:
        lines += ["", labelled("required", _required(facts)), *_found(facts, findings)]
    elif result.get("detail") or result.get("msg"):
        lines += ["", labelled("found", "%s%s" % (result.get("detail") or result.get("msg"), _code(result)))]
    if outcome == "applied" or outcome == "planned":
        lines += _held(_mapping(result.get("clearance")))
    if result.get("not_recorded"):
        lines.append(labelled("record", "It is NOT on record: %s" % result["not_recorded"]))
    return "\n".join(lines + _next(result, outcome, facts, evidence, command)) + "\n"


def _required(facts: Mapping[str, Any]) -> str:
    commits = [str(_mapping(each).get("sha") or _mapping(each).get("asked")) for each in facts.get("required") or []]
    if not commits:
        return "no commit: the repository needs no change for this, the operator says"
    return "%s deployed and live" % ", ".join(commit[:12] for commit in commits)


def _found(facts: Mapping[str, Any], findings: List[Mapping[str, Any]]) -> List[str]:
    by_layer: Dict[str, List[str]] = {}
    for each in findings:
        by_layer.setdefault(str(each.get("layer")), []).append("%s (%s)" % (each.get("message"), each.get("code")))
    head = str(facts.get("head") or "an unknown commit")[:12]
    good = {
        "disk": "%s is checked out" % head,
        "tree": "as it was committed",
        "origin": "%s is on origin/main%s" % (head, _as_of(facts)),
        "environment": "has what the commit declares",
        "schema": "at %s" % (", ".join(map(str, facts.get("schema_heads") or [])) or "its head"),
        "process": "; ".join(_process(_mapping(each)) for each in facts.get("processes") or []),
    }
    label, lines = "found", []
    for layer in _LAYERS:
        said = by_layer.get(layer) or ([good[layer]] if layer in good and facts.get("head") else [])
        for text in said:
            mark = "NOT OK  " if layer in by_layer else "ok      "
            lines.append(labelled(label, "%s%s: %s" % (mark, layer, text)))
            label = ""
    return lines


def _as_of(facts: Mapping[str, Any]) -> str:
    return "" if facts.get("origin_main_from") == "remote" else " as it was last fetched; the remote was not reached"


def _process(process: Mapping[str, Any]) -> str:
    if process.get("running") is False:
        return "%s does not run" % process.get("unit")
    return "%s runs since %s" % (process.get("unit"), process.get("started_at"))


def _held(clearance: Mapping[str, Any]) -> List[str]:
    if not clearance:
        return []
    words = "%s of %s, for incident %s, until %s" % tuple(
        clearance.get(name) for name in ("clearance_id", "holder", "incident", "expires_at")
    )
    return [labelled("clearance", words)]


def _code(result: Mapping[str, Any]) -> str:
    return " (%s)" % result["code"] if result.get("code") else ""


def _next(
    result: Mapping[str, Any],
    outcome: str,
    facts: Mapping[str, Any],
    evidence: Mapping[str, Any],
    command: Command,
) -> List[str]:
    if outcome not in ("refused", "unknown"):
        return [""]
    why, code = str(result.get("next_step") or "See above."), result.get("code")
    incident = ["incident=%s" % result["incident"]] if result.get("incident") else []
    if code in _DEPLOYED:
        sha = _to_deploy(facts)
        if sha is not None:
            return pasted(why, command("deploy_pinned_ref", "deploy_ref=" + sha, *incident))
    if code == "held_by_other":
        return pasted(why, command("release_clearance", "force_reason=" + FORCE_REASON))
    if code in ("incident_missing", "incident_unknown", "incident_closed", "bad_incident"):
        return pasted(why, command("open_incident", "title=WHAT_IS_WRONG"))
    return ["", labelled("next", why), ""]


def _to_deploy(facts: Mapping[str, Any]) -> Any:
    """The commit that is demanded and not deployed, else the one that is there and not live."""
    for each in facts.get("required") or []:
        if _mapping(each).get("state") == "undeployed" and _mapping(each).get("sha"):
            return one_line(each["sha"], 40)
    return one_line(facts["head"], 40) if facts.get("head") else None


def _findings(value: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    return [each for name in ("refusals", "remarks") for each in value.get(name) or () if isinstance(each, Mapping)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
