# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is counted of a change."""

from __future__ import annotations

from benchmark import changing

OUTPUT = """\
TASK [healtharchive.remediation.recover_failed_jobs : Plan | Ask the host what a retry would change] ***
<192.0.2.7> ESTABLISH SSH CONNECTION FOR USER: haadmin
<192.0.2.7> SSH: EXEC ssh -C -o ControlMaster=auto 192.0.2.7 '/bin/sh -c '"'"'sudo ...'"'"''
ok: [bench] => {"text": "SSH: EXEC is only told here"}
TASK [healtharchive.remediation.precondition : Precondition | Ask the host for the clearance] ******
<192.0.2.7> SSH: EXEC ssh -C -o ControlMaster=auto 192.0.2.7 '/bin/sh -c '"'"'sudo ...'"'"''
<192.0.2.7> SSH: EXEC ssh -C -o ControlMaster=auto 192.0.2.7 '/bin/sh -c '"'"'sudo ...'"'"''
TASK [healtharchive.remediation.precondition : Precondition | Print what was found] ******
"""


def test_commands_over_ssh_are_counted_for_their_tasks():
    counted = changing.ssh_commands(OUTPUT)
    assert sorted(counted.values()) == [1, 2]
    assert changing.grant_commands(counted) == 2
