# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the benchmark: guests up, contenders side by side, guests down, one line of JSON."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

from . import figures, memory
from .changing import Grant, Retry, grant_commands
from .contenders import Runbook, Triage, naive, recover
from .guests import Failure, Guests, at_once, boot, guests, many_watches, say
from .link import Link

PAIRS = 7
ROUND_TRIP_MILLISECONDS = 100
JOBS = 10_000
LOG_BYTES = 1024**3
JOURNAL_LINES = 200_000
FLEET = 20
MEMORY_RUNS = 3
STALE_JOBS = 500
PARTS = ("link", "growth", "memory", "stale", "change", "fleet")

Contender = Callable[[], float]


def rounds(title: str, contenders: Mapping[str, Contender], pairs: int) -> Dict[str, List[float]]:
    """Run all of them once to warm up, then ``pairs`` times side by side, each time another one first."""
    samples: Dict[str, List[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender()
    for turn in range(pairs):
        for name in figures.rotated(list(contenders), turn):
            samples[name].append(contenders[name]())
        latest = ", ".join("%s %.2f s" % (name, values[-1]) for name, values in samples.items())
        say("%s %d of %d: %s" % (title, turn + 1, pairs, latest))
    return samples


class Benchmark:
    """What one run shares: its guests, its folder, how many pairs, and what it has measured."""

    def __init__(self, running: Guests, folder: Path, pairs: int) -> None:
        self.guests = running
        self.folder = folder
        self.pairs = pairs
        self.links: List[Link] = []
        self.measured: Dict[str, Any] = {"pairs": pairs, "cores": len(os.sched_getaffinity(0)), **_versions()}

    def link(self, guest: str, name: str = "", **options: Any) -> Link:
        link = Link(self.guests.variables(guest), self.folder, name or guest, **options)
        self.links.append(link)
        return link

    def side_by_side(self) -> None:
        """Triage against the typed runbook, near and far, and against a task for each step."""
        near = self.link("bench")
        samples = rounds(
            "Loopback",
            {
                "triage_loopback": Triage([near], self.folder, "triage-loopback"),
                "runbook_loopback": Runbook(near),
                "naive_loopback": naive(near, self.folder),
            },
            self.pairs,
        )
        far = self.link("bench", "far", round_trip=ROUND_TRIP_MILLISECONDS)
        samples.update(
            rounds(
                "100 ms",
                {"triage_100ms": Triage([far], self.folder, "triage-100ms"), "runbook_100ms": Runbook(far)},
                self.pairs,
            )
        )
        self.measured.update(figures.seconds(samples))
        for first, second, link in (
            ("triage", "runbook", "100ms"),
            ("triage", "runbook", "loopback"),
            ("triage", "naive", "loopback"),
        ):
            name = "%s_vs_%s_%s" % (first, second, link)
            self.measured[name] = figures.ratio(samples["%s_%s" % (first, link)], samples["%s_%s" % (second, link)])

    def load(self) -> Dict[str, Triage]:
        """A guest for each thing that grows, beside the one where nothing has; how each is triaged."""
        loads = {
            "jobs": (("crawl", "0"), ("jobs", str(JOBS))),
            "log": (("crawl", str(LOG_BYTES)),),
            "journal": (("journal", str(JOURNAL_LINES)),),
        }
        boot(self.guests, ["bench-" + name for name in loads])

        def fill(name: str) -> None:
            for script, amount in loads[name]:
                say("bench-%s: %s %s" % (name, script, amount))
                self.guests.run_load("bench-" + name, script, amount)

        at_once(fill, loads)
        triages = {"plain": Triage([self.link("bench", "plain")], self.folder, "triage-plain")}
        for name in loads:
            triages[name] = Triage([self.link("bench-" + name)], self.folder, "triage-" + name)
        return triages

    def grown(self, triages: Mapping[str, Triage]) -> None:
        """Triage with much of something against triage without."""
        samples = rounds("Growth", triages, self.pairs)
        self._check_loads(triages)
        self.measured.update(figures.seconds({"growth_" + name: values for name, values in samples.items()}))
        self.measured.update(jobs=JOBS, log_bytes=LOG_BYTES, journal_lines=JOURNAL_LINES)
        for name in triages:
            if name != "plain":
                self.measured["growth_" + name] = figures.ratio(samples[name], samples["plain"])

    def _check_loads(self, triages: Mapping[str, Triage]) -> None:
        """The loads must be what triage has looked at."""
        counts = triages["jobs"].probe("jobs")["counts"]
        running = [job for job in triages["log"].probe("jobs")["jobs"] if job["status"] == "running"]
        journal = triages["journal"].probe("journal")["units"]["healtharchive-api.service"]
        if sum(counts.values()) < JOBS or counts.get("running") != 1:
            raise Failure("The guest with many jobs has others: %s" % counts)
        if len(running) != 1 or running[0]["log_age_seconds"] is None:
            raise Failure("The guest with the long log has no crawl that writes it: %s" % running)
        if journal["lines"] != 200:
            raise Failure("Of the long journal 200 lines should have been read, not %d." % journal["lines"])

    def host_memory(self, triages: Mapping[str, Triage]) -> None:
        """The most memory of the module and its children on any guest in any of some runs."""
        peaks: Dict[str, int] = {}
        for name, triage in triages.items():
            leader = self.guests.leader("bench" if name == "plain" else "bench-" + name)
            for _run in range(MEMORY_RUNS):
                with memory.watched(leader) as peak:
                    triage()
                if not peak.looks:
                    raise Failure("The module was not seen on the guest: its memory is not known.")
                peaks[name] = max(peaks.get(name, 0), peak.bytes)
                say("Memory, %s: %.1f MiB in %d looks" % (name, peak.bytes / 1024**2, peak.looks))
        for name, most in peaks.items():
            self.measured["host_peak_%s_mib" % name] = round(most / 1024**2, 1)
        self.measured["host_peak_mib"] = round(max(peaks.values()) / 1024**2, 1)

    def stale(self) -> None:
        """The recovery of many stale jobs among more, by the service's command and by the module; both on the guest itself."""
        boot(self.guests, ["bench-stale"])
        self.guests.run_load("bench-stale", "jobs", str(JOBS))
        self.guests.run_load("bench-stale", "stale", str(STALE_JOBS))
        samples = recover(self.guests, "bench-stale", self.pairs, STALE_JOBS)
        self.measured.update(figures.seconds({"stale_jobs_" + name: values for name, values in samples.items()}))
        self.measured.update(stale_jobs=STALE_JOBS)
        self.measured["stale_jobs_module_vs_command"] = figures.ratio(samples["module"], samples["command"])
        self.guests.down(["bench-stale"])

    def change(self) -> None:
        """One small change from its plan to its end, and the clearance in it, against triage of the same guest."""
        guest = "bench-change"
        boot(self.guests, [guest])
        link = self.link(guest, "change")
        retry = Retry(self.guests, guest, link, self.folder)
        triage = Triage([link], self.folder, "triage-change")
        grant = Grant(self.guests, guest, retry.incident, retry.commit)
        on_host: List[float] = []

        def triaged() -> float:
            seconds = triage()
            on_host.append(triage.evidence[link.name]["duration_seconds"])
            return seconds

        contenders: Dict[str, Contender] = {"change": retry, "change_triage": triaged, "clearance_grant": grant}
        samples = rounds("Change", contenders, self.pairs)
        # Each was also run once to warm up.
        samples.update(clearance_check=grant.checks[1:], change_triage_on_host=on_host[1:])
        self.measured.update(figures.seconds(samples))
        self.measured["change_vs_triage"] = figures.ratio(samples["change"], samples["change_triage"])
        for name in ("clearance_grant", "clearance_check"):
            self.measured[name + "_vs_triage_on_host"] = figures.ratio(samples[name], samples["change_triage_on_host"])
        counted = retry.ssh_commands()
        say("Commands over SSH: %s" % json.dumps(counted))
        self.measured["change_ssh_commands"] = sum(counted.values())
        self.measured["clearance_ssh_commands"] = grant_commands(counted)
        self.guests.down([guest])

    def fleet(self) -> None:
        """Twenty hosts at once against one: as they are, and as if each had cores of its own."""
        names = ["bench", *("bench-%02d" % number for number in range(2, FLEET + 1))]
        boot(self.guests, names[1:])
        links = [self.link(name, "fleet%d" % number) for number, name in enumerate(names)]
        one = Triage(links[:1], self.folder, "triage-one")
        many = Triage(links, self.folder, "triage-many", crowded=True)
        taken = rounds("Fleet", {"fleet_one": one, "fleet20": many}, self.pairs)
        self._answer_like(one.evidence[links[0].name], names)
        apart = {"ansible_python_interpreter": _ANSWERING}
        own_cores = {
            "fleet_one_own_cores": Triage(links[:1], self.folder, "triage-one-apart", **apart),
            "fleet20_own_cores": Triage(links, self.folder, "triage-many-apart", **apart),
        }
        taken.update(rounds("Fleet, own cores", own_cores, self.pairs))
        self.measured.update(figures.seconds(taken))
        self.measured.update(fleet_hosts=len(links), fleet_guests=len(names))
        self.measured["fleet20_probes_timed_out"] = many.timed_out
        self.measured["fleet20_vs_one"] = figures.ratio(taken["fleet20"], taken["fleet_one"])
        self.measured["fleet20_own_cores_vs_one"] = figures.ratio(
            taken["fleet20_own_cores"], taken["fleet_one_own_cores"]
        )

    def _answer_like(self, evidence: Mapping[str, Any], names: List[str]) -> None:
        """Put a program on the guests that takes a module, lets the time pass that triage took on one, and answers the
        same: twenty guests on this machine share its cores, which twenty hosts do not."""
        answer = json.dumps({"changed": False, "evidence": evidence})
        script = "#!/bin/sh\ncat >/dev/null\nsleep %s\ncat %s.json\n" % (evidence["duration_seconds"], _ANSWERING)
        for name in names:
            self.guests.write_file(name, _ANSWERING + ".json", "0644", answer)
            self.guests.write_file(name, _ANSWERING, "0755", script)


_ANSWERING = "/usr/local/bin/answering-python3"


def _versions() -> Dict[str, str]:
    said = subprocess.run(["ansible-playbook", "--version"], capture_output=True, text=True, check=True).stdout
    return {"python": platform.python_version(), "ansible_core": said.split("core ")[1].split("]")[0]}


def run(pairs: int, parts: List[str]) -> Dict[str, Any]:
    """Measure these parts; what was measured."""
    with tempfile.TemporaryDirectory(prefix="ha-bench-") as temporary, many_watches(), guests() as running:
        benchmark = Benchmark(running, Path(temporary), pairs)
        try:
            boot(running, ["bench"])
            if "link" in parts:
                benchmark.side_by_side()
            if "growth" in parts or "memory" in parts:
                triages = benchmark.load()
                if "growth" in parts:
                    benchmark.grown(triages)
                if "memory" in parts:
                    benchmark.host_memory(triages)
                running.down([name for name in running.names if name != "bench"])
            if "stale" in parts:
                benchmark.stale()
            if "change" in parts:
                benchmark.change()
            if "fleet" in parts:
                benchmark.fleet()
        finally:
            for link in benchmark.links:
                link.close()
    return benchmark.measured


def main() -> int:
    """Exit code 0, or 1 with the reason on standard error and no result."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda caught, _frame: sys.exit(128 + caught))
    started = time.monotonic()
    pairs = int(os.environ.get("BENCH_PAIRS") or PAIRS)
    parts = os.environ.get("BENCH_PARTS", "").split() or list(PARTS)
    if pairs < 1 or not set(parts) <= set(PARTS):
        say("BENCH_PAIRS is a number from 1 on; BENCH_PARTS are some of: %s" % " ".join(PARTS))
        return 2
    try:
        measured = run(pairs, parts)
    except Failure as failure:
        say("bench: %s" % failure)
        return 1
    except KeyboardInterrupt:
        say("bench: interrupted")
        return 130
    print(figures.document({**measured, "duration_seconds": round(time.monotonic() - started)}))
    return 0
