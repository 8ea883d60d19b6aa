# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared options: what is refused, before anything is touched."""

from __future__ import annotations

import getpass

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import settings


def parameters(tmp_path, **changes):
    (tmp_path / ".git").mkdir(exist_ok=True)
    values = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
    return {**values, "checkout": str(tmp_path), "service_user": getpass.getuser(), **changes}


@pytest.fixture(autouse=True)
def root(monkeypatch):
    monkeypatch.setattr(settings.os, "geteuid", lambda: 0)


def refusal(tmp_path, **changes):
    with pytest.raises(settings.BadInput) as refused:
        settings.from_parameters(parameters(tmp_path, **changes))
    assert "\n" not in str(refused.value)
    assert refused.value.next_step
    return refused.value.code


def test_a_checkout_is_accepted(tmp_path):
    assert settings.from_parameters(parameters(tmp_path)).cli == str(tmp_path) + "/.venv/bin/healtharchive"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"checkout": "/nonexistent"}, "checkout_missing"),
        ({"checkout": "/proc"}, "checkout_not_git"),
        ({"checkout": "relative"}, "bad_path"),
        ({"checkout": ""}, "bad_path"),
        ({"env_file": "/etc/a\nb"}, "bad_path"),
        ({"service_user": "no-such-account"}, "service_user_missing"),
        ({"service_user": ""}, "service_user_missing"),
        ({"api_url": "127.0.0.1:8001"}, "bad_url"),
        ({"api_url": "ftp://127.0.0.1"}, "bad_url"),
        ({"api_url": "http://"}, "bad_url"),
        ({"api_url": "http://[::1"}, "bad_url"),
        ({"public_api_base": "https://name:password@archive.example.org"}, "bad_url"),
        ({"public_api_base": "https://archive.example.org/ --apply"}, "bad_url"),
        ({"public_frontend_base": ""}, "bad_url"),
        ({"public_frontend_base": "https://archive.example.org:port"}, "bad_url"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path, changes, code):
    assert refusal(tmp_path, **changes) == code


def test_without_root_nothing_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr(settings.os, "geteuid", lambda: 1000)
    assert refusal(tmp_path) == "not_root"


def test_a_trailing_slash_does_not_double(tmp_path):
    assert (
        settings.from_parameters(parameters(tmp_path, api_url="http://127.0.0.1:8001/")).api_url
        == "http://127.0.0.1:8001"
    )
