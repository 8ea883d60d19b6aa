# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with a path in each state, and that nothing but what is confirmed as dead is ever unmounted."""

from __future__ import annotations

import itertools
import shlex
from typing import Any, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import decide, facts
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers.facts import Base, Facts, Path, UnitState

ROOT, BOX = "/srv/healtharchive/jobs", "/srv/healtharchive/storagebox"
STATES = ("ok", "stale", "hung", "missing", "not_mounted", "other_mount", "not_writable", "error", None)
UP = {name: UnitState("loaded", "active") for name in facts.UNITS}


def base(state: Optional[str] = "ok", **more: Any) -> Base:
    return Base(BOX, state, **more)


def path(name: str = "imports/a", state: Optional[str] = "stale", **more: Any) -> Path:
    absent = {"layers": 0, "entries": 0} if state in facts.ABSENT else {"bound_from": BOX + "/jobs/" + name}
    known = {"kind": "manifest", "cold": BOX + "/jobs/" + name, "cold_there": True, **absent, **more}
    return Path(ROOT + "/" + name, state=state, **known)


def decided(*paths: Path, at: Optional[Base] = None, **more: Any) -> Any:
    return decide.decide(Facts(at or base(), paths, **{"units": UP, **more}))


# The state of the path, that of the base mount, what is known of it beside; what is done.
TABLE = [
    ("ok", "ok", {}, decide.KEEP),
    ("stale", "ok", {}, decide.UNMOUNT),
    ("stale", "stale", {"shared": True}, decide.UNMOUNT),
    ("stale", "not_mounted", {"cold_there": None}, decide.UNMOUNT),
    ("stale", "ok", {"kind": "annual"}, decide.UNMOUNT),
    ("stale", "ok", {"kind": "import"}, decide.UNMOUNT),
    ("stale", "ok", {"kind": "job"}, decide.UNMOUNT),
    ("stale", "ok", {"kind": "kept"}, decide.UNMOUNT),
    ("stale", "ok", {"kind": "other"}, decide.PERSON),
    ("stale", "ok", {"layers": 2}, decide.PERSON),
    ("stale", "ok", {"layers": 0}, decide.PERSON),
    ("stale", "ok", {"below": (ROOT + "/imports/a/b",)}, decide.PERSON),
    ("stale", "ok", {"above": ROOT + "/imports"}, decide.PERSON),
    ("stale", "ok", {"layers": 0, "above": ROOT + "/imports"}, decide.PERSON),
    ("stale", "ok", {"bound_from": BOX + "/jobs/elsewhere"}, decide.PERSON),
    ("stale", "ok", {"bound_from": None}, decide.PERSON),
    ("stale", "ok", {"cold": None}, decide.PERSON),
    ("stale", "ok", {"cold_there": False}, decide.PERSON),
    ("stale", "ok", {"cold_there": None}, decide.PERSON),
    ("stale", "stale", {"cold_there": False}, decide.UNMOUNT),
    ("hung", "hung", {"shared": True}, decide.AFTER_BASE),
    ("error", "error", {"shared": True}, decide.AFTER_BASE),
    ("hung", "stale", {"shared": True}, decide.AFTER_BASE),
    ("hung", "ok", {"shared": True}, decide.PERSON),
    ("hung", "hung", {"shared": False}, decide.PERSON),
    ("hung", "hung", {"shared": True, "kind": "other"}, decide.PERSON),
    ("hung", "hung", {"shared": True, "below": (ROOT + "/imports/a/b",)}, decide.PERSON),
    ("error", "ok", {"shared": True}, decide.PERSON),
    ("not_mounted", "ok", {}, decide.BIND),
    ("missing", "ok", {}, decide.BIND),
    ("missing", "hung", {"cold_there": None}, decide.BIND),
    ("missing", "ok", {"layers": 1}, decide.PERSON),
    ("missing", "ok", {"layers": 1, "expected": False}, decide.PERSON),
    ("not_mounted", "ok", {"expected": False}, decide.KEEP),
    ("not_mounted", "ok", {"entries": 3}, decide.LOCAL_FILES),
    ("not_mounted", "ok", {"entries": 3, "expected": False}, decide.KEEP),
    ("not_mounted", "ok", {"cold_there": False}, decide.PERSON),
    ("other_mount", "ok", {}, decide.PERSON),
    ("not_writable", "ok", {}, decide.PERSON),
    (None, "ok", {}, decide.PERSON),
]


@pytest.mark.parametrize(("state", "of_base", "more", "expected"), TABLE)
def test_one_path(state, of_base, more, expected):
    found = decide.verdict(path(state=state, **more), base(of_base))
    assert found.do == expected
    assert bool(found.next_step) == (expected in (decide.PERSON, decide.LOCAL_FILES))


def test_every_combination_keeps_what_is_not_confirmed_as_dead():
    count = 0
    for state, of_base, kind, layers, below, above, shared, same, there, entries in itertools.product(
        STATES, STATES, ("manifest", "annual", "other"), (0, 1, 2), ((), (ROOT + "/imports/a/b",)), (None, ROOT + "/x"),
        (False, True), (False, True), (None, False, True), (None, 0, 2),
    ):  # fmt: skip
        one = Path(
            ROOT + "/imports/a", kind, state, layers, below, above, shared, BOX + "/jobs/imports/a" if same else None,
            BOX + "/jobs/imports/a", there, True, entries,
        )  # fmt: skip
        found = decide.verdict(one, base(of_base))
        count += 1
        if found.do in (decide.UNMOUNT, decide.AFTER_BASE):
            assert kind != "other"
            assert (layers, below, above, same) == (1, (), None, True)
        if found.do == decide.UNMOUNT:
            assert state == "stale"
            assert there or of_base in ("stale", "hung", "error", "missing", "not_mounted")
        if found.do == decide.AFTER_BASE:
            assert state in ("hung", "error")
            assert shared
            assert of_base in ("stale", "hung", "error", "missing", "not_mounted")
        if found.do == decide.BIND:
            assert state in facts.ABSENT
            assert not entries
        if state == "ok":
            assert found.do == decide.KEEP
    assert count > 30_000


HOSTILE = ("imports/a b", "imports/$(reboot)", "imports/'; reboot; '", "imports/a\nreboot", "imports/{{ x }}")


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_person_pastes_names_the_path_and_nothing_else(name):
    """Each command, as the shell takes it apart: the path is one word, whatever is in it."""
    of_path = [
        path(name, "other_mount"), path(name, "hung"), path(name, layers=2), path(name, kind="other"),
        path(name, "not_mounted", entries=3), path(name, "missing", layers=1), path(name, "not_writable"), path(name, None),
    ]  # fmt: skip
    for each in of_path:
        found = decide.verdict(each, base())
        for step in (step for step in found.steps if step.do == "run"):
            words = shlex.split(step.text)
            assert not any("reboot" in word and ROOT not in word for word in words), step.text
            assert not any(word in ("b", ";", "reboot") for word in words)
        for step in found.by_hand(each.path)["steps"]:
            assert step["text"].isprintable()


def test_the_storage_box_is_not_mounted_over_files():
    hidden = decided(path(state="not_mounted"), at=base("not_mounted", files=True))
    assert hidden.code == "local_files_in_the_way"
    assert any("--no-target-directory %s" % BOX in step["text"] for step in hidden.evidence["by_hand"][0]["steps"])
    assert decided(path(state="not_mounted"), at=base("not_mounted", files=None)).code == "evidence_missing"
    assert decided(path(state="not_mounted"), at=base("not_mounted", files=False)).base == "restart"


def test_what_is_moved_aside_is_moved_once_and_copied_after_the_bind():
    found = decide.verdict(path(state="not_mounted", entries=3), base())
    commands = [step.text for step in found.steps if step.do == "run"]
    assert [command for command in commands if "worker-auto-start.timer" in command]
    (moved,) = (command for command in commands if command.startswith("sudo mv"))
    assert "--no-target-directory" in moved
    assert not any(word in " ".join(commands) for word in ("rm ", "--delete", "--remove-source-files", "--partial"))


def test_all_is_well():
    assert isinstance(
        decided(path(state="ok"), path("hc/x", "not_mounted", kind="annual", expected=False)), decide.Nothing
    )


def test_dead_paths_beside_a_healthy_one():
    plan = decided(path("imports/a"), path("imports/b", "ok"), path("hc/y__hc-20260101", kind="annual"),
                   tiered=(ROOT + "/hc/y__hc-20260101",), campaigns={ROOT + "/hc/y__hc-20260101": (2026, "hc")})  # fmt: skip
    assert plan.unmounts == (ROOT + "/hc/y__hc-20260101", ROOT + "/imports/a")
    assert ROOT + "/imports/b" not in plan.binds
    assert (plan.base, plan.by_manifest, plan.direct) == (None, True, ())
    assert plan.annual == (decide.Annual(2026, ("hc",), (ROOT + "/hc/y__hc-20260101",)),)
    assert (plan.restart_replay, plan.start_tiering, plan.reset) == (True, False, ())


def test_an_annual_job_that_the_script_does_not_know_is_bound_directly():
    plan = decided(path("hc/y__hc-20260101", kind="annual"), campaigns={ROOT + "/hc/y__hc-20260101": (2026, "hc")})
    assert (plan.annual, plan.direct) == ((), (ROOT + "/hc/y__hc-20260101",))


def test_a_script_that_could_not_be_asked_is_followed_by_the_direct_way():
    where = ROOT + "/hc/y__hc-20260101"
    plan = decided(path("hc/y__hc-20260101", "hung", kind="annual", shared=True), at=base("hung"), tiered=None,
                   campaigns={where: (2026, "hc")})  # fmt: skip
    assert plan.annual == (decide.Annual(2026, ("hc",), (where,)),)
    assert (plan.after_base, plan.direct, plan.base) == ((where,), (where,), "restart")


def test_the_manifests_script_is_not_used_where_it_would_stop():
    plan = decided(path("imports/a"), path("imports/b", layers=2))
    assert (plan.by_manifest, plan.direct) == (False, (ROOT + "/imports/a",))
    assert list(plan.persons) == [ROOT + "/imports/b"]


def test_a_dead_base_mount_is_unmounted_first_and_its_tiering_started_again():
    plan = decided(path(shared=True), at=base("stale"))
    assert (plan.base, plan.unmounts, plan.start_tiering) == ("unmount_restart", (ROOT + "/imports/a",), True)


def test_only_the_tiering_unit_has_failed():
    plan = decided(path(state="ok"), units={**UP, facts.TIERING_UNIT: UnitState("loaded", "failed")})
    assert (plan.mounts, plan.start_tiering, plan.restart_replay) == (False, True, False)


@pytest.mark.parametrize("starting", [False, True])
@pytest.mark.parametrize("active", ["failed", "inactive", "active", "activating"])
def test_a_tiering_unit_that_was_to_be_started_is(active, starting):
    """The one before may have cleared its failed state, and was cut off before it started it."""
    units = {**UP, facts.TIERING_UNIT: UnitState("loaded", active)}
    found = decided(path(state="ok"), units=units, starting=starting)
    starts = active == "failed" or (active == "inactive" and starting)
    assert isinstance(found, decide.Decision if starts else decide.Nothing)
    assert not starts or found.start_tiering


def test_what_one_that_was_cut_off_has_bound_is_finished():
    well, ill = path("imports/a", "ok"), path("imports/b")
    begun = (ROOT + "/imports/a", ROOT + "/imports/b", ROOT + "/imports/gone")
    plan = decided(well, begun=begun)
    assert (plan.mounts, plan.binds, plan.restart_replay) == (False, {}, True)
    assert plan.owed == plan.proven == {ROOT + "/imports/a": BOX + "/jobs/imports/a"}
    plan = decided(well, ill, begun=begun)
    assert list(plan.binds) == [ROOT + "/imports/b"]
    assert sorted(plan.proven) == [ROOT + "/imports/a", ROOT + "/imports/b"]
    # Read-only now, or another's mount: a person's.
    assert decided(path("imports/a", "not_writable"), begun=begun).code == "needs_person"


def test_units_that_failed_over_it_are_cleared_and_a_replay_that_does_not_run_is_left():
    units = {
        **UP,
        facts.LOOKING_UNITS[0]: UnitState("loaded", "failed"),
        facts.REPLAY_UNIT: UnitState("loaded", "inactive"),
    }
    plan = decided(path(), units=units)
    assert (plan.reset, plan.restart_replay) == ((facts.LOOKING_UNITS[0],), False)


def test_all_that_need_a_person_are_named():
    found = decided(*(path("imports/%d" % number, layers=2) for number in range(8)))
    assert found.code == "needs_person"
    assert all("imports/%d " % number in str(found) or "imports/%d:" % number in str(found) for number in range(6))
    assert str(found).endswith(" And 2 more.")
    assert len(found.evidence["paths"]) == 8


@pytest.mark.parametrize(
    ("code", "paths", "at", "units"),
    [
        ("evidence_missing", [path(state=None)], base(), UP),
        ("evidence_missing", [path()], base(None), UP),
        ("local_files_in_the_way", [path(), path("imports/b", "not_mounted", entries=1)], base(), UP),
        ("needs_person", [path(layers=2)], base(), UP),
        ("needs_person", [path(state="hung")], base(), UP),
        ("needs_person", [path(state="other_mount")], base(), UP),
        ("needs_person", [path()], base("not_writable"), UP),
        ("needs_person", [path()], base("stale", layers=2), UP),
        ("needs_person", [path()], base("stale", below=(BOX + "/jobs/x",)), UP),
        ("needs_person", [path(), path("imports/b", "ok", shared=True)], base("not_mounted"), UP),
        ("storage_unit_missing", [path()], base("hung"), {**UP, facts.SSHFS_UNIT: UnitState("masked", "inactive")}),
    ],
)
def test_refused(code, paths, at, units):
    found = decided(*paths, at=at, units=units)
    assert isinstance(found, Refusal)
    assert found.code == code
    assert found.next_step
