# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover_replay: replay holds a dead view of the archive, the tiering unit has failed, and the index of a job is gone."""

from __future__ import annotations

from ..steps import Step
from .recovery import WORKER, Recovery, faults, says

_JOB = 4
_INDEX = "/srv/healtharchive/replay/collections/job-%d/indexes/index.cdxj" % _JOB
RECOVERY = Recovery(
    playbook="recover_replay",
    module="replay",
    broken=faults("replay_target_failing", "tiering_unit_failed", then="mv %s /var/tmp/index.kept" % _INDEX),
    again=faults("replay_target_failing", "tiering_unit_failed", then="rm %s" % _INDEX),
    said=says(jobs=str(_JOB)),
    completed=(
        "for job in 1 2 3 4 5; do replay_answers 200 $job; done",
        "cmp %s /var/tmp/index.kept" % _INDEX,
        "systemctl is-active --quiet healtharchive-warc-tiering healtharchive-replay healtharchive-api",
        WORKER,
    ),
    moves={},
    minutes=19,
    act_seconds=120,
    steps=(
        Step("the tiering unit being started", ("runs('start', 'healtharchive-warc-tiering.service')",)),
        Step("replay being restarted", ("runs('restart', 'healtharchive-replay.service')",)),
        Step(
            "the index being written",
            ("runs('replay-reconcile', '--job-id', '%d', '--max-jobs', '1', '--apply')" % _JOB,),
        ),
        Step("the index there", ("not os.path.exists('%s')" % _INDEX, "os.path.exists('%s')" % _INDEX)),
    ),
)
