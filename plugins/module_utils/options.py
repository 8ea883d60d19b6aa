# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the read-only modules. The controller reads them too: nothing of a probe is imported here.

Private to this collection.
"""

from __future__ import annotations

from typing import Any, Dict

from . import settings

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    **settings.ARGUMENT_SPEC,
    "deadline": {"type": "int", "default": 60},
    "stale_after": {"type": "int", "default": 600},
    "baseline_mode": {"type": "str", "default": "local", "choices": ["local", "live"]},
}
