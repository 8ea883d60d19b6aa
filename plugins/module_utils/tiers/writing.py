# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The write test of contract 4.11 and incident I3: a file is made and taken away in each path, as the worker's user.

Private to this collection.
"""

from __future__ import annotations

import secrets
from typing import Dict, Sequence

from .. import host, killable

SECONDS = 15.0
_NAME = ".healtharchive-remediation-write-test-"
_SCRIPT = r"""
import errno, os
def answer(question):
    path, name, uid, gid, groups = question
    try:
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        file = os.open(path + "/" + name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(file, b"x")
        finally:
            os.close(file)
            os.unlink(path + "/" + name)
    except OSError as error:
        return (errno.errorcode.get(error.errno, str(error.errno))).encode()
    return b"written"
"""


def test(paths: Sequence[str], who: host.Account, seconds: float) -> Dict[str, str]:
    """``written``, or why not: the name of the error, ``hung`` or ``not_asked``."""
    questions = [[path, _NAME + secrets.token_hex(6), who.uid, who.gid, list(who.groups)] for path in paths]
    try:
        answers = killable.ask(_SCRIPT, questions, seconds, 200)
    except killable.NotAsked:
        return dict.fromkeys(paths, "not_asked")
    return {path: "hung" if said is None else said.decode("ascii") for path, said in zip(paths, answers)}
