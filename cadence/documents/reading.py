"""Read a whole document, from a file or from stored data: a value, or every problem at once."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from cadence.documents.group import Group, Line, Loc, problems_in
from cadence.documents.playbook import FILE, STORED, PlaybookSpec
from cadence.documents.problems import DocumentRefused, Problem
from cadence.documents.workspace import WorkspaceFile, WorkspaceSpec
from cadence.nearest import nearest

if TYPE_CHECKING:
    from cadence.documents.source import Source

T = TypeVar("T", bound=Group)
_PLAYBOOK_KEYS = frozenset({"playbook", "kpi", "kpis", "steps", "rubric", "pillars"})
_WORKSPACE_KEYS = frozenset({"workspace", "teams"})


def read_document(text: str) -> PlaybookSpec | WorkspaceSpec:
    """Read a playbook or a workspace file; its top-level keys tell which.

    Raises:
        DocumentRefused: with every problem of the file, each with its line.
    """
    source = _parsed(text)
    if _PLAYBOOK_KEYS & source.data.keys():
        return _read(PlaybookSpec, source)
    if _WORKSPACE_KEYS & source.data.keys():
        return _read(WorkspaceFile, source).spec
    begins = nearest(next(iter(source.data), ""), ("playbook", "workspace", "teams"))
    right = (
        f"did you mean `{begins}:`?"
        if begins
        else "begin with `playbook: a-short-name`, or with `workspace:`"
    )
    raise _refusal(source, "this doesn't say which kind of file it is", right)


def read_playbook(text: str) -> PlaybookSpec:
    """A playbook file.

    Raises:
        DocumentRefused: with every problem of the file, each with its line.
    """
    source = _parsed(text)
    if _WORKSPACE_KEYS & source.data.keys() and not _PLAYBOOK_KEYS & source.data.keys():
        raise _refusal(source, "this is a workspace file", "import it on its own, or import a playbook")
    return _read(PlaybookSpec, source)


def read_workspace(text: str) -> WorkspaceSpec:
    """A workspace file.

    Raises:
        DocumentRefused: with every problem of the file, each with its line.
    """
    source = _parsed(text)
    if not _WORKSPACE_KEYS & source.data.keys():
        playbook = "playbook" in source.data
        reason = "this is a playbook" if playbook else "`workspace` and `teams` are missing"
        raise _refusal(source, reason, "begin with `workspace:` and `teams:`")
    return _read(WorkspaceFile, source).spec


def playbook_from_data(data: Mapping[str, object]) -> PlaybookSpec:
    """Read the playbook that `to_data` converted to data; as strict as a file was then, and problems have
    no line."""
    return _validated(PlaybookSpec, dict(data), STORED)


def _parsed(text: str) -> "Source":
    from cadence.documents.source import parse  # noqa: PLC0415 - YAML is slow to load, and files are rare

    return parse(text)


def _refusal(source: "Source", reason: str, right: str) -> DocumentRefused:
    return DocumentRefused([Problem(source.lines[()].value, "", reason, right)])


def _read(model: type[T], source: "Source") -> T:
    return _validated(model, source.data, FILE, lines=source.lines, problems=source.problems)


def _validated(
    model: type[T],
    data: object,
    context: str,
    *,
    lines: Mapping[Loc, Line] = MappingProxyType({}),
    problems: Sequence[Problem] = (),
) -> T:
    found: list[Problem] = list(problems)
    try:
        document = model.model_validate(data, context=context, by_alias=True, by_name=False)
    except ValidationError as refused:
        found += problems_in(refused, lines)
    if found:
        raise DocumentRefused(found)
    return document
