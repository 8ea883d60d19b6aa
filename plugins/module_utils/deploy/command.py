# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts a deploy, exactly: the argv that a plan shows and that is run. Private to this collection."""

from __future__ import annotations

import sys
from typing import Tuple

from .. import service
from ..probes.units import WORKER
from ..runtime import DIRECTORY
from ..settings import Settings
from .facts import Wish

NAME = "healtharchive-remediation-deploy.service"
# Files in DIRECTORY: what the script prints, and the program that restarts the worker after it.
OUTPUT = "deploy.log"
GUARD = "deploy-worker.py"
SYSTEMCTL = "/usr/bin/systemctl"


def commands(
    settings: Settings, wanted: Wish, leave_worker: bool, restart_after: bool, skip_migrations: bool
) -> Tuple[Tuple[str, ...], ...]:
    """What starts the unit, exactly; and what the unit does after the script, if it does."""
    flags = ["--skip-worker-restart"] if leave_worker else []
    flags += ["--skip-migrations"] if skip_migrations else []
    flags += ["--skip-public-surface-verify"] if wanted.skip_public_check else []
    flags += ["--install-systemd-units"] if wanted.install_units else []
    flags += ["--apply-alerting"] if wanted.apply_alerting else []
    flags += ["--restart-replay"] if wanted.restart_replay else []
    argv = ["/usr/bin/systemd-run", "--quiet", "--no-block", "--no-ask-password", "--unit=" + NAME]
    argv += ["--description=Deploy of %s" % wanted.ref, "--uid=" + settings.service_user]
    argv += ["--service-type=oneshot", "--remain-after-exit", "--property=TimeoutStartSec=%d" % wanted.timeout]
    output = "%s/%s" % (DIRECTORY, OUTPUT)
    argv += ["--property=StandardOutput=append:" + output, "--property=StandardError=append:" + output]
    if restart_after:
        guard = [sys.executable, "-I", "-S", "-B", "%s/%s" % (DIRECTORY, GUARD)]
        # As root, which the script is not. A plus sign before it says the same, but not for long: systemd writes what has one
        # under a name that it does not know any more when the script has it load its units again.
        argv.append("--property=PermissionsStartOnly=yes")
        argv.append("--property=ExecStartPost=" + " ".join(guard))
    argv += ["--setenv=LC_ALL=C.UTF-8", "--setenv=NO_COLOR=1", "--setenv=GIT_TERMINAL_PROMPT=0"]
    # systemd puts variables in for what begins with a dollar.
    argv += [word.replace("$", "$$") for word in service.deploy(settings, wanted.ref, flags)]
    found = [tuple(argv)]
    if restart_after:
        found.append((SYSTEMCTL, "restart", WORKER))
    return tuple(found)
