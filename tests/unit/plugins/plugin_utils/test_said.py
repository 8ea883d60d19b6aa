# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was said with -e, as it was typed."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils import said
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.said import NotSaid, text


class Marked(str):
    """As Ansible marks texts as templates, or as unsafe."""


def test_a_text_is_what_it_is_without_a_mark():
    found = text("title", Marked("{{ x }}\n"))
    assert found == "{{ x }}\n"
    assert not isinstance(found, Marked)


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_nothing_was_said(value):
    assert text("title", value) is None


@pytest.mark.parametrize(
    ("value", "expected"), [(5, "5"), (0, "0"), (1.5, "1.5"), (datetime.date(2026, 11, 23), "2026-11-23")]
)
def test_what_yaml_makes_of_a_word(value, expected):
    assert text("title", value) == expected


def test_a_moment_keeps_its_zone_and_gets_none():
    with_zone = datetime.datetime(2026, 11, 23, 17, 50, tzinfo=datetime.timezone.utc)
    assert text("started_at", with_zone) == "2026-11-23T17:50:00+00:00"
    assert text("started_at", with_zone.replace(tzinfo=None)) == "2026-11-23T17:50:00"


class MarkedList(list):
    """As Ansible marks lists; the name says nothing to people."""


NO_TEXTS = [
    (True, "a yes or no", "true"),
    ([], "a list", "[]"),
    (MarkedList(["a"]), "a list", '["a"]'),
    ({"a": 1}, "a mapping", '{"a": 1}'),
    ({"a": datetime.date(2026, 11, 23)}, "a mapping", '{"a": "2026-11-23"}'),
]


@pytest.mark.parametrize(("value", "kind", "_written"), NO_TEXTS)
def test_no_text(value, kind, _written):
    with pytest.raises(NotSaid, match="^title must be a text, not %s.$" % kind):
        text("title", value)


@pytest.mark.parametrize(("value", "_kind", "written"), [*NO_TEXTS, ("a", "", "a"), (5, "", "5")])
def test_what_is_no_text_as_it_is_written(monkeypatch, value, _kind, written):
    monkeypatch.setattr(said, "load_extra_vars", lambda _loader: {"title": value, "other": " "})
    assert said.written(None, ["title", "other", "never"]) == {"title": written}


@pytest.mark.parametrize(
    ("given", "approved"),
    [
        ({}, None),
        ({"remediation_auto_approve": False}, None),
        ({"remediation_auto_approve": "no"}, None),
        ({"remediation_auto_approve": "{{ true }}"}, None),
        ({"remediation_auto_approve": True}, "auto"),
        ({"remediation_auto_approve": "true"}, "auto"),
        ({"remediation_auto_approve": True, "approve": "0a1b2c3d4e5f"}, "0a1b2c3d4e5f"),
    ],
)
def test_a_drill_says_once_that_every_plan_is_approved(monkeypatch, given, approved):
    monkeypatch.setattr(said, "load_extra_vars", lambda _loader: given)
    assert said.said(None, ["approve", "title"]) == ({} if approved is None else {"approve": approved})
    assert said.said(None, ["title"]) == {}
