# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a triage for a terminal: plain text, one screen, readable without colour.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, List, Optional, Sequence

from ...module_utils.parse.text import one_line
from ..terminal import WIDTH, labelled
from .unfinished import statements

_MOST_LINES = 6  # of one kind of statement
_MOST_COMMITS = 5
_MOST_TROUBLES = 8  # probes that could not see, or missing facts
_COMMAND_LIMIT = 4000
_NEXT_LIMIT = 800  # the rules' own words: what is to be done is not cut short


def render(
    host: str,
    evidence: Mapping[str, Any],
    result: Mapping[str, Any],
    directory: Optional[str],
    evidence_file: Optional[str] = None,
) -> str:
    """The summary of one host. ``directory``: where the files were written; None: nothing was written.

    ``evidence_file``: where the evidence was read from, if no host was asked.
    Every line is printable whatever the host said; only a command or a path can be longer than WIDTH, for it is copied.
    """
    classes = list(result.get("classes") or [])
    lines = ["", _headline(host, result, classes)]
    lines += [labelled("UNFINISHED:", statement) for statement in statements(evidence)]
    lines.append(_when(evidence))
    if evidence_file:
        lines.append(labelled("again", "classified from %s; no host was asked" % evidence_file))
    lines += _bad_evidence(result)
    if classes:
        lines += _first(classes[0])
        lines += _others(classes)
    else:
        lines += _without_class(result)
    lines += _undeployed(result)
    lines += _not_seen(result)
    lines += _next(classes, result)
    lines.append(labelled("files", directory if directory else "none written", whole_words=True))
    return "\n".join(lines) + "\n"


def render_failure(host: str, failure: str) -> str:
    """The one line of a host that could not be triaged, not wrapped."""
    return "\n%s: %s\n" % (one_line(host, 80), one_line(failure, _COMMAND_LIMIT))


def _headline(host: str, result: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]) -> str:
    if classes:
        first = classes[0]
        words = "%s (%s, %s)" % (first["class"], first["confidence"], first["severity"])
    elif result.get("verdict") == "nothing_found":
        words = "nothing found"
    else:
        words = "unknown"
    return "=== %s: %s ===" % (one_line(host, 80), one_line(words, 80))


def _when(evidence: Mapping[str, Any]) -> str:
    return one_line(
        "Read at %s in %s s of at most %s s; nothing was changed."
        % tuple(evidence.get(key, "?") for key in ("collected_at", "duration_seconds", "deadline_seconds")),
        WIDTH,
    )


def _bad_evidence(result: Mapping[str, Any]) -> List[str]:
    lines = [labelled("BAD EVIDENCE:", item["message"]) for item in result.get("bad_evidence") or []]
    return ["", *_capped(lines, "pieces of bad evidence")] if lines else []


def _first(first: Mapping[str, Any]) -> List[str]:
    lines = ["", labelled("what", first["summary"])]
    lines.append(
        labelled("how sure", "%s; %s: %s" % (first["confidence"], first["severity"], first["severity_reason"]))
    )
    lines += _list("for", first["evidence_for"])
    lines += _list("against", first["evidence_against"])
    lines += _list("not seen", first["evidence_missing"])
    return lines


def _others(classes: Sequence[Mapping[str, Any]]) -> List[str]:
    numbers = {each["rule"]: number for number, each in enumerate(classes, start=1)}
    lines = []
    for number, each in enumerate(classes[1:], start=2):
        causes = [str(numbers[cause]) for cause in each["caused_by"] if cause in numbers]
        follows = ", may follow from %s" % ", ".join(causes) if causes else ""
        lines.append(
            labelled(
                "also %d" % number, "%s (%s%s): %s" % (each["class"], each["confidence"], follows, each["summary"])
            )
        )
    return ["", *_capped(lines, "classes")] if lines else []


def _without_class(result: Mapping[str, Any]) -> List[str]:
    if result.get("verdict") == "nothing_found":
        return ["", labelled("what", "Every fact that a healthy host must show was seen.")]
    lines = ["", labelled("what", "No rule applies, and not everything that a healthy host must show was seen.")]
    facts = [
        labelled("not true" if fact["seen"] else "not seen", fact["text"])
        for fact in result.get("not_established") or []
    ]
    return lines + _capped(facts, "facts")


def _undeployed(result: Mapping[str, Any]) -> List[str]:
    """Whatever else was found: a recovery must not be made without them."""
    undeployed = result.get("undeployed") or {}
    commits, count = undeployed.get("commits") or [], undeployed.get("count")
    if not count:
        return []
    shown = ["%s %s" % (commit["sha"][:7], one_line(commit["subject"], 70)) for commit in commits[:_MOST_COMMITS]]
    more = ["and %d more" % (count - len(shown))] if count > len(shown) else []
    lines = ["", labelled("undeployed", "on origin/main, not on the host: " + "; ".join([*shown, *more]))]
    return lines


def _not_seen(result: Mapping[str, Any]) -> List[str]:
    """One line for each reason, with the probes that have it."""
    reasons: Dict[str, List[str]] = {}
    for item in result.get("not_seen") or []:
        reasons.setdefault("%s: %s" % (item["code"], item["message"]), []).append(item["probe"])
    lines = [
        labelled("unseen", "%s (%s)" % (", ".join(dict.fromkeys(probes)), reason))
        for reason, probes in reasons.items()
    ]
    return ["", *_capped(lines, "reasons")] if lines else []


def _next(classes: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> List[str]:
    if classes:
        why, command = classes[0]["next_step"]["why"], classes[0]["next_step"]["command"]
    elif result.get("verdict") == "nothing_found":
        return [""]
    else:
        facts = [fact for fact in result.get("not_established") or [] if fact["command"]]
        why = "Look at the first of them yourself, then run triage again." if facts else "Run triage again."
        command = facts[0]["command"] if facts else None
    lines = ["", labelled("next", why, _NEXT_LIMIT)]
    if command:
        lines += ["", "On the host, by ssh, as the operator:", "    " + one_line(command, _COMMAND_LIMIT)]
    if result.get("first_layer_warning"):
        lines += ["", labelled("then", result["first_layer_warning"])]
    return [*lines, ""]


def _list(label: str, texts: Sequence[str]) -> List[str]:
    return _capped([labelled(label, text) for text in texts], "statements")


def _capped(lines: List[str], what: str) -> List[str]:
    most = _MOST_LINES if what == "statements" else _MOST_TROUBLES
    if len(lines) <= most:
        return lines
    return [*lines[:most], labelled("", "and %d more %s: see result.json" % (len(lines) - most, what))]
