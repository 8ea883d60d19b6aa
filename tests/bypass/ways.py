# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known ways round the guard, as data: what somebody does, and with which code it is refused.

docs/bypass-register.md is written from this file (`make docs`); test_ways_round.py tries each of them on a real host.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple, Optional, Sequence, Tuple

# What is put in place of these words wherever they stand in an attempt.
WORDS = (
    # incidents: open, open as well, ended
    *("$INCIDENT", "$OTHER", "$CLOSED"),
    # the plan that was shown, and that of the other incident
    *("$PLAN", "$OTHER_PLAN"),
    # a clearance that is none, and the one that is used: that, or in a positive control one that is good
    *("$FORGED", "$SPARE"),
    # commits: deployed, the one before, one that is on main and not deployed, its first 12 digits
    *("$HEAD", "$FORMER", "$UNDEPLOYED", "$SHORT"),
    *("$HOST", "$JOB"),
)


class Run(NamedTuple):
    """How Ansible is started. ``play``: a playbook of somebody's own; None for the collection's recover_failed_jobs.
    ``command``: a whole command line, in place of a playbook. ``settings``: of ansible.cfg. ``typed``: at prompts.
    ``earlier``: a playbook that was run before."""

    play: Optional[Sequence[Mapping[str, Any]]] = None
    arguments: Tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    settings: Mapping[str, Mapping[str, str]] = {}
    typed: str = ""
    earlier: Optional[Sequence[Mapping[str, Any]]] = None
    command: Tuple[str, ...] = ()
    variables: Mapping[str, Any] = {}


class FromController(NamedTuple):
    """A way round by how Ansible is run, on a host without a clearance where the demanded commit is not deployed.

    ``code``: as the collection is. ``bare``: with a copy of which what looks at the controller is cut out, so that only the host
    is left. The positive control is ``control``, or the same run with that
    copy:
    where ``by`` is clearance, on a host with a good one, whose token it has; where it is commit, with a commit that is deployed.
    """

    name: str
    family: str
    what: str
    code: str
    bare: str
    run: Run
    by: str = "clearance"
    control: Optional[Run] = None
    happens: str = ""
    undone: str = ""
    sample: bool = False


_COLLECTION = "healtharchive.remediation."
_TOKEN = "{{ (precondition_granted | default({})).token | default('$SPARE') }}"
ACT = {
    "job_id": "$JOB",
    "state": "retryable",
    "incident": "$INCIDENT",
    "approve": "$PLAN",
    "clearance": _TOKEN,
}


GUARD = {"name": "Guard", "ansible.builtin.import_role": {"name": _COLLECTION + "precondition"}}
BECOME = {"become": True, "gather_facts": False}


def _guard(**more: Any) -> Mapping[str, Any]:
    return {**GUARD, **more}


def _act(options: Mapping[str, Any] = ACT, **more: Any) -> Mapping[str, Any]:
    return {"name": "Act", _COLLECTION + "job": dict(options), **more}


def _play(*tasks: Mapping[str, Any], **more: Any) -> Sequence[Mapping[str, Any]]:
    return [{"hosts": "$HOST", **BECOME, "tasks": list(tasks), **more}]


_GUARD_THEN_ACT = _play(_guard(tags=["always"]), _act(tags=["recover"]))
# What a task would have registered, had the host said so.
VERDICT = {"failed": False, "changed": True, "outcome": "applied", "token": "$SPARE", "plan_id": "$PLAN"}

FROM_CONTROLLER: Tuple[FromController, ...] = (
    FromController(
        "front_door",
        "door",
        "Run the recovery as it is meant to be run, with a commit that is not deployed",
        *("required_commit_not_deployed", "required_commit_not_deployed"),
        Run(),
        by="commit",
    ),
    FromController(
        "check_mode",
        "door",
        "Run it with --check, so that the guard is left out and the plan looks clean",
        *("required_commit_not_deployed", "required_commit_not_deployed"),
        Run(_play(_guard()), ("--check",)),
        by="commit",
        control=Run(_play(_guard(), _act())),
    ),
    # --- leaving tasks out
    FromController(
        "tags",
        "left out",
        "--tags with the tag of the task that acts",
        *("clearance_missing", "clearance_missing"),
        Run(_play(_guard(), _act(tags=["recover"])), ("--tags", "recover")),
    ),
    FromController(
        "skip_tags_flag",
        "left out",
        "--skip-tags always, where the guard is tagged always",
        *("unsafe_setting", "clearance_missing"),
        Run(_GUARD_THEN_ACT, ("--skip-tags", "always")),
    ),
    FromController(
        "skip_tags_environment",
        "left out",
        "The same by the environment variable ANSIBLE_SKIP_TAGS",
        *("unsafe_setting", "clearance_missing"),
        Run(_GUARD_THEN_ACT, environment={"ANSIBLE_SKIP_TAGS": "always"}),
    ),
    FromController(
        "skip_tags_settings",
        "left out",
        "The same by ansible.cfg",
        *("unsafe_setting", "clearance_missing"),
        Run(_GUARD_THEN_ACT, settings={"tags": {"skip": "always"}}),
    ),
    FromController(
        "start_at_the_act",
        "left out",
        "--start-at-task with the name of the task that acts",
        *("unsafe_setting", "clearance_missing"),
        Run(_GUARD_THEN_ACT, ("--start-at-task", "Act")),
    ),
    FromController(
        "step",
        "left out",
        "--step, saying no to the guard and yes to the act",
        *("unsafe_setting", "clearance_missing"),
        Run(
            _play({"name": "First", "ansible.builtin.meta": "noop"}, _guard(), _act()),
            ("--step",),
            typed="n\nn\nn\nc\n",
        ),
    ),
    FromController(
        "tasks_from",
        "left out",
        "Use only the part of the role that acts (tasks_from)",
        *("required_commit_not_deployed", "required_commit_not_deployed"),
        Run(
            _play(
                {
                    "ansible.builtin.import_role": {
                        "name": _COLLECTION + "recover_failed_jobs",
                        "tasks_from": "approved",
                    }
                }
            )
        ),
        by="commit",
    ),
    FromController(
        "ad_hoc_module",
        "left out",
        "Call the module with no playbook",
        *("clearance_missing", "clearance_missing"),
        Run(
            command=(
                "ansible",
                "-b",
                "$HOST",
                "-m",
                _COLLECTION + "job",
                "-a",
                json.dumps({**ACT, "clearance": "$SPARE"}),
            )
        ),
        sample=True,
    ),
    FromController(
        "ad_hoc_role",
        "left out",
        "Call the acting part of the role with no playbook",
        *("required_commit_not_deployed", "required_commit_not_deployed"),
        Run(
            command=(
                *("ansible", "-b", "$HOST", "-m", "ansible.builtin.include_role"),
                *("-a", "name=%srecover_failed_jobs tasks_from=approved" % _COLLECTION),
            )
        ),
        by="commit",
    ),
    # --- variables in place of what the host said
    FromController(
        "extra_variable_over_the_register",
        "forged",
        "-e over the variable that the guard registers",
        *("bad_input", "clearance_missing"),
        Run(_play(_act()), variables={"precondition_granted": VERDICT}),
    ),
    FromController(
        "play_variable_over_the_register",
        "forged",
        "The same by a variable of the play or of the inventory, with the guard left out",
        *("clearance_missing", "clearance_missing"),
        Run(_play(_act(), vars={"precondition_granted": VERDICT})),
        sample=True,
    ),
    FromController(
        "fact_cache",
        "forged",
        "A fact cache with the verdict of last week",
        *("clearance_missing", "clearance_missing"),
        Run(
            _play(_act({**ACT, "clearance": "{{ precondition_granted.token }}"})),
            settings={"defaults": {"fact_caching": "jsonfile", "fact_caching_connection": "cache"}},
            earlier=_play({"ansible.builtin.set_fact": {"precondition_granted": VERDICT, "cacheable": True}}),
        ),
    ),
    FromController(
        "module_defaults",
        "forged",
        "module_defaults that fill in approval and clearance, so that the task that plans acts",
        *("clearance_missing", "clearance_missing"),
        Run(
            _play(
                {"ansible.builtin.import_role": {"name": _COLLECTION + "recover_failed_jobs"}},
                module_defaults={_COLLECTION + "job": {"approve": "$PLAN", "clearance": "$SPARE"}},
            ),
        ),
    ),
    # --- hiding the refusal
    FromController(
        "ignore_errors_of_the_play",
        "hidden",
        "ignore_errors for the whole play",
        *("unsafe_setting", "clearance_missing"),
        Run(_play(_guard(), _act(), ignore_errors=True)),
    ),
    FromController(
        "ignore_errors_of_an_include",
        "hidden",
        "ignore_errors applied to what is included",
        *("clearance_missing", "clearance_missing"),
        Run(
            _play(
                {
                    "ansible.builtin.include_role": {
                        "name": _COLLECTION + "precondition",
                        "apply": {"ignore_errors": True},
                    }
                },
                _act(),
            )
        ),
    ),
    FromController(
        "ignore_unreachable",
        "hidden",
        "ignore_unreachable, with the guard sent to a port where nobody answers",
        *("unsafe_setting", "link_broke"),
        Run(_play(_guard(vars={"ansible_port": 9}), _act(), ignore_unreachable=True)),
        by="commit",
        control=Run(_play(_guard(), _act(), ignore_unreachable=True)),
    ),
    FromController(
        "failed_when",
        "hidden",
        "failed_when on the task that acts, so that no refusal is one",
        *("unsafe_setting", "clearance_missing"),
        Run(_play(_act(failed_when=["1 == 2"]))),
        sample=True,
    ),
    FromController(
        "rescue",
        "hidden",
        "A rescue round the guard that does nothing",
        *("clearance_missing", "clearance_missing"),
        Run(_play({"block": [_guard()], "rescue": [{"ansible.builtin.meta": "noop"}]}, _act())),
    ),
    FromController(
        "force_handlers",
        "hidden",
        "force_handlers, with the act in a handler that was notified before the guard refused",
        *("clearance_missing", "clearance_missing"),
        Run(
            _play(
                {"ansible.builtin.command": "true", "notify": "Act", "changed_when": True},
                _guard(),
                handlers=[_act()],
                force_handlers=True,
            )
        ),
    ),
    FromController(
        "retries",
        "hidden",
        "Retries until the host gives in",
        *("clearance_missing", "clearance_missing"),
        Run(_play(_act(register="tried", retries=2, delay=0, until="tried is succeeded"))),
    ),
    FromController(
        "broken_conditionals",
        "hidden",
        "Assert a verdict that is the text false, where conditions that are none count as true (ALLOW_BROKEN_CONDITIONALS)",
        *("unsafe_setting", "clearance_missing"),
        Run(
            _play(
                {"block": [_guard()], "rescue": [{"ansible.builtin.meta": "noop"}]},
                {"ansible.builtin.assert": {"that": ["verdict"]}, "vars": {"verdict": "false"}},
                _act(),
            ),
            environment={"ANSIBLE_ALLOW_BROKEN_CONDITIONALS": "1"},
        ),
    ),
    # --- other programs than the host's own
    FromController(
        "other_programs",
        "deceived",
        "A PATH, and variables of git, that lead to a git which says what is wanted",
        *("required_commit_not_deployed", "required_commit_not_deployed"),
        Run(
            _play(
                _guard(),
                _act(),
                environment={
                    "PATH": "/var/lib/kept/bin:/usr/bin:/bin",
                    "GIT_DIR": "/home/haadmin/elsewhere/.git",
                    "GIT_WORK_TREE": "/home/haadmin/elsewhere",
                    "GIT_CONFIG_COUNT": "1",
                    "GIT_CONFIG_KEY_0": "safe.directory",
                    "GIT_CONFIG_VALUE_0": "*",
                },
            )
        ),
        by="commit",
        happens="""
            as_owner git clone --quiet --no-hardlinks /srv/git/healtharchive.git /home/haadmin/elsewhere
            mkdir -p $KEPT/bin; chmod 755 $KEPT $KEPT/bin
            printf '#!/bin/sh\necho %s\n' $UNDEPLOYED >$KEPT/bin/git
            printf '#!/bin/sh\nexit 0\n' >$KEPT/bin/systemctl
            chmod 755 $KEPT/bin/*
        """,
        undone="rm -r /home/haadmin/elsewhere $KEPT/bin",
    ),
)


class OnHost(NamedTuple):
    """A way round the module on the host: with a good clearance, something of the host or of what is said to it is changed, and
    the module is called.

    ``happens``: a script that does it, as root; ``undone``: one that takes it back, after which the same call must succeed. Where
    that cannot be, the call after a new clearance must.
    """

    name: str
    family: str
    what: str
    code: str
    happens: str = ""
    undone: str = ""
    new_clearance: bool = False
    options: Mapping[str, Any] = {}
    sample: bool = False


_MOVED = "put_checkout_back"

ON_HOST: Tuple[OnHost, ...] = (
    # --- the permit
    OnHost(
        "no_clearance",
        "clearance",
        "Leave the clearance out",
        "clearance_missing",
        options={"clearance": None},
    ),
    OnHost("guessed_token", "clearance", "Guess the token", "clearance_unknown", options={"clearance": "$FORGED"}),
    OnHost(
        "forged_permit",
        "clearance",
        "Write a permit by hand, with a token of one's own, where none was granted",
        "clearance_lock_lost",
        happens="""
            end_holder
            edit_permit 'import hashlib; p["token_digest"] = hashlib.sha256(b"'$FORGED'").hexdigest()'
        """,
        options={"clearance": "$FORGED"},
        new_clearance=True,
    ),
    OnHost(
        "copied_permit",
        "clearance",
        "Keep a copy of a permit, and put it back when it was released",
        "clearance_lock_lost",
        happens="cp -p $PERMIT $KEPT/permit; rm $PERMIT; end_holder; cp -p $KEPT/permit $PERMIT",
        new_clearance=True,
    ),
    OnHost(
        "copied_permit_and_a_lock",
        "clearance",
        "The same, and hold the deploy lock by hand meanwhile",
        "clearance_lock_lost",
        happens="""
            end_holder
            systemd-run --quiet --unit=by-hand flock --no-fork $DEPLOY_LOCK sleep 600
            until ! flock --nonblock $DEPLOY_LOCK true; do :; done
        """,
        undone="systemctl stop by-hand",
        new_clearance=True,
    ),
    OnHost(
        "copied_permit_over_a_newer",
        "clearance",
        "Put the copy of a permit that was released over that of a newer clearance, which holds the lock",
        "clearance_lock_lost",
        happens="""
            end_holder
            systemd-run --quiet --unit=$HOLDER --uid=haadmin flock --no-fork $DEPLOY_LOCK sleep 600
            until ! flock --nonblock $DEPLOY_LOCK true; do :; done
        """,
        new_clearance=True,
        sample=True,
    ),
    OnHost(
        "permit_of_somebody_else",
        "clearance",
        "Make the permit a file that others than root can write",
        "clearance_unreadable",
        happens="chown haadmin $PERMIT",
        undone="chown root $PERMIT",
    ),
    OnHost(
        "permit_is_a_link",
        "clearance",
        "Put a link to a file of one's own in the permit's place",
        "clearance_unreadable",
        happens="mv $PERMIT $KEPT/permit; ln -s $KEPT/permit $PERMIT",
        undone="rm $PERMIT; mv $KEPT/permit $PERMIT",
    ),
    OnHost(
        "directory_for_everybody",
        "clearance",
        "Let everybody write where the permit lies",
        "runtime_unsafe",
        happens="chmod 0777 $RUNTIME",
        undone="chmod 0700 $RUNTIME",
    ),
    OnHost(
        "expired",
        "clearance",
        "Use a clearance that has expired",
        "clearance_expired",
        happens="""edit_permit 'p["expires_at"] = "2020-01-01T00:00:00Z"'""",
        new_clearance=True,
    ),
    OnHost(
        "clock_put_back",
        "clearance",
        "Put the host's clock back, so that an expired clearance looks good",
        "clearance_expired",
        happens="""edit_permit 'p["expires_boottime"] = 1.0'""",
        new_clearance=True,
    ),
    OnHost(
        "ends_too_soon",
        "clearance",
        "Begin with a clearance that ends before the change does",
        "clearance_too_short",
        happens="""edit_permit 'import time; p["expires_boottime"] = time.clock_gettime(time.CLOCK_BOOTTIME) + 20'""",
        new_clearance=True,
    ),
    OnHost(
        "before_a_reboot",
        "clearance",
        "Use a clearance from before a reboot, put back from a copy",
        "clearance_of_another_boot",
        happens="""edit_permit 'p["boot_id"] = "6b3f4c1e-5a51-4f5c-9f3d-000000000000"'""",
        new_clearance=True,
    ),
    OnHost(
        "another_incident",
        "clearance",
        "Use the clearance of another incident",
        "clearance_of_another_incident",
        options={"incident": "$OTHER"},
    ),
    OnHost(
        "another_checkout",
        "clearance",
        "Point the module at another checkout than the one that was proved",
        "clearance_of_another_checkout",
        happens="as_owner git clone --quiet --no-hardlinks $CHECKOUT /home/haadmin/elsewhere",
        undone="rm -r /home/haadmin/elsewhere",
        options={"checkout": "/home/haadmin/elsewhere"},
    ),
    OnHost(
        "another_lock_file",
        "clearance",
        "Point the module at another lock file than the one that is held",
        "clearance_of_another_checkout",
        options={"deploy_lock_file": "/tmp/other.lock"},
    ),
    OnHost(
        "another_environment_file",
        "clearance",
        "Point the module at another environment file, and so at another database, than the one that was proved",
        "clearance_of_another_checkout",
        happens="cp -p /etc/healtharchive/backend.env /etc/healtharchive/other.env",
        undone="rm /etc/healtharchive/other.env",
        options={"env_file": "/etc/healtharchive/other.env"},
    ),
    OnHost(
        "another_record",
        "clearance",
        "Point the module at a record of one's own, in which the incident is open",
        "clearance_of_another_checkout",
        happens="mkdir $KEPT/ops; cp -a $RECORD $KEPT/ops",
        undone="rm -r $KEPT/ops",
        options={"ops_directory": "/var/lib/kept/ops"},
    ),
    OnHost(
        "lock_file_replaced",
        "clearance",
        "Remove the deploy lock's file, so that the held lock keeps nobody out",
        "clearance_lock_lost",
        happens="rm $DEPLOY_LOCK; as_owner touch $DEPLOY_LOCK",
        new_clearance=True,
    ),
    OnHost(
        "lock_file_is_a_link",
        "clearance",
        "Put a link in the place of the deploy lock's file, which leads to it",
        "clearance_lock_lost",
        happens="mv $DEPLOY_LOCK $DEPLOY_LOCK.kept; ln -s $DEPLOY_LOCK.kept $DEPLOY_LOCK",
        undone="mv $DEPLOY_LOCK.kept $DEPLOY_LOCK",
    ),
    OnHost(
        "holder_killed",
        "clearance",
        "Kill what holds the deploy lock",
        "clearance_lock_lost",
        happens="""
            kill -9 $(systemctl show --value --property=MainPID $HOLDER)
            while systemctl is-active --quiet $HOLDER; do :; done
        """,
        new_clearance=True,
    ),
    # --- the commit
    OnHost(
        "head_moved_by_checkout",
        "commit",
        "Check out another commit between clearance and act",
        "head_moved",
        happens="as_owner git -C $CHECKOUT checkout --quiet --detach HEAD~1",
        undone=_MOVED,
        sample=True,
    ),
    OnHost(
        "head_moved_by_deploy",
        "commit",
        "Deploy another commit between clearance and act, past the deploy lock",
        "head_moved",
        happens="""
            deploy() {
                as_owner $CHECKOUT/scripts/vps-deploy.sh --apply --ref $FORMER --skip-deps --skip-migrations --skip-restart \
                    --skip-baseline-drift --skip-public-surface-verify "$@"
            }
            # The way that everybody goes is closed.
            ! deploy >$KEPT/said 2>&1
            grep -q 'Deploy lock is held' $KEPT/said
            deploy --lock-file /home/haadmin/other.lock
        """,
        undone=_MOVED,
    ),
    OnHost(
        "head_moved_there_and_back",
        "commit",
        "Check out another commit, and the first one again",
        "code_changed",
        happens="""
            as_owner git -C $CHECKOUT checkout --quiet --detach HEAD~1
            as_owner git -C $CHECKOUT checkout --quiet --detach $HEAD
        """,
        undone=_MOVED,
    ),
    OnHost(
        "dirty_script",
        "commit",
        "Edit a script of the checkout by hand",
        "tree_dirty",
        happens="echo '# tried' >>$CHECKOUT/scripts/vps-crawl-status.sh",
        undone=_MOVED,
    ),
    OnHost(
        "dirty_and_hidden",
        "commit",
        "Edit a script, and tell git not to look (assume-unchanged)",
        "tree_dirty",
        happens="""
            echo '# tried' >>$CHECKOUT/scripts/vps-crawl-status.sh
            as_owner git -C $CHECKOUT update-index --assume-unchanged scripts/vps-crawl-status.sh
        """,
        undone=_MOVED,
    ),
    OnHost(
        "new_file",
        "commit",
        "Put a module into the checkout that no commit has, where git is told not to show such files",
        "tree_dirty",
        happens="""
            as_owner git -C $CHECKOUT config status.showUntrackedFiles no
            as_owner touch $CHECKOUT/src/healtharchive/sitecustomize.py
        """,
        undone=_MOVED,
    ),
    OnHost(
        "new_file_that_git_ignores",
        "commit",
        "The same, where git was told to ignore the file (.git/info/exclude)",
        "tree_dirty",
        happens="""
            echo sitecustomize.py | as_owner tee -a $CHECKOUT/.git/info/exclude >/dev/null
            as_owner touch $CHECKOUT/src/healtharchive/sitecustomize.py
        """,
        undone=_MOVED,
    ),
    OnHost(
        "new_file_that_hides_itself",
        "commit",
        "The same, beside a file .gitignore that no commit has, and that ignores itself, too",
        "tree_dirty",
        happens="""
            as_owner touch $CHECKOUT/src/healtharchive/sitecustomize.py
            echo '*' | as_owner tee $CHECKOUT/src/healtharchive/.gitignore >/dev/null
            [ -z "$(as_owner git -C $CHECKOUT --no-optional-locks status --porcelain)" ]
        """,
        undone=_MOVED,
    ),
    OnHost(
        "another_working_tree",
        "commit",
        "Edit a script, and have git look at a clean copy (core.worktree)",
        "tree_dirty",
        happens="""
            as_owner mkdir /home/haadmin/clean
            as_owner git -C $CHECKOUT --work-tree=/home/haadmin/clean checkout --quiet --force HEAD -- .
            as_owner git -C $CHECKOUT config core.worktree /home/haadmin/clean
            echo '# tried' >>$CHECKOUT/scripts/vps-crawl-status.sh
        """,
        undone="rm -r /home/haadmin/clean; put_checkout_back",
    ),
    OnHost(
        "edited_in_no_time",
        "commit",
        "Edit a script with the size and the time that it had, and have git look at no more than these",
        "tree_dirty",
        happens="""
            script=$CHECKOUT/scripts/vps-crawl-status.sh
            as_owner git -C $CHECKOUT config core.trustctime false
            as_owner git -C $CHECKOUT config core.checkStat minimal
            as_owner git -C $CHECKOUT status >/dev/null
            as_owner cp -p $script /home/haadmin/before
            sed -i 's/[a-z]$/x/' $script
            touch -r /home/haadmin/before $script
            rm /home/haadmin/before
            [ -z "$(as_owner git -C $CHECKOUT --no-optional-locks status --porcelain)" ]
        """,
        undone=_MOVED,
    ),
    OnHost(
        "written_and_undone",
        "commit",
        "Change a Python file, let the service load it, and put it back",
        "code_changed",
        happens="as_owner touch $CHECKOUT/src/healtharchive/__init__.py",
        undone=_MOVED,
    ),
    OnHost(
        "environment_changed",
        "commit",
        "Install a package by hand between clearance and act",
        "environment_changed",
        happens="as_owner touch $(echo $CHECKOUT/.venv/lib/python3*/site-packages)/by_hand.py",
        undone="rm $CHECKOUT/.venv/lib/python3*/site-packages/by_hand.py; put_checkout_back",
    ),
    OnHost(
        "path_file_edited",
        "commit",
        "Write another directory into a path file of the virtual environment, in its place, so that Python looks there too",
        "environment_changed",
        happens="""
            file=$(ls $CHECKOUT/.venv/lib/python3*/site-packages/*.pth | head -n 1)
            cp -p $file $KEPT/path-file
            echo /home/haadmin >>$file
        """,
        undone="""
            file=$(ls $CHECKOUT/.venv/lib/python3*/site-packages/*.pth | head -n 1)
            cat $KEPT/path-file >$file
            touch -r $KEPT/path-file $file
        """,
    ),
    OnHost(
        "git_prints_nothing",
        "commit",
        "A git that ends with 0 and prints nothing",
        "git_unreadable",
        happens="printf '#!/bin/sh\\n' >$KEPT/git; chmod 755 $KEPT $KEPT/git; mount --bind $KEPT/git /usr/bin/git",
        undone="umount /usr/bin/git",
    ),
    OnHost(
        "dubious_ownership",
        "commit",
        "A repository of another owner, which git refuses to read (dubious ownership)",
        "git_unreadable",
        happens="chown nobody $CHECKOUT/.git",
        undone="chown haadmin $CHECKOUT/.git",
    ),
    # --- the plan
    OnHost(
        "made_up_plan",
        "plan",
        "Approve a plan that nobody was shown",
        "plan_changed",
        options={"approve": "0123456789ab"},
    ),
    OnHost(
        "plan_of_another_incident",
        "plan",
        "Approve the plan of another job, incident or commit",
        "plan_changed",
        options={"approve": "$OTHER_PLAN"},
    ),
    OnHost(
        "row_changed_since",
        "plan",
        "Approve a plan, and let the job change before it is carried out",
        "plan_changed",
        happens="""sql "update archive_jobs set retry_count = 1 where id = $JOB" """,
        undone="""sql "update archive_jobs set retry_count = 2 where id = $JOB" """,
        sample=True,
    ),
    OnHost(
        "vague_approval", "plan", "Approve with a word in place of an id", "bad_approval", options={"approve": "yes"}
    ),
    OnHost(
        "automatic_in_production",
        "plan",
        "Approve whatever is planned (auto) on a host that is, or may be, the production one",
        "production",
        happens="sed -i 's/^HEALTHARCHIVE_ENV=.*/HEALTHARCHIVE_ENV=production/' /etc/healtharchive/backend.env",
        undone="sed -i 's/^HEALTHARCHIVE_ENV=.*/HEALTHARCHIVE_ENV=staging/' /etc/healtharchive/backend.env",
        options={"approve": "auto"},
    ),
    OnHost(
        "automatic_by_another_file",
        "plan",
        "The same, by an environment file of one's own that says that it is not",
        "environment_unknown",
        happens="""
            sed 's/^HEALTHARCHIVE_ENV=.*/HEALTHARCHIVE_ENV=staging/' /etc/healtharchive/backend.env >/etc/healtharchive/other.env
            sed -i 's/^HEALTHARCHIVE_ENV=.*/HEALTHARCHIVE_ENV=production/' /etc/healtharchive/backend.env
        """,
        undone="""
            rm /etc/healtharchive/other.env
            sed -i 's/^HEALTHARCHIVE_ENV=.*/HEALTHARCHIVE_ENV=staging/' /etc/healtharchive/backend.env
        """,
        options={"approve": "auto", "env_file": "/etc/healtharchive/other.env"},
    ),
    # --- the record
    OnHost(
        "no_incident",
        "record",
        "Name an incident that was never opened",
        "incident_unknown",
        options={"incident": "2026-01-01-never"},
    ),
    OnHost(
        "incident_that_ended",
        "record",
        "Name an incident that has ended",
        "incident_closed",
        options={"incident": "$CLOSED"},
    ),
    OnHost(
        "no_such_form",
        "record",
        "Name something that is no incident",
        "bad_incident",
        options={"incident": "../../etc"},
    ),
    OnHost(
        "record_read_only",
        "record",
        "Make the record read-only, so that nothing is written down",
        "audit_read_only",
        happens="mount --bind $RECORD $RECORD; mount -o remount,bind,ro $RECORD",
        undone="umount $RECORD",
        sample=True,
    ),
    OnHost(
        "somebody_acts",
        "turn",
        "Act while somebody else does",
        "busy",
        happens="""
            systemd-run --quiet --unit=by-hand flock --no-fork $RUNTIME/acting.lock sleep 600
            until ! flock --nonblock $RUNTIME/acting.lock true; do :; done
        """,
        undone="systemctl stop by-hand",
        sample=True,
    ),
)


class ForClearance(NamedTuple):
    """A way to a clearance that should not be had: the module that grants it is called with these options.

    The same call with a commit that is deployed must succeed when what happens is undone.
    """

    name: str
    family: str
    what: str
    code: str
    options: Mapping[str, Any] = {}
    happens: str = ""
    undone: str = ""
    sample: bool = False


FOR_CLEARANCE: Tuple[ForClearance, ...] = (
    ForClearance(
        "pulled_by_hand",
        "proof",
        "Check the wanted commit out by hand, with nothing restarted",
        "process_behind",
        {"required_commit": ["$UNDEPLOYED"]},
        happens="""
            as_owner git -C $CHECKOUT fetch --quiet origin
            as_owner git -C $CHECKOUT checkout --quiet --detach $UNDEPLOYED
        """,
        undone=_MOVED,
        sample=True,
    ),
    ForClearance(
        "another_checkout_at_the_commit",
        "proof",
        "Prove another checkout, which has the wanted commit and runs nothing",
        "environment_behind",
        {"required_commit": ["$UNDEPLOYED"], "checkout": "/home/haadmin/elsewhere"},
        happens="""
            as_owner git clone --quiet --no-hardlinks /srv/git/healtharchive.git /home/haadmin/elsewhere
            as_owner mkdir /home/haadmin/elsewhere/.venv
            mount --bind $CHECKOUT/.venv /home/haadmin/elsewhere/.venv
        """,
        undone="umount /home/haadmin/elsewhere/.venv; rm -r /home/haadmin/elsewhere",
    ),
    ForClearance(
        "another_copy_in_the_environment",
        "proof",
        "Have the virtual environment load the service from another directory than the checkout (a path file, pip install -e)",
        "environment_behind",
        {"required_commit": ["$HEAD"]},
        happens="""
            as_owner git clone --quiet --no-hardlinks $CHECKOUT /home/haadmin/elsewhere
            cd $CHECKOUT/.venv/lib/python3*/site-packages
            echo /home/haadmin/elsewhere/src | as_owner tee 0.pth >/dev/null
            touch -r $KEPT/site-packages 0.pth .
            as_owner $CHECKOUT/.venv/bin/python3 -c 'import healtharchive as h; print(h.__file__)' | grep -q ^/home/haadmin
        """,
        undone="rm -r /home/haadmin/elsewhere $CHECKOUT/.venv/lib/python3*/site-packages/0.pth; put_checkout_back",
    ),
    ForClearance(
        "byte_code_of_before",
        "proof",
        "Leave byte code that Python loads whatever the source is (compileall --invalidation-mode unchecked-hash)",
        "environment_behind",
        {"required_commit": ["$HEAD"]},
        happens="""
            cd $CHECKOUT
            as_owner .venv/bin/python3 -m compileall -q -f --invalidation-mode unchecked-hash src/healtharchive
        """,
        undone=_MOVED,
    ),
    ForClearance(
        "another_copy_in_the_unit",
        "proof",
        "Have a unit look for the service in another directory first (PYTHONPATH in a drop-in), and restart it",
        "process_elsewhere",
        {"required_commit": ["$HEAD"]},
        happens="""
            as_owner git clone --quiet --no-hardlinks $CHECKOUT /home/haadmin/elsewhere
            mkdir -p /run/systemd/system/healtharchive-api.service.d
            printf '[Service]\nEnvironment=PYTHONPATH=/home/haadmin/elsewhere/src PYTHONDONTWRITEBYTECODE=1\n' \
                >/run/systemd/system/healtharchive-api.service.d/tried.conf
            systemctl daemon-reload
            systemctl restart healtharchive-api
            wait_for_api
        """,
        undone="""
            rm -r /home/haadmin/elsewhere /run/systemd/system/healtharchive-api.service.d
            systemctl daemon-reload
            systemctl restart healtharchive-api
            wait_for_api
        """,
    ),
    ForClearance(
        "another_copy_in_the_environment_file",
        "proof",
        "The same by PYTHONPATH in the environment file, which the service's commands are run with, and with nothing restarted",
        "process_unknown",
        {"required_commit": ["$HEAD"]},
        happens="""
            as_owner git clone --quiet --no-hardlinks $CHECKOUT /home/haadmin/elsewhere
            cp -p /etc/healtharchive/backend.env $KEPT/backend.env
            echo PYTHONPATH=/home/haadmin/elsewhere/src >>/etc/healtharchive/backend.env
        """,
        undone="rm -r /home/haadmin/elsewhere; cp -p $KEPT/backend.env /etc/healtharchive/backend.env",
    ),
    ForClearance(
        "head_without_its_log",
        "proof",
        "Move HEAD so that no line of its log says so (by writing .git/HEAD), with nothing restarted",
        "process_unknown",
        {"required_commit": ["$UNDEPLOYED"]},
        happens="""
            as_owner git -C $CHECKOUT fetch --quiet origin
            echo $UNDEPLOYED | as_owner tee $CHECKOUT/.git/HEAD >/dev/null
            as_owner git -C $CHECKOUT reset --quiet --hard
        """,
        undone=_MOVED,
    ),
    ForClearance(
        "repository_elsewhere",
        "proof",
        "Keep the repository somewhere else (a file .git that says where)",
        "process_unknown",
        {"required_commit": ["$HEAD"]},
        happens="""
            as_owner cp -a $CHECKOUT/.git /home/haadmin/repository
            rm -r $CHECKOUT/.git
            echo 'gitdir: /home/haadmin/repository' | as_owner tee $CHECKOUT/.git >/dev/null
        """,
        undone="rm -r /home/haadmin/repository; put_checkout_back",
    ),
    ForClearance(
        "replaced_history",
        "proof",
        "Make the wanted commit an ancestor of what is deployed (git replace --graft)",
        "required_commit_not_deployed",
        {"required_commit": ["$UNDEPLOYED"]},
        happens="""
            as_owner git -C $CHECKOUT fetch --quiet origin
            as_owner git -C $CHECKOUT replace --graft $HEAD $FORMER $UNDEPLOYED
            as_owner git -C $CHECKOUT merge-base --is-ancestor $UNDEPLOYED $HEAD
        """,
        undone=_MOVED,
    ),
    ForClearance(
        "grafted_history",
        "proof",
        "The same by .git/info/grafts",
        "required_commit_not_deployed",
        {"required_commit": ["$UNDEPLOYED"]},
        happens="""
            as_owner git -C $CHECKOUT fetch --quiet origin
            echo $HEAD $FORMER $UNDEPLOYED | as_owner tee $CHECKOUT/.git/info/grafts >/dev/null
            as_owner git -C $CHECKOUT merge-base --is-ancestor $UNDEPLOYED $HEAD
        """,
        undone=_MOVED,
    ),
    ForClearance(
        "branch_called_like_the_commit",
        "proof",
        "Give what is deployed a branch with the name of the wanted commit's first digits",
        "required_commit_ambiguous",
        {"required_commit": ["$SHORT"]},
        happens="as_owner git -C $CHECKOUT branch $SHORT $HEAD",
        undone=_MOVED,
    ),
    ForClearance(
        "name_that_moves",
        "proof",
        "Demand a branch, which is wherever it is",
        "bad_required_commit",
        {"required_commit": ["main"]},
    ),
    ForClearance(
        "nothing_said",
        "proof",
        "Say neither which commit is needed nor why none is",
        "repo_decision_missing",
        {"required_commit": None},
    ),
)


class WithAny(NamedTuple):
    """A way round that is tried with each of the other modules that change a host (:data:`CHANGING`): all have the same frame.

    The module is called with a good clearance and the plan that it has shown, but for these options; or where ``tagged``, in a
    play of which the guard is left out, on a host without a clearance. The positive control is the same call with everything
    right. ``deploy``: the code for :data:`DEPLOY`, which needs no clearance; empty where it is no way round there.
    """

    name: str
    family: str
    what: str
    code: str
    options: Mapping[str, Any] = {}
    happens: str = ""
    undone: str = ""
    tagged: bool = False
    deploy: str = ""
    sample: bool = False


WITH_ANY: Tuple[WithAny, ...] = (
    WithAny(
        "any_tags",
        "left out",
        "--tags with the tag of the task that acts, which is any other module that changes a host",
        "clearance_missing",
        tagged=True,
    ),
    WithAny(
        "any_ad_hoc",
        "left out",
        "Call any other module that changes a host with no playbook",
        "clearance_missing",
        options={"clearance": None},
    ),
    WithAny(
        "any_guessed_token",
        "clearance",
        "Guess the token of somebody's clearance, and call any other module",
        "clearance_unknown",
        options={"clearance": "$FORGED"},
    ),
    WithAny(
        "any_other_incident",
        "clearance",
        "Call any other module with the clearance of another incident",
        "clearance_of_another_incident",
        options={"incident": "$OTHER"},
    ),
    WithAny(
        "any_head_moved",
        "commit",
        "Check out another commit between clearance and act, and call any other module",
        "head_moved",
        deploy="plan_changed",
        happens="as_owner git -C $CHECKOUT checkout --quiet --detach HEAD~1",
        undone=_MOVED,
    ),
    WithAny(
        "any_made_up_plan",
        "plan",
        "Approve a plan of any other module that nobody was shown",
        "plan_changed",
        deploy="plan_changed",
        options={"approve": "0123456789ab"},
    ),
    WithAny(
        "any_closed_incident",
        "record",
        "Call any other module in the name of an incident that has ended",
        "incident_closed",
        deploy="incident_closed",
        options={"incident": "$CLOSED"},
    ),
    WithAny(
        "any_record_read_only",
        "record",
        "Make the record read-only, and call any other module",
        "audit_read_only",
        deploy="audit_read_only",
        happens="mount --bind $RECORD $RECORD; mount -o remount,bind,ro $RECORD",
        undone="umount $RECORD",
    ),
)


class Changing(NamedTuple):
    """A module beside `job` that changes a host, and a fault of the sandbox that gives it a plan; empty where what the host is
    like anyway does. ``seen``: a script of root that prints ``broken`` as long as nothing was done, and ``mended`` when it was.

    ``options``: what it is told; $ROW is the id of the job that is called ``row``. ``happens``: what is done when it is broken,
    so that nothing else changes the host; ``restless``: below this path something does all the same. ``undone``: what takes back,
    beside the fault's own mending, what the act has left.
    """

    module: str
    fault: str
    seen: str
    broken: str
    mended: str
    options: Mapping[str, Any] = {}
    row: str = "none"
    happens: str = ""
    restless: str = ""
    undone: str = ""


CHANGING: Tuple[Changing, ...] = (
    Changing(
        "storage",
        "hot_path_stale",
        """
            for path in imports/hc-2019 imports/cihr-2020; do
                stat /srv/healtharchive/jobs/$path >/dev/null 2>&1 && echo well || echo dead
            done
        """,
        *("dead dead", "well well"),
    ),
    Changing(
        "replay",
        "replay_target_failing",
        """
            page=$(sed -n '1s/.*"url": "\\([^"]*\\)".*/\\1/p' /srv/healtharchive/replay/collections/job-1/indexes/index.cdxj)
            curl -s -m 20 -o /dev/null -w '%{http_code}' "http://127.0.0.1:8090/job-1/$page"
        """,
        *("503", "200"),
    ),
    Changing(
        "output_directories",
        "output_dir_on_root_disk",
        "findmnt -n -o FSTYPE /srv/healtharchive/jobs/hc/20240101T000502Z__hc-20240101 || echo directory",
        *("directory", "fuse.sshfs"),
        # At every poll it tries to bind the directory, and makes its place on the storage box by that.
        happens="systemctl stop healtharchive-worker",
    ),
    Changing(
        "indexing",
        "completed_never_indexed",
        """sql "select status from archive_jobs where name = 'hc-never-indexed'" """,
        *("completed", "indexed"),
        options={"job_id": "$ROW"},
        row="hc-never-indexed",
    ),
    Changing(
        "annual_tool_options",
        "annual_options_drifted",
        """sql "select config -> 'tool_options' ->> 'initial_workers' from archive_jobs where name = 'phac-20250101'" """,
        *("1", "2"),
        # The worker is busy with a crawl of its own.
        restless="/srv/healtharchive/jobs/hc/busy",
    ),
    Changing(
        "baseline_drift",
        "baseline_drift",
        "stat -c %a /srv/healtharchive/backups",
        *("755", "2770"),
    ),
    Changing(
        "stale_jobs",
        "stale_running_row",
        """sql "select status from archive_jobs where name = 'phac-killed'" """,
        *("running", "retryable"),
    ),
    Changing(
        "stalled_crawl",
        "stalled_crawl",
        "systemctl is-active fault-stalled-crawl || true",
        *("active", "inactive"),
        options={"progress_seconds": 0},
        restless="/srv/healtharchive/jobs/phac/stalled",
    ),
    Changing(
        "service",
        "api_stopped",
        "systemctl is-active healtharchive-api || true",
        *("inactive", "active"),
    ),
    Changing(
        "worker",
        "",
        "systemctl is-active healtharchive-worker || true",
        *("active", "inactive"),
        options={"state": "paused"},
        happens="systemctl start healtharchive-worker",
        undone="systemctl stop healtharchive-remediation-worker-resume.timer || true",
    ),
)
DEPLOY = Changing(
    "deployment",
    "",
    "as_owner git -C $CHECKOUT rev-parse HEAD",
    *("$HEAD", "$UNDEPLOYED"),
    # What is public of the test host is not asked: an ad-hoc call knows no address of it.
    options={"deploy_ref": "$UNDEPLOYED", "skip_public_check": True},
    undone="""
        as_owner $CHECKOUT/scripts/vps-deploy.sh --apply --ref $HEAD --skip-baseline-drift --skip-public-surface-verify
        rm -rf $KEPT/checkout
        keep_checkout
    """,
)


class Other(NamedTuple):
    """A way round that takes more than one call: its test says how it is tried."""

    name: str
    family: str
    what: str
    code: str
    test: str
    sample: bool = False


OTHERS: Tuple[Other, ...] = (
    Other(
        "start_at_every_task",
        "left out",
        "--start-at-task with each task of the roles in turn, and every variable that an earlier task would have registered",
        "clearance_missing",
        "test_starting_at_any_task_changes_nothing",
    ),
    Other(
        "every_variable",
        "forged",
        "-e over each register and each variable of the roles in turn",
        "bad_input",
        "test_no_variable_of_the_roles_opens_the_host",
    ),
    Other(
        "run_once",
        "left out",
        "A guard that runs once, for another host",
        "clearance_missing",
        "test_the_clearance_of_one_host_is_none_of_another",
    ),
    Other(
        "head_moves_meanwhile",
        "commit",
        "Move HEAD after the last check of the plan, while the change is being written down",
        "head_moved",
        "test_head_moves_while_the_beginning_is_recorded",
    ),
    Other(
        "until_it_expires",
        "clearance",
        "Wait until the clearance has expired, and act",
        "clearance_expired",
        "test_a_clearance_ends_by_itself",
    ),
    Other(
        "after_release",
        "clearance",
        "Act once more with a clearance that was given back",
        "clearance_missing",
        "test_what_was_given_back_is_none",
    ),
    Other(
        "blind_retry",
        "loop",
        "Do the same again when it failed again",
        "parked",
        "test_the_same_is_not_done_twice",
        sample=True,
    ),
)

# What holds, for each family.
FAMILIES: Mapping[str, Tuple[str, str]] = {
    "door": (
        "The front door",
        "The role `precondition` asks the host, and nothing after it runs when the host says no.",
    ),
    "left out": (
        "Leaving tasks out",
        "What proves the commit is the module that acts, on the host: without a task before it, it has no clearance to show.",
    ),
    "forged": (
        "Variables in place of what the host said",
        "No decision rests on a variable. A token is compared on the host with the digest in the permit there.",
    ),
    "hidden": (
        "Hiding the refusal",
        "A refusal that nobody sees is one all the same: the task that acts is refused by itself. Where a setting would hide it, "
        "the action plugins refuse to begin (`unsafe_setting`).",
    ),
    "deceived": (
        "Other programs than the host's own",
        "Every command is run by its absolute path, in an environment that is built from nothing.",
    ),
    "proof": (
        "A clearance that should not be had",
        "Disk, history, environment, schema and processes are read on the host.",
    ),
    "clearance": (
        "Another clearance than the good one",
        "The permit is root's alone and bound to its incident, boot, settings, end by two clocks, and the run of the unit that "
        "holds the service's deploy lock.",
    ),
    "commit": (
        "Another commit than the one that was proved",
        "HEAD, the working tree, the times of code and environment and what the processes run are looked at again right before "
        "the act, by git as the owner of the checkout. An empty answer is no answer.",
    ),
    "plan": (
        "Another plan than the one that was shown",
        "The plan is made again on the host, and its digest compared.",
    ),
    "record": (
        "Without a record",
        "An open incident is needed, and the beginning is on the disk before anything is done.",
    ),
    "turn": ("Two at once", "The kernel's lock decides who acts."),
    "loop": ("Again and again", "What was done is counted from the host's own record."),
}
