# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is broken on purpose only where it says that it is not the production host."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import (
    approval,
    contexts,
    drilling,
    envfile,
    host,
    probe,
    settings,
)
from ansible_collections.healtharchive.remediation.plugins.module_utils.redact import Redactor

SECRET = "hunter2-correct-horse"


@pytest.fixture
def drill(tmp_path, monkeypatch):
    """Call it with the environment file's content and a command."""
    monkeypatch.setattr(approval, "files_of_the_service", lambda context: (context.settings.env_file,))
    monkeypatch.setattr(host, "adopt_orphans", lambda: None)
    monkeypatch.setattr(host, "end_descendants", lambda: None)
    monkeypatch.setattr(drilling.signal, "alarm", lambda _seconds: 0)

    def run(content: bytes, *command: str, check_mode: bool = False, seconds: int = 10) -> Dict[str, Any]:
        found = envfile.parse(content)

        def context(where: settings.Settings, deadline: float) -> probe.Context:
            return probe.Context(where, found, None, Redactor([SECRET]), True, time.monotonic() + 20, 600, "local")

        monkeypatch.setattr(contexts, "context", context)
        values = {name: option.get("default") for name, option in settings.ARGUMENT_SPEC.items()}
        monkeypatch.setattr(settings, "from_parameters", lambda _parameters: settings.Settings(**values))
        return drilling.answer({**values, "command": list(command), "seconds": seconds}, check_mode)

    return run


STAGING = b"HEALTHARCHIVE_ENV=staging\n"


def test_a_staging_host_is_broken(drill, tmp_path):
    done = drill(STAGING, "/usr/bin/touch", str(tmp_path / "broken"))
    assert (done["outcome"], done["changed"], done["environment"]) == ("applied", True, "staging")
    assert (tmp_path / "broken").exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"HEALTHARCHIVE_ENV=production\n", "production"),
        (b"", "environment_unknown"),
        (b"export HEALTHARCHIVE_ENV=staging\n", "environment_unknown"),
    ],
)
def test_a_host_that_is_or_may_be_production_is_not(drill, tmp_path, content, code):
    done = drill(content, "/usr/bin/touch", str(tmp_path / "broken"))
    assert (done["outcome"], done["code"], done["changed"]) == ("refused", code, False)
    assert drill(content)["code"] == code
    assert not (tmp_path / "broken").exists()


def test_check_mode_and_no_command_break_nothing(drill, tmp_path):
    assert drill(STAGING, "/usr/bin/touch", str(tmp_path / "broken"), check_mode=True)["outcome"] == "planned"
    assert drill(STAGING)["outcome"] == "nothing_to_do"
    assert list(Path(tmp_path).iterdir()) == []


def test_what_a_command_says_holds_no_secret_and_its_failure_is_told(drill):
    done = drill(STAGING, "/bin/sh", "-c", "echo %s; exit 3" % SECRET)
    assert (done["outcome"], done["code"], done["changed"]) == ("unknown", "not_broken", True)
    assert "code 3" in done["detail"]
    assert SECRET not in str(done)


def test_no_shell_and_no_endless_command(drill, tmp_path):
    assert drill(STAGING, "/bin/echo", "$(touch %s)" % (tmp_path / "broken"))["outcome"] == "applied"
    assert not (tmp_path / "broken").exists()
    assert "timed_out" in drill(STAGING, "/bin/sleep", "60", seconds=1)["detail"]
    assert drill(STAGING, "/bin/true", seconds=601)["code"] == "bad_input"
