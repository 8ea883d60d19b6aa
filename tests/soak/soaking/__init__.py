# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random faults, alone, in pairs and again and again, each carried through `respond`, and every law looked at from outside."""

from __future__ import annotations

import sys
from pathlib import Path

for _part in ("drills", "kills", "pairs"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / _part))
