"""Where tests quote the words that people read: wording belongs in golden files, so that copy can change.

`python -m tests.quotes FOLDER…` lists the places.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
FOLDERS = [
    TESTS / name
    for name in (
        "scenarios",
        "security",
        "delivery",
        "processes",
        "unit/api",
        "unit/documents",
        "unit/grammar",
        "unit/handlers",
    )
]
"""Folders whose tests quote no words."""
_SENTENCE = re.compile(r"[^\W\d_]{2,}.* |  *.*[^\W\d_]{2,}", re.DOTALL)
_WORDS = re.compile(r"\.(words|text)\b|\bwords\(|\bplain\b")
_SEARCHES = {"startswith", "endswith", "count", "index", "find", "split", "partition"}
_PATTERNS = {"search", "match", "fullmatch", "findall"}


def quoted(path: Path) -> Iterator[str]:
    """The places of a module that compare words with a literal: `file:line: source`."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare | ast.Call) and _quotes(node):
            yield f"{path}:{node.lineno}: {ast.get_source_segment(source, node)}"


def _quotes(node: ast.Compare | ast.Call) -> bool:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        first = node.args[0] if node.args else None
        if name in _SEARCHES | _PATTERNS and first is not None and _is_sentence(first):
            return not (
                name in _SEARCHES and isinstance(node.func, ast.Attribute) and _literal(node.func.value)
            )
        return any(one.arg == "match" and _is_sentence(one.value) for one in node.keywords)
    sides = [node.left, *node.comparators]
    said = any(_WORDS.search(ast.unparse(side)) for side in sides if not _literal(side))
    if isinstance(node.ops[0], ast.In | ast.NotIn):
        return _literal(node.left) and (_is_sentence(node.left) or said) and not _is_collection(sides[1])
    return said and any(map(_is_sentence, sides))


def _literal(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_sentence(node: ast.expr) -> bool:
    """Whether a literal reads like words for people: it has a space among letters."""
    if isinstance(node, ast.JoinedStr):
        return any(_is_sentence(part) for part in node.values if isinstance(part, ast.Constant))
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_SENTENCE.search(node.value))
    )


def _is_collection(node: ast.expr) -> bool:
    comprehensions = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    return isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict | comprehensions)


if __name__ == "__main__":
    FOUND = [
        place
        for folder in sys.argv[1:]
        for path in sorted(Path(folder).rglob("*.py"))
        for place in quoted(path)
    ]
    sys.stdout.write("\n".join([*FOUND, f"{len(FOUND)} quotes"]) + "\n")
