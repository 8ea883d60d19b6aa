# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How thoroughly the property tests search.

`HYPOTHESIS_PROFILE=long` searches far wider than a quick run has time for.
"""

from __future__ import annotations

import os

from hypothesis import settings

# Two cores are shared with whatever else runs: a slow example is no failure.
settings.register_profile("quick", max_examples=60, deadline=None)
settings.register_profile("long", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
