# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts an indexing, exactly: the argv that a plan shows and that is run. Private to this collection."""

from __future__ import annotations

from typing import Tuple

from .. import service
from ..runtime import DIRECTORY
from ..settings import Settings
from .facts import NAME, Wish

# In DIRECTORY: what both commands print.
OUTPUT = "indexing.log"


def command(settings: Settings, wish: Wish) -> Tuple[str, ...]:
    """One unit that verifies and, only if every file is whole, indexes: as the service's user, with the environment as the
    services get it, and as modestly as the worker (contract 1.4). A shell that sources the file may read it otherwise."""
    output = "append:%s/%s" % (DIRECTORY, OUTPUT)
    verify = service.verify_warcs(settings, wish.job_id, wish.level)
    argv = ["/usr/bin/systemd-run", "--quiet", "--no-block", "--no-ask-password", "--unit=" + NAME]
    argv += ["--description=Indexing of job %d" % wish.job_id, "--uid=" + settings.service_user]
    argv += ["--working-directory=" + settings.checkout, "--service-type=oneshot", "--remain-after-exit"]
    argv += ["--property=EnvironmentFile=" + settings.env_file, "--property=TimeoutStartSec=%d" % wish.timeout]
    argv += ["--property=StandardOutput=" + output, "--property=StandardError=" + output]
    argv += ["--property=Nice=10", "--property=IOSchedulingClass=best-effort", "--property=IOSchedulingPriority=6"]
    argv.append("--property=ExecStartPre=" + " ".join(word.replace("$", "$$") for word in verify))
    # What the file sets counts: these come before it, and the file has none of them.
    argv += [
        "--setenv=LC_ALL=C.UTF-8",
        "--setenv=NO_COLOR=1",
        "--setenv=PGTZ=UTC",
        "--setenv=PYTHONDONTWRITEBYTECODE=1",
    ]
    # systemd puts variables in for what begins with a dollar.
    argv += [word.replace("$", "$$") for word in service.index_job(settings, wish.job_id)]
    return tuple(argv)
