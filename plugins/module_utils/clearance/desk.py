# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Granting, renewing and releasing a clearance (design 7): whoever does so has the turn to act meanwhile, so that of two who ask
exactly one gets it, and none is taken away from under an act. Private to this collection."""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from .. import change, clearance, events, identity, opened, origin, runtime
from ..audit import AuditLog, Paths
from ..events import BadEvent, Draft
from ..parse import times
from ..probe import Context
from ..refusal import Refusal
from ..settings import BadInput
from ..shapes import counted
from . import decide, ended, holder, permit, standing, wish
from .decide import Decision
from .facts import Facts
from .permit import Stored
from .standing import Standing
from .survey import survey
from .wish import Wish

GRANTED, RENEWED, RELEASED = "granted", "renewed", "released"
ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "incident": {"type": "str"},
    "state": {"type": "str", "choices": [GRANTED, RENEWED, RELEASED], "default": GRANTED},
    "required_commit": {"type": "list", "elements": "str"},
    "no_repo_change_reason": {"type": "str"},
    "ttl_minutes": {"type": "int", "default": wish.DEFAULT_MINUTES},
    "clearance": {"type": "str"},
    "force_reason": {"type": "str"},
    "replaces": {"type": "str"},
    **{name: {"type": "str"} for name in change.CALLER},
}
# The texts among them that people typed.
TYPED = ("no_repo_change_reason", "force_reason")
_MOST_SECONDS = wish.MOST_MINUTES * 60
# The holder's own end is only for the day on which the timer that ends it is gone.
_FUSE_SECONDS = _MOST_SECONDS + 60
# How long one who asks waits for another who asks.
_TURN_SECONDS = 30.0
_LOOK_SECONDS = 45.0
_ENDED_RUN = "The run that held it had ended."
_MARKS = tuple(b'"kind":"clearance_%s"' % word for word in (b"granted", b"released", b"expired"))


class Desk(NamedTuple):
    """One who asks, and the host that is asked."""

    context: Context
    log: AuditLog
    parameters: Mapping[str, Any]

    @property
    def incident(self) -> str:
        return str(self.parameters["incident"])


def run(context: Context, parameters: Mapping[str, Any], check_mode: bool) -> Dict[str, Any]:
    """Raises nothing: the result has ``outcome`` and ``changed`` and, where it was refused, ``code``, ``detail``, ``next_step``
    and ``evidence``."""
    said: Dict[str, Any] = {"incident": parameters["incident"], "state": parameters["state"]}
    try:
        return {**said, **_answer(context, parameters, check_mode)}
    except BadInput as error:
        return {**said, **change.refused(error)}
    except BadEvent as error:
        refusal = Refusal(
            "bad_event", "This cannot be recorded: %s." % str(error).rstrip("."), "Correct it: nothing was done."
        )
        return {**said, **change.refused(refusal)}


def _answer(context: Context, parameters: Mapping[str, Any], check_mode: bool) -> Dict[str, Any]:
    where = context.settings
    caller = [parameters[name] for name in change.CALLER]
    desk = Desk(
        context,
        AuditLog(Paths(where.ops_directory), origin.find(where.checkout, *caller), context.redactor),
        parameters,
    )
    events.kept_origin(desk.log.origin, context.redactor)
    state = parameters["state"]
    if state == RELEASED:
        # Also when the incident is over, or nobody knows which it was: what is held must always be possible to give back.
        return _release(desk, check_mode)
    if parameters["incident"] is None:
        raise Refusal(
            "incident_missing",
            "No incident was named, and nothing is changed without one.",
            "Open one (playbook open_incident), then name it: -e incident=ID",
        )
    opened.check(desk.log, desk.incident)
    if state == GRANTED:
        asked = wish.wish(parameters["required_commit"], parameters["no_repo_change_reason"])
        return _grant(desk, asked, wish.seconds(parameters["ttl_minutes"]), check_mode)
    return _renew(desk, wish.seconds(parameters["ttl_minutes"]), check_mode)


@contextlib.contextmanager
def _turn(desk: Desk) -> Iterator[None]:
    """The turn to act; whoever else asks for a clearance has it for some seconds only, and is waited for."""
    who = {"action": "clearance", **{name: desk.parameters[name] for name in ("incident", "operator", "run")}}
    end = time.monotonic() + _TURN_SECONDS
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(runtime.acting(who))
                break
            except Refusal as refusal:
                other = refusal.evidence.get("acting") or {}
                if refusal.code != "busy" or other.get("action") != "clearance" or time.monotonic() > end:
                    raise
            time.sleep(0.05)
        yield


def _grant(desk: Desk, asked: Wish, seconds: int, check_mode: bool) -> Dict[str, Any]:
    if check_mode:
        found = permit.read()
        _check_not_held(desk, None if found is None or _is_of_an_ended_run(desk, found) else found)
        seen = _decided(desk, asked)
        return {"outcome": "planned", "changed": False, **_told(seen.decision, seen.facts)}
    with _turn(desk):
        found = _settled(desk)
        if found is not None and _is_of_an_ended_run(desk, found):
            _end(desk, found, _ENDED_RUN, False)
            found = None
        _check_not_held(desk, found)
        seen = _decided(desk, asked)
        token = permit.new_token()
        stored = _hold(desk, _stored(desk, asked, seconds, token, seen), seen, seconds)
    return {
        "outcome": "applied",
        "changed": True,
        "token": token,
        "detail": _granted(stored),
        "clearance": clearance.described(stored),
        **_told(seen.decision, seen.facts),
    }


class _Seen(NamedTuple):
    decision: Decision
    facts: Facts
    standing: Standing


def _decided(desk: Desk, asked: Wish) -> _Seen:
    """What the host shows, if it is enough; :class:`Refusal`."""
    own = desk.context._replace(deadline=time.monotonic() + _LOOK_SECONDS)
    facts, stand = survey(own, asked)
    decision = decide.decide(facts, asked)
    if decision.granted and stand is not None:
        return _Seen(decision, facts, stand)
    first = decision.refusals[0]
    raise Refusal(
        first.code,
        " ".join(each.message for each in decision.refusals),
        first.next_step,
        **_told(decision, facts),
    )


def _told(decision: Decision, facts: Facts) -> Dict[str, Any]:
    return {
        "refusals": [each.described() for each in decision.refusals],
        "remarks": [each.described() for each in decision.remarks],
        "behind": decide.behind((*decision.refusals, *decision.remarks)),
        "facts": facts.described(),
    }


def _stored(desk: Desk, asked: Wish, seconds: int, token: str, seen: _Seen) -> Stored:
    now, boottime = time.time(), permit.boottime()
    where = desk.context.settings
    return Stored(
        clearance_id="clearance-" + secrets.token_hex(6),
        token_digest=permit.digest(token),
        incident=desk.incident,
        **{name: desk.parameters[name] for name in change.CALLER},
        granted_at=times.from_epoch(now),
        expires_at=times.from_epoch(now + seconds),
        expires_boottime=boottime + seconds,
        limit_at=times.from_epoch(now + _MOST_SECONDS),
        limit_boottime=boottime + _MOST_SECONDS,
        boot_id=identity.boot_id(),
        invocation="",
        checkout=where.checkout,
        lock_file=where.deploy_lock_file,
        **{name: getattr(where, name) for name in ("env_file", "service_user", "ops_directory")},
        required_commits=_required(seen),
        no_repo_change_reason=asked.reason,
        standing=seen.standing.kept(),
    )


def _granted(stored: Stored) -> str:
    if stored.required_commits:
        names = ", ".join(sha[:12] for sha in stored.required_commits)
        return "%s is deployed and live; the deploy lock is held until %s." % (names, stored.expires_at)
    return "No commit was demanded; the deploy lock is held until %s." % stored.expires_at


def _required(seen: _Seen) -> Tuple[str, ...]:
    return tuple(commit.sha for commit in seen.facts.required if commit.sha is not None)


def _hold(desk: Desk, stored: Stored, seen: _Seen, seconds: int) -> Stored:
    """Take the lock, see under it that nothing has moved, record it, write the permit, and return that. What fails leaves none of
    it."""
    data = {
        "clearance_id": stored.clearance_id,
        "holder": stored.holder,
        "until": stored.expires_at,
        "reason": stored.no_repo_change_reason,
        "required_commits": list(stored.required_commits) or None,
    }
    # What cannot be recorded is known before anything is done.
    events.kept_data("clearance_granted", data, desk.context.redactor)
    holder.start(desk.context, seconds, _FUSE_SECONDS, "Holds the deploy lock: clearance for %s" % stored.incident)
    recorded = False
    try:
        now = standing.look(desk.context)
        invocation = "" if now.holder is None else now.holder.invocation
        if now.kept() != seen.standing.kept() or not holder.holds_for(now.holder, stored.lock_file, invocation):
            raise Refusal(
                "moved_meanwhile",
                "The checkout or its environment was changed while it was looked at.",
                "See who is at work there (git -C %s reflog), then ask again." % stored.checkout,
            )
        stored = stored._replace(invocation=invocation)
        desk.log.append(Draft("clearance_granted", data, stored.incident))
        recorded = True
        permit.write(stored)
        return stored
    except BaseException:
        holder.stop(desk.context)
        if recorded:
            ended.record(desk.log, "clearance_released", stored, "The permit could not be written.")
        raise


def _renew(desk: Desk, seconds: int, check_mode: bool) -> Dict[str, Any]:
    token = desk.parameters["clearance"]
    with contextlib.nullcontext() if check_mode else _turn(desk):
        clearance.check(desk.context, token, desk.incident, 0)
        found = permit.read()
        if found is None:
            raise Refusal("clearance_missing", "The clearance has just ended.", "Ask for a new one.")
        most = int(found.seconds_to_limit())
        if seconds > most:
            raise Refusal(
                "renewal_too_long",
                "The clearance can last until %s at most, %s from now."
                % (found.limit_at, counted(most // 60, "minute", "minutes")),
                "Renew it for less, or release it and ask for a new one.",
            )
        if check_mode:
            return {"outcome": "planned", "changed": False, "clearance": clearance.described(found)}
        renewed = found._replace(
            expires_at=times.from_epoch(time.time() + seconds), expires_boottime=permit.boottime() + seconds
        )
        data = {"clearance_id": renewed.clearance_id, "holder": renewed.holder, "until": renewed.expires_at}
        desk.log.append(Draft("clearance_renewed", data, renewed.incident))
        holder.extend(desk.context, seconds)
        permit.write(renewed)
    return {"outcome": "applied", "changed": True, "clearance": clearance.described(renewed)}


def _release(desk: Desk, check_mode: bool) -> Dict[str, Any]:
    token, reason = desk.parameters["clearance"], desk.parameters["force_reason"]
    if reason is not None and not wish.says_something(reason):
        raise Refusal(
            "bad_reason", "force_reason says nothing.", "Say in your own words why somebody's clearance is taken away."
        )
    with contextlib.nullcontext() if check_mode else _turn(desk):
        found = _readable(desk, reason, check_mode)
        if not check_mode:
            found = _settled(desk)
        if found is None:
            return {"outcome": "nothing_to_do", "changed": False, "detail": "There is no clearance on this host."}
        own = bool(token) and found.is_for(str(token))
        if not own and reason is None and _is_of_an_ended_run(desk, found):
            own, reason = True, _ENDED_RUN
        if not own and reason is None:
            raise _held(desk, found)
        result: Dict[str, Any] = {"clearance": clearance.described(found)}
        if check_mode:
            return {"outcome": "planned", "changed": False, **result}
        result["not_recorded"] = _end(desk, found, reason, not own)
    return {"outcome": "applied", "changed": True, **result}


def _readable(desk: Desk, reason: Optional[str], check_mode: bool) -> Optional[Stored]:
    """The permit; one that cannot be believed is thrown away, where somebody says why."""
    try:
        return permit.read()
    except Refusal as refusal:
        if refusal.code != "clearance_unreadable" or reason is None or check_mode:
            raise
    holder.stop(desk.context)
    permit.remove()
    return None


def _end(desk: Desk, found: Stored, reason: Optional[str], forced: bool) -> Optional[str]:
    """Why it could not be recorded, or None: it is over all the same, since what is held must always be possible to give back."""
    # The permit first: what has no permit lets nobody act, and a lock without one is cleared away by whoever comes next.
    permit.remove()
    holder.stop(desk.context)
    try:
        ended.record(desk.log, "clearance_released", found, reason, forced)
    except BadInput as error:
        return str(error)
    return None


def _settled(desk: Desk) -> Optional[Stored]:
    """The clearance that holds. What is left of others is taken away and its end recorded."""
    found = permit.read()
    units = holder.show(desk.context)
    why = None if found is None else _over(found, units.holder)
    if found is not None and why is None:
        return found
    if units.left:
        holder.stop(desk.context)
    if found is not None:
        ended.record(desk.log, "clearance_expired", found, why)
        permit.remove()
    for clearance_id, incident, data in _without_end(desk.log):
        lost = {**data, "reason": "Its end was not recorded: the host was rebooted, or who released it was cut off."}
        desk.log.append(Draft("clearance_expired", lost, incident, ended.end_id(clearance_id)), once=True)
    return None


def _over(found: Stored, unit: holder.Unit) -> Optional[str]:
    """Why it does not hold any more, or None."""
    if found.boot_id != identity.boot_id():
        return "The host was rebooted."
    if found.seconds_left() <= 0:
        return "It expired."
    if not holder.holds_for(unit, found.lock_file, found.invocation):
        return "Its lock was let go."
    return None


def _without_end(log: AuditLog) -> List[Tuple[str, Optional[str], Dict[str, Any]]]:
    granted: Dict[str, Tuple[str, Optional[str], Dict[str, Any]]] = {}
    with log.reading() as snapshot:
        for event in snapshot.marked(_MARKS, 0, snapshot.size):
            if event is None:
                continue
            name = event["data"]["clearance_id"]
            if event["kind"] == "clearance_granted":
                data = {key: event["data"].get(key) for key in ("clearance_id", "holder", "until")}
                granted[name] = (name, event["incident"], data)
            else:
                granted.pop(name, None)
    return list(granted.values())


def _is_of_an_ended_run(desk: Desk, found: Stored) -> bool:
    """Whether it is the clearance of which the caller knows that its run has ended: the caller's own, on this controller."""
    if found.clearance_id != desk.parameters["replaces"]:
        return False
    return all(
        getattr(found, name) is not None and getattr(found, name) == desk.parameters[name]
        for name in ("operator", "controller")
    )


def _check_not_held(desk: Desk, found: Optional[Stored]) -> None:
    if found is not None and _over(found, holder.show(desk.context).holder) is None:
        raise _held(desk, found)


def _held(desk: Desk, found: Stored) -> Refusal:
    return Refusal(
        "held_by_other",
        "%s has a clearance on this host for %s, until %s." % (found.holder, found.incident, found.expires_at),
        "Wait, or talk to whoever that is. If that run is dead, take it away and say why: playbook release_clearance "
        "-e force_reason='...'",
        clearance=clearance.described(found),
    )
