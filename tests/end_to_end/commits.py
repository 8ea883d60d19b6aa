# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commits of the service to deploy, pushed to the origin of a sandbox host by git itself."""

from __future__ import annotations

from typing import Any

ORIGIN = "/srv/git/healtharchive.git"
CHECKOUT = "/opt/healtharchive"
PACKAGE = "ha-example"

# A wheel that a deploy in the guest can install: pure Python, made by hand, put where pip there looks.
WHEEL = r"""
python3 - <<'PYTHON'
import zipfile
files = {
    "ha_example.py": "NAME = 'ha-example'\n",
    "ha_example-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: ha-example\nVersion: 1.0\n",
    "ha_example-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
record = "".join("%s,,\n" % name for name in [*files, "ha_example-1.0.dist-info/RECORD"])
with zipfile.ZipFile("/srv/wheels/ha_example-1.0-py3-none-any.whl", "w") as wheel:
    for name, text in {**files, "ha_example-1.0.dist-info/RECORD": record}.items():
        wheel.writestr(name, text)
PYTHON
"""
# The next revision after the newest one: its table is called like it.
MIGRATION = r"""
last=$(sed -n 's/^revision = "\(.*\)"/\1/p' migrations/versions/*.py | sort | tail -n 1)
next=$(printf '%%04d_example' $((10#${last%%%%_*} + 1)))
cat >migrations/versions/$next.py <<PYTHON
import sqlalchemy as sa
from alembic import op

revision = "$next"
down_revision = "$last"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("$next", sa.Column("id", sa.Integer, primary_key=True))
    %s


def downgrade() -> None:
    op.drop_table("$next")
PYTHON
"""
# What each kind of commit does to the checkout, as bash in a clone of it.
KINDS = {
    "text": "date +%s.%N >>README.md",
    "dependency": "sed -i 's/^dependencies = \\[/&\\n  \"%s>=1\",/' pyproject.toml" % PACKAGE,
    "migration": MIGRATION % "",
    "failing migration": MIGRATION % 'op.execute("SELECT no_such_column FROM snapshots")',
    "missing dependency": "sed -i 's/^dependencies = \\[/&\\n  \"ha-nowhere>=1\",/' pyproject.toml",
    "silent API": "printf '\\nraise RuntimeError(\"the API does not start\")\\n' >>src/healtharchive/api/__init__.py",
    "no search": 'sed -i \'s#Route("/api/search"#Route("/api/find"#\' src/healtharchive/api/application.py',
}


def push(host: Any, *kinds: str, base: str = "origin/main", branch: str = "main") -> str:
    """Push one commit that does all of these, and return its full id. ``base``: what it follows; what came after that is on the
    branch no more."""
    changes = "\n".join(KINDS[kind] for kind in kinds)
    return host.root(
        r"""
%s
work=$(runuser -u haadmin -- mktemp -d)
cat >$work/commit.sh <<'END OF COMMIT'
set -euo pipefail
git clone --quiet "$1" "$2/clone"
cd "$2/clone"
git checkout --quiet --detach "$3"
%s
git add --all
git commit --quiet --message "$5"
git push --quiet --force origin HEAD:refs/heads/"$4"
git rev-parse HEAD
END OF COMMIT
chown haadmin $work/commit.sh
runuser -u haadmin -- bash $work/commit.sh %s $work '%s' '%s' '%s'
rm -rf -- $work
"""
        % (WHEEL, changes, ORIGIN, base, branch, "Change: " + ", ".join(kinds))
    ).strip()
