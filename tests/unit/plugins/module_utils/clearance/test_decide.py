# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a clearance is granted, for every combination of what a host can show."""

from __future__ import annotations

import itertools
import re
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance import facts as of
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance.decide import behind, decide
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance.facts import Commit, Facts, Process
from ansible_collections.healtharchive.remediation.plugins.module_utils.clearance.wish import Wish

HEAD, OTHER = "a" * 40, "b" * 40
DEMANDED, NOT_DEMANDED = Wish((OTHER,), None), Wish((), "The fix is on the host already.")
GOOD: Dict[str, Any] = {
    "checkout": "/opt/healtharchive",
    "head": HEAD,
    "git_problem": None,
    "required": (Commit(OTHER, OTHER, of.IN_HEAD),),
    "clean": True,
    "differing": (),
    "on_origin_main": True,
    "origin_main": HEAD,
    "origin_main_from": "remote",
    "origin_problem": None,
    "dependencies_met": True,
    "missing": (),
    "environment_changed_at": "2026-11-23T10:00:00Z",
    "environment_problem": None,
    "schema_at_head": True,
    "schema_current": ("0014",),
    "schema_heads": ("0014",),
    "schema_problem": None,
    "code_changed_at": "2026-11-23T10:00:00Z",
    "processes": (),
    "processes_problem": None,
    "deploys": (),
    "lock_file": "/tmp/healtharchive-deploy.lock",
    "lock": of.FREE,
    "lock_holders": (),
}
AT = "2026-11-23T11:00:00Z"


def process(running: Any, here: Any = None, current: Any = None) -> Process:
    return Process("healtharchive-api.service", running, AT if running else None, here, current)


# Every state of each fact: what is seen, and the code that it gives where a commit is demanded (None: it is as it must be).
STATES: Dict[str, List[Tuple[Dict[str, Any], Any]]] = {
    "git": [
        ({}, None),
        ({"head": None, "clean": None, "git_problem": "git status ended with 128"}, "git_unreadable"),
        ({"clean": None, "git_problem": "git status printed nothing"}, "git_unreadable"),
    ],
    "deploy": [
        ({}, None),
        ({"deploys": ("vps-deploy.sh (process 7 of haadmin)",)}, "deploy_running"),
        ({"lock": of.HELD, "lock_holders": ("bash (process 7 of haadmin)",)}, "deploy_running"),
        ({"lock": of.HELD}, "deploy_running"),
        ({"lock": of.FOREIGN}, "deploy_lock_foreign"),
        ({"lock": of.LOCK_UNKNOWN}, "deploy_lock_unknown"),
    ],
    "disk": [
        ({}, None),
        ({"required": (Commit("bbbbbbb", OTHER, of.UNDEPLOYED),)}, "required_commit_not_deployed"),
        ({"required": (Commit("bbbbbbb", OTHER, of.ELSEWHERE),)}, "required_commit_not_on_main"),
        ({"required": (Commit("bbbbbbb", OTHER, of.BEYOND),)}, "required_commit_not_deployed"),
        ({"required": (Commit("bbbbbbb", None, of.UNASKED),)}, "required_commit_unreachable"),
        ({"required": (Commit("bbbbbbb", None, of.UNKNOWN),)}, "required_commit_unknown"),
        ({"required": (Commit("bbbbbbb", None, of.AMBIGUOUS),)}, "required_commit_ambiguous"),
        ({"required": (Commit("bbbbbbb", None, of.UNREADABLE),)}, "required_commit_unreadable"),
        ({"required": (Commit(HEAD, HEAD, of.IN_HEAD), Commit("b" * 7, None, of.UNKNOWN))}, "required_commit_unknown"),
    ],
    "tree": [({}, None), ({"clean": False, "differing": (" M README.md",)}, "tree_dirty")],
    "origin": [
        ({}, None),
        ({"origin_main_from": "tracking_ref"}, None),
        ({"on_origin_main": False}, "head_not_on_origin_main"),
        ({"on_origin_main": None, "origin_problem": "git ls-remote ended with 128"}, "origin_main_unknown"),
    ],
    "environment": [
        ({}, None),
        ({"dependencies_met": False, "missing": ("slowapi>=0.1",)}, "environment_behind"),
        ({"dependencies_met": None, "environment_problem": "python3 is not there"}, "environment_unknown"),
    ],
    "schema": [
        ({}, None),
        ({"schema_at_head": False, "schema_current": ("0013",)}, "schema_behind"),
        ({"schema_at_head": None, "schema_current": (), "schema_problem": "no answer"}, "schema_unknown"),
    ],
    "process": [
        ({"processes": (process(True, True, True),)}, None),
        ({"processes": (process(False),)}, None),
        ({"processes": (process(True, True, False),)}, "process_behind"),
        ({"processes": (process(True, False, False),)}, "process_elsewhere"),
        ({"processes": (process(True, True, None),)}, "process_unknown"),
        ({"processes": (process(None),)}, "process_unknown"),
        ({"processes": ()}, "process_unknown"),
        ({"processes": (process(True, True, True), process(True, True, False))}, "process_behind"),
    ],
}
# Also where no commit is demanded.
ALWAYS = ("git", "deploy")
LAYERS = tuple(STATES)


def combinations() -> Iterator[Tuple[Facts, List[str], List[str]]]:
    """Facts, with the layers and the codes that are not as they must be, in the order of the layers."""
    for states in itertools.product(*STATES.values()):
        values = dict(GOOD)
        found = []
        for layer, (change, code) in zip(LAYERS, states):
            # What git cannot read of the tree is one finding, and none of the tree.
            values.update(
                {
                    name: value
                    for name, value in change.items()
                    if values.get(name) is not None or name not in ("clean",)
                }
            )
            if code is not None:
                found.append((layer, code))
        unreadable = any(layer == "git" for layer, _code in found)
        if unreadable:
            found = [(layer, code) for layer, code in found if layer != "tree"]
            if values["head"] is None:
                found = [(layer, code) for layer, code in found if layer != "origin"]
        yield Facts(**values), [layer for layer, _code in found], [code for _layer, code in found]


def test_every_combination_of_the_facts():
    """Law 1: what is demanded and not proved is refused."""
    count = 0
    for facts, layers, codes in combinations():
        count += 1
        demanded = decide(facts, DEMANDED)
        assert [each.code for each in demanded.refusals] == codes
        assert [each.layer for each in demanded.refusals] == layers
        assert demanded.granted is (codes == [])
        assert demanded.remarks == ()
        other = decide(facts, NOT_DEMANDED)
        refusing = [code for layer, code in zip(layers, codes) if layer in ALWAYS]
        assert [each.code for each in other.refusals] == refusing
        assert [each.code for each in other.remarks] == [code for code in codes if code not in refusing]
        assert other.granted is (refusing == [])
    assert count == 3 * 6 * 9 * 2 * 4 * 3 * 3 * 8


def test_every_finding_says_what_it_is_and_what_to_do():
    seen = set()
    for layer, states in STATES.items():
        for change, code in states:
            if code is None:
                continue
            (finding,) = decide(Facts(**{**GOOD, "processes": (process(False),), **change}), DEMANDED).refusals
            seen.add(finding.code)
            assert finding.layer == layer
            assert re.fullmatch(r"[a-z_]+", finding.code)
            for words in (finding.message, finding.next_step):
                assert words.strip() == words
                assert len(words) > 10
                assert "\n" not in words
                assert "None" not in words
    assert len(seen) == 20


def test_the_layers_that_are_behind_are_named():
    facts = Facts(
        **{
            **GOOD,
            "dependencies_met": False,
            "schema_at_head": False,
            "processes": (process(True, True, False),),
        }
    )
    assert behind(decide(facts, DEMANDED).refusals) == ["environment", "schema", "process"]
    assert behind(()) == []


@pytest.mark.parametrize("wish", [DEMANDED, NOT_DEMANDED])
def test_a_host_of_which_nothing_is_known_is_refused(wish):
    """Law 7: nothing that was not seen counts as fine."""
    names = Facts._fields
    nothing = {name: () if isinstance(GOOD[name], tuple) else None for name in names}
    nothing.update(checkout="/opt/healtharchive", lock_file="/tmp/x", lock=of.LOCK_UNKNOWN)
    decision = decide(Facts(**nothing), wish)
    assert not decision.granted
    assert [each.code for each in decision.refusals][:2] == ["git_unreadable", "deploy_lock_unknown"]
