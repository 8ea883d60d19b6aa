# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Debian mirror and which Python package index this machine uses, so that the guest is built from the same.

Their host names reach the tools at build time only; nothing of them is written into the checkout or the image.
"""

from __future__ import annotations

import configparser
import os
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import unquote, urlsplit


class Source(NamedTuple):
    """One `deb` source of apt."""

    uri: str
    suite: str
    components: Tuple[str, ...]


def _one_line_sources(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        if not line.startswith("deb") or line.startswith("deb-src"):
            continue
        rest = line[len("deb") :].strip()
        if rest.startswith("["):
            rest = rest.partition("]")[2].strip()
        words = rest.split()
        if len(words) >= 2:
            yield Source(words[0], words[1], tuple(words[2:]))


def _deb822_sources(text: str) -> Iterator[Source]:
    for fields in _stanzas(text):
        if fields.get("enabled", "yes").strip().lower() in ("no", "false", "0", "off"):
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, tuple(fields.get("components", "").split()))


def _stanzas(text: str) -> Iterator[Dict[str, str]]:
    fields: Dict[str, str] = {}
    name = ""
    for line in text.splitlines() + [""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if name:
                fields[name] += " " + line.strip()
        else:
            name, _colon, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()


def apt_sources(folder: Path) -> List[Source]:
    """The `deb` sources under `folder` (/etc/apt), one-line and deb822 ones, in apt's order."""
    found: List[Source] = []
    plain = folder / "sources.list"
    if plain.is_file():
        found += _one_line_sources(plain.read_text(errors="replace"))
    parts = folder / "sources.list.d"
    for part in sorted(parts.iterdir()) if parts.is_dir() else []:
        if part.suffix == ".list":
            found += _one_line_sources(part.read_text(errors="replace"))
        elif part.suffix == ".sources":
            found += _deb822_sources(part.read_text(errors="replace"))
    return found


def debian_mirror(sources: Sequence[Source]) -> Optional[str]:
    """The mirror of a Debian release proper among `sources`; None if this machine is not a Debian with one.

    Security and updates are other archives at another path, so their address is not one to install from.
    """
    releases = ("bookworm", "trixie", "stable", "testing", "sid", "unstable", "oldstable")
    for source in sources:
        if (
            source.suite in releases
            and "main" in source.components
            and urlsplit(source.uri).scheme in ("http", "https")
        ):
            return source.uri
    return None


def machine_mirror() -> Optional[str]:
    """The mirror for debootstrap; None leaves the choice to debootstrap."""
    try:
        release = Path("/etc/os-release").read_text()
    except OSError:
        return None
    if "ID=debian" not in release.splitlines():
        return None
    return debian_mirror(apt_sources(Path("/etc/apt")))


def apt_proxy() -> Optional[str]:
    """The proxy that apt is told to use, if any."""
    done = subprocess.run(
        ["apt-config", "shell", "P", "Acquire::http::Proxy"], capture_output=True, text=True, check=False
    )
    value = done.stdout.strip()
    return value[len("P='") : -1] if value.startswith("P='") else None


class PipSettings(NamedTuple):
    """What pip in the build needs: environment variables, and files of the machine to bind (source, destination)."""

    environment: Dict[str, str]
    binds: List[Tuple[str, str]]


def pip_configuration(paths: Sequence[Path]) -> Dict[str, str]:
    """Index settings of pip configuration files as PIP_* variables; a later file wins, like in pip."""
    wanted = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "proxy", "timeout")
    result: Dict[str, str] = {}
    for path in paths:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path)
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "download", "install"):
            if parser.has_section(section):
                for name in wanted:
                    if parser.has_option(section, name):
                        result["PIP_" + name.upper().replace("-", "_")] = " ".join(parser.get(section, name).split())
    return result


def pip_settings(environ: Mapping[str, str], configuration: Mapping[str, str], ca_bundle: Path) -> PipSettings:
    """Carry the machine's pip settings over; local paths in them are bound under /run/pip and renamed to that."""
    names = (
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_NO_INDEX",
        "PIP_TRUSTED_HOST",
        "PIP_PROXY",
        "PIP_TIMEOUT",
        "PIP_DEFAULT_TIMEOUT",
    )
    values = {name: configuration[name] for name in names if name in configuration}
    values.update({name: environ[name] for name in names if environ.get(name)})
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        if environ.get(name):
            values[name] = environ[name]
    binds: List[Tuple[str, str]] = []
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        words = []
        for word in values.get(name, "").split():
            path = unquote(urlsplit(word).path) if word.startswith("file://") else word
            if path.startswith("/"):
                if not os.path.exists(path):
                    continue
                # the pages of a local index link to files beside it
                real = os.path.realpath(path)
                folder, inner = os.path.split(real) if name != "PIP_FIND_LINKS" else (real, "")
                inside = f"/run/pip/{len(binds)}"
                binds.append((folder, inside))
                word = ("file://" if word.startswith("file://") else "") + os.path.join(inside, inner).rstrip("/")
            words.append(word)
        if words:
            values[name] = " ".join(words)
        else:
            values.pop(name, None)
    certificates = (
        environ.get("PIP_CERT") or configuration.get("PIP_CERT") or environ.get("SSL_CERT_FILE") or str(ca_bundle)
    )
    if os.path.isfile(certificates):
        binds.append((os.path.realpath(certificates), "/run/pip/ca-certificates.crt"))
        values["PIP_CERT"] = "/run/pip/ca-certificates.crt"
    return PipSettings(values, binds)


def machine_pip_settings() -> PipSettings:
    """`pip_settings` of this machine."""
    home = Path(os.path.expanduser("~"))
    files = [Path("/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    if os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(os.environ["PIP_CONFIG_FILE"]))
    return pip_settings(os.environ, pip_configuration(files), Path("/etc/ssl/certs/ca-certificates.crt"))
