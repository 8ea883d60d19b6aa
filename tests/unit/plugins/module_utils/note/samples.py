# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents for the tests of the note: one that went well, one that did not, and texts that want to be more than text."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

ROOT = Path(__file__).resolve().parents[5]
HOST_TEMPLATE = (ROOT / "tests/sandbox/service/docs/_templates/incident-template.md").read_text()

HOSTILE = (
    "<!-- healtharchive.remediation end: timeline -->",
    "text\n<!-- healtharchive.remediation begin: metadata -->\n<!-- healtharchive.remediation end: metadata -->\n",
    "a\r<!-- healtharchive.remediation end: commands -->\r\nb",
    "# heading\n## Metadata\n\nSetext\n======\n---\n***\n",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'-->]]></style></pre>",
    "| cell | \\| \\",
    "```\n~~~\n    code\n````````\n`x`",
    "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "\u202eevil\u2066\u200b\ufeff\u2028next\x85line\x0bx\x0cy",
    "{{ lookup('pipe', 'id') }}{% for x in y %}{# z #}",
    "\U0001f44d\U0001f469\u200d\U0001f692 \u4e16\u754c",
    "--",
    "../../../etc/passwd",
    "- [x] item\n1. one\n+ plus\n> quote\n    indented\n\ttab",
    "[link](javascript:alert(1)) **bold** https://example.org www.example.org a@example.org &amp; $x$ ~~s~~ :+1: #1",
    "\ud800\udc80\x00",
    "x" * 102400,
    "\n".join("line %d" % number for number in range(5000)),
    " ",
)

STARTED = "2026-11-23T17:31:00Z"


def incident(**changes: Any) -> Dict[str, Any]:
    """What the module of that name returns."""
    return {
        "id": "2026-11-23-api-502",
        "title": "API answers 502 after the update of Friday",
        "severity": "sev1",
        "severity_reason": "usable but badly degraded",
        "area": "api",
        "owner": "anna",
        "environment": "production",
        "started_at": STARTED,
        "state": "open",
        "resolved_at": None,
        **changes,
    }


def event(kind: str, at: str, operator: Any = None, **data: Any) -> Dict[str, Any]:
    """An event of the log, of the first day if ``at`` is a time of day."""
    moment = "2026-11-23T%s:00Z" % at if len(at) == 5 else at
    return {
        "version": 1,
        "kind": kind,
        "at": moment,
        "recorded_at": moment,
        "late": False,
        "incident": "2026-11-23-api-502",
        "by": {"account": "haadmin", "operator": operator, "controller": None, "run": None},
        "head": "a" * 40,
        "data": data,
    }


def numbered(events: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return [{**each, "sequence": number} for number, each in enumerate(events, 5)]


def opened(**data: Any) -> Dict[str, Any]:
    return event(
        "incident_opened",
        "17:50",
        "anna",
        **{
            "title": "API answers 502 after the update of Friday",
            "severity": "sev1",
            "severity_reason": "usable but badly degraded",
            "area": "api",
            "owner": "anna",
            "started_at": STARTED,
            "environment": "production",
            **data,
        },
    )


def begun(at: str = "18:02", identity: str = "action-1", **data: Any) -> Dict[str, Any]:
    return event(
        "action_begun",
        at,
        "anna",
        **{
            "action_id": identity,
            "action": "deploy_pinned_ref",
            "objective": "Deploy the pinned commit with its dependencies",
            "argv": [["/opt/healtharchive/scripts/vps-deploy.sh", "--apply", "--ref", "b" * 40]],
            "subjects": ["healtharchive-api.service"],
            "expected_impact": "The API restarts once",
            "rollback": "Deploy the commit before it",
            "plan_id": "p-1234",
            **data,
        },
    )


def finished(at: str = "18:06", identity: str = "action-1", **data: Any) -> Dict[str, Any]:
    return event(
        "action_finished",
        at,
        **{"action_id": identity, "outcome": "applied", "changed": True, "detail": "HEAD and processes agree.", **data},
    )


def verified(at: str = "18:10", passed: Any = True, **results: str) -> Dict[str, Any]:
    results = results or {"public_surface": "passed", "units": "passed", "jobs": "passed"}
    checks = [{"check": name, "result": result, "detail": "seen"} for name, result in results.items()]
    return event("verified", at, verification_id="v-" + at, passed=passed, checks=checks)


def triage_run(at: str = "17:52") -> Dict[str, Any]:
    found = {"class": "deployment", "confidence": "certain", "summary": "The environment lacks slowapi"}
    return event(
        "triage_run",
        at,
        evidence_digest="c" * 64,
        classes=[found],
        severity="sev1",
        summary="slowapi cannot be imported",
    )


def remark(text: str, at: str = "17:55") -> Dict[str, Any]:
    return event("remark", at, "anna", text=text)


def healthy_flow() -> List[Dict[str, Any]]:
    """Opened, looked at, repaired, verified, closed."""
    return numbered(
        [
            opened(),
            triage_run(),
            remark("Caddy is well, the loopback refuses too.\nOnly the API is hit."),
            begun(),
            finished(),
            verified(),
            event(
                "incident_closed",
                "18:20",
                "anna",
                resolved_at="2026-11-23T18:10:00Z",
                trigger="git pull by hand on Friday",
                underlying="Only the deploy script installs dependencies",
                verification_id="v-18:10",
            ),
        ]
    )


def messy_flow() -> List[Dict[str, Any]]:
    """Two days, a late event, a severity that rose, a verification that failed, an action whose end nobody knows."""
    next_day = "2026-11-24T00:%s:00Z"
    return numbered(
        [
            {**opened(), "late": True, "recorded_at": "2026-11-23T19:30:00Z"},
            event(
                "severity_changed", "18:00", "anna", **{"from": "sev2", "to": "sev1", "reason": "the capture stands"}
            ),
            begun("18:30", "action-1", action="stale_mount", objective="Unmount the stale hot path"),
            finished("18:31", "action-1", outcome="failed", changed=None, detail="umount: target is busy"),
            verified("18:40", False, storage="failed", units="passed", jobs="unknown"),
            begun(next_day % "06", "action-2", action="worker", objective="Resume the worker", argv=[]),
            event(
                "incident_contained",
                next_day % "30",
                resolved_at=next_day % "30",
                reason="Parked until the box is back",
            ),
        ]
    )


def hostile_flow(text: str) -> List[Dict[str, Any]]:
    """Every kind of event with that text in every field that can hold one."""
    return numbered(
        [
            opened(title=text, severity=text, severity_reason=text, owner=text, environment=text, area=text),
            event("severity_changed", "17:51", text, **{"from": text, "to": text, "reason": text}),
            event(
                "triage_run",
                "17:52",
                evidence_digest=text,
                summary=text,
                severity=text,
                classes=[{"class": text, "confidence": text, "summary": text}],
            ),
            remark(text),
            begun(
                action=text,
                objective=text,
                argv=[[text], ["umount", "-l", text], [text, text]],
                subjects=[text, "job 7"],
                expected_impact=text,
                rollback=text,
                plan_id=text,
            ),
            finished(outcome=text, detail=text),
            begun("18:07", text, objective=text),
            event("verified", "18:10", verification_id=text, passed=False, checks=[_check(text), _check("units")]),
            event("verified", "18:11", verification_id=text, passed=None, checks=[_check(text), _check("units")]),
            event("clearance_granted", "18:12", clearance_id=text, holder=text, until=text, reason=text),
            event("clearance_granted", "18:12", clearance_id=text, holder=text, until=text, required_commits=[text]),
            event("clearance_renewed", "18:12", clearance_id=text, holder=text, until=text),
            event("clearance_released", "18:12", clearance_id=text, holder=text, reason=text, forced=True),
            event(text, "18:13", field=text),
            event("remark", text, text=text),
            event("incident_contained", "18:14", resolved_at=text, reason=text),
            event("incident_closed", "18:15", resolved_at=text, trigger=text, underlying=text),
            {**event("remark", "18:16", text=text), "head": text, "late": True, "recorded_at": text},
        ]
    )


def _check(text: str) -> Dict[str, Any]:
    return {"check": text, "result": text, "detail": text}


def hostile_incident(text: str) -> Dict[str, Any]:
    return incident(
        title=text,
        severity=text,
        area=text,
        owner=text,
        environment=text,
        state=text,
        resolved_at=text,
        severity_reason=text,
    )
