# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module answers: the token as it is, and nothing else that is called like a secret."""

from __future__ import annotations

import time

from ansible_collections.healtharchive.remediation.plugins.module_utils import clearing, contexts, host, probe, settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import desk
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

SECRET = "hunter2-correct-horse"


def test_the_token_is_handed_over_and_no_secret_is(monkeypatch):
    values = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
    where = settings.Settings(**values)
    context = probe.Context(where, None, None, Redactor([SECRET]), True, time.monotonic() + 60, 600, "local")
    facts = {"token": "x" * 40, "text": "it is " + SECRET}
    found = {"outcome": "applied", "token": "0f" * 32, "detail": "granted", "facts": facts}
    monkeypatch.setattr(settings, "from_parameters", lambda _parameters: where)
    monkeypatch.setattr(contexts, "context", lambda *_arguments: context)
    monkeypatch.setattr(desk, "run", lambda *_arguments: dict(found))
    monkeypatch.setattr(host, "adopt_orphans", lambda: None)
    monkeypatch.setattr(host, "end_descendants", lambda: None)
    monkeypatch.setattr(clearing.signal, "alarm", lambda _seconds: 0)
    answer = clearing.answer({**values, "incident": "2026-11-23-api-down", "state": "granted"}, False)
    assert answer["token"] == found["token"]
    assert answer["facts"]["token"] != found["facts"]["token"]
    assert SECRET not in str(answer)
