"""Each kind of message is declared once, in its package, and each kind that is sent is declared."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cadence.flows
from cadence.flows.core import MessageKind, Urgency
from cadence.flows.outbox import KINDS
from cadence.nudges import BY_KIND, TABLE, Unless

FLOWS = Path(cadence.flows.__file__).parent
SENDERS = {"NewMessage", "tell", "announce", "_tell", "_alert"}
"""Functions that queue a message; the first argument of the first, the keyword `kind` of the others, says which."""


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages([str(FLOWS)], "cadence.flows."):
        yield importlib.import_module(found.name)


def declared(module: ModuleType) -> Iterator[MessageKind]:
    for value in vars(module).values():
        values = value if isinstance(value, tuple) else (value,)
        yield from (one for one in values if isinstance(one, MessageKind))


def sent_by(module: ModuleType) -> Iterator[str]:
    """The kinds that a module's calls name; of one that is handed on, those that its function names."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            if name == "save_override" and any(word.arg == "team" for word in call.keywords):
                yield f"{constant(call.args[1], module)}-overridden"
            if name in SENDERS:
                words = [word.value for word in call.keywords if word.arg == "kind"]
                first = call.args[:1] if name == "NewMessage" else words
                kind = "".join(constant(one, module) for one in first)
                named = [constant(node, module) for node in ast.walk(function)]
                yield from [kind] if kind else [one for one in named if one in KINDS]


def constant(node: ast.AST, module: ModuleType) -> str:
    """The string value of an expression: a literal, a constant of the module, or a kind's name; else None."""
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(node, ast.Name):
        value = vars(module).get(node.id)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        value = getattr(vars(module).get(node.value.id), node.attr, None)
    return value if isinstance(value, str) else ""


def test_each_kind_is_declared_once_and_registered() -> None:
    by_identity = {id(kind): kind for module in modules() for kind in declared(module)}
    names = [kind.name for kind in by_identity.values()]
    assert sorted([*names, "rewrite"]) == sorted(KINDS)


def test_each_registered_kind_is_sent() -> None:
    planned = {row.kind for row in TABLE}
    sent = {kind for module in modules() for kind in sent_by(module)}
    assert planned | sent | {"rewrite"} == set(KINDS)


def test_the_weeks_nudges_are_sent_in_working_hours_and_few_kinds_are_alerts() -> None:
    assert all(KINDS[row.kind].urgency is Urgency.NUDGE for row in TABLE)
    assert {name for name, kind in KINDS.items() if kind.urgency is Urgency.ALERT} == {
        "watch",
        "demoted",
        "handoff-fallback",
        "promotion-proposed",
        "promoted",
        "promotion-declined",
        "drift",
        "playbook-published",
        "risky-grade",
    }
    reaching = [kind for kind in KINDS.values() if kind.reaches_the_away]
    assert all(kind.urgency is Urgency.NUDGE for kind in reaching)


def test_every_reason_is_loud_or_belongs_to_a_kind_and_is_used() -> None:
    of_kinds = {reason for kind in KINDS.values() for reason in kind.unless}
    of_kinds |= {reason for row in BY_KIND.values() for reason in row.unless}
    assert of_kinds == {reason for reason in Unless if reason.quiet}
    used = {
        node.attr
        for file in FLOWS.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Unless"
    }
    used |= {"HOLIDAY", "NO_DAY"}  # by the planner
    assert used - {"is_quiet"} == {one.name for one in Unless}
