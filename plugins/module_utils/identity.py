# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host this is, and which boot of it. Private to this collection."""

from __future__ import annotations

import re

from .refusal import Refusal

_MACHINE_ID = re.compile(r"[0-9a-f]{32}")
_BOOT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def machine_id() -> str:
    """systemd's id of this host; :class:`Refusal` without one: a plan would fit another host too."""
    return _read("/etc/machine-id", _MACHINE_ID)


def boot_id() -> str:
    """The kernel's id of this boot; :class:`Refusal`."""
    return _read("/proc/sys/kernel/random/boot_id", _BOOT_ID)


def _read(path: str, form: "re.Pattern[str]") -> str:
    try:
        with open(path, encoding="ascii") as handle:
            found = handle.read().strip()
    except (OSError, ValueError) as error:
        raise _unknown(path, str(error)) from error
    if form.fullmatch(found) is None:
        raise _unknown(path, "it has another form")
    return found


def _unknown(path: str, why: str) -> Refusal:
    return Refusal(
        "host_unidentified",
        "%s does not say which host this is: %s." % (path, why),
        "See what is in it: systemd makes it.",
    )
