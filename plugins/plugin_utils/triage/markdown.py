# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as Markdown, to be pasted into an incident note. Private to this collection.

Its texts are escaped: whatever a host says stays text, also where HTML in Markdown would be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, List

from ...module_utils.markdown import code, line, table, text

_MOST_ROWS = 20


def render(view: Mapping[str, Any]) -> str:
    """The document of one :func:`.view.view`."""
    lines = ["# %s: %s" % (text(view["host"]), text(view["headline"])), ""]
    lines += ["%s: %s  " % (label, text(value)) for label, value in view["about"]]
    if view["recorded"]:
        lines += ["", "Classified again from a file; no host was asked."]
    lines += _list("Begun and not finished", view["unfinished"])
    lines += _list("Bad evidence", view["bad_evidence"])
    lines += _first(view) + _next(view["next"], view["first_layer_warning"])
    if not view["first"]:
        lines += _list(
            "Missing for a healthy host",
            ["%s: %s" % ("not true" if fact["seen"] else "not seen", fact["text"]) for fact in view["not_established"]],
        )
    lines += _others(view["others"]) + _undeployed(view["undeployed"])
    lines += _list(
        "What was not seen",
        ["%s: %s: %s" % (item["probes"], item["code"], item["message"]) for item in view["not_seen"]],
    )
    probes = [[probe[key] for key in ("title", "status", "digest", "seconds")] for probe in view["probes"]]
    lines += ["", "## Probes", "", *_table(("Probe", "State", "What it saw", "Took"), probes)]
    events = [[event["at"], event["age"], event["text"]] for event in view["timeline"]["events"]]
    if events:
        lines += ["", "## Timeline (UTC)", "", *_table(("At", "", "What"), events)]
    for name, title in (
        ("units", "Units"),
        ("storage", "Storage"),
        ("disks", "Disks"),
        ("jobs", "Jobs that are not indexed"),
        ("checks", "Public checks that failed"),
        ("drift", "Baseline check"),
    ):
        table = view[name]
        if table.rows:
            rows = [cells for _mood, cells in table.rows]
            lines += ["", "## " + title, "", *_table(table.columns, rows, table.left_out)]
    lines += ["", "Nothing was changed on the host. All that was read is in evidence.json beside this file."]
    return "\n".join(lines) + "\n"


def _first(view: Mapping[str, Any]) -> List[str]:
    first = view["first"]
    if first is None:
        healthy = view["state"] == "healthy"
        return [
            "",
            "Every fact that a healthy host must show was seen."
            if healthy
            else "No rule applies, and not everything that a healthy host must show was seen.",
        ]
    lines = ["", "**%s**" % text(first["summary"]), ""]
    lines.append(line("%s, %s: %s" % (first["confidence"], first["severity"], first["severity_reason"])))
    return lines + _reasons(first)


def _reasons(fault: Mapping[str, Any]) -> List[str]:
    lines: List[str] = []
    for label, key in (("for", "evidence_for"), ("against", "evidence_against"), ("not seen", "evidence_missing")):
        lines += ["- %s: %s" % (label, text(statement)) for statement in fault[key]]
    return ["", *lines] if lines else []


def _next(step: Mapping[str, Any], warning: Any) -> List[str]:
    if not step["why"]:
        return []
    lines = ["", "## Next", "", line(step["why"])]
    if step["command"]:
        lines += ["", "On the host, by ssh, as the operator:", "", *code([step["command"]])]
    return [*lines, "", line(warning)] if warning else lines


def _others(others: Sequence[Mapping[str, Any]]) -> List[str]:
    lines: List[str] = ["", "## Also found"] if others else []
    for each in others:
        follows = "; may follow from %s" % each["follows"] if each["follows"] else ""
        title = "%d. %s (%s, %s)" % (each["number"], each["title"], each["confidence"], each["severity"])
        lines += ["", "### " + text(title + follows), "", line(each["summary"]), *_reasons(each)]
        if each["command"]:
            lines += ["", *code([each["command"]])]
    return lines


def _undeployed(undeployed: Mapping[str, Any]) -> List[str]:
    if not undeployed["count"]:
        return []
    commits = ["%s %s" % (commit["sha"], commit["subject"]) for commit in undeployed["commits"]]
    more = ["and %d more" % undeployed["left_out"]] if undeployed["left_out"] else []
    return _list("Not deployed: %d of origin/main" % undeployed["count"], commits + more)


def _list(title: str, texts: Sequence[str]) -> List[str]:
    return ["", "## " + title, "", *("- " + line(each) for each in texts)] if texts else []


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], left_out: int = 0) -> List[str]:
    lines = table(columns, rows[:_MOST_ROWS])
    left_out += max(len(rows) - _MOST_ROWS, 0)
    return [*lines, "", "And %d more: see evidence.json." % left_out] if left_out else lines
