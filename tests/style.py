"""Words that STYLE rules out in anything people read, and where they are looked for.

This is the one list. To cover another surface, add its glob to `COVERED`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

RULED_OUT: dict[str, str] = {
    r"\banew\b": "again, from the start; counters reset",
    r"\bshall\b": "should, will",
    r"\bwhoever\b": "name the people",
    r"(?:^|[.:;!?] )Who \w+s\b(?![^.!?]*\?)": "If you …, Members who …",
    r"\b(?:who|they|you|curators?|owners?|members?|nobody|everyone|everybody) may\b": "can (might, for a chance)",
    r"\bhears? of\b": "is told about",
    r"\bthere (?:is|are) none\b": "no …",
    r"\bis no (?:instant|date|number|day|week|time|address|such)\b": "isn't a …",
    r"\b(?:is|are) not there\b": "doesn't exist",
    r"\bon (?:its|their) way\b": "drafts, coming",
    r"\bleft its rule\b": "went wrong",
    r"\b(?:takes? up|took up|taken up|taking up)\b(?! to\b)": "adopts, uses",
    r"\blacks?\b": "is missing, 2 items left",
    r"\b(?:stands|stood) (?!for\b|on\b|out\b)": "is, appears",
    r"\bwaits? for (?:you|whom)\b": "needs you",
    r"\bclock runs\b": "timer started",
    r"\bcould be led\b": "ready for promotion",
    r"\bran as declared\b": "as planned",
    r"\bsomething drifted\b": "something changed",
    r"\brecommit": "back to the plan",
    r"\bit began at\b": "baseline",
    r"\bcounts? (?:starts|start) again\b": "counters reset",
    r"\ball the same\b": "anyway",
    r"\bone's\b": "your",
    r"\boneself\b": "yourself",
    r"\bthereof\b|\bwhereby\b|\bhereby\b": "plain words",
    r"\btoo old to be understood\b": "has expired",
    r"\bnothing of it\b": "nothing",
    r"\btakes a keyboard\b": "works with a keyboard",
    r"\bthat is owed\b|\bwere owed\b|\bis owed\b": "waiting messages",
}
"""A pattern (case-insensitive, except at a sentence's beginning), and what to write instead."""

COVERED = (
    "templates/answers/**/*.j2",
    "templates/home/**/*.j2",
    "templates/messages/**/*.j2",
    "templates/modals/**/*.j2",
    "templates/contexts/**/*.py",
    "cadence/documents/*.py",
    "cadence/rules/*.py",
    "cadence/nudges/*.py",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/*.md",
    "examples/clients/README.md",
    "examples/clients/*.py",
    "bot/cli.py",
    "bot/settings.py",
    "bot/ops/*.py",
    "bot/rehearsal/*.py",
    "bot/sandbox/*.py",
    "bot/runtime/*.py",
    "templates/sandbox/*.html",
    "cadence/flows/**/*.py",
    "handlers/**/*.py",
    "templates/sandbox/*.js",
    "bot/sandbox/README.md",
)
"""Everything people read, as globs."""


class Found(NamedTuple):
    """A ruled-out word: `place` is `file:line`."""

    place: str
    words: str
    instead: str


def ruled_out(file: Path) -> list[Found]:
    """Every ruled-out word in what people read of a file."""
    place = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    return [
        Found(f"{place}:{number}", found[0].strip(), instead)
        for number, text in _read_by_people(file)
        for pattern, instead in RULED_OUT.items()
        for found in re.finditer(pattern, text, 0 if "(?:^" in pattern else re.IGNORECASE)
    ]


def _read_by_people(file: Path) -> Iterator[tuple[int, str]]:
    """Line numbers and texts: paragraphs of Markdown, templates without comments, string literals of Python."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        yield from _literals(text)
    elif file.suffix == ".md":
        yield from _paragraphs(text)
    else:
        without = re.sub(r"\{#.*?#\}", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
        yield from enumerate(without.splitlines(), start=1)


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs as one line each, so that a phrase is found across a line break; without code."""
    text = re.sub(
        r"^ *```.*?^ *```", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE
    )
    text = re.sub(r"`[^`\n]+`", "`…`", text)
    number = 1
    for part in re.split(r"(\n\s*\n)", text):
        if part.strip():
            yield number, " ".join(part.split())
        number += part.count("\n")


def _literals(text: str) -> Iterator[tuple[int, str]]:
    """The string literals of Python, without docstrings and the values of enums."""
    tree = ast.parse(text)
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    commands = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any("app.command" in ast.unparse(one) for one in node.decorator_list)
        and isinstance(node.body[0], ast.Expr)
    }  # a command's docstring is its help text
    inside = {id(one) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in ast.walk(node)}
    stored = {
        id(member.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases)
        for member in node.body
        if isinstance(member, ast.Assign)
    }  # rows and buttons keep the values of enums when their names change
    unread = inside | stored | (statements - commands)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (one.value if isinstance(one, ast.Constant) else "…" for one in node.values)
            yield node.lineno, " ".join("".join(str(part) for part in parts).split())
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in unread:
            yield node.lineno, " ".join(node.value.split())
