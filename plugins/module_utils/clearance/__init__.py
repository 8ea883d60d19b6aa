# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exclusive, expiring permit on the host without which nothing is changed (design 7). Private to this collection.

:func:`check` is the guarantee: it is made on the host, of the host, by the module that acts.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from .. import identity
from ..probe import Context
from ..refusal import Refusal
from . import ended, holder, permit, standing


class Permit(NamedTuple):
    """What was granted. Times as the record writes them, UTC; ``head`` is the full commit that it was granted for."""

    clearance_id: str
    incident: str
    holder: str
    granted_at: str
    expires_at: str
    head: str
    required_commits: Tuple[str, ...] = ()
    no_repo_change_reason: Optional[str] = None


_ASK = "Ask for one: run the playbook again with approve=PLAN_ID, whose precondition does."


def check(context: Context, token: Optional[str], incident: str, seconds: int) -> Permit:
    """The permit, if it is this caller's, of this incident, lasts ``seconds`` more, and what it proved still holds.

    :class:`Refusal` otherwise.
    """
    if not token:
        raise Refusal("clearance_missing", "No clearance was given.", _ASK)
    found = permit.read()
    if found is None:
        raise Refusal("clearance_missing", "There is no clearance on this host, or it has ended.", _ASK)
    if not found.is_for(token):
        raise Refusal(
            "clearance_unknown",
            "The clearance of this host is another one than was given: it is %s's until %s."
            % (found.holder, found.expires_at),
            "Yours has ended. " + _ASK,
            clearance=described(found),
        )
    _check_here(context, found, incident)
    _check_time(context, found, seconds)
    stand = standing.look(context)
    if not holder.holds_for(stand.holder, found.lock_file, found.invocation):
        raise Refusal(
            "clearance_lock_lost",
            "The clearance does not hold the deploy lock %s any more: a deploy may have run." % found.lock_file,
            "See who let it go (journalctl -u %s). %s" % (holder.UNIT, _ASK),
        )
    _check_standing(context, found, stand)
    return of(found)


def of(found: permit.Stored) -> Permit:
    return Permit(
        *(found.clearance_id, found.incident, found.holder, found.granted_at, found.expires_at, found.head),
        *(found.required_commits, found.no_repo_change_reason),
    )


def described(found: permit.Stored) -> dict:
    """As modules return it, without the token's digest."""
    return {
        **of(found)._asdict(),
        "required_commits": list(found.required_commits),
        "operator": found.operator,
        "controller": found.controller,
        "run": found.run,
        "seconds_left": max(int(found.seconds_left()), 0),
        "unit": holder.UNIT,
        "lock_file": found.lock_file,
    }


def _check_here(context: Context, found: permit.Stored, incident: str) -> None:
    if found.boot_id != identity.boot_id():
        raise Refusal("clearance_of_another_boot", "The host was rebooted since the clearance was granted.", _ASK)
    if found.incident != incident:
        raise Refusal(
            "clearance_of_another_incident",
            "The clearance was granted for incident %s, not for %s." % (found.incident, incident),
            "Act in the name of that incident, or release it and ask for one of this.",
        )
    for name, granted in (
        ("checkout", found.checkout),
        ("deploy_lock_file", found.lock_file),
        *((name, getattr(found, name)) for name in ("env_file", "service_user", "ops_directory")),
    ):
        asked = getattr(context.settings, name)
        if granted != asked:
            raise Refusal(
                "clearance_of_another_checkout",
                "The clearance was granted with the %s %s, not with %s." % (name, granted, asked),
                "See which of the two is the service's, and where the other was set.",
            )


def _check_time(context: Context, found: permit.Stored, seconds: int) -> None:
    left = found.seconds_left()
    if left <= 0:
        problem = ended.expired(context, found)
        raise Refusal(
            "clearance_expired",
            "The clearance expired at %s." % found.expires_at,
            _ASK,
            not_recorded=problem,
        )
    if left < seconds:
        raise Refusal(
            "clearance_too_short",
            "The clearance expires at %s, in %d seconds, and this may take %d." % (found.expires_at, left, seconds),
            "Release it and ask for a longer one: -e precondition_ttl_minutes=N",
        )


def _check_standing(context: Context, found: permit.Stored, stand: standing.Standing) -> None:
    if stand.head != found.head:
        raise Refusal(
            "head_moved",
            "The clearance is for commit %s, and the checkout is at %s." % (found.head, stand.head),
            "See who moved it (git -C %s reflog). Then run the playbook without approve, and read the new plan."
            % context.settings.checkout,
        )
    if stand.tree != found.standing["tree"]:
        raise Refusal(
            "tree_dirty",
            "%s was changed since the clearance was granted: %s."
            % (context.settings.checkout, ", ".join(stand.differing[:5]) or "it is as it was committed now"),
            "See who changes it: git -C %s status. Then release the clearance and ask again."
            % context.settings.checkout,
        )
    if not found.required_commits:
        return
    for name, code, what in (
        ("code_changed_us", "code_changed", "A Python file of the checkout was written"),
        ("environment_changed_us", "environment_changed", "The virtual environment was changed"),
    ):
        now = getattr(stand, name)
        if now is None or now != found.standing[name]:
            raise Refusal(
                code,
                "%s since the clearance was granted." % what,
                "See who did (ls -lt %s). Then release the clearance and ask again." % context.settings.checkout,
            )
    for unit in standing.UNITS:
        current = stand.current(unit)
        if current is None:
            raise Refusal(
                "process_unknown",
                "It is not known any more whether %s runs what is checked out: %s" % (unit, " ".join(stand.problems)),
                "See since when it runs: systemctl status %s" % unit,
            )
        if not current:
            raise Refusal(
                "process_behind",
                "%s does not run what is checked out any more." % unit,
                "See since when and from where it runs: systemctl status %s" % unit,
            )
