# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""remediate_drift: the environment file is root's, a directory has another mode, and one that an installer makes is gone."""

from __future__ import annotations

from ..steps import Step
from .recovery import WORKER, Recovery, faults, says

# The installer is what the service's own is by its description. It takes a moment, so that it can be seen at work.
_DRIFT = """
cat >/opt/healtharchive/scripts/vps-bootstrap-ops-dirs.sh <<'END'
sleep 0.3
install --directory --owner=root --group=healtharchive --mode=2770 /srv/healtharchive/ops/adoption
sleep 0.3
END
chmod 00755 /srv/healtharchive/backups
rmdir /srv/healtharchive/ops/adoption
sha256sum /etc/healtharchive/* /opt/healtharchive/docs/operations/production-baseline-policy.toml >/var/tmp/kept.sums
"""
_INSTALLER = "runs('/bin/bash', '/opt/healtharchive/scripts/vps-bootstrap-ops-dirs.sh')"
_MADE = "os.path.isdir('/srv/healtharchive/ops/adoption')"
_SET = "os.stat('/srv/healtharchive/backups').st_mode & 0o7777 == 0o2770"
RECOVERY = Recovery(
    playbook="remediate_drift",
    module="baseline_drift",
    broken=faults("env_file_unreadable", then=_DRIFT),
    again=faults("env_file_unreadable", then=_DRIFT),
    said=says(),
    completed=(
        "[ \"$(stat --format '%U:%G %a' /etc/healtharchive/backend.env)\" = 'root:healtharchive 640' ]",
        "[ \"$(stat --format '%U:%G %a' /srv/healtharchive/backups)\" = 'root:healtharchive 2770' ]",
        "[ \"$(stat --format '%U:%G %a' /srv/healtharchive/ops/adoption)\" = 'root:healtharchive 2770' ]",
        # The content of neither the policy nor the environment file is another one.
        "sha256sum --check --quiet /var/tmp/kept.sums",
        "service check-db | grep 'postgresql'",
        WORKER,
    ),
    moves={},
    minutes=6,
    act_seconds=60,
    steps=(
        Step("the installer at work", (_INSTALLER,)),
        Step("a directory made", (_MADE,)),
        Step("the installer gone", (_INSTALLER, "not " + _INSTALLER)),
        Step("owners and modes set", (_SET,)),
    ),
)
