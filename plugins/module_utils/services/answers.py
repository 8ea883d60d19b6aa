# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the decision: why a unit is not started, and what to do instead. Private to this collection."""

from __future__ import annotations

import json
from shlex import quote
from typing import Any, Mapping, NamedTuple, Sequence, Tuple

from ..refusal import Refusal
from ..settings import Settings
from ..shapes import counted
from .facts import Facts, RunningJob, Unit
from .seen import API, DOCKER, POSTGRESQL, WORKER

PLAYBOOK = "recover_services"
# Where only the operator knows it.
COMMIT = "FULL_COMMIT_ID"
# Which one is told when several hold: what makes evidence doubtful first, then what lies deepest.
ORDER = (
    "deploy_running",
    "env_file_missing",
    "env_file_unreadable",
    "database_url_wrong",
    "credentials_refused",
    "program_missing",
    "postgresql_not_answering",
    "database_unusable",
    "storage_first",
    "deploy_is_the_fix",
    "needs_commit",
    "disk_full",
    "docker_down",
    "unit_masked",
    "unit_missing",
    "unit_disabled",
    "unit_changing",
    "condition_unmet",
    "address_in_use",
    "api_restart_loop",
    "worker_restart_loop",
    "api_database_error",
    "api_not_answering",
    "would_interrupt_crawl",
    "needs_repo_change",
    "evidence_missing",
    "worker_paused",
    "worker_stopped_on_purpose",
    "worker_stop_unexplained",
)

DISABLED = "It runs, but no boot would start it. If that is not meant: sudo systemctl enable %s, which starts nothing."
IMPACT_POSTGRESQL = "The API, which answers 500 without PostgreSQL, works again by itself."
IMPACT_API = "The API and what the public sees of it are back within some seconds. No crawl is touched."
IMPACT_WORKER = (
    "The worker takes up its queue within a poll of 30 s, and first puts rows that say running with nothing behind them back to "
    "retryable, as it always does."
)
IMPACT_WORKER_RESTART = (
    "The worker comes back with the environment of now; a crawl that it runs at that moment is interrupted."
)
REMARK_SCHEMA = (
    "While PostgreSQL is down nobody can prove that the schema is at its head: only no_repo_change_reason can be granted now. "
    "Run triage again afterwards."
)
REMARK_RUNNING = "A start hits none of them: what crawls holds its lock, and the worker leaves it alone."


class Next(NamedTuple):
    """What to do instead: one sentence and, if there is one, a shell line for the host or a playbook of this collection."""

    why: str
    on_host: str = ""
    playbook: str = ""
    variables: Mapping[str, Any] = {}

    def sentence(self) -> str:
        """For who has no summary: the whole of it in one text."""
        if self.playbook:
            said = " ".join("-e '%s'" % json.dumps({name: value}) for name, value in self.variables.items())
            return "%s ansible-playbook healtharchive.remediation.%s %s" % (self.why, self.playbook, said)
        return "%s %s" % (self.why, self.on_host) if self.on_host else self.why


class Leave(NamedTuple):
    """Something that is not well and is not mended by a start. ``unit`` is empty for what is about no unit. ``text`` stays the
    same as long as the world does, for it can be a part of a plan; ``seen`` changes by itself, such as how full a disk is."""

    code: str
    text: str
    next: Next
    unit: str = ""
    evidence: Mapping[str, Any] = {}
    seen: str = ""

    def refusal(self) -> Refusal:
        evidence = {"unit": self.unit, "next": self.next._asdict(), **self.evidence}
        message = " ".join(part for part in (self.text, self.seen) if part)
        return Refusal(self.code, message, self.next.sentence(), **evidence)


def ended(name: str, unit: Unit) -> str:
    """One sentence: how it came to be down."""
    end = unit.end
    at = " at %s" % end.at if end.at else ""
    if end.how == "stopped":
        return "%s was stopped by a systemctl stop%s." % (name, at)
    if end.how == "stopped_with":
        return "%s stopped with %s%s, whose start does not bring it back." % (name, end.by, at)
    if end.how == "died":
        return "%s ended by itself%s (%s, result %s)." % (name, at, unit.word, unit.result or "not known")
    if end.how == "not_started":
        return "%s was not started%s, because what it requires did not start." % (name, at)
    if end.how == "never":
        return "%s has not run since the host booted." % name
    return "%s is %s (result %s); how it ended is not known." % (name, unit.word, unit.result or "not known")


class Answers:
    """Every answer that is no plan, for these facts."""

    def __init__(self, facts: Facts, incident: str, where: Settings) -> None:
        self.facts = facts
        self.incident = incident
        self.where = where

    # --- evidence, configuration ---------------------------------------------------------------------------------------

    def evidence_missing(self, text: str, unit: str = "") -> Leave:
        unseen = list(self.facts.unseen)
        return Leave(
            "evidence_missing",
            "%s." % text,
            Next(
                "Nothing is started on a guess. Triage says what could not be seen, and why.",
                playbook="triage",
                variables={"incident": self.incident},
            ),
            unit,
            {"unseen": unseen},
            "Not seen: %s." % "; ".join(unseen) if unseen else "",
        )

    def deploy_running(self) -> Leave:
        return Leave(
            "deploy_running",
            "A deploy holds %s right now: what is seen may be a host that is half switched."
            % self.where.deploy_lock_file,
            Next("Let it end, then run this again. Triage shows the deploy, and whether it stands still."),
        )

    def environment(self) -> Leave:
        path, user = self.where.env_file, self.where.service_user
        if self.facts.environment == "missing":
            return Leave(
                "env_file_missing",
                "The environment file %s does not exist: systemd would skip every start without an error." % path,
                Next(
                    "Find where it went, and put it back as root:healtharchive 0640. This shows what is there.",
                    "sudo find /etc/healtharchive -maxdepth 1 -ls",
                ),
            )
        if self.facts.environment == "unreadable":
            return Leave(
                "env_file_unreadable",
                "%s cannot read %s: every command of the service reads an empty SQLite file, and says that all is well."
                % (user, path),
                Next(
                    "The policy is root:healtharchive 0640, and a restart changes nothing of it. This shows who may read it.",
                    "sudo namei -l %s && id %s" % (quote(path), quote(user)),
                ),
            )
        return Leave(
            "database_url_wrong",
            "%s sets no PostgreSQL database." % path,
            Next(
                "Correct the file as plain KEY=value. This must print 1, and shows no secret.",
                "sudo grep -c '^HEALTHARCHIVE_DATABASE_URL=.*postgresql' %s" % quote(path),
            ),
        )

    def disk_full(self, unit: str = "") -> Leave:
        return Leave(
            "disk_full",
            "The disk is too full. The worker starts no crawl from 85 % on.",
            Next(
                "See what grows before anything is removed, and never delete .tmp* of a running job.",
                "sudo du --one-file-system --human-readable --max-depth=2 %s" % quote(self.where.archive_root),
            ),
            unit,
            {"disks": list(self.facts.full_disks or ())},
            "Now: %s." % ", ".join(self.facts.full_disks or ("the worker's journal says so",)),
        )

    # --- database ------------------------------------------------------------------------------------------------------

    def credentials_refused(self) -> Leave:
        return Leave(
            "credentials_refused",
            "PostgreSQL runs and refuses the service's credentials.",
            Next(
                "Compare user, host and database name (the password is masked), and correct %s as plain KEY=value. Then run this "
                "again: it restarts what still has the old one." % self.where.env_file,
                self._check_db(),
            ),
            seen=self.facts.database_detail,
        )

    def credentials_refused_before(self, unit: str) -> Leave:
        return self.credentials_refused()._replace(
            text="Before PostgreSQL ended, it refused the service's credentials: the journal of %s says so." % unit,
            unit=unit,
        )

    def postgresql_not_answering(self, dead: Sequence[str] = (), unit: str = POSTGRESQL) -> Leave:
        return Leave(
            "postgresql_not_answering",
            "Nothing takes the service's connections to its database, though %s is %s%s."
            % (
                POSTGRESQL,
                self.facts.postgresql.word or "no unit here",
                "; servers that do not run: %s" % ", ".join(dead) if dead else "",
            ),
            Next(
                "Does it still start, does it listen on the port of the URL, which server is meant?",
                "sudo pg_lsclusters; sudo journalctl --unit 'postgresql*' --lines 40 --no-pager",
            ),
            unit,
        )

    def database_unusable(self) -> Leave:
        return Leave(
            "database_unusable",
            "The service cannot use its database.",
            Next("The last lines of its own command name the cause.", self._check_db()),
            seen=self.facts.database_detail,
        )

    def database_not_ready(self, unit: str) -> Leave:
        if self.facts.database == "refused":
            return self.postgresql_not_answering(unit=unit)
        if self.facts.database == "unusable":
            return self.database_unusable()._replace(unit=unit)
        return self.evidence_missing("Whether the database answers, is not known", unit)

    # --- code, environment, schema -------------------------------------------------------------------------------------

    def deploy_dependencies(self, unit: str = "") -> Leave:
        missing = ", ".join(self.facts.missing_dependencies or ())
        return self._deploy(
            "A declared dependency is not installed: %s. A restart loads the same code into the same environment."
            % missing,
            unit,
        )

    def deploy_migration(self, unit: str = "") -> Leave:
        return self._deploy("A migration is pending: the database schema is behind the code that is checked out.", unit)

    def needs_commit_module(self, modules: Sequence[str], unit: str = "") -> Leave:
        return self._commit(
            "The code imports %s, which is not there although every declared dependency is installed."
            % (", ".join(sorted(modules)) or "a module"),
            unit,
        )

    def needs_commit_schema(self, absent: Sequence[str], unit: str = "") -> Leave:
        return self._commit(
            "The code asks for %s, which the database does not have%s."
            % (
                ", ".join(sorted(set(absent))) or "a table or column",
                ", although no migration is pending" if self.facts.schema_at_head else "",
            ),
            unit,
        )

    def needs_repo_change(self) -> Leave:
        return Leave(
            "needs_repo_change",
            "The crawler refuses options of %s: no restart and no retry takes them away."
            % "; ".join(self.facts.rejected_options),
            self._deploy_of(
                COMMIT, "Correct the option where it comes from, in the repository; let CI pass; deploy that commit."
            ),
            evidence={"rejected_options": list(self.facts.rejected_options)},
        )

    def program_missing(self) -> Leave:
        environment = self.where.checkout + "/.venv"
        return Leave(
            "program_missing",
            "The service's command %s cannot be started." % self.where.cli,
            Next(
                "The deploy needs the virtual environment, so it cannot mend this by itself. This shows what is left of it.",
                "ls -ld %s %s %s" % tuple(quote(path) for path in (environment, environment + "/bin", self.where.cli)),
            ),
        )

    # --- units ---------------------------------------------------------------------------------------------------------

    def disabled(self, unit: str) -> Leave:
        return Leave(
            "unit_disabled",
            "%s does not run and is disabled: somebody took it out of service." % unit,
            Next(
                "If that was not meant, enable it, which starts nothing, and run this again.",
                "sudo systemctl enable %s" % unit,
            ),
            unit,
        )

    def not_startable(self, unit: str, state: str) -> Leave:
        if state == "masked":
            return Leave(
                "unit_masked",
                "%s is masked: nothing can start it." % unit,
                Next(
                    "Find out who masked it and why before you unmask it.",
                    "ls -l --time-style=long-iso /etc/systemd/system/%s" % unit,
                ),
                unit,
            )
        return Leave(
            "unit_missing",
            "This host has no unit %s." % unit,
            Next(
                "Is this the right host? This shows what units it has.",
                "systemctl list-unit-files --no-pager 'healtharchive-*' 'postgresql*'",
            ),
            unit,
        )

    def changing(self, unit: str, shown: Unit) -> Leave:
        return Leave(
            "unit_changing",
            "%s is %s: it is on its way to another state." % (unit, shown.word),
            Next("Wait until it has got there, then run this again. This shows where it stands.", _status(unit)),
            unit,
        )

    def condition_unmet(self, unit: str) -> Leave:
        return Leave(
            "condition_unmet",
            "systemd skipped the start of %s: a condition of the unit is not met." % unit,
            Next("See which.", _status(unit)),
            unit,
        )

    def address_in_use(self, unit: str) -> Leave:
        return Leave(
            "address_in_use",
            "Another program holds the port of %s." % unit,
            Next("See which.", "sudo ss --listening --tcp --numeric --processes"),
            unit,
        )

    def restart_loop(self, unit: str, code: str) -> Leave:
        return Leave(
            code,
            "systemd restarts %s again and again, and no known cause was seen." % unit,
            Next("The traceback decides what this is, another restart does not.", _journal(unit)),
            unit,
        )

    def api_database_error(self) -> Leave:
        return Leave(
            "api_database_error",
            "The API says that its database fails, while the service's own command reaches it with the same environment.",
            Next("Its journal says why.", _journal(API)),
            API,
        )

    def api_not_answering(self) -> Leave:
        return Leave(
            "api_not_answering",
            "%s runs and does not answer as it should on %s." % (API, self.where.api_url),
            Next(
                "Is it still starting, does it wait for something, does another program hold its port?", _journal(API)
            ),
            API,
        )

    def storage_first(self, unit: str = "") -> Leave:
        troubles = list(self.facts.storage_trouble or ())
        return Leave(
            "storage_first",
            "Storage is not well: %s. A worker on it costs jobs their attempts." % "; ".join(troubles),
            Next(
                "Storage comes first, and triage says how. Then run this again.",
                playbook="triage",
                variables={"incident": self.incident},
            ),
            unit,
            {"storage": troubles},
        )

    def docker_down(self) -> Leave:
        return Leave(
            "docker_down",
            "%s is %s: without it a job burns its three attempts in seconds, and starting the worker would start it too."
            % (DOCKER, self.facts.docker.word or self.facts.docker.state),
            Next("See why it does not run.", _status(DOCKER)),
            WORKER,
        )

    def worker_paused(self) -> Leave:
        return Leave(
            "worker_paused",
            "The worker was paused %s: another change needs it stopped." % self.facts.pause,
            Next("Let that change get to its end: the same command that began it goes on. Then run this again."),
            WORKER,
        )

    def worker_on_purpose(self, why: str) -> Leave:
        return Leave(
            "worker_stopped_on_purpose",
            "%s: that may be meant (a parked crawl, a repair of mounts), so it is not started by itself." % why,
            self._again("If it is to run, say so.", start_worker="true"),
            WORKER,
        )

    def worker_unexplained(self) -> Leave:
        return Leave(
            "worker_stop_unexplained",
            "%s Somebody may have stopped it on purpose, so it is not started by itself."
            % ended("The worker", self.facts.worker),
            self._again("See who stopped it (%s). If it is to run, say so." % _status(WORKER), start_worker="true"),
            WORKER,
        )

    def would_interrupt(self, jobs: Sequence[RunningJob]) -> Leave:
        ids = [job.id for job in jobs]
        return Leave(
            "would_interrupt_crawl",
            "A restart of the worker, which its environment needs, would hit what is marked running: job %s."
            % ", ".join(map(str, ids)),
            self._again("Wait until they have ended, or accept it.", accept_interruption_of=",".join(map(str, ids))),
            WORKER,
            {"running_jobs": ids},
            "Now: %s." % "; ".join(job.words for job in jobs),
        )

    # --- parts ---------------------------------------------------------------------------------------------------------

    def _deploy(self, text: str, unit: str) -> Leave:
        commit = self.facts.repair_commit
        missing = list(self.facts.missing_dependencies or ())
        if commit is None:
            step = Next(
                "The whole deploy is the fix; which commit to deploy is not known. See what is checked out.",
                "sudo -u %s git -C %s status" % (quote(self.where.service_user), quote(self.where.checkout)),
            )
        else:
            step = self._deploy_of(commit, "The whole deploy is the fix, not pip or DDL by hand. Its plan:")
        return Leave("deploy_is_the_fix", text, step, unit, {"deploy_ref": commit, "missing_dependencies": missing})

    def _commit(self, text: str, unit: str) -> Leave:
        count = self.facts.undeployed
        why = "It is missing in the repository: add it there (a migration, a dependency), let CI pass, deploy that commit."
        if count:
            why += " origin/main has %s not deployed: is it %s?" % (
                counted(count, "that is", "that are"),
                "that one" if count == 1 else "one of them",
            )
        return Leave("needs_commit", text, self._deploy_of(COMMIT, why), unit, {"undeployed": count})

    def _deploy_of(self, commit: str, why: str) -> Next:
        return Next(why, playbook="deploy_pinned_ref", variables={"incident": self.incident, "deploy_ref": commit})

    def _again(self, why: str, **wish: Any) -> Next:
        return Next(why, playbook=PLAYBOOK, variables={"incident": self.incident, **wish})

    def _check_db(self) -> str:
        return 'sudo -u %s bash -ec \'set -a; . "$0"; set +a; exec "$@"\' %s %s check-db' % (
            *(quote(each) for each in (self.where.service_user, self.where.env_file, self.where.cli)),
        )


def _status(unit: str) -> str:
    return "systemctl status %s --no-pager --lines=30" % unit


def _journal(unit: str) -> str:
    return "sudo journalctl -u %s -n 200 --no-pager" % unit


__all__: Tuple[str, ...] = ("DISABLED", "ORDER", "Answers", "Leave", "Next", "ended")
