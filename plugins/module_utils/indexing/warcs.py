# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WARC files of a job, listed and read to their ends as the service's user would, with nothing written.

The service's own commands for that are not used for a plan: they write the crawl's state anew, and a report (contract 2.5, 2.3).
They run in the unit, before the indexing. Private to this collection.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional

from .. import host
from ..parse.errors import ParseError
from ..parse.json_object import json_object
from ..parse.text import encodable, one_line
from ..probe import Context
from .facts import Warc, Warcs

LIST_SECONDS = 25.0
# What is not read by then is left to the unit, which reads everything.
READ_SECONDS = 40.0
MOST = 20000
# An argument list has an end; what does not fit is left to the unit, too.
_MOST_READ = 1000
_CAP_BYTES = 16 * 1024 * 1024
_ERROR_LIMIT = 200

# Where the service looks, in this order (contract 1.1, 2.5), and how many there are anywhere below, as its scan counts them.
_LIST = r"""
import glob, json, os, sys
top, most = sys.argv[1], int(sys.argv[2])
os.nice(10)
def found(pattern):
    return sorted(glob.glob(glob.escape(top) + "/" + pattern))
kinds = {"stable": "warcs/*.warc.gz", "temporary": ".tmp*/collections/crawl-*/archive/*.warc.gz", "plain": "*.warc.gz"}
every_kind = ((kind, found(pattern)) for kind, pattern in kinds.items())
kind, paths = next((each for each in every_kind if each[1]), ("stable", []))
files = []
for path in paths[: most + 1]:
    try:
        status = os.stat(path)
        problem = None if os.path.stat.S_ISREG(status.st_mode) else "it is no file"
        if problem is None and not os.access(path, os.R_OK):
            problem = "the service may not read it"
        files.append([path, status.st_size, problem])
    except OSError as error:
        files.append([path, 0, os.strerror(error.errno)])
every = set()
def fail(error):
    raise error
for directory, _names, names in os.walk(top, onerror=fail):
    for name in names:
        if name.endswith(".warc.gz"):
            status = os.lstat(os.path.join(directory, name))
            every.add((status.st_dev, status.st_ino))
promised = None
try:
    with open(top + "/warcs/manifest.json", encoding="utf-8") as file:
        entries = json.load(file)["entries"]
    promised = [[str(each["name"]), each.get("size")] for each in entries]
except (OSError, ValueError, KeyError, TypeError, AttributeError):
    pass
print(json.dumps({"kind": kind, "files": files, "all": len(every), "promised": promised}))
"""
# A line for each file as soon as it was read, the smallest first: what is told counts when the time is over.
_READ = r"""
import gzip, json, os, sys, zlib
os.nice(10)
for path in sys.argv[1:]:
    try:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                pass
        problem = None
    except (OSError, EOFError, zlib.error) as error:
        problem = str(error) or type(error).__name__
    print(json.dumps([path, problem]), flush=True)
"""


class NotListed(Exception):
    """Which files there are was not seen. One line."""


def listed(context: Context, directory: str) -> Warcs:
    """What there is and can be opened; nothing is read. :class:`NotListed`."""
    who = host.account(context.settings.service_user)
    argv = host.python(_LIST, directory, str(MOST))
    result = context.run(argv, LIST_SECONDS, who, cap=_CAP_BYTES)
    if result.failure is not None:
        raise NotListed("listing %s: %s" % (directory, result.failure))
    if result.rc != 0:
        last = result.stderr.decode("utf-8", "backslashreplace").strip().splitlines()[-1:] or ["no word"]
        raise NotListed(one_line(last[0], _ERROR_LIMIT))
    return parse(result.stdout)


def parse(stdout: bytes) -> Warcs:
    """:class:`NotListed`."""
    try:
        found = json_object(stdout, "the list of WARC files")
        files = [_file(*each) for each in found["files"]]
        promised = found["promised"]
        names: Optional[Dict[str, Optional[int]]] = None
        if promised is not None:
            names = {encodable(str(name)): size if _is_size(size) else None for name, size in promised}
        every = found["all"]
        if not _is_size(every) or found["kind"] not in ("stable", "temporary", "plain") or len(files) > MOST:
            raise ValueError("%d files" % len(files))
    except (ParseError, KeyError, TypeError, ValueError) as error:
        raise NotListed("the list of WARC files has another form: %s" % error) from error
    return Warcs(found["kind"], tuple(files), every, names)


def read(context: Context, found: Warcs, seconds: float = READ_SECONDS) -> Warcs:
    """Read each file to its end, as many as can be in that time."""
    wanted = sorted((each for each in found.files if each.problem is None), key=lambda each: each.size)
    if not wanted:
        return found
    who = host.account(context.settings.service_user)
    verdicts: Dict[str, Optional[str]] = {}
    argv = host.python(_READ, *[each.path for each in wanted][:_MOST_READ])
    result = context.run(argv, seconds, who, cap=_CAP_BYTES)
    for line in result.stdout.split(b"\n")[:-1]:
        verdicts.update(_verdict(line))
    return found._replace(files=tuple(_judged(each, verdicts) for each in found.files))


def _verdict(line: bytes) -> Mapping[str, Optional[str]]:
    try:
        path, problem = json.loads(line)
    except (ValueError, TypeError):
        return {}
    return {str(path): None if problem is None else one_line(problem, _ERROR_LIMIT)}


def _judged(file: Warc, verdicts: Mapping[str, Optional[str]]) -> Warc:
    if file.path not in verdicts:
        return file
    return file._replace(problem=verdicts[file.path], verified=True)


def _file(path: Any, size: Any, problem: Any) -> Warc:
    if not isinstance(path, str) or not path.startswith("/") or not _is_size(size):
        raise ValueError(path)
    if problem is None and size == 0:
        problem = "it is empty"
    return Warc(encodable(path), size, None if problem is None else one_line(problem, _ERROR_LIMIT), False)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
