# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dry run of reconcile-annual-tool-options."""

from __future__ import annotations

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import annual
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

DRY_RUN = b"""hc: job_id=6 name=hc-20260101 UNCHANGED
phac: job_id=7 name=phac-20260101 WOULD UPDATE
  tool_options.initial_workers: 1 -> 2
cihr: job_id=8 name=cihr-20260101 WOULD UPDATE
  campaign_kind: None -> annual
  campaign_year: None -> 2026
"""


def test_each_job_has_its_verdict() -> None:
    found = {record["job_id"]: record for record in annual.reconciliation(DRY_RUN)}
    assert {job: (each["options_drifted"], each["metadata_lost"]) for job, each in found.items()} == {
        6: (False, False),
        7: (True, False),
        8: (False, True),
    }
    assert found[7]["changes"] == ["tool_options.initial_workers: 1 -> 2"]


def test_a_source_without_an_annual_job_is_no_record() -> None:
    assert annual.reconciliation(b"hc: no annual job for 2026\n") == []


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"hc: WOULD UPDATE\n  a: 1 -> 2\n", "unparsable"),
        (b"hc: job_id=6 WOULD UPDATE\n", "unparsable"),  # cut off, or of another form: no all-clear
        (b"hc: job_id=6 UNCHANGED\n  a: 1 -> 2\n", "unparsable"),
        (b"hc: job_id=6 UPDATED\n  a: 1 -> 2\n", "unparsable"),  # a dry run that has acted
    ],
)
def test_a_contradiction_is_no_verdict(stdout: bytes, code: str) -> None:
    with pytest.raises(ParseError) as raised:
        annual.reconciliation(stdout)
    assert raised.value.code == code


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    try:
        found = annual.reconciliation(content)
    except ParseError:
        return
    assert all(record["options_drifted"] or record["metadata_lost"] or not record["changes"] for record in found)


@given(st.integers(0, len(DRY_RUN) - 1))
def test_cut_anywhere_it_never_turns_a_drift_into_unchanged(length: int) -> None:
    try:
        found = annual.reconciliation(DRY_RUN[:length])
    except ParseError:
        return
    assert not any(record["job_id"] in (7, 8) and not record["changes"] for record in found)


def test_what_was_applied_is_told_with_every_change_as_it_was_printed() -> None:
    (found,) = annual.verdicts(
        b"hc: job_id=6 name=UNCHANGED UPDATED\n  args: ['a -> b'] -> ['c']\n  more\n", applied=True
    )
    assert found == annual.Verdict(6, "UPDATED", (("args", "['a -> b'] -> ['c']"),), ("  more",))


def test_what_only_would_be_was_not_applied() -> None:
    with pytest.raises(ParseError):
        annual.verdicts(DRY_RUN, applied=True)


def test_the_complaint_about_a_job_is_that_job_s() -> None:
    said = b"noise\nERROR: job_id=77 x\nERROR: job_id=7 source=phac: invalid configuration: abc\n"
    assert annual.complaint_about(said, 7) == "ERROR: job_id=7 source=phac: invalid configuration: abc"
    assert annual.complaint_about(said, 8) is None


@given(st.binary(max_size=300), st.integers(0, 99), st.booleans())
def test_any_bytes_of_an_act(content: bytes, job: int, applied: bool) -> None:
    annual.complaint_about(content, job)
    try:
        found = annual.verdicts(content, applied)
    except ParseError:
        return
    assert all(bool(each.changes) is (each.said != annual.UNCHANGED) for each in found)
