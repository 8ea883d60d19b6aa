# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that could not be triaged: one line with what failed, why, and the next safe step."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.healtharchive.remediation.plugins.plugin_utils.triage.failure import line
from hypothesis import given
from hypothesis import strategies as st

# As registered by ansible-core 2.16 and 2.21.
CASES = (
    (
        {
            "unreachable": True,
            "msg": "Task failed: Failed to connect to the host via ssh: ssh: 192.0.2.1: Connection refused",
        },
        "The host was not reached (Failed to connect to the host via ssh: ssh: 192.0.2.1: Connection refused). "
        "Next: try ssh",
    ),
    (
        {
            "unreachable": True,
            "msg": 'Data could not be sent to remote host "192.0.2.1". Make sure it can be reached over ssh: timed out',
        },
        "The host was not reached (Data could not be sent",
    ),
    (
        {"failed": True, "msg": "Missing sudo password"},
        "The host was reached, but not as root (Missing sudo password). Next: make `sudo -n true` work",
    ),
    (
        {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "x\nhaadmin is not in the sudoers file.\n", "rc": 1},
        "The host was reached, but not as root (MODULE FAILURE; haadmin is not in the sudoers file.). Next: ",
    ),
    (
        {
            "failed": True,
            "msg": "There is no directory /x on this host. Set healtharchive_checkout.",
            "code": "checkout_missing",
        },
        "There is no directory /x on this host. Set healtharchive_checkout.",
    ),
    (
        {"failed": True, "msg": "Timed out after 120 second(s).", "timedout": {"period": 120}},
        "The host was reached but gave no evidence in time",
    ),
    (
        {
            "failed": True,
            "msg": "The triage_info action failed to execute in the expected time frame (120) and was terminated",
        },
        "The host was reached but gave no evidence in time",
    ),
    (
        {
            "failed": True,
            "msg": "The module interpreter '/x' was not found.",
            "module_stderr": "/bin/sh: 1: /x: not found",
            "rc": 127,
        },
        "The probes could not be started",
    ),
    (
        {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "Traceback\n  x\nMemoryError\n"},
        "The probes could not be run (MODULE FAILURE; MemoryError)",
    ),
    (
        {
            "failed": True,
            "msg": "Module result deserialization failed.",
            "module_stderr": "Traceback\n  x\nOSError: [Errno 28] No space left on device: '/run/ansible_x'\n",
        },
        "The host was reached but has no room to unpack the probes, in /run or in Ansible's remote_tmp (Module result "
        "deserialization failed.; OSError: [Errno 28] No space left on device: '/run/ansible_x'). Next: set `pipelining",
    ),
    (
        {
            "failed": True,
            "msg": "MODULE FAILURE",
            "module_stderr": "Shared connection to 192.0.2.1 closed.\r\n",
            "module_stdout": "Traceback\r\nOSError: [Errno 28] No space left on device\r\n",
        },
        "The host was reached but has no room to unpack the probes, in /run or in Ansible's remote_tmp (MODULE FAILURE; "
        "OSError: [Errno 28] No space left on device). Next: ",
    ),
    ({"failed": True, "reached": False, "msg": "No route to host"}, "The host was not reached (No route to host)."),
    ({}, "The probes could not be run (no reason given). Next: run triage again with -vvv"),
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Failed to connect to the host via ssh: Host key verification failed.", "log in once by hand"),
        (
            "Failed to connect to the host via ssh: haadmin@192.0.2.1: Permission denied (publickey).",
            "compare ansible_user",
        ),
        (
            "Failed to connect to the host via ssh: ssh: Could not resolve hostname h.invalid: -2",
            "correct ansible_host",
        ),
    ],
)
def test_a_login_that_is_refused_is_not_the_network_s_fault(said: str, expected: str) -> None:
    outside = {"data": {"api": API, "frontend": SITE, "sound": True}}
    shown = line({"unreachable": True, "msg": said}, outside)
    assert "Next: " + expected in shown
    assert "VPN" not in shown
    assert "VPN" in line({"unreachable": True, "msg": "No route to host"}, outside)


@pytest.mark.parametrize(("registered", "expected"), CASES)
def test_what_failed_why_and_what_next(registered: Any, expected: str) -> None:
    assert line(registered).startswith("Triage was not done: " + expected)


API = {"url": "https://api.archive.example.org/api/health", "failure": None, "status": 200, "sound": True}
SITE = {"url": "https://archive.example.org/en/archive", "failure": None, "status": 200, "sound": True}
REFUSED = {"failure": "connection_refused", "status": None, "sound": False}
NOTHING_KNOWN = {"failure": "resolver_failed", "status": None, "sound": None}


@pytest.mark.parametrize(
    ("api", "frontend", "expected"),
    [
        (
            API,
            SITE,
            "/api/health answers 200 and https://archive.example.org/en/archive answers 200: the host runs and",
        ),
        ({**API, "status": 502, "sound": False}, None, "/api/health answers 502: something answers in its place"),
        (
            {**API, **REFUSED},
            SITE,
            "refuses the connection and https://archive.example.org/en/archive answers 200: the site",
        ),
        ({**API, **REFUSED}, {**SITE, **REFUSED}, "refuses the connection: nothing answers there either"),
    ],
)
def test_what_the_public_addresses_answer_tells_host_and_way_apart(api: Any, frontend: Any, expected: str) -> None:
    shown = line(CASES[0][0], {"data": {"api": api, "frontend": frontend, "sound": None}})
    assert "Connection refused). Seen from here, https://api.archive.example.org/api/health " in shown
    assert expected in shown
    assert ". Next: try ssh to it by hand; " in shown


def test_what_was_registered_with_the_failure_is_told_too() -> None:
    outside = {"data": {"api": API, "frontend": SITE, "sound": True}}
    registered = {"failed": True, "reached": False, "msg": "No route to host", "outside_view": outside}
    assert line(registered) == line({**registered, "outside_view": None}, outside)
    assert "/api/health answers 200" in line(registered)


def test_a_triage_whose_files_were_not_written_was_done_all_the_same() -> None:
    registered = {"failed": True, "code": "files_not_written", "msg": "The files could not be written."}
    assert line(registered) == "The files could not be written."


@pytest.mark.parametrize(
    "outside", [None, {}, 3, {"data": None}, {"data": {"api": {**API, **NOTHING_KNOWN}, "frontend": None}}]
)
def test_what_was_not_seen_from_outside_is_not_told(outside: Any) -> None:
    assert line(CASES[0][0], outside) == line(CASES[0][0])


@given(
    st.none()
    | st.text()
    | st.dictionaries(
        st.sampled_from(["msg", "code", "unreachable", "module_stderr", "module_stdout", "timedout"]),
        st.none() | st.booleans() | st.text(),
    )
)
def test_it_is_one_printable_line(registered: Any) -> None:
    shown = line(registered)
    assert shown.isprintable()
    assert len(shown) <= 900
    assert shown.startswith("Triage was not done: ")
