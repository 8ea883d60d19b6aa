# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's table, the manifest and a look make of a path."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils import host as commands
from ansible_collections.healtharchive.remediation.plugins.module_utils import job_directories, look
from ansible_collections.healtharchive.remediation.plugins.module_utils.parse.annual_tiering import Tiering
from ansible_collections.healtharchive.remediation.plugins.module_utils.refusal import Refusal
from ansible_collections.healtharchive.remediation.plugins.module_utils.settings import ARGUMENT_SPEC, Settings
from ansible_collections.healtharchive.remediation.plugins.module_utils.tiers import decide, facts, survey

ROOT, BOX = "/srv/healtharchive/jobs", "/srv/healtharchive/storagebox"
ANNUAL = ROOT + "/hc/20260101T000512Z__hc-20260101"
FINE = look.Look(False, None, True, 1, 1, 0, None, None)


def entry(root: str, device: str = "0:50", fstype: str = "fuse.sshfs", source: str = "box:") -> Dict[str, str]:
    return {"fstype": fstype, "source": source, "root": root, "device": device, "options": "rw"}


class World:
    def __init__(self, monkeypatch: Any, tmp_path: Any) -> None:
        self.table: Dict[str, List[Dict[str, str]]] = {BOX: [entry("/")]}
        self.looks: Dict[str, look.Look] = {}
        self.directories: Optional[List[str]] = []
        self.tiering = Tiering({}, frozenset())
        self.asked: List[Any] = []
        self.manifest = tmp_path / "binds"
        self.manifest.write_text("%s/jobs/imports/a %s/imports/a\n" % (BOX, ROOT))
        defaults = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
        self.settings = Settings(**{**defaults, "tiering_manifest": str(self.manifest)})
        monkeypatch.setattr(survey, "mounted", lambda: self.table)
        monkeypatch.setattr(look, "look", lambda paths, *_more: {path: self.looks.get(path, FINE) for path in paths})
        monkeypatch.setattr(job_directories, "newest", lambda *_words: self.directories)
        monkeypatch.setattr(survey.links, "follow", lambda paths, _seconds: {path: path for path in paths})
        up = {name: facts.UnitState("loaded", "active") for name in facts.UNITS}
        monkeypatch.setattr(survey, "unit_states", lambda _context: up)
        monkeypatch.setattr(survey, "ask_tiering", lambda _context, argv: self.asked.append(argv) or self.tiering)
        self.context: Any = SimpleNamespace(settings=self.settings, seconds=lambda wanted: wanted)

    def dead(self, path: str, root: str, **more: Any) -> None:
        self.table[path] = [entry(root, "0:49", **more)]
        self.looks[path] = FINE._replace(errno=107)

    def survey(self, kept: Any = None, of_jobs: Any = ()) -> Any:
        found = survey.survey(self.context, kept or {}, set(of_jobs))
        return found, {path.path: path for path in found.paths}


@pytest.fixture
def world(monkeypatch: Any, tmp_path: Any) -> World:
    return World(monkeypatch, tmp_path)


def test_a_dead_path_shows_where_it_was_bound_from(world: World) -> None:
    world.dead(ROOT + "/imports/a", "/jobs/imports/a")
    world.dead(ROOT + "/imports/legacy", "/jobs/imports/legacy")
    world.dead(ROOT + "/x", "/jobs/x")
    world.dead(ROOT + "/hc/j", "/jobs/hc/j")
    _found, paths = world.survey(of_jobs=[ROOT + "/hc/j"])
    assert {path: seen.kind for path, seen in paths.items()} == {
        ROOT + "/imports/a": "manifest", ROOT + "/imports/legacy": "import", ROOT + "/x": "other", ROOT + "/hc/j": "job",
    }  # fmt: skip
    for path, seen in paths.items():
        assert (seen.state, seen.layers, seen.shared, seen.cold_there) == ("stale", 1, False, True)
        assert seen.bound_from == seen.cold == BOX + "/jobs" + path[len(ROOT) :]


@pytest.mark.parametrize(
    ("more", "expected"),
    [({"fstype": "ext4"}, None), ({"source": "other:"}, None), ({}, BOX + "/jobs/imports/a")],
)
def test_only_what_is_of_the_storage_box_was_bound_from_it(world: World, more: Any, expected: Any) -> None:
    world.dead(ROOT + "/imports/a", "/jobs/imports/a", **more)
    _found, paths = world.survey()
    assert paths[ROOT + "/imports/a"].bound_from == expected


def test_layers_what_lies_below_and_what_lies_above(world: World) -> None:
    world.dead(ROOT + "/imports/a", "/jobs/imports/a")
    world.table[ROOT + "/imports/a"] *= 2
    world.dead(ROOT + "/imports/a/b", "/jobs/imports/a/b")
    _found, paths = world.survey()
    assert (paths[ROOT + "/imports/a"].layers, paths[ROOT + "/imports/a"].below) == (2, (ROOT + "/imports/a/b",))
    assert paths[ROOT + "/imports/a/b"].above == ROOT + "/imports/a"


def test_another_place_of_the_box_is_another_mount(world: World) -> None:
    world.table[ROOT + "/imports/a"] = [entry("/jobs/imports/b")]
    _found, paths = world.survey()
    assert (paths[ROOT + "/imports/a"].state, paths[ROOT + "/imports/a"].shared) == ("other_mount", True)


def test_an_annual_directory_is_expected_where_the_script_would_bind_it(world: World) -> None:
    world.directories = [ANNUAL]
    found, paths = world.survey()
    assert (found.campaigns, paths[ANNUAL].expected) == ({ANNUAL: (2026, "hc")}, False)
    assert world.asked[0][-4:] == ["--year", "2026", "--sources", "hc"]
    cold = BOX + "/jobs/hc/" + ANNUAL.rpartition("/")[2]
    world.tiering = Tiering({ANNUAL: cold}, frozenset([ANNUAL]))
    found, paths = world.survey()
    assert (found.tiered, paths[ANNUAL].expected, paths[ANNUAL].cold) == ((ANNUAL,), True, cold)


def test_what_only_the_script_names_is_looked_at_too(world: World) -> None:
    older = ROOT + "/phac/20260101T000502Z__phac-20260101"
    world.directories = [ANNUAL]
    world.tiering = Tiering({older: BOX + "/x", "/etc/x": "/y"}, frozenset([older, "/etc/x"]))
    _found, paths = world.survey()
    assert paths[older].expected
    assert "/etc/x" not in paths


def test_what_was_unmounted_and_not_bound_again_is_remembered(world: World) -> None:
    path = ROOT + "/hc/j"
    found, paths = world.survey(kept={path: BOX + "/jobs/hc/j"})
    assert (paths[path].kind, paths[path].state, paths[path].expected) == ("kept", "not_mounted", True)
    assert found.begun == (path,)


@pytest.mark.parametrize("hung", [BOX, ROOT + "/imports/a"])
def test_the_script_is_not_asked_while_something_hangs(world: World, hung: str) -> None:
    world.table[ROOT + "/imports/a"] = [entry("/jobs/imports/a")]
    world.directories = [ANNUAL]
    world.looks[hung] = FINE._replace(hung=True)
    found, _paths = world.survey()
    assert (found.tiered, world.asked) == (None, [])


def test_a_base_that_is_no_mount_may_serve_every_path_still(world: World) -> None:
    world.table = {BOX: [], ROOT + "/imports/a": [entry("/jobs/imports/a")]}
    del world.table[BOX]
    found, paths = world.survey()
    assert (found.base.state, found.base.layers) == ("not_mounted", 0)
    assert paths[ROOT + "/imports/a"].shared


@pytest.mark.parametrize("line", ["only-one-word", "%s/x /etc/x" % BOX])
def test_a_manifest_that_is_wrong_is_refused(world: World, line: str) -> None:
    world.manifest.write_text(line + "\n")
    with pytest.raises(Refusal) as caught:
        world.survey()
    assert caught.value.code == "manifest_unusable"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            commands.Result([], 1, b"", b"Traceback\nsqlalchemy.exc.OperationalError: refused\n", 0.1, None),
            "OperationalError",
        ),
        (commands.Result([], 0, b"", b"", 0.1, None), "did not say how it ended"),
        (commands.Result([], commands.NO_EXIT_CODE, b"", b"", 30.0, "timed_out"), "no answer"),
    ],
)
def test_a_script_that_says_nothing_is_believed_nothing(monkeypatch: Any, result: Any, words: str) -> None:
    context: Any = SimpleNamespace(
        settings=Settings(**{name: option.get("default") for name, option in ARGUMENT_SPEC.items()}),
        database_problem=lambda: None,
        variables={},
        run=lambda *_words, **_more: result,
    )
    with pytest.raises(survey.NotSaid, match=words):
        survey.ask_tiering(context, ["x"])


@pytest.mark.parametrize("content", ["", "file", "directory"])
def test_what_lies_in_the_place_of_the_base_mount(world: World, tmp_path: Any, content: str) -> None:
    """Directories alone are what the service's scripts leave there when nothing is mounted."""
    box = tmp_path / "box"
    (box / "jobs" / "hc").mkdir(parents=True)
    if content == "file":
        (box / "jobs" / "hc" / "a.warc.gz").touch()
    world.context.settings = world.settings._replace(storage_mount=str(box))
    world.table = {}
    found, _paths = world.survey()
    assert (found.base.state, found.base.files) == ("not_mounted", content == "file")
    world.table = {str(box): [entry("/")]}
    assert world.survey()[0].base.files is False


@pytest.mark.parametrize(("fstype", "state"), [("fuse.sshfs", "ok"), ("ext4", "other_mount")])
def test_an_annual_directory_that_shows_the_local_disk_is_another_mount(world: World, fstype: str, state: str) -> None:
    """As where the annual tiering ran while the storage box was not mounted: it lists fine, and the crawl fills the disk."""
    world.directories = [ANNUAL]
    world.table[ANNUAL] = [entry("/srv/healtharchive/storagebox/jobs/hc/x", "8:1", fstype=fstype)]
    _found, paths = world.survey()
    assert paths[ANNUAL].state == state


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        (0, FINE._replace(matches=3), True),
        (0, FINE, False),
        (0, FINE._replace(errno=2, is_directory=None, matches=None), False),
        (0, FINE._replace(hung=True, is_directory=None, matches=None), False),
        (2, FINE._replace(matches=3), False),
    ],
)
def test_an_annual_directory_that_is_empty_here_and_not_on_the_box_belongs_there(
    world: World, here: int, there: look.Look, expected: bool
) -> None:
    """After a reboot, of a job whose first run has dropped its campaign metadata: the service's script says "nothing to do"."""
    world.table[ROOT + "/imports/a"] = [entry("/jobs/imports/a")]
    world.directories = [ANNUAL]
    world.looks = {ANNUAL: FINE._replace(matches=here), BOX + "/jobs" + ANNUAL[len(ROOT) :]: there}
    found, paths = world.survey()
    assert paths[ANNUAL].expected is expected
    assert isinstance(decide.decide(found), decide.Decision) is expected
