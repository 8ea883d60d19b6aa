# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two faults at once on one host: storage comes first, and both are named. tests/pairs has all pairs."""

from __future__ import annotations

import pytest

PAIRS = [
    # looks like the site's fault, and is not the first thing to mend
    ("stalled_crawl", "hot_path_hung", ["hot_path_hung", "crawl_stalled"]),
    # the API is down for a reason of its own
    ("api_missing_dependency", "hot_path_stale", ["hot_path_stale", "dependency_missing"]),
    # hardly anything answers
    ("postgresql_down", "hot_path_hung", ["hot_path_hung", "postgresql_down"]),
]


@pytest.mark.parametrize(("other", "storage", "rules"), PAIRS, ids=["%s+%s" % pair[:2] for pair in PAIRS])
def test_storage_first_and_both_named(host, broken, tmp_path, other, storage, rules):
    broken(other)
    broken(storage)
    triage = host.triage(tmp_path)
    assert triage.rc == 0
    found = [each["rule"] for each in triage.result["classes"]]
    assert found[0] == rules[0], found
    assert set(rules) <= set(found), found
    assert triage.first["class"] == "storage"
