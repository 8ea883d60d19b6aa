# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a file that may not be what its name says. Private to this collection."""

from __future__ import annotations

import os
import stat

CAP_BYTES = 1024 * 1024


def read_regular(path: str, cap: int = CAP_BYTES) -> bytes:
    """The first ``cap`` bytes of a regular file; OSError for anything else: to open a pipe would wait for its writer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as handle:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("%s is not a regular file" % path)
        return handle.read(cap)
