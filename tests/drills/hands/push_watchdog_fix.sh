# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The watchdog asks the kernel's own table what is mounted, which knows of dead mounts, too; reviewed and pushed.

work=$(runuser -u haadmin -- mktemp -d)
cat >"$work/commit.sh" <<'COMMIT'
set -euo pipefail
git clone --quiet "$1" "$2/clone"
cd "$2/clone"
sed -i 's|    return os.path.ismount(path)|    return any(line.split()[4] == path for line in open("/proc/self/mountinfo"))|' \
    scripts/vps-storage-hotpath-auto-recover.py
[ "$(git diff --numstat | wc -l)" = 1 ]
git commit --quiet --all --message "The watchdog sees that a dead mount is a mount"
git push --quiet origin HEAD:refs/heads/main
COMMIT
chown haadmin "$work/commit.sh"
# shellcheck disable=SC2153
runuser -u haadmin -- bash "$work/commit.sh" "$ORIGIN" "$work"
rm -rf -- "$work"
