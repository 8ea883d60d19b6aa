# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a lock, asked without leaving a trace. Private to this collection."""

from __future__ import annotations

import fcntl
import os
import stat


def state(path: str) -> str:
    """``held``, ``free``, ``absent`` or ``unknown`` for one of the service's flock files (contract 1.6).

    The file is opened without creating it, since the existence of a lock file and the text in it mean nothing, and a
    shared lock is asked for and given back at once: it never stands in the way of another reader, and of a writer
    for some microseconds only.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return "absent"
    except OSError:
        return "unknown"
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "unknown"
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return "free"
    except BlockingIOError:
        return "held"
    except OSError:
        return "unknown"
    finally:
        os.close(descriptor)
