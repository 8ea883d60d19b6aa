# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argv of every command of the service that the collection runs, word by word."""

from __future__ import annotations

import re

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import service
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import ARGUMENT_SPEC, Settings

SETTINGS = Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()})
VENV = "/opt/healtharchive/.venv/bin/"
SCRIPTS = "/opt/healtharchive/scripts/"


def test_check_db():
    assert service.check_db(SETTINGS) == [VENV + "healtharchive", "check-db"]


def test_list_jobs():
    assert service.list_jobs(SETTINGS, 500) == [
        *[VENV + "healtharchive", "list-jobs", "--limit", "500", "--status"],
        *["queued", "running", "retryable", "completed", "failed", "indexing", "index_failed"],
    ]


@pytest.mark.parametrize("question", ["current", "heads"])
def test_alembic(question):
    assert service.alembic(SETTINGS, question) == [VENV + "python3", "-m", "alembic", question]


@pytest.mark.parametrize("question", ["upgrade", "stamp", "current; id", ""])
def test_alembic_can_only_be_asked(question):
    with pytest.raises(ValueError, match="^%s$" % question):
        service.alembic(SETTINGS, question)


def test_verify_public_surface_uses_the_scripts_own_addresses():
    assert service.verify_public_surface(SETTINGS, 10) == [
        *[VENV + "python3", SCRIPTS + "verify_public_surface.py"],
        *["--timeout-seconds", "10", "--raw-timeout-seconds", "10"],
    ]


def test_verify_public_surface_with_addresses():
    settings = SETTINGS._replace(
        public_api_base="https://api.archive.example.org", public_frontend_base="https://archive.example.org"
    )
    assert service.verify_public_surface(settings, 10) == [
        *[VENV + "python3", SCRIPTS + "verify_public_surface.py"],
        *["--api-base", "https://api.archive.example.org", "--frontend-base", "https://archive.example.org"],
        *["--timeout-seconds", "10", "--raw-timeout-seconds", "10"],
    ]


@pytest.mark.parametrize("mode", ["local", "live"])
def test_check_baseline_drift_never_writes(mode):
    assert service.check_baseline_drift(SETTINGS, mode) == [
        *[VENV + "python3", SCRIPTS + "check_baseline_drift.py"],
        *["--mode", mode, "--no-write"],
    ]


def test_check_baseline_drift_with_json_writes_no_more():
    assert service.check_baseline_drift(SETTINGS, "local", as_json=True) == [
        *service.check_baseline_drift(SETTINGS, "local"),
        "--json",
    ]


def test_the_installers_of_drift():
    assert service.bootstrap_ops_directories(SETTINGS) == ["/bin/bash", SCRIPTS + "vps-bootstrap-ops-dirs.sh"]
    assert service.install_systemd_units(SETTINGS) == ["/bin/bash", SCRIPTS + "vps-install-systemd-units.sh", "--apply"]


def test_check_baseline_drift_knows_two_modes():
    with pytest.raises(ValueError, match="^--apply$"):
        service.check_baseline_drift(SETTINGS, "--apply")


STALE = service.StaleSelection(180, 300, False)


@pytest.mark.parametrize(
    ("selection", "options"),
    [
        (STALE, []),
        (STALE._replace(source="hc"), ["--source", "hc"]),
        (
            STALE._replace(include_missing_started_at=True, source="phac"),
            ["--include-missing-started-at", "--source", "phac"],
        ),
    ],
)
def test_recover_stale_jobs_is_dry_until_it_is_applied(selection, options):
    argv = [VENV + "healtharchive", "recover-stale-jobs", "--older-than-minutes", "180"]
    argv += ["--require-no-progress-seconds", "300", *options]
    assert service.recover_stale_jobs(SETTINGS, selection) == argv
    assert service.recover_stale_jobs_applied(SETTINGS, selection) == [*argv, "--apply"]


@pytest.mark.parametrize("source", ["--apply", "-x", "", "hc --apply", "a\nb", "\u00e9"])
def test_no_source_is_an_option(source):
    assert not service.is_source(source)
    with pytest.raises(ValueError, match=re.escape(source) or "^$"):
        service.recover_stale_jobs(SETTINGS, STALE._replace(source=source))


def test_a_job_without_a_source_has_none_to_give():
    assert not service.is_source(None)


# What acts.


def test_what_acts_on_a_job_names_just_that_job():
    assert service.retry_job(SETTINGS, 12) == [VENV + "healtharchive", "retry-job", "--id", "12"]
    assert service.reset_retry_count(SETTINGS, 12) == [
        *[VENV + "healtharchive", "reset-retry-count", "--id", "12", "--apply"],
    ]


def test_annual_options_are_dry_until_they_are_applied_of_one_source():
    argv = [VENV + "healtharchive", "reconcile-annual-tool-options", "--year", "2026", "--sources"]
    assert service.reconcile_annual_tool_options(SETTINGS, 2026, ["hc", "phac"]) == [*argv, "hc", "phac"]
    assert service.reconcile_annual_tool_options_applied(SETTINGS, 2026, "phac") == [*argv, "phac", "--apply"]
    with pytest.raises(ValueError, match="--limit"):
        service.reconcile_annual_tool_options_applied(SETTINGS, 2026, "--limit")


def test_files_are_verified_and_never_quarantined_and_one_job_is_indexed():
    assert service.verify_warcs(SETTINGS, 12, 2) == [VENV + "healtharchive", "verify-warcs", "--id", "12", "--level", "2"]
    assert service.index_job(SETTINGS, 12) == [VENV + "healtharchive", "index-job", "--id", "12"]
    # Level 0 does not see a truncated file.
    with pytest.raises(ValueError, match="0"):
        service.verify_warcs(SETTINGS, 12, 0)


def test_the_tiering_scripts_have_no_flag_that_unmounts():
    bind = service.bind_mounts(SETTINGS)
    assert bind == [
        *["/bin/bash", SCRIPTS + "vps-warc-tiering-bind-mounts.sh", "--apply"],
        *["--manifest", "/etc/healtharchive/warc-tiering.binds", "--storagebox-mount", "/srv/healtharchive/storagebox"],
    ]
    asked = service.annual_tiering(SETTINGS, 2026, ["hc", "phac"])
    assert asked == [
        *[VENV + "python3", "-B", SCRIPTS + "vps-annual-output-tiering.py"],
        *["--year", "2026", "--sources", "hc", "phac"],
    ]
    applied = service.annual_tiering_applied(SETTINGS, 2026, ["hc", "phac"])
    assert applied == [*asked, "--apply"]
    assert not any("repair" in word for word in (*bind, *applied))


def test_a_source_of_the_tiering_is_no_option():
    with pytest.raises(ValueError, match="--apply"):
        service.annual_tiering(SETTINGS, 2026, ["--apply"])


def test_replay_reconcile_names_its_jobs_and_acts_on_one():
    asked = service.replay_reconcile(SETTINGS, [3, 4], "/run/x/lock")
    assert asked == [
        *[VENV + "healtharchive", "replay-reconcile", "--job-id", "3", "4", "--max-jobs", "2"],
        *["--lock-file", "/run/x/lock"],
    ]
    assert service.replay_reconcile_applied(SETTINGS, 4) == [
        *[VENV + "healtharchive", "replay-reconcile", "--job-id", "4", "--max-jobs", "1", "--apply"],
    ]
