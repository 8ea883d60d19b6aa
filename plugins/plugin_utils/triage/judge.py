# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From evidence to what a person reads: rules from their files, result, reports and summary. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Dict, Optional

from .. import yaml_file
from . import html, report, summary, view
from .classification import classify_with
from .evidence import Evidence
from .rules import BadRule, Knowledge, knowledge


def tables(rules_file: str, facts_file: str, extra_rules: Any = ()) -> Knowledge:
    """Read and check the role's two files of rules and facts, and the site's own rules.

    :class:`BadRule`, with one line, when something cannot be used.
    """
    facts = _variables(facts_file)
    return knowledge(
        _variables(rules_file).get("triage_rules"),
        facts.get("triage_required_facts"),
        facts.get("triage_bad_evidence"),
        extra_rules,
    )


def _variables(path: str) -> Mapping[str, Any]:
    try:
        return yaml_file.variables(path)
    except yaml_file.Unreadable as error:
        raise BadRule(str(error)) from error


class Judge:
    """Ready to judge evidence. Making one takes a tenth of a second; it can be done while the host is asked."""

    def __init__(self, known: Knowledge) -> None:
        self._known = known
        html.page()

    def judge(
        self, inventory_name: str, evidence: Any, evidence_file: Optional[str], output_directory: Optional[str]
    ) -> Dict[str, Any]:
        """``result`` (docs/result.schema.json), ``directory`` with the files, ``text`` for a terminal, and ``problem``.

        ``output_directory`` None: nothing is written. ``problem``: why the files could not be, else None. ValueError,
        with one line, for a document that is no evidence.
        """
        result = classify_with(Evidence(evidence), self._known)
        host = view.host_name(inventory_name, evidence, evidence_file)
        directory, problem = None, None
        if output_directory is not None:
            try:
                contents = report.files(host, evidence, result, evidence_file)
                directory = report.write(output_directory, host, evidence.get("collected_at"), contents)
            except OSError as error:
                problem = str(error)
        text = summary.render(host, evidence, result, directory, evidence_file)
        return {"result": result, "directory": directory, "text": text, "problem": problem}
