# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions over the evidence: Jinja's grammar, three truth values. Private to this collection.

Jinja only parses them. Its own evaluation knows two truth values, so that null would compare as false, and could reach
Python's attributes; here a few kinds of node are walked, names and members reach the evidence only, and calls reach the
functions of :mod:`.functions` only. Nothing of the evidence is ever parsed.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from jinja2 import TemplateError, nodes
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from . import functions
from .evidence import PROBES, Evidence
from .unknown import UNKNOWN, Listing, conjunction, disjunction, kind, member, negation, truth, value_of

_ENVIRONMENT = ImmutableSandboxedEnvironment()
_MAXIMUM_LENGTH = 1000
_MAXIMUM_DEPTH = 30


class BadExpression(ValueError):
    """The condition cannot be used; the message says why, on one line."""


class Condition(NamedTuple):
    """A checked condition. Call it with evidence: True, False, or None for unknown."""

    source: str
    tree: nodes.Expr

    def __call__(self, evidence: Evidence) -> Optional[bool]:
        return truth(_Evaluation(evidence).value(self.tree))


def condition(source: Any) -> Condition:
    """Parse and check one condition; :class:`BadExpression` if it is none."""
    if not isinstance(source, str) or not source.strip():
        raise BadExpression("a condition is a text that is not empty, not %s" % type(source).__name__)
    if len(source) > _MAXIMUM_LENGTH:
        raise BadExpression("longer than %d characters" % _MAXIMUM_LENGTH)
    try:
        parser = Parser(_ENVIRONMENT, source, state="variable")
        tree = parser.parse_expression()
        rest = not parser.stream.eos
    except TemplateError as error:
        raise BadExpression("not an expression: %s" % error.message) from error
    except RecursionError:
        raise BadExpression("nested too deeply") from None
    if rest:
        raise BadExpression("not one expression: something follows it")
    _check(tree)
    return Condition(source, tree)


_NODES = (
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Name,
    nodes.Const,
    nodes.Call,
)
_PARTS = (nodes.Operand, nodes.Keyword, nodes.List, nodes.Tuple)


def _check(node: nodes.Node, depth: int = 0) -> None:
    if depth > _MAXIMUM_DEPTH:
        raise BadExpression("nested too deeply")
    if not isinstance(node, _NODES + _PARTS):
        raise BadExpression("%s is not allowed in a condition" % type(node).__name__.lower())
    if isinstance(node, nodes.Call):
        _check_call(node)
        children: list = [*node.args, *node.kwargs]
    else:
        children = list(node.iter_child_nodes())
    if isinstance(node, nodes.Name) and node.name not in PROBES:
        raise BadExpression("%s is neither a probe nor a function" % node.name)
    if isinstance(node, nodes.Getitem) and not (isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str)):
        raise BadExpression("only a text can stand in [ ]")
    if isinstance(node, nodes.Const) and not isinstance(node.value, (bool, int, float, str)):
        raise BadExpression("nothing can be compared with none: ask known(...)")
    for child in children:
        _check(child, depth + 1)


def _check_call(node: nodes.Call) -> None:
    if not isinstance(node.node, nodes.Name) or node.node.name not in functions.FUNCTIONS:
        raise BadExpression("only these functions can be called: %s" % ", ".join(sorted(functions.FUNCTIONS)))
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise BadExpression("* and ** are not allowed in a call")
    name = node.node.name
    try:
        inspect.signature(functions.FUNCTIONS[name]).bind(None, *node.args, **{pair.key: pair for pair in node.kwargs})
    except TypeError as error:
        raise BadExpression("%s(): %s" % (name, error)) from error


class _Evaluation:
    """One condition on one evidence document. Members of partial data are known, their lists are incomplete."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def value(self, node: nodes.Node) -> Any:
        return _EVALUATORS[type(node)](self, node)

    def truth(self, node: nodes.Node) -> Optional[bool]:
        return truth(self.value(node))

    def complete(self, node: nodes.Node) -> bool:
        """Whether the probe that a chain of members starts at saw all."""
        while isinstance(node, (nodes.Getattr, nodes.Getitem)):
            node = node.node
        if isinstance(node, nodes.Name):
            return self.evidence.complete(node.name)
        return False


def _compare(evaluation: _Evaluation, node: nodes.Compare) -> Any:
    left = evaluation.value(node.expr)
    results = []
    for operand in node.ops:
        right = evaluation.value(operand.expr)
        results.append(_COMPARISONS[operand.op](left, right))
        left = right
    return _known(conjunction(results))


def _known(value: Optional[bool]) -> Any:
    return UNKNOWN if value is None else value


def _alike(left: Any, right: Any) -> bool:
    return kind(left) is not None and kind(left) == kind(right)


def _ordered(operation: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Optional[bool]]:
    def compare(left: Any, right: Any) -> Optional[bool]:
        return operation(left, right) if _alike(left, right) and kind(left) != "truth" else None

    return compare


def _equal(left: Any, right: Any) -> Optional[bool]:
    return left == right if _alike(left, right) else None


def _in(left: Any, right: Any) -> Optional[bool]:
    if not isinstance(right, Listing) or kind(left) is None:
        return None
    found = disjunction(_equal(left, value_of(item, right.complete)) for item in right.items)
    return None if found is False and not right.complete else found


_COMPARISONS: Dict[str, Callable[[Any, Any], Optional[bool]]] = {
    "eq": _equal,
    "ne": lambda left, right: negation(_equal(left, right)),
    "lt": _ordered(lambda left, right: left < right),
    "lteq": _ordered(lambda left, right: left <= right),
    "gt": _ordered(lambda left, right: left > right),
    "gteq": _ordered(lambda left, right: left >= right),
    "in": _in,
    "notin": lambda left, right: negation(_in(left, right)),
}


def _call(evaluation: _Evaluation, node: nodes.Call) -> Any:
    arguments = [evaluation.value(argument) for argument in node.args]
    keywords = {pair.key: evaluation.value(pair.value) for pair in node.kwargs}
    name = node.node.name  # type: ignore[attr-defined]  # _check_call has seen that it is one
    return functions.FUNCTIONS[name](evaluation.evidence, *arguments, **keywords)


_EVALUATORS: Mapping[type, Callable[[_Evaluation, Any], Any]] = {
    nodes.And: lambda e, n: _known(conjunction([e.truth(n.left), e.truth(n.right)])),
    nodes.Or: lambda e, n: _known(disjunction([e.truth(n.left), e.truth(n.right)])),
    nodes.Not: lambda e, n: _known(negation(e.truth(n.node))),
    nodes.Compare: _compare,
    nodes.Getattr: lambda e, n: member(e.value(n.node), n.attr, e.complete(n)),
    nodes.Getitem: lambda e, n: member(e.value(n.node), n.arg.value, e.complete(n)),
    nodes.Name: lambda e, n: e.evidence.data(n.name),
    nodes.Const: lambda e, n: value_of(n.value, True),
    nodes.List: lambda e, n: Listing([e.value(item) for item in n.items], True),
    nodes.Tuple: lambda e, n: Listing([e.value(item) for item in n.items], True),
    nodes.Call: _call,
}
