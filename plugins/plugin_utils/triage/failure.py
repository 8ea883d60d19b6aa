# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host could not be triaged, in one line: what failed, why, the next safe step. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...module_utils.parse.text import one_line
from ..outside_view import answer

_LIMIT = 900
_REASON_LIMIT = 300

# Texts of ansible-core 2.16 to 2.21 and of sudo; what matches nothing is shown as it is.
_BECOME = re.compile(r"(?i)sudo|become|privilege escalation|not in the sudoers")
_TIMEOUT = re.compile(r"(?i)expected time frame|timed out waiting for|timed ?out")
_INTERPRETER = re.compile(r"(?i)interpreter|python[0-9.]*: (?:command )?not found|python[^ ]*: No such file")
# Of the module's own Python, when Ansible has to unpack it on the host.
_NO_ROOM = re.compile(
    r"(?i)no space left on device|disk quota exceeded|read-only file system|no usable temporary directory"
)
# With a terminal, which Ansible takes without pipelining, ssh says this, and what the module said is on the other stream.
_SSH_ENDS = re.compile(r"Shared connection to \S+ closed\.")
_LOGIN = (
    (
        re.compile(r"host key verification failed|remote host identification has changed", re.IGNORECASE),
        "log in once by hand with ssh and compare the host's key before you accept it; if it has changed, find out why first",
    ),
    (
        re.compile(r"permission denied \([a-z,-]+\)|too many authentication failures", re.IGNORECASE),
        "compare ansible_user and ansible_ssh_private_key_file in the inventory with what `ssh` by hand needs",
    ),
    (
        re.compile(r"could not resolve hostname", re.IGNORECASE),
        "correct ansible_host in the inventory, or look at this controller's name resolution",
    ),
)
_PREFIX = re.compile(r"^(?:Task failed: |Action failed: |Module failed: )+")


def line(
    registered: Any, outside: Any = None, what: str = "Triage was not done", ran: str = "The probes"
) -> str:
    """One printable line for the registered result of a ``triage_info`` that failed or did not reach its host.

    ``outside``: the record of what the public addresses answered (docs/evidence.md, ``outside_view``), if they were asked
    and the result does not hold it. ``what``: what was not done, in words that begin a line; ``ran``: what did not do it.
    """
    result = registered if isinstance(registered, Mapping) else {}
    outside = result.get("outside_view") if outside is None else outside
    message = result.get("msg")
    reason = _reason(result)
    if isinstance(result.get("code"), str) and isinstance(message, str):
        # Our own refusal says what to do next. When only the files are missing, the summary is there.
        done = "" if result["code"] == "files_not_written" else what + ": "
        return one_line(done + message, _LIMIT)
    if _BECOME.search(reason):
        return _sentence(
            what,
            "The host was reached, but not as root",
            reason,
            "make `sudo -n true` work for the account that Ansible uses, or give its password with -K",
        )
    if result.get("unreachable") is True or result.get("reached") is False:
        return _not_reached(what, reason, outside)
    if result.get("timedout") or _TIMEOUT.search(reason):
        return _sentence(
            what,
            "The host was reached but gave no evidence in time",
            reason,
            "run triage again; if it happens again, look at the load of the host by ssh",
        )
    if _NO_ROOM.search(reason):
        return _sentence(
            what,
            "The host was reached but has no room to unpack the probes, in /run or in Ansible's remote_tmp",
            reason,
            "set `pipelining = true` and ansible_python_interpreter for Ansible, then nothing is unpacked; "
            "`df -h /run /` and `df -i /run /` on the host show what is full",
        )
    if _INTERPRETER.search(reason):
        return _sentence(
            what,
            "%s could not be started" % ran,
            reason,
            "set ansible_python_interpreter to a Python 3.9 or newer of the host",
        )
    return _sentence(
        what, "%s could not be run" % ran, reason, "run triage again with -vvv, which shows all that the host said"
    )


def _not_reached(doing: str, reason: str, outside: Any) -> str:
    """ssh does not reach the host: what the public addresses answer says whether it is the host or the way to it."""
    what = "The host was not reached"
    # These are said by ssh itself or by the other side's: whatever the public addresses answer, the way to the host is there.
    for said, next_step in _LOGIN:
        if said.search(reason):
            return _sentence(doing, what, reason, next_step)
    by_hand = "try ssh to it by hand; if that fails too, the console of its provider shows whether it runs"
    data = outside.get("data") if isinstance(outside, Mapping) else None
    records = [data.get(name) for name in ("api", "frontend")] if isinstance(data, Mapping) else []
    seen = [(record, answer(record)) for record in records]
    told = ["%s %s" % (record.get("url"), words) for record, words in seen if words]
    if not told:
        return _sentence(doing, what, reason, by_hand)
    api, frontend = (record if isinstance(record, Mapping) else {} for record in records)
    if api.get("sound") is True:
        meaning = "the host runs and serves; what fails is the way to its ssh"
        by_hand = "try ssh to it by hand; look at the VPN or the network that ssh goes through, and at its sshd"
    elif isinstance(api.get("status"), int):
        meaning = "something answers in its place or in front of it, so more than the way to ssh may fail"
    elif frontend.get("sound") is True:
        meaning = "the site answers without the API, perhaps from another host"
    else:
        meaning = "nothing answers there either: the host or its network is down, or this controller has no way out"
    return _sentence(doing, what, reason, by_hand, "Seen from here, %s: %s. " % (" and ".join(told), meaning))


def _sentence(doing: str, what: str, reason: str, next_step: str, more: str = "") -> str:
    return one_line(
        "%s: %s (%s). %sNext: %s." % (doing, what, one_line(reason, _REASON_LIMIT), more, next_step), _LIMIT
    )


def _reason(result: Mapping[str, Any]) -> str:
    """The message, and the last line of what the remote side printed instead of a result."""
    message = result.get("msg")
    parts = [_PREFIX.sub("", message).strip()] if isinstance(message, str) else []
    for stream in ("module_stderr", "module_stdout"):
        printed = result.get(stream)
        lines = [text.strip() for text in printed.splitlines()] if isinstance(printed, str) else []
        telling = [text for text in lines if text and not _SSH_ENDS.fullmatch(text)]
        if telling:
            parts.append(telling[-1])
            break
    return " ".join("; ".join(part for part in parts if part).split()) or "no reason given"
