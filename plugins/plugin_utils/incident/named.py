# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The incident that is meant where none was named: the one that this very play has opened. Private to this collection."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ...module_utils.events import is_incident


def opened(variables: Mapping[str, Any]) -> Optional[str]:
    """Its id, from what a task of this play has registered; None where none did. That nobody gave it with ``-e`` is
    :mod:`.forged`'s to see. ``variables``: those of the task."""
    recorded = variables.get("incident_recorded")
    incident = recorded.get("incident") if isinstance(recorded, Mapping) else None
    name = incident.get("id") if isinstance(incident, Mapping) else None
    # Not str(): it would keep a mark of Ansible's.
    plain = "".join(list(name)) if isinstance(name, str) else None
    return plain if is_incident(plain) else None
