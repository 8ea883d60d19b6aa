# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual environment lacks of what a checkout declares, asked of a Python as the host's is asked."""

from __future__ import annotations

import json
import py_compile
import subprocess
import sys

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.probes.deployment import _REQUIREMENTS

DECLARED = '[project]\nname = "demo-service"\nversion = "1.0"\ndependencies = ["not-installed>=2"%s]\n'


@pytest.fixture
def place(tmp_path):
    """A checkout that is installed in its own virtual environment, and a copy of it beside it."""
    for copy in ("checkout/src", "elsewhere/src", "checkout/.venv/lib"):
        (tmp_path / copy / "demo_service").mkdir(parents=True)
        (tmp_path / copy / "demo_service" / "__init__.py").touch()
    (tmp_path / "checkout" / "pyproject.toml").write_text(DECLARED.replace('"not-installed>=2"%s', ""))
    known = tmp_path / "installed" / "demo_service-1.0.dist-info"
    known.mkdir(parents=True)
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-service\nVersion: 1.0\n")
    (known / "entry_points.txt").write_text("[console_scripts]\ndemo = demo_service.cli:main\n")
    return tmp_path


def unmet(place, *paths: str):
    """``paths``: where Python looks first."""
    first = "import sys\nsys.path[:0] = %r\nsys.prefix = %r\n" % (
        [str(place / path) for path in paths],
        str(place / "checkout" / ".venv"),
    )
    argv = [sys.executable, "-I", "-B", "-c", first + _REQUIREMENTS, str(place / "checkout")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_loaded_from_the_checkout_lacks_nothing(place):
    assert unmet(place, "checkout/src", "installed", "elsewhere/src") == []


@pytest.mark.parametrize("copy", ["elsewhere/src", "checkout/.venv/lib"])
def test_a_copy_that_comes_first_is_what_runs(place, copy):
    (said,) = unmet(place, copy, "checkout/src", "installed")
    assert said == "demo-service from {0}/checkout (found in {0}/{1}/demo_service)".format(place, copy)


def test_a_service_that_is_not_installed_or_not_there(place):
    wanted = "demo-service from %s/checkout" % place
    assert unmet(place, "checkout/src") == [wanted]
    assert unmet(place, "installed") == [wanted + " (found in nowhere)"]


@pytest.mark.parametrize("mode", py_compile.PycInvalidationMode)
def test_byte_code_that_would_be_loaded_whatever_the_source_is(place, mode):
    source = place / "checkout" / "src" / "demo_service" / "__init__.py"
    compiled = py_compile.compile(str(source), invalidation_mode=mode)
    never = mode is py_compile.PycInvalidationMode.UNCHECKED_HASH
    expected = "demo-service from %s/checkout (found in %s, which is never compared with its source)" % (
        place,
        compiled,
    )
    assert unmet(place, "checkout/src", "installed") == ([expected] if never else [])


def test_a_dependency_that_is_missing(place):
    (place / "checkout" / "pyproject.toml").write_text(DECLARED % ', "pip>=1"')
    assert unmet(place, "checkout/src", "installed") == ["not-installed>=2"]
