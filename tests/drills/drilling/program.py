# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold one drill on a guest, and say how it went."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from driving.guest import Failed, Guest

from . import incident, plan

STATE = Path(os.environ.get("HEALTHARCHIVE_DRILLS_STATE", "/var/tmp/healtharchive-drills"))


def main() -> int:
    """0 when the drill went as it should."""
    parser = argparse.ArgumentParser(prog="drill", description="An incident from its break to its closed note.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--fault", help="one of the sandbox's faults")
    what.add_argument("--incident", help="an incident by name: I1, I2, I3, I6, I8, I10, I11")
    parser.add_argument("--guest", default=os.environ.get("HEALTHARCHIVE_TEST_GUEST", "drill"))
    parser.add_argument("--keep", action="store_true", help="leave the guest up")
    parser.add_argument(
        "--state", type=Path, default=STATE, help="where reports, notes and triages go (default: %s)" % STATE
    )
    options = parser.parse_args()
    try:
        drill = plan.of_fault(options.fault) if options.fault else plan.of_incident(options.incident)
    except plan.Unknown as error:
        print(error, file=sys.stderr)
        return 2
    directory = options.state / ("%s-%s" % (drill.name, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())))
    directory.mkdir(parents=True)
    guest = Guest(options.guest)
    failure = None
    try:
        guest.renew()
        course = incident.Course(drill, guest, directory)
        try:
            course.run()
        except (incident.Wrong, Failed, AssertionError) as error:
            failure = str(error)
        report = course.report(failure)
        incident.save(report, directory / "report.json")
        if failure is not None:
            print(failure, file=sys.stderr)
        print(incident.text(report))
        print("report, notes and triages: %s" % directory)
    finally:
        if not options.keep:
            guest.remove()
    return 0 if failure is None else 1
