# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What approves a plan: its id, or, in a drill on a host that is not the production one, the word for "whatever it is" (law 2).

Whether a host is the production one says its own environment file, read here, on the host: no inventory and no variable has a
part in it. Private to this collection.
"""

from __future__ import annotations

import re
from typing import Optional, Tuple

from .envfile import EnvironmentFile
from .parse.text import one_line
from .plan import ID_LENGTH
from .probe import Context
from .probes.units import API
from .refusal import Refusal

AUTOMATIC = "auto"
VARIABLE = "HEALTHARCHIVE_ENV"
_SECONDS = 10.0
# "EnvironmentFiles=/etc/healtharchive/backend.env (ignore_errors=no)", a line for each.
_UNIT_FILE = re.compile(rb"^EnvironmentFiles=(/.*) \(ignore_errors=(?:yes|no)\)$", re.MULTILINE)
_PLAN_ID = re.compile(r"[0-9a-f]{%d}" % ID_LENGTH)
# A word that is none of these may be anybody's name for production.
_NOT_PRODUCTION = ("staging", "development", "dev", "test", "testing")


def given(approve: Optional[str], context: Context) -> Optional[str]:
    """The id of a plan, AUTOMATIC where that may be, None where nothing was approved; :class:`Refusal`."""
    if approve is None or _PLAN_ID.fullmatch(approve):
        return approve
    if approve == AUTOMATIC:
        check_no_production(context)
        return approve
    raise Refusal(
        "bad_approval",
        "approve must be the id of a plan, which has %d digits from 0 to f, and not %s."
        % (ID_LENGTH, one_line(repr(approve), 60)),
        "Run it without approve to see the plan and its id.",
    )


def check_no_production(context: Context) -> str:
    """The name of the environment, where it is certainly not production; :class:`Refusal` (``production``,
    ``environment_unknown``)."""
    file = context.settings.env_file
    # Of several, a later one may say otherwise.
    if files_of_the_service(context) != (file,):
        raise Refusal(
            "environment_unknown",
            "%s is not the one environment file that %s is started with, so what it says may not be what this host is."
            % (file, API),
            "Leave env_file out, or set healtharchive_env_file for this host to the file that the unit names: systemctl cat %s"
            % API,
        )
    name = None if context.environment is None else _agreed(context.environment)
    if name is None:
        raise Refusal(
            "environment_unknown",
            "%s does not say in one word that every reader reads what environment this is (%s)." % (file, VARIABLE),
            "Drills, and plans that nobody reads, are for a host that says that it is not production: %s=staging, as plain "
            "KEY=value." % VARIABLE,
        )
    if name.lower() in _NOT_PRODUCTION:
        return name
    raise Refusal(
        "production",
        "%s says that this is %s." % (file, one_line(name, 40)),
        "On this host a person reads and approves each plan, with its id: run it without approve. A drill needs a host whose "
        "%s is one of %s." % (VARIABLE, ", ".join(_NOT_PRODUCTION)),
    )


def files_of_the_service(context: Context) -> Tuple[str, ...]:
    """The environment files that systemd starts the API with; none where it does not say."""
    argv = ["/usr/bin/systemctl", "show", API, "--no-pager", "--property=EnvironmentFiles"]
    result = context.run(argv, _SECONDS)
    if result.rc != 0:
        return ()
    return tuple(line.decode("utf-8", "replace") for line in _UNIT_FILE.findall(result.stdout))


def _agreed(found: EnvironmentFile) -> Optional[str]:
    if VARIABLE in found.shell_unknown or found.services_error is not None:
        return None
    read = {reader.get(VARIABLE) for reader in (found.services, found.shell, found.drift_checker)}
    name = read.pop() if len(read) == 1 else None
    return name if name and name.strip() == name else None
