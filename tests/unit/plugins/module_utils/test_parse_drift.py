# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drift report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import drift
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def read(name: str) -> bytes:
    return (TRANSCRIPTS / name).read_bytes()


def test_a_report_with_findings() -> None:
    found = drift.drift_report(read("drift-failures-and-warnings.txt"), 1)
    assert (found["drifted"], found["mode"], found["timestamp"]) == (True, "local", "2026-11-23T15:54:21Z")
    assert [failure["key"] for failure in found["failures"]] == [
        "env:HEALTHARCHIVE_REPLAY_BASE_URL",
        "hsts:configured_in_caddy",
        "filesystem:/etc/healtharchive/baseline-drift-enabled",
        "filesystem:/srv/healtharchive/backups:mode",
        "systemd:prometheus.service:enabled",
    ]
    assert found["failures"][-1]["message"].endswith("prometheus.service: No such file or directory'")
    assert len(found["warnings"]) == 3


def test_warnings_alone_are_no_drift() -> None:
    found = drift.drift_report(read("drift-warnings-only.txt"), 0)
    assert (found["drifted"], found["failures"], len(found["warnings"])) == (False, [], 3)


def test_a_report_that_passes() -> None:
    found = drift.drift_report(read("drift-pass-live.txt"), 0)
    assert (found["drifted"], found["mode"], found["failures"], found["warnings"]) == (False, "live", [], [])


@pytest.mark.parametrize(
    ("name", "rc"),
    [
        ("drift-failures-and-warnings.txt", 0),
        ("drift-failures-and-warnings.txt", 2),
        ("drift-failures-and-warnings.txt", -15),
        ("drift-warnings-only.txt", 1),
        ("drift-pass-live.txt", 1),
    ],
)
def test_a_report_that_contradicts_its_exit_code_says_nothing(name: str, rc: int) -> None:
    with pytest.raises(ParseError) as caught:
        drift.drift_report(read(name), rc)
    assert caught.value.code == "bad_evidence"


@pytest.mark.parametrize(
    ("old", "new", "rc", "code"),
    [
        (b"PASS: No drift detected.\n", b"", 0, "truncated"),
        (b"PASS: No drift detected.\n", b"PASS\n", 0, "unparsable"),
        (b"PASS: No drift detected.\n", b"PASS: No drift detected.\nPASS: No drift detected.\n", 0, "unparsable"),
        (b"mode=live", b"mode=remote", 0, "unparsable"),
        (b"mode=live\n", b"", 0, "truncated"),
        (b"timestamp_utc=2026-11-23T15:54:21Z", b"timestamp_utc=now", 0, "unparsable"),
        (b"HealthArchive baseline", b"HealthArchive", 0, "unparsable"),
        (b"PASS: No drift detected.\n", b"FAILURES (must fix)\n", 1, "unparsable"),
        (b"PASS: No drift detected.\n", b"FAILURES (must fix)\n- no separator\n", 1, "unparsable"),
        (b"PASS: No drift detected.\n", b"- env: before any section\n", 1, "unparsable"),
        (
            b"PASS: No drift detected.\n",
            b"WARNINGS (recommended)\n- a: b\nPASS: No drift detected.\n",
            0,
            "bad_evidence",
        ),
        (b"PASS: No drift detected.\n", b'FAILURES (must fix)\n- a: b\n{"json": 1}\n', 1, "unparsable"),
    ],
)
def test_a_report_of_another_shape_is_refused(old: bytes, new: bytes, rc: int, code: str) -> None:
    good = read("drift-pass-live.txt")
    assert drift.drift_report(good, 0)
    assert old in good
    with pytest.raises(ParseError) as caught:
        drift.drift_report(good.replace(old, new), rc)
    assert caught.value.code == code


@pytest.mark.parametrize("stdout", [b"", b"\n"])
def test_nothing_printed_is_not_no_drift(stdout: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        drift.drift_report(stdout, 0)
    assert caught.value.code == "empty"


@pytest.mark.parametrize(("name", "rc"), [("drift-failures-and-warnings.txt", 1), ("drift-warnings-only.txt", 0)])
def test_no_beginning_of_a_report_turns_drift_into_none(name: str, rc: int) -> None:
    whole = read(name)
    verdict = drift.drift_report(whole, rc)["drifted"]
    for length in range(len(whole)):
        try:
            found = drift.drift_report(whole[:length], rc)
        except ParseError:
            continue
        assert found["drifted"] is verdict
        assert whole[length - 1 : length] == b"\n"


@given(st.data())
def test_no_damage_turns_drift_into_none(data: st.DataObject) -> None:
    report = bytearray(read("drift-failures-and-warnings.txt"))
    for _change in range(data.draw(st.integers(min_value=1, max_value=4))):
        start = data.draw(st.integers(min_value=0, max_value=len(report)))
        end = data.draw(st.integers(min_value=start, max_value=min(len(report), start + 400)))
        report[start:end] = data.draw(
            st.sampled_from([b"", b"\n", b"PASS: No drift detected.\n"]) | st.binary(max_size=8)
        )
    try:
        found = drift.drift_report(bytes(report), 1)
    except ParseError:
        return
    assert found["drifted"] is True
    assert found["failures"]


keys = st.from_regex(r"[a-z]{1,9}(:[A-Za-z0-9_/.-]{1,20}){0,3}", fullmatch=True)
messages = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40)
findings = st.lists(st.fixed_dictionaries({"key": keys, "message": messages}), max_size=4)


@given(findings, findings)
def test_what_the_program_writes_is_read_back(failures: list[dict[str, str]], warnings: list[dict[str, str]]) -> None:
    report = read("drift-pass-live.txt").decode().replace("PASS: No drift detected.\n", "")
    sections = []
    for title, items in (("FAILURES (must fix)", failures), ("WARNINGS (recommended)", warnings)):
        if items:
            sections.append(title + "\n" + "".join("- %(key)s: %(message)s\n" % item for item in items))
    report += "\n".join(sections) or "PASS: No drift detected.\n"
    found = drift.drift_report(report.encode("utf-8"), 1 if failures else 0)
    assert (found["failures"], found["warnings"], found["drifted"]) == (failures, warnings, bool(failures))


REPORT = b"""HealthArchive baseline drift report
timestamp_utc=2026-11-23T15:54:21Z
policy=/opt/healtharchive/docs/operations/production-baseline-policy.toml
mode=local

FAILURES (must fix)
- filesystem:/srv/healtharchive/backups:mode: expected '2770' got '0755'

WARNINGS (recommended)
- cors_checks: skipped (mode=local)
"""
KEY = "filesystem:/srv/healtharchive/backups:mode"


@pytest.mark.parametrize(
    "failures",
    [[[KEY, "expected"]], [{"key": KEY, "message": "expected"}]],
    ids=["pairs", "objects"],
)
def test_report_and_json_together(failures):
    said = json.dumps({"mode": "local", "failures": failures, "warnings": []}, indent=2).encode() + b"\n"
    assert [each["key"] for each in drift.drift_report_with_json(REPORT + said, 1)["failures"]] == [KEY]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "truncated"),
        (b"{", "unparsable"),
        (b"{}", "unparsable"),
        (b'{"failures": [1]}', "unparsable"),
        (b'{"failures": []}', "bad_evidence"),
        (b'{"failures": [["env", "x"]]}', "bad_evidence"),
    ],
)
def test_a_json_that_says_something_else_is_no_report(said, code):
    with pytest.raises(ParseError) as raised:
        drift.drift_report_with_json(REPORT + said, 1)
    assert raised.value.code == code


@given(st.binary(max_size=200), st.sampled_from([0, 1, 2]))
def test_any_bytes_below_a_report(content, rc):
    try:
        drift.drift_report_with_json(REPORT + content, rc)
    except ParseError:
        return
    assert rc == 1
