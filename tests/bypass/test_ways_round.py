# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every known way round the guard, tried on a host: nothing is changed, the reason is the expected one, and the same with nothing
wrong does change the host, so that no refusal is an accident."""

from __future__ import annotations

import pytest

from .attempts import ALL, DONE, FORGED, UNTOUCHED
from .ways import FOR_CLEARANCE, FROM_CONTROLLER, ON_HOST


def chosen(ways):
    """Those that want a clearance for their control come first: one is good for all of them."""
    wanted = [way for way in ways if ALL or way.sample]
    return [pytest.param(way, id=way.name) for way in sorted(wanted, key=lambda way: getattr(way, "by", ""))]


def refused(attempts, controller, way, code):
    """Try it, with the collection of that controller, on a host without a clearance."""
    attempts.put_back(clearance_too=True)
    with attempts.trying(way) as before:
        ran = attempts.run(controller, way.run, FORGED, "$UNDEPLOYED")
        after = attempts.unchanged(before)
    assert after.new_events(before) == []
    assert attempts.target.job() == UNTOUCHED
    assert [result for result in ran.of("job") if result.outcome not in ("refused", "planned")] == []
    assert ran.refusals[-1].code == code


@pytest.mark.parametrize("way", chosen(FROM_CONTROLLER))
def test_the_collection_refuses(attempts, way):
    refused(attempts, attempts.shipped, way, way.code)


# Where both refuse for the same reason, it is the host that does.
@pytest.mark.parametrize("way", chosen([way for way in FROM_CONTROLLER if ALL or way.code != way.bare]))
def test_the_host_refuses_by_itself(attempts, way):
    refused(attempts, attempts.bare, way, way.bare)


@pytest.mark.parametrize("way", chosen(FROM_CONTROLLER))
def test_nothing_but_the_guard_refused(attempts, way):
    """The positive control."""
    if way.by == "commit":
        # Nobody else's is in the way.
        attempts.put_back(clearance_too=True)
        spare, commit = FORGED, "$HEAD"
    else:
        spare, commit = attempts.token, "$UNDEPLOYED"
    with attempts.trying(way):
        ran = attempts.run(attempts.bare, way.control or way.run, spare, commit)
    assert [result.outcome for result in ran.of("job")][-1:] == ["applied"]
    assert attempts.target.job() == DONE
    attempts.put_back(clearance_too=way.by == "commit")


@pytest.mark.parametrize("way", chosen(ON_HOST))
def test_the_module_on_the_host_refuses(attempts, way):
    token = attempts.token
    with attempts.trying(way) as before:
        tried = attempts.call(way.options)
        after = attempts.unchanged(before)
    (result,) = tried.results
    assert (tried.rc, result.status, result.outcome, result.code) == (2, "failed", "refused", way.code)
    assert [event["kind"] for event in after.new_events(before) if event["kind"].startswith("action")] == []
    assert attempts.target.job() == UNTOUCHED
    # The positive control: the same call, when nothing is wrong.
    if way.new_clearance:
        attempts.put_back(clearance_too=True)
        assert attempts.token != token
    options = {name: value for name, value in way.options.items() if (name, value) == ("approve", "auto")}
    assert attempts.call(options).results[-1].outcome == "applied"
    assert attempts.target.job() == DONE
    attempts.put_back()


@pytest.mark.parametrize("way", chosen(FOR_CLEARANCE))
def test_no_clearance_is_granted(attempts, way):
    attempts.put_back(clearance_too=True)
    with attempts.trying(way) as before:
        asked = attempts.ask(way.options)
        after = attempts.unchanged(before)
    assert [result.code for result in asked.results] == [way.code]
    assert after.new_events(before) == []
    assert attempts.ask({}).results[-1].outcome == "applied"
    attempts.put_back(clearance_too=True)


def test_the_same_is_not_done_twice(attempts):
    """It is done, which is the positive control; the job fails again in the same way; the same plan is approved again."""
    target = attempts.target
    assert attempts.call({}).results[-1].outcome == "applied"
    target.script("""sql "update archive_jobs set status = 'failed' where id = $JOB" """)
    before = target.state()
    tried = attempts.call({})
    attempts.unchanged(before)
    assert [result.code for result in tried.results] == ["parked"]
    attempts.put_back()
