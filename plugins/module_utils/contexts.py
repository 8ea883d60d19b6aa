# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every look and every act on the host starts from: settings, environment, secrets, a deadline.

Private to this collection.
"""

from __future__ import annotations

from typing import Optional, Tuple

from . import envfile, files, known_secrets, probe
from .probes import units
from .redact import Redactor
from .settings import Settings

_FILE_CAP_BYTES = 1024 * 1024


def context(
    where: Settings, deadline: float, stale_after_seconds: int = 600, baseline_mode: str = "local"
) -> probe.Context:
    """``deadline``: time.monotonic() at which everything must have ended. The secrets are known before anything is read."""
    variables, problem = _environment_file(where.env_file)
    secrets = known_secrets.collect(where.env_file, [units.API, units.WORKER])
    return probe.Context(
        settings=where,
        environment=variables,
        environment_problem=problem,
        redactor=Redactor(secrets),
        secrets_known=bool(secrets),
        deadline=deadline,
        stale_after_seconds=stale_after_seconds,
        baseline_mode=baseline_mode,
        turn=probe.Turn(),
    )


def _environment_file(path: str) -> Tuple[Optional[envfile.EnvironmentFile], Optional[probe.Problem]]:
    try:
        content = files.read_regular(path, _FILE_CAP_BYTES + 1)
    except FileNotFoundError:
        return None, probe.Problem("bad_evidence", "The environment file %s does not exist." % path)
    except OSError as error:
        return None, probe.Problem("bad_evidence", "The environment file cannot be read: %s" % error)
    if len(content) > _FILE_CAP_BYTES:
        return None, probe.Problem("bad_evidence", "%s is larger than %d bytes." % (path, _FILE_CAP_BYTES))
    return envfile.parse(content), None
