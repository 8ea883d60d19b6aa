# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reconcile_config: one annual job has old options, another one has lost its campaign's metadata."""

from __future__ import annotations

from ..steps import Step
from .recovery import BUSY, WORKER, Recovery, faults, says, script

_KEEP = "sql 'CREATE SCHEMA kept; CREATE TABLE kept.jobs AS SELECT * FROM archive_jobs'"
_AGAIN = """
sql "UPDATE archive_jobs AS job SET config = old.config FROM kept.jobs AS old
         WHERE job.id = old.id AND job.name IN ('phac-20250101', 'cihr-20250101')"
"""
_SOURCE = "runs('--sources', '%s', '--apply')"
_OPTIONS = "row \"name = 'phac-20250101' AND (config -> 'tool_options' ->> 'initial_workers') = '2'\""
_METADATA = (
    "row \"name = 'cihr-20250101' AND config ->> 'campaign_kind' = 'annual' AND config ->> 'campaign_year' = '2025'\""
)
# Only these keys of these rows are another one.
_NOTHING_ELSE = """
keys="'{tool_options,campaign_kind,campaign_year,campaign_date,scheduler_version}'::text[]"
[ "$(sql "SELECT count(*) FROM archive_jobs AS job JOIN kept.jobs AS old ON job.id = old.id
    WHERE job.config::jsonb - $keys IS DISTINCT FROM old.config::jsonb - $keys
       OR job.name NOT IN ('phac-20250101', 'cihr-20250101') AND job.config::jsonb IS DISTINCT FROM old.config::jsonb")" = 0 ]
"""
RECOVERY = Recovery(
    playbook="reconcile_config",
    module="annual_tool_options",
    broken=faults("annual_options_drifted", "campaign_metadata_lost", then=_KEEP),
    again=script(_AGAIN),
    said=says(),
    completed=(_OPTIONS, _METADATA, _NOTHING_ELSE, WORKER),
    moves={},
    minutes=7,
    act_seconds=60,
    steps=(
        Step("the first job being set", (_SOURCE % "phac",)),
        Step("the second job being set", (_SOURCE % "phac", _SOURCE % "cihr")),
        Step("both jobs set", (_SOURCE % "phac", _SOURCE % "cihr", "not %s" % (_SOURCE % "cihr"))),
    ),
    growing=BUSY,
)
