# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The option that the crawler rejects is taken out in the repository, the restart budget of phac is set anew there, and both
# are pushed.

work=$(runuser -u haadmin -- mktemp -d)
cat >"$work/commit.sh" <<'COMMIT'
set -euo pipefail
git clone --quiet "$1" "$2/clone"
cd "$2/clone"
sed -i 's/return command + (\["--", \*config.passthrough\] if config.passthrough else \[\])/return command/' \
    src/healtharchive/crawl_run.py
sed -i 's/"phac": {"initial_workers": 2, "max_container_restarts": 30}/"phac": {"initial_workers": 2, "max_container_restarts": 24}/' \
    src/healtharchive/annual.py
[ "$(git diff --numstat | wc -l)" = 2 ]
git commit --quiet --all --message "No browser option is handed on to the crawler; phac restarts less often"
git push --quiet origin HEAD:refs/heads/main
COMMIT
chown haadmin "$work/commit.sh"
# shellcheck disable=SC2153
runuser -u haadmin -- bash "$work/commit.sh" "$ORIGIN" "$work"
rm -rf -- "$work"
