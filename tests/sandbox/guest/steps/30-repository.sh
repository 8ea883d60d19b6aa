# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# step: the git origin, the checkout and its virtual environment
#
# The stand-in service becomes a repository with a history, so that there is something to fetch, to deploy and to go
# back to. Author and dates are fixed: the same files give the same commits on every machine.

origin=/srv/git/healtharchive.git
checkout=/opt/healtharchive
work=$(mktemp -d)

cat >/etc/gitconfig <<'END'
[init]
    defaultBranch = main
[user]
    name = HealthArchive
    email = service@healtharchive.invalid
[advice]
    detachedHead = false
END

export GIT_COMMITTER_NAME=HealthArchive GIT_COMMITTER_EMAIL=service@healtharchive.invalid
export GIT_AUTHOR_NAME=$GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL=$GIT_COMMITTER_EMAIL

git init --quiet --bare "$origin"
cp -r /run/service/. "$work"
cd "$work" || exit
git init --quiet

# usage: commit DATE MESSAGE PATHSPEC...   (what there is of the paths; a commit without content is left out)
commit() {
    export GIT_AUTHOR_DATE="$1T12:00:00Z" GIT_COMMITTER_DATE="$1T12:00:00Z"
    git add --all -- "${@:3}"
    git diff --cached --quiet || git commit --quiet --message "$2"
}

commit 2026-09-01 "Import the service" . ':!tests' ':!README.md'
commit 2026-10-06 "Test what the contract says" . ':!README.md'
commit 2026-11-10 "Say what this is and how it installs" .
git push --quiet "$origin" main
chown -R haadmin:haadmin "$origin"

install -d -o haadmin -g haadmin -m 0755 "$checkout"
runuser -u haadmin -- git clone --quiet "$origin" "$checkout"
runuser -u haadmin -- python3 -m venv "$checkout/.venv"
# the deploy script's own command, offline: the wheels must be complete
(cd "$checkout" && runuser -u haadmin -- .venv/bin/pip install --quiet --no-cache-dir -e '.[dev]')
runuser -u haadmin -- "$checkout/.venv/bin/python" -m compileall -q "$checkout/src"
rm -rf "$work"
