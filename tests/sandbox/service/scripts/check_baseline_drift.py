#!/usr/bin/env python3
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare this host with the policy (contract 3.3). Standard library only, Python 3.11."""

from __future__ import annotations

import argparse
import grp
import json
import os
import pwd
import re
import stat
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
HTTP_TIMEOUT_SECONDS = 10
LOOPBACK = ("127.", "::1", "[::1]", "[::ffff:127.")


@dataclass
class Drift:
    """What was found and what was observed on the way."""

    policy: dict[str, Any]
    mode: str
    environment: dict[str, str] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    observed: dict[str, Any] = field(default_factory=dict)

    def fail(self, key: str, message: str) -> None:
        """A required finding."""
        self.failures.append((key, message))

    def warn(self, key: str, message: str) -> None:
        """A recommended one."""
        self.warnings.append((key, message))

    def expect(self, key: str, wanted: object, got: object) -> None:
        """Fail unless they are equal."""
        if wanted != got:
            self.fail(key, f"expected {wanted!r} got {got!r}")

    def report(self, policy_path: Path, moment: datetime) -> str:
        """The text report."""
        lines = [
            "HealthArchive baseline drift report",
            f"timestamp_utc={moment:%Y-%m-%dT%H:%M:%SZ}",
            f"policy={policy_path}",
            f"mode={self.mode}",
            "",
        ]
        if not self.failures and not self.warnings:
            lines.append("PASS: No drift detected.")
        sections = []
        for title, findings in (
            ("FAILURES (must fix)", self.failures),
            ("WARNINGS (recommended)", self.warnings),
        ):
            if findings:
                sections.append("\n".join([title, *(f"- {key}: {message}" for key, message in findings)]))
        return "\n".join([*lines, "\n\n".join(sections)]).rstrip() + "\n"


def output_of(*command: str) -> str:
    """What a command says, on whichever stream."""
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return str(error)
    return (finished.stdout or finished.stderr).strip()


def read_environment(path: Path) -> dict[str, str]:
    """Read ``KEY=value`` lines; unlike systemd this reader honours ``export``, unlike bash it expands nothing."""
    values = {}
    for line in path.read_text().splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if not separator or name.startswith("#"):
            continue
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name.strip()] = value
    return values


def check_environment(drift: Drift) -> None:
    """The environment file against the values that are demanded."""
    path = Path(drift.policy["files"]["backend_env_file"])
    if not path.exists():
        drift.fail("env", f"environment file does not exist: {path}")
        return
    try:
        drift.environment = read_environment(path)
    except OSError as error:
        drift.fail("env_read_error", str(error))
        return
    for name, wanted in drift.policy.get("backend_env_required", {}).items():
        drift.expect(f"env:{name}", wanted, drift.environment.get(name))
    for name, wanted in drift.policy.get("backend_env_csv_set_equals", {}).items():
        check_set(drift, name, set(wanted))
    required = drift.policy.get("security", {}).get("admin_token_required")
    if required and not drift.environment.get("HEALTHARCHIVE_ADMIN_TOKEN"):
        drift.fail("env:HEALTHARCHIVE_ADMIN_TOKEN_present", "admin token is missing")
    check_prometheus_token(drift)


def check_set(drift: Drift, name: str, wanted: set[str]) -> None:
    """A comma-separated value, as a set."""
    got = {item.strip() for item in drift.environment.get(name, "").split(",") if item.strip()}
    if not got:
        drift.fail(f"env:{name}", "value missing")
    elif "*" in got:
        drift.fail(f"env:{name}", "wildcard is not allowed")
    elif got != wanted:
        drift.fail(f"env:{name}", f"missing={sorted(wanted - got)}; extra={sorted(got - wanted)}")


def check_prometheus_token(drift: Drift) -> None:
    """The copy of the admin token that Prometheus uses, where the policy names one."""
    name = drift.policy["files"].get("prometheus_backend_admin_token_file")
    if not name:
        return
    try:
        token = Path(name).read_text().strip()
    except OSError as error:
        drift.fail("env:PROMETHEUS_BACKEND_ADMIN_TOKEN_present", str(error))
        return
    if token != drift.environment.get("HEALTHARCHIVE_ADMIN_TOKEN"):
        drift.fail("env:PROMETHEUS_BACKEND_ADMIN_TOKEN_matches_backend_env", "tokens differ")


def check_operator(drift: Drift) -> None:
    """The operator is in the group that may read and write."""
    user, group = drift.policy["operator_user"], drift.policy["ops_group"]
    try:
        members = grp.getgrnam(group)
        good = user in members.gr_mem or pwd.getpwnam(user).pw_gid == members.gr_gid
    except KeyError:
        good = False
    if not good:
        drift.fail("operator_in_ops_group", f"{user} is not in group {group}")


def check_filesystem(drift: Drift) -> None:
    """Owners and modes."""
    for entry in drift.policy.get("filesystem", {}).get("paths", []):
        path, key = Path(entry["path"]), f"filesystem:{entry['path']}"
        try:
            facts = path.stat()
        except FileNotFoundError:
            if entry.get("required", True):
                drift.fail(key, "path does not exist")
            continue
        except OSError as error:
            drift.fail(key, str(error))
            continue
        if "owner" in entry:
            drift.expect(f"{key}:owner", entry["owner"], name_of(pwd.getpwuid, facts.st_uid))
        if "group" in entry:
            drift.expect(f"{key}:group", entry["group"], name_of(grp.getgrgid, facts.st_gid))
        if "mode" in entry:
            drift.expect(f"{key}:mode", entry["mode"], f"{stat.S_IMODE(facts.st_mode):04o}")
        if entry.get("setgid") and not facts.st_mode & stat.S_ISGID:
            drift.fail(f"{key}:setgid", "setgid bit is not set")
        if entry.get("must_be_writable") and not os.access(path, os.W_OK):
            drift.fail(f"{key}:writable", "not writable")


def name_of(lookup: Callable[[int], Any], number: int) -> str:
    """An account's name, or its number if it has none."""
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


def check_dependencies(drift: Drift) -> None:
    """The packages that must be in the virtual environment; asking pip is most of the run's time."""
    wanted = drift.policy.get("dependencies", {}).get("required_packages", [])
    pip = Path(drift.policy["files"].get("venv_dir", CHECKOUT / ".venv")) / "bin" / "pip"
    try:
        listed = json.loads(output_of(str(pip), "list", "--format=json", "--disable-pip-version-check"))
    except ValueError:
        drift.fail("dependencies", f"cannot list packages with {pip}")
        return
    drift.observed["packages"] = {item["name"]: item["version"] for item in listed}
    installed = {canonical(item["name"]) for item in listed}
    for name in wanted:
        if canonical(name) not in installed:
            drift.fail(f"dependencies:{name}", f"missing from venv {pip.parents[1]}")


def canonical(name: str) -> str:
    """A package name as comparisons want it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_units(drift: Drift) -> None:
    """Enabled is demanded; active never is, so a dead API is only a warning."""
    for unit in drift.policy.get("systemd", {}).get("units", []):
        name, key = unit["name"], f"systemd:{unit['name']}"
        enabled, active = output_of("systemctl", "is-enabled", name), output_of("systemctl", "is-active", name)
        drift.observed.setdefault("units", {})[name] = {"enabled": enabled, "active": active}
        if unit.get("must_be_enabled") and enabled != "enabled":
            # systemd puts the unit's absence into words; the last line is the one that says it.
            problem = f"expected enabled, got {enabled.splitlines()[-1] if enabled else ''!r}"
            (drift.fail if unit.get("required", True) else drift.warn)(f"{key}:enabled", problem)
        if active != "active":
            drift.warn(f"{key}:active", f"not active ({active!r})")


def listeners() -> list[tuple[str, int]] | None:
    """Addresses and ports that are listened on, ``None`` without ``ss``."""
    lines = output_of("ss", "-H", "-l", "-t", "-n").splitlines()
    found = []
    for line in lines:
        words = line.split()
        if len(words) < 4:
            return None
        address, _, port = words[3].rpartition(":")
        if not port.isdigit():
            return None
        found.append((address, int(port)))
    return found


def check_network(drift: Drift) -> None:
    """Loopback-only ports stay on the loopback, and nothing unexpected listens elsewhere."""
    network = drift.policy.get("network", {})
    found = listeners()
    if found is None:
        drift.warn("network:tcp_listeners", "cannot list listeners")
        return
    drift.observed["listeners"] = sorted({f"{address}:{port}" for address, port in found})
    for port in network.get("loopback_only_tcp_ports", []):
        addresses = {address for address, number in found if number == port}
        if not addresses:
            drift.warn(f"network:tcp:{port}", "port not listening (service down or not installed)")
        elif outside := sorted(address for address in addresses if not address.startswith(LOOPBACK)):
            drift.fail(f"network:tcp:{port}:bind", f"expected loopback only, got {outside}")
    known = {*network.get("loopback_only_tcp_ports", []), *network.get("allowed_non_loopback_tcp_ports", [])}
    others = {port for address, port in found if not address.startswith(LOOPBACK)} - known
    if others:
        drift.warn("network:tcp:unexpected_non_loopback_ports", str(sorted(others)))


def check_hsts_file(drift: Drift) -> None:
    """The web server is told to send the header."""
    security = drift.policy.get("security", {})
    if not security.get("hsts_required"):
        return
    try:
        text = Path(drift.policy["files"]["caddyfile"]).read_text()
    except OSError as error:
        drift.fail("hsts:configured_in_caddy", str(error))
        return
    match = re.search(r"Strict-Transport-Security\s+\"?max-age=(\d+)", text)
    if match is None:
        drift.fail("hsts:configured_in_caddy", "HSTS not configured in Caddyfile for API site block")
    elif int(match.group(1)) < security["hsts_header_min_max_age_seconds"]:
        drift.fail("hsts:configured_value", f"max-age={match.group(1)} is too small")


def fetch(url: str, headers: dict[str, str] | None = None) -> tuple[int | None, dict[str, str]]:
    """Status and headers (lower case) of a GET; status ``None`` when there was no answer."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=HTTP_TIMEOUT_SECONDS) as response:
            return response.status, {name.lower(): value for name, value in response.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}
    except OSError:
        return None, {}


def check_live(drift: Drift) -> None:
    """Ask the running service."""
    base = drift.policy["urls"]["api_base"].rstrip("/")
    token = {"authorization": f"Bearer {drift.environment.get('HEALTHARCHIVE_ADMIN_TOKEN', '')}"}
    for path in ("/metrics", "/api/admin/jobs"):
        drift.expect(f"http:{path}:no-token", 403, fetch(base + path)[0])
        drift.expect(f"http:{path}:with-token", 200, fetch(base + path, token)[0])
    check_cors(drift, base + drift.policy["cors"]["probe_path"])
    security = drift.policy.get("security", {})
    if not security.get("hsts_required"):
        return
    _status, headers = fetch(f"{base}/api/health")
    value = headers.get("strict-transport-security")
    if value is None:
        drift.fail("hsts:observed_on_health", "header is missing")
        return
    age = re.search(r"max-age=(\d+)", value)
    if age is None or int(age.group(1)) < security["hsts_header_min_max_age_seconds"]:
        drift.fail("hsts:observed_value", value)


def check_cors(drift: Drift, url: str) -> None:
    """Allowed origins are answered for, others are not."""
    urls = drift.policy["urls"]
    allowed = [urls["frontend_primary"], *urls.get("frontend_aliases", [])]
    for kind, origins in (("allowed", allowed), ("disallowed", drift.policy["cors"]["disallowed_origins"])):
        for origin in origins:
            status, headers = fetch(url, {"origin": origin})
            if status is None:
                drift.warn(f"cors:{kind}:{origin}", "unreachable")
                continue
            granted = headers.get("access-control-allow-origin") == origin
            if granted != (kind == "allowed"):
                drift.fail(f"cors:{kind}:{origin}", f"access-control-allow-origin granted={granted}")


def skip_live(drift: Drift) -> None:
    """What a local run cannot know; because of these lines it never says PASS."""
    for key in ("http:admin_checks", "cors_checks", "hsts:observed_on_health"):
        drift.warn(key, "skipped (mode=local)")


def write_files(directory: Path, drift: Drift, report: str, moment: datetime) -> None:
    """Dated and "latest" files; whoever writes the latest ones first owns them."""
    stamp = f"{moment:%Y%m%dT%H%M%SZ}"
    observed = json.dumps(
        {"mode": drift.mode, "failures": drift.failures, "warnings": drift.warnings, **drift.observed}, indent=2
    )
    for name, text in (("observed", observed), ("drift-report", report)):
        suffix = "json" if name == "observed" else "txt"
        for moniker in (stamp, "latest"):
            path = directory / f"{name}-{moniker}.{suffix}"
            path.write_text(text)
            if moniker == stamp:
                print(f"Wrote: {path}", file=sys.stderr)


def main() -> int:
    """Check, report, write; 1 when something required was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = CHECKOUT / "docs" / "operations" / "production-baseline-policy.toml"
    parser.add_argument("--policy", type=Path, default=default)
    parser.add_argument("--mode", choices=("local", "live"), default="local")
    parser.add_argument("--out-dir", type=Path, default=Path("/srv/healtharchive/ops/baseline"))
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    drift = Drift(tomllib.loads(options.policy.read_text()), options.mode)
    moment = datetime.now(UTC)
    for check in (
        check_environment, check_operator, check_filesystem, check_dependencies, check_units, check_network,
        check_hsts_file, check_live if options.mode == "live" else skip_live,
    ):  # fmt: skip
        check(drift)
    report = drift.report(options.policy, moment)
    print(report, end="")
    if options.json:
        print(json.dumps({"mode": drift.mode, "failures": drift.failures, "warnings": drift.warnings}))
    if not options.no_write:
        if not options.out_dir.is_dir():
            print(f"ERROR: Output directory does not exist: {options.out_dir}", file=sys.stderr)
            return 1
        sys.stdout.flush()
        write_files(options.out_dir, drift, report, moment)
    return 1 if drift.failures else 0


if __name__ == "__main__":
    sys.exit(main())
