# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `sandbox up`, `down`, `reset`, `ssh`, `status`, `list`, `inventory`, `break`, `mend`, `faults`, `build`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import time
from typing import Callable, List, NoReturn, Optional, Sequence

from . import faults, image, inventory, layout, machine
from .errors import SandboxError
from .guest import Guest, guests, health

DEFAULT_NAME = "sandbox"


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def up(options: argparse.Namespace) -> None:
    machine.require(to_build=bool(image.missing()))
    guest = Guest(options.name)
    layers = image.build(say)
    with guest.locked(say):
        if guest.running():
            say(f"'{guest.name}' is up already.")
            _summary(guest, None)
            return
        _boot(guest, layers)


def reset(options: argparse.Namespace) -> None:
    machine.require(to_build=bool(image.missing()))
    guest = Guest(options.name)
    if guest.record() is None:
        raise SandboxError(
            f"There is no guest '{guest.name}'.", f"Start it with: tests/sandbox/sandbox up {guest.name}"
        )
    layers = image.build(say)
    with guest.locked(say):
        _boot(guest, layers)


def _boot(guest: Guest, layers: Sequence[image.Layer]) -> None:
    started = time.monotonic()
    guest.up(layers)
    _summary(guest, time.monotonic() - started)


def _summary(guest: Guest, seconds: Optional[float]) -> None:
    took = f", serving after {seconds:.1f} s" if seconds is not None else ""
    named = "" if guest.name == DEFAULT_NAME else f" {guest.name}"
    option = "" if guest.name == DEFAULT_NAME else f" --name {guest.name}"
    print(f"{guest.name} is up at {guest.address}{took}.")
    print(f"  API       http://{guest.address}/api/health")
    print(f"  frontend  http://{guest.address}:8080/en/archive")
    print(f"  log in    tests/sandbox/sandbox ssh{named}")
    print(f"            {shlex.join(guest.ssh_argv())}")
    print(f"  break it  tests/sandbox/sandbox break api_missing_dependency{option}     # `faults` lists them")
    print(f"  end it    tests/sandbox/sandbox down{named}")


def down(options: argparse.Namespace) -> None:
    machine.require(to_build=False)
    chosen = list(guests()) if options.all else [Guest(options.name)]
    for guest in chosen:
        if not guest.home.exists():
            say(f"There is no guest '{guest.name}': nothing to do.")
            continue
        with guest.locked(say):
            guest.remove()
        print(f"{guest.name} is gone.")


def ssh(options: argparse.Namespace) -> NoReturn:
    machine.require(to_build=False)
    guest = Guest(options.name)
    guest.must_run()
    command = options.command
    argv = guest.ssh_argv()
    if not command and sys.stdin.isatty():
        argv.insert(1, "-t")
    # one word may be a shell line; several are one command with its arguments
    argv += command if len(command) == 1 else [shlex.join(command)] if command else []
    os.execvpe("ssh", argv, machine.environment())


def status(options: argparse.Namespace) -> None:
    machine.require(to_build=False)
    guest = Guest(options.name)
    record = guest.must_run()
    print(f"{guest.name} is up at {guest.address}")
    print(f"  API     {health(guest)}  http://{guest.address}/api/health")
    done = guest.enter(
        "systemctl is-system-running || true; for unit in healtharchive-api healtharchive-worker "
        "healtharchive-storagebox-sshfs healtharchive-warc-tiering postgresql caddy ssh; do "
        "printf '%s %s\\n' $unit $(systemctl is-active $unit || true); done"
    )
    system, *units = done.stdout.strip().splitlines()
    print(f"  system  {system}")
    for line in units:
        name, _space, state = line.partition(" ")
        print(f"  unit    {name}: {state}")
    print(f"  faults  {', '.join(record.faults) or 'none'}")


def list_guests(_options: argparse.Namespace) -> None:
    for guest in guests():
        record = guest.running()
        print(
            f"{guest.name}\t{guest.address}\t{'running' if record else 'stopped'}"
            f"\t{', '.join(record.faults) if record else ''}".rstrip()
        )


def show_inventory(options: argparse.Namespace) -> None:
    chosen = [Guest(options.name)] if options.name else list(guests())
    print(json.dumps(inventory.inventory([guest for guest in chosen if guest.running()]), indent=2, sort_keys=True))


def break_it(options: argparse.Namespace) -> None:
    _fault(options, "break_it")


def mend_it(options: argparse.Namespace) -> None:
    _fault(options, "mend_it")


def _fault(options: argparse.Namespace, function: str) -> None:
    machine.require(to_build=False)
    chosen = faults.fault(options.fault)
    guest = Guest(options.name)
    guest.must_run()
    with guest.locked(say):
        record = guest.must_run()
        started = time.monotonic()
        faults.apply(guest, chosen, function)
        had = chosen.name in record.faults
        record.faults = [name for name in record.faults if name != chosen.name]
        if function == "break_it":
            record.faults.append(chosen.name)
        guest.write(record)
    seconds = f"({time.monotonic() - started:.1f} s)"
    if function == "break_it":
        print(f"{guest.name} is broken: {chosen.name} {seconds}. {chosen.cause}")
    elif had:
        print(f"{guest.name} is mended: {chosen.name} {seconds}. Undone: {chosen.cause}")
    else:
        print(f"{guest.name} had not been broken with {chosen.name}: nothing of it is left {seconds}.")


def show_faults(_options: argparse.Namespace) -> None:
    for each in faults.faults():
        print(f"{each.name}\n    {each.cause}\n    expected: class {each.expected_class}, next {each.expected_next}")


def build(_options: argparse.Namespace) -> None:
    machine.require(to_build=bool(image.missing()))
    started = time.monotonic()
    had = not image.missing()
    for layer in image.build(say):
        print(layer.path)
    if not had:
        say(f"Built in {time.monotonic() - started:.0f} s.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sandbox",
        description="A real HealthArchive host in a box: a Debian guest with systemd, booted in seconds.",
        epilog=f"Guests live in {layout.state()}, what they are booted from in {layout.cache()}.",
    )
    commands = parser.add_subparsers(dest="command_name", required=True, metavar="COMMAND")

    def add(
        name: str, function: Callable[[argparse.Namespace], None], text: str, named: bool = True
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(function=function)
        if named:
            command.add_argument("name", nargs="?", default=DEFAULT_NAME, help=f"the guest (default: {DEFAULT_NAME})")
        return command

    add("up", up, "boot a guest (builds its file system first, once)")
    add("down", down, "end a guest and remove everything of it").add_argument(
        "--all", action="store_true", help="all guests"
    )
    add("reset", reset, "make a guest new again: same name, same address if it is free")
    add("ssh", ssh, "log in as the operator, or run a command: sandbox ssh [NAME] [-- COMMAND...]")
    add("status", status, "how a guest is")
    add("list", list_guests, "the guests that there are", named=False)
    command = add("inventory", show_inventory, "running guests as an Ansible inventory (JSON)", named=False)
    command.add_argument("name", nargs="?", help="only this guest")
    for name, function, text in (("break", break_it, "break a guest"), ("mend", mend_it, "undo a fault")):
        command = add(name, function, text, named=False)
        command.add_argument("fault", metavar="FAULT", help="see: sandbox faults")
        command.add_argument("--name", default=DEFAULT_NAME, help=f"the guest (default: {DEFAULT_NAME})")
    add("faults", show_faults, "the faults that there are, with their causes", named=False)
    add("build", build, "build the guest's file system now, if it is not built yet", named=False)
    return parser


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Run one command; the exit code is 0, 1 (with a clear message) or 2 (usage)."""
    words: List[str] = list(sys.argv[1:] if arguments is None else arguments)
    command: List[str] = []
    if words[:1] == ["ssh"] and "--" in words:
        position = words.index("--")
        words, command = words[:position], words[position + 1 :]
    options = _parser().parse_args(words)
    options.command = command
    # what was begun is cleaned up when the program is told to end, too
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda caught, _frame: sys.exit(128 + caught))
    try:
        options.function(options)
        sys.stdout.flush()
    except SandboxError as error:
        say(f"sandbox: {error.message}")
        for line in error.details:
            say(f"  {line}")
        sys.exit(1)
    except BrokenPipeError:  # who read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt:
        say("sandbox: interrupted")
        sys.exit(130)
