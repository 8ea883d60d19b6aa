# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error numbers that speak of storage rather than of a crawl or a file (contract 1.9)."""

from __future__ import annotations

import errno

STORAGE_ERRNOS = frozenset(
    {
        errno.EIO,
        errno.ENOSPC,
        errno.ENETUNREACH,
        errno.ENOTCONN,
        errno.ETIMEDOUT,
        errno.ECONNREFUSED,
        errno.EHOSTUNREACH,
        errno.ESTALE,
    }
)
# These two count only when the path that failed lies inside the job's own directory.
PERMISSION_ERRNOS = frozenset({errno.EPERM, errno.EACCES})
