# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that all modules of the collection share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that say where the service lives on the host."""

    DOCUMENTATION = r"""
options:
  checkout:
    description:
      - The service's git checkout, which is also what is deployed.
      - Its virtual environment C(.venv) and its folder C(scripts) are used.
    type: path
    default: /opt/healtharchive
  env_file:
    description:
      - The production environment of the service's commands.
      - It is read on the host. None of its values is returned, except the name of the environment and the
        directories of the job locks.
    type: path
    default: /etc/healtharchive/backend.env
  service_user:
    description:
      - The account that the API and the worker run as. The service's own commands are run as this account, never as
        root.
    type: str
    default: haadmin
  archive_root:
    description:
      - The directory below which the jobs have their output directories.
    type: path
    default: /srv/healtharchive/jobs
  storage_mount:
    description:
      - The mount point of the storage box.
    type: path
    default: /srv/healtharchive/storagebox
  tiering_manifest:
    description:
      - The manifest of bind mounts, with a line C(cold hot) for each hot path.
    type: path
    default: /etc/healtharchive/warc-tiering.binds
  ops_directory:
    description:
      - The service's directory for operators.
      - The record of incidents lies in its folder C(remediation), which is the only one that the collection makes
        there.
    type: path
    default: /srv/healtharchive/ops
  api_url:
    description:
      - Where the API answers on the host itself.
    type: str
    default: http://127.0.0.1:8001
  replay_url:
    description:
      - Where replay answers on the host itself.
      - A host without replay has no answer there, and that is no fault.
    type: str
    default: http://127.0.0.1:8090
  deploy_lock_file:
    description:
      - The lock file that the service's deploy script holds while it runs.
    type: path
    default: /tmp/healtharchive-deploy.lock
  job_lock_directory:
    description:
      - Where job locks lie when the environment file does not say.
    type: path
    default: /tmp/healtharchive-job-locks
  public_api_base:
    description:
      - The public URL of the API, for the check of the public surface.
      - When it is not given, the check uses its own default.
    type: str
  public_frontend_base:
    description:
      - The public URL of the site, for the check of the public surface.
      - When it is not given, the check uses its own default.
    type: str
requirements:
  - Python 3.9 or newer on the host, with its standard library only.
"""

    # What modules that only read share as well: `healtharchive.remediation.host.reading`.
    READING = r"""
options:
  deadline:
    description:
      - In how many seconds the module must have ended, whatever hangs. From 10 to 600.
      - What has not answered by then is reported as not known, with the reason C(timed_out).
    type: int
    default: 60
  stale_after:
    description:
      - From how many seconds after its start on a running job can be called stale. From 60 to 604800.
      - The default is what the worker itself uses.
    type: int
    default: 600
  baseline_mode:
    description:
      - How the baseline is compared. V(local) reads the host only, V(live) asks the public URLs too.
    type: str
    choices: [local, live]
    default: local
attributes:
  check_mode:
    description: Can run in check mode and return what it would return without it.
    support: full
  diff_mode:
    description: Returns what a change would look like.
    support: none
    details: [Nothing is changed.]
notes:
  - Needs root on the host (C(become=true)), and drops to O(service_user) for the service's commands and to the
    owner of O(checkout) for git.
  - Reads only. No row, no state file, no lock file and no file of the checkout is written.
  - A fact that could not be established is null, and the C(problems) of its probe say why. It is never reported as
    fine, none or unchanged.
"""
