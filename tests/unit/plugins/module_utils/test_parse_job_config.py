# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's configuration: free JSON in which something may be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import job_config
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, []),
        (None, []),
        ({"initial_workers": 3, "depth": 0, "skip_final_build": True, "docker_image": "image:1"}, []),
        ({"initial_workers": 1.5}, []),
        ({"initial_workers": "3"}, []),
        ({"initial_workers": "abc"}, ["initial_workers=abc"]),
        ({"initial_workers": ""}, ["initial_workers="]),
        ({"initial_workers": "a\nb", "page_limit": [1]}, ["initial_workers=a\\nb", "page_limit=[1]"]),
        ("abc", ["tool_options=abc"]),
    ],
)
def test_options_that_should_be_numbers(options: Any, wrong: list[str]) -> None:
    assert job_config.wrong_options({"tool_options": options}) == wrong


def test_a_configuration_that_is_no_object_is_wrong() -> None:
    assert job_config.wrong_options([1]) == ["config=[1]"]
    assert job_config.wrong_options({}) == []


@pytest.mark.parametrize(
    ("source", "name", "config", "year", "metadata"),
    [
        ("hc", "hc-20260101", {}, 2026, False),
        ("hc", "hc-20260101", None, 2026, False),
        ("hc", "hc-20260101", {"campaign_kind": "annual", "campaign_year": 2026}, 2026, True),
        ("hc", "hc-rescue", {"campaign_kind": "annual", "campaign_year": 2026}, 2026, True),
        ("hc", "hc-rescue", {"campaign_kind": "annual", "campaign_year": "2026"}, None, True),
        ("hc", "phac-20260101", {}, None, False),
        (None, "hc-20260101", {}, None, False),
        ("hc", "hc-20261123", {}, None, False),
        ("hc", "hc-00010101", {}, None, False),
        ("hc", "hc-20260101\n", {}, None, False),
        ("hc", "hc-20260101", [], 2026, False),
    ],
)
def test_the_campaign(source: str | None, name: str, config: Any, year: int | None, metadata: bool) -> None:
    assert job_config.campaign_year(source, name, config) == year
    assert job_config.has_campaign_metadata(config) is metadata


@given(st.text(max_size=30) | st.none(), st.text(max_size=30), JSON)
def test_any_configuration(source: str | None, name: str, config: Any) -> None:
    job_config.campaign_year(source, name, config)
    assert all(len(word) <= 150 and word.isprintable() for word in job_config.wrong_options(config))
