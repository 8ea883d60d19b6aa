# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the service lives on the host: the options that all modules share. Private to this collection."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, NamedTuple, Optional
from urllib.parse import urlsplit

from . import host


class BadInput(Exception):
    """What the caller gave cannot be right; ``code`` is stable, ``next_step`` says what to do."""

    def __init__(self, code: str, message: str, next_step: str) -> None:
        super().__init__(message)
        self.code = code
        self.next_step = next_step


class Settings(NamedTuple):
    """The shared options, checked. Paths are absolute; URLs have a scheme and a host and no trailing slash."""

    checkout: str
    env_file: str
    service_user: str
    archive_root: str
    storage_mount: str
    tiering_manifest: str
    ops_directory: str
    api_url: str
    replay_url: str
    deploy_lock_file: str
    job_lock_directory: str
    public_api_base: Optional[str]
    public_frontend_base: Optional[str]

    @property
    def cli(self) -> str:
        """The service's command (contract 1.1)."""
        return self.checkout + "/.venv/bin/healtharchive"

    @property
    def python(self) -> str:
        """The interpreter that the service's scripts need (contract 3)."""
        return self.checkout + "/.venv/bin/python3"

    def script(self, name: str) -> str:
        """The path of one of the service's scripts."""
        return "%s/scripts/%s" % (self.checkout, name)

    def described(self) -> Dict[str, Any]:
        """The settings as the evidence shows them."""
        return {**self._asdict(), "cli": self.cli}


# The defaults are those of the service's own host (contract 1.1, 1.4, 1.6, 1.7).
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "checkout": {"type": "path", "default": "/opt/healtharchive"},
    "env_file": {"type": "path", "default": "/etc/healtharchive/backend.env"},
    "service_user": {"type": "str", "default": "haadmin"},
    "archive_root": {"type": "path", "default": "/srv/healtharchive/jobs"},
    "storage_mount": {"type": "path", "default": "/srv/healtharchive/storagebox"},
    "tiering_manifest": {"type": "path", "default": "/etc/healtharchive/warc-tiering.binds"},
    "ops_directory": {"type": "path", "default": "/srv/healtharchive/ops"},
    "api_url": {"type": "str", "default": "http://127.0.0.1:8001"},
    "replay_url": {"type": "str", "default": "http://127.0.0.1:8090"},
    "deploy_lock_file": {"type": "path", "default": "/tmp/healtharchive-deploy.lock"},
    "job_lock_directory": {"type": "path", "default": "/tmp/healtharchive-job-locks"},
    "public_api_base": {"type": "str"},
    "public_frontend_base": {"type": "str"},
}

_PATHS = (
    "checkout",
    "env_file",
    "archive_root",
    "storage_mount",
    "tiering_manifest",
    "ops_directory",
    "deploy_lock_file",
    "job_lock_directory",
)
_URLS = ("api_url", "replay_url", "public_api_base", "public_frontend_base")


def from_parameters(parameters: Mapping[str, Any]) -> Settings:
    """Check the shared options against their form and against the host; :class:`BadInput` on the first that is wrong."""
    values = {name: parameters[name] for name in ARGUMENT_SPEC}
    for name in _PATHS:
        values[name] = _path(name, values[name])
    for name in _URLS:
        values[name] = _url(name, values[name])
    settings = Settings(**values)
    if os.geteuid() != 0:
        raise BadInput(
            "not_root",
            "This module reads unit states, journals and root-only files and runs the service's commands as %s: it needs root."
            % settings.service_user,
            "Run it with become: true (ansible-playbook -b), as an account that may use sudo on the host.",
        )
    if not os.path.isdir(settings.checkout):
        raise BadInput(
            "checkout_missing",
            "There is no directory %s on this host: it should be the service's git checkout." % settings.checkout,
            "Set healtharchive_checkout for this host in the inventory, or check that this is the right host.",
        )
    if not os.path.exists(settings.checkout + "/.git"):
        raise BadInput(
            "checkout_not_git",
            "%s on this host is not a git checkout." % settings.checkout,
            "Set healtharchive_checkout for this host in the inventory to the service's git checkout.",
        )
    try:
        host.account(settings.service_user)
    except KeyError as error:
        raise BadInput(
            "service_user_missing",
            "There is no account %s on this host." % settings.service_user,
            "Set healtharchive_service_user for this host in the inventory to the account that runs the service.",
        ) from error
    return settings


def _path(name: str, value: str) -> str:
    if not os.path.isabs(value) or "\0" in value or "\n" in value:
        raise BadInput(
            "bad_path",
            "%s must be an absolute path on one line, not %r." % (name, value),
            "Correct healtharchive_%s in the inventory." % name,
        )
    return os.path.normpath(value)


def _url(name: str, value: Optional[str]) -> Optional[str]:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not value.isprintable() or " " in value or "@" in value:
        raise BadInput(
            "bad_url",
            "%s must be an http or https URL with a host and without user name or password, not %r." % (name, value),
            "Correct healtharchive_%s in the inventory, for example https://archive.example.org." % name,
        )
    return value.rstrip("/")
