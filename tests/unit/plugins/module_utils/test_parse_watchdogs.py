# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a watchdog do what it is for? Decision tables on its state file and metrics, and any bytes in."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse import watchdogs
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.errors import ParseError
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=timezone.utc).timestamp()
PATH = "/srv/healtharchive/jobs/hc/annual"


def at(seconds_ago):
    return datetime.fromtimestamp(NOW - seconds_ago, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def hot_path_state(first=7200, last=30, **more):
    seen = {"first_seen_utc": at(first), "last_seen_utc": at(last), "consecutive": 90, "errno": 107, "path": PATH}
    return {"observations": {"job:6": seen}, **more}


@pytest.mark.parametrize(
    ("state", "idle"),
    [
        ({}, False),
        (hot_path_state(), True),  # incident I6
        (hot_path_state(first=600), False),
        (hot_path_state(last=7000), False),  # no longer seen
        (hot_path_state(last_apply_utc=at(9 * 86400), last_apply_ok=1), True),
        (hot_path_state(last_apply_utc=at(600), last_apply_ok=1), False),
        (hot_path_state(last_apply_utc=at(600), last_apply_ok=0), True),
        ({"observations": {"job:6": {"path": PATH}}}, None),
        ({"observations": []}, None),
    ],
)
def test_hot_paths(state, idle):
    assert watchdogs.hot_paths(state, NOW).idle is idle


def test_hot_paths_are_named():
    watch = watchdogs.hot_paths(hot_path_state(last_apply_utc=at(9 * 86400), last_apply_ok=1), NOW)
    assert watch.targets == [{"subject": PATH, "seen_for_seconds": 7170.0}]
    assert watch.last_action_at == "2026-11-14T18:00:00Z"


def metrics(age="10800", stalled="1", written=NOW - 60):
    return (
        "# HELP x y\n"
        "healtharchive_crawl_metrics_timestamp_seconds %s\n"
        'healtharchive_crawl_running_job_stalled{job_id="6",source="hc"} %s\n'
        'healtharchive_crawl_running_job_last_progress_age_seconds{job_id="6",source="hc"} %s\n'
        % (written, stalled, age)
    ).encode()


@pytest.mark.parametrize(
    ("state", "content", "idle"),
    [
        ({}, metrics(), True),
        ({"recoveries": {}}, metrics(stalled="0"), False),
        ({}, metrics(age="4000"), False),
        ({"recoveries": {"6": [at(1800)]}}, metrics(), False),
        ({"recoveries": {"6": [NOW - 1800]}}, metrics(), False),
        ({"recoveries": {"6": [at(40000)]}}, metrics(), True),
        ({"recoveries": {"6": [at(40000), at(50000), at(60000)]}}, metrics(), False),  # its three of the day
        ({"recoveries": {"8": [at(1800)]}}, metrics(), True),
        ({"recoveries": {"6": ["soon"]}}, metrics(), None),
        ({"recoveries": []}, metrics(), None),
        ({}, None, None),
        ({}, b"", None),
        ({}, metrics(written=NOW - 7200), None),
        ({}, metrics(age="NaN"), None),
    ],
)
def test_crawls(state, content, idle):
    assert watchdogs.crawls(state, content, NOW).idle is idle


def test_crawls_are_named():
    watch = watchdogs.crawls({"recoveries": {"8": [at(60)]}}, metrics(), NOW)
    assert watch.targets == [{"subject": "job 6", "seen_for_seconds": 10800.0}]
    assert watch.last_action_at == "2026-11-23T17:59:00Z"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
OBSERVATION = st.dictionaries(st.sampled_from(["first_seen_utc", "last_seen_utc", "path"]), JSON)
STATE = st.fixed_dictionaries(
    {},
    optional={
        "observations": JSON | st.dictionaries(st.text(max_size=4), JSON | OBSERVATION, max_size=3),
        "recoveries": JSON,
        "last_apply_utc": JSON,
        "last_apply_ok": JSON,
    },
)


@given(STATE, st.none() | st.binary() | st.just(metrics()))
def test_any_state_is_read_without_a_crash_and_can_be_sent(state, content):
    for watch in (watchdogs.hot_paths(state, NOW), watchdogs.crawls(state, content, NOW)):
        assert watch.idle in (True, False, None)
        json.dumps(watch._asdict(), allow_nan=False)


@given(st.binary())
def test_any_bytes_are_a_state_or_refused(content):
    try:
        known = watchdogs.state(content)
    except ParseError:
        return
    assert isinstance(known, dict)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"\xff", b"[" * 100000])
def test_what_is_no_json_object_is_refused(content):
    with pytest.raises(ParseError, match="it is not"):
        watchdogs.state(content)
