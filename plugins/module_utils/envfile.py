# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's environment file, read as each of its three readers reads it (contract 1.3).

systemd gives the file to the API and the worker (``EnvironmentFile=``), operators and timers source it into bash
(``set -a; source FILE; set +a``), and the drift checker has a reader of its own. They disagree, so that "the value of X" has
no answer without saying to whom. Nothing here runs the file: what only a shell could know is unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import unquote

from .parse.text import decode

DATABASE_URL = "HEALTHARCHIVE_DATABASE_URL"

# A variable whose name contains one of these words holds a secret.
SECRET_WORDS = (
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "KEY",
    "CREDENTIAL",
    "WEBHOOK",
    "PING",
    "DSN",
)
# Shorter values are not treated as secrets: hiding every "a" hides everything else, and three characters protect nothing.
SHORTEST_SECRET = 4
_SWITCH_WORDS = frozenset(("true", "false", "none", "null", "enabled", "disabled", "auto", "default"))

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_URL_USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://([^\s]*)@")
_PARAMETER = re.compile(r"(?i)(?:password|passwd|token|secret|api_?key|sslpassword)=([^&\s'\"]+)")


@dataclass(frozen=True)
class EnvironmentFile:
    """What each reader gets. No field but ``findings`` and ``database_backend`` may be shown: values may be secret.

    ``services``: variables that systemd passes to a unit. Empty with ``services_error`` set ("nul_byte", "invalid_utf8")
    when systemd refuses the whole file, so that the unit does not start.
    ``shell``: variables that sourcing it into bash certainly sets; ``shell_unknown``: those of which only a shell could say
    whether and how they are set (``$`` expansion, command words on the line, everything after a syntax error, ...).
    ``drift_checker``: what the drift checker compares (modelled on the table in contract 1.3, more is not known of it).
    ``findings``: by line, ``{"line": int, "code": str, "variable": str|None, "disagreeing": [str]}``, see ``parse``.
    """

    services: dict[str, str]
    services_error: Optional[str]
    shell: dict[str, str]
    shell_unknown: frozenset[str]
    drift_checker: dict[str, str]
    findings: tuple[dict[str, Any], ...]
    raw_values: tuple[tuple[str, str], ...]

    def database_backend(self, reader: str = "services") -> str:
        """ "postgresql", "sqlite", "other", "empty" or "missing" for ``services``, ``shell`` or ``drift_checker``.

        "missing" and "sqlite" both end in a local file (contract 1.3), "empty" in an error. For ``shell`` also "unknown".
        """
        if reader == "shell" and DATABASE_URL in self.shell_unknown:
            return "unknown"
        variables = {"services": self.services, "shell": self.shell, "drift_checker": self.drift_checker}[reader]
        url = variables.get(DATABASE_URL)
        if url is None:
            return "missing"
        if not url.strip():
            return "empty"
        scheme = url.partition(":")[0].partition("+")[0].strip().lower()
        return scheme if scheme in ("postgresql", "sqlite") else "other"

    def secret_values(self) -> frozenset[str]:
        """Everything that must never be shown, for ``Redactor``.

        The values of variables whose name contains one of ``SECRET_WORDS``; of every value the password in a URL's userinfo
        (as written and percent-decoded) and password-like parameters. All readers' values count, and the text behind the
        ``=`` as it stands. Of a value of several lines each line counts too.

        Values shorter than ``SHORTEST_SECRET`` and switch words such as ``true`` are left out.
        """
        secrets: set[str] = set()
        readings = list(self.raw_values)
        for variables in (self.services, self.shell, self.drift_checker):
            readings.extend(variables.items())
        for name, value in readings:
            if any(word in name.upper() for word in SECRET_WORDS):
                secrets.update(_forms(value))
            for found in _embedded(value):
                secrets.update(_forms(found))
        return frozenset(
            secret for secret in secrets if len(secret) >= SHORTEST_SECRET and secret.lower() not in _SWITCH_WORDS
        )


def parse(content: bytes) -> EnvironmentFile:
    """Read the bytes of an environment file. Never fails: what no reader understands is a finding.

    Codes of findings: ``export_line`` (systemd drops it), ``unquoted_special`` (a character that bash treats specially:
    services and a shell get different values), ``duplicate`` (assigned again, the last one counts), ``invalid_line`` (no
    assignment for systemd, or one that it refuses). ``disagreeing`` names the readers ("shell", "drift_checker") that end up
    with another value of the variable than the services do, as far as that is known.
    """
    raise NotImplementedError
