# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several programs of one virtual environment, run one after another by one interpreter. Private to this collection.

The service's commands spend most of their time on importing the same packages. The interpreter imports these once and
forks once for each program, which then runs as the interpreter would run it by itself: the same file or module, with
its own arguments, streams and exit code. Only the tidying up of the interpreter's memory at the end is left out, which
would copy all that was imported. What is no Python program of this interpreter is executed.
"""

from __future__ import annotations

import json
from typing import Callable, List, Sequence

from . import host

# What is imported before the fork is imported for all; what cannot be imported, the program that needs it will say.
_LAUNCHER = r"""
import atexit, errno, gc, importlib, json, os, runpy, select, signal, sys, threading, time

def uses(path):
    with open(path, "rb") as file:
        line = file.readline(1000)
    interpreter = line[2:].strip().decode("utf-8", "replace") if line.startswith(b"#!") else ""
    beside = os.path.dirname(interpreter) == os.path.dirname(sys.executable)
    return beside and os.path.realpath(interpreter) == os.path.realpath(sys.executable)

def run(program, *arguments, **options):
    code = 0
    try:
        program(*arguments, run_name="__main__", **options)
    except SystemExit as end:
        code = end.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((code or 0) & 255)

def start(argv, refusal):
    if argv[:2] == [sys.executable, "-m"]:
        os.close(refusal)
        sys.path.insert(0, os.getcwd())
        sys.argv = argv[2:]
        run(runpy.run_module, argv[2], alter_sys=True)
    try:
        python = uses(argv[0])
    except OSError:
        python = False
    if python:
        os.close(refusal)
        sys.path.insert(0, os.path.dirname(argv[0]))
        sys.argv = argv
        run(runpy.run_path, argv[0])
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(refusal, json.dumps([error.errno, str(error)]).encode())
        os._exit(1)

def watch(child, pipes):
    reading = {fd: name for name, fd in pipes.items()}
    ending = os.pidfd_open(child["pid"])
    def read(fd):
        name = reading[fd]
        chunk = os.read(fd, 65536)
        child[name] += chunk
        if not chunk:
            del reading[fd]
        elif len(child[name]) > cap and child["failure"] is None:
            child["failure"] = "output_truncated"
            if child["rc"] is None:
                os.kill(child["pid"], signal.SIGKILL)
        child[name] = child[name][:cap]
        return chunk
    while child["rc"] is None:
        ready = select.select([*reading, ending], [], [], max(deadline - time.monotonic(), 0))[0]
        if not ready:
            child["failure"] = child["failure"] or "timed_out"
            os.kill(child["pid"], signal.SIGKILL)
            break
        for fd in ready:
            if fd in reading:
                read(fd)
        if ending in ready:
            child["rc"] = os.waitstatus_to_exitcode(os.waitpid(child["pid"], 0)[1])
    # What it wrote last; a child of its own may hold the pipes open, and write to them for ever.
    for fd in list(reading):
        while child["failure"] is None and select.select([fd], [], [], 0)[0] and read(fd):
            pass
    for fd in (ending, *pipes.values()):
        os.close(fd)

def launch(argv):
    child = {"rc": None, "failure": None, "seconds": 0.0, "stdout": b"", "stderr": b"", "refusal": b""}
    began = time.monotonic()
    if began >= deadline:
        child["failure"] = "timed_out"
        return child
    pipes = {name: os.pipe() for name in ("stdout", "stderr", "refusal")}
    child["pid"] = os.fork()
    if child["pid"] == 0:
        os.dup2(pipes["stdout"][1], 1)
        os.dup2(pipes["stderr"][1], 2)
        refusal = pipes.pop("refusal")
        for fd in (refusal[0], *pipes["stdout"], *pipes["stderr"]):
            os.close(fd)
        start(argv, refusal[1])
    for ends in pipes.values():
        os.close(ends[1])
    watch(child, {name: ends[0] for name, ends in pipes.items()})
    child["seconds"] = time.monotonic() - began
    if child["refusal"]:
        number, message = json.loads(child["refusal"])
        child["failure"] = {errno.ENOENT: "not_found", errno.EACCES: "permission_denied",
                            errno.EPERM: "permission_denied"}.get(number, "not_started")
        child["stderr"] = message.encode("utf-8", "surrogateescape")
    return child

programs, packages, seconds, cap = json.loads(sys.argv[1])
deadline = time.monotonic() + seconds
del sys.path[0]
for package in packages:
    try:
        importlib.import_module(package)
    except Exception:
        pass
# Left to itself, every child's garbage collection goes through all of that, and copies it.
gc.freeze()
children = [launch(argv) for argv in programs]
output = sys.stdout.buffer
answers = [[child["rc"], child["failure"], child["seconds"], len(child["stdout"]), len(child["stderr"])]
           for child in children]
output.write(json.dumps(answers).encode() + b"\n")
for child in children:
    output.write(child["stdout"] + child["stderr"])
output.flush()
"""
_HEADER_CAP_BYTES = 64 * 1024
# What the launcher may take beyond its programs' time, to say what became of them.
_GRACE_SECONDS = 2.0

# As :func:`host.run`, with everything but the command and its seconds already given.
Run = Callable[..., host.Result]


def run_all(
    run: Run, python: str, packages: Sequence[str], programs: Sequence[Sequence[str]], seconds: float
) -> List[host.Result]:
    """Run the programs one after another for at most ``seconds`` in all: their results, as ``run`` would give them.

    ``python`` is the path of the interpreter, ``packages`` is what it imports first. Each program has the output cap
    ``host.OUTPUT_CAP_BYTES``. One that hangs takes the time of those after it. Where the interpreter itself fails, the
    programs are run without it: what is wrong with it is theirs to say.
    """
    cap = host.OUTPUT_CAP_BYTES
    request = json.dumps([[list(argv) for argv in programs], list(packages), seconds, cap])
    argv = [python, "-c", _LAUNCHER, request]
    together = run(argv, seconds + _GRACE_SECONDS, cap=_HEADER_CAP_BYTES + 2 * len(programs) * cap)
    if together.failure == "timed_out":
        return [together._replace(argv=argv, stdout=b"") for argv in programs]
    return _results(programs, together.stdout) or [run(argv, seconds) for argv in programs]


def _results(programs: Sequence[Sequence[str]], output: bytes) -> List[host.Result]:
    """The results out of the launcher's output; [] when it is none."""
    header, _line, body = output.partition(b"\n")
    try:
        answers = json.loads(header)
        lengths = [length for answer in answers for length in answer[3:]]
        if len(answers) != len(programs) or sum(lengths) != len(body):
            return []
    except (ValueError, TypeError):
        return []
    results = []
    for argv, (rc, failure, seconds, out, err) in zip(programs, answers):
        rc = host.NO_EXIT_CODE if failure else rc
        results.append(host.Result(argv, rc, body[:out], body[out : out + err], seconds, failure))
        body = body[out + err :]
    return results
