"""Reading a whole document, from a file or from stored data: it is right, or every problem of it is told."""

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from typing import TypeVar

from cadence.documents.playbook import PlaybookSpec
from cadence.documents.playbook_reader import read_kept_playbook_section, read_playbook_section
from cadence.documents.problems import DocumentRefused, Problem
from cadence.documents.section import Place, Section
from cadence.documents.tree import Mapping, tree_of
from cadence.documents.workspace import WorkspaceSpec, read_workspace_section
from cadence.nearest import nearest

T = TypeVar("T")
_PLAYBOOK_KEYS = frozenset({"playbook", "kpi", "kpis", "steps", "rubric", "pillars"})
_WORKSPACE_KEYS = frozenset({"workspace", "teams"})


def read_document(text: str) -> PlaybookSpec | WorkspaceSpec:
    """A playbook or a workspace file; its top-level keys say which.

    Raises:
        DocumentRefused: with every problem of the file, each with its line.
    """
    root = _parsed(text)
    if _PLAYBOOK_KEYS & root.entries.keys():
        return _whole(root, read_playbook_section)
    if _WORKSPACE_KEYS & root.entries.keys():
        return _whole(root, read_workspace_section)
    begins = nearest(next(iter(root.entries), ""), ("playbook", "workspace", "teams"))
    right = (
        f"did you mean `{begins}:`?"
        if begins
        else "begin with `playbook: a-short-name`, or with `workspace:`"
    )
    raise DocumentRefused([Problem(root.line, "", "nothing says which document this is", right)])


def read_playbook(text: str) -> PlaybookSpec:
    """A playbook file.

    Raises:
        DocumentRefused: with every problem of the file, each with its line.
    """
    root = _parsed(text)
    if _WORKSPACE_KEYS & root.entries.keys() and not _PLAYBOOK_KEYS & root.entries.keys():
        raise DocumentRefused(
            [Problem(root.line, "", "this is a workspace file", "import it by itself, or send a playbook")]
        )
    return _whole(root, read_playbook_section)


def read_workspace(text: str) -> WorkspaceSpec:
    """A workspace file.

    Raises:
        DocumentRefused: with every problem of the file, each with its line.
    """
    root = _parsed(text)
    if not _WORKSPACE_KEYS & root.entries.keys():
        reason = (
            "this is a playbook" if "playbook" in root.entries else "neither `workspace` nor `teams` is here"
        )
        raise DocumentRefused([Problem(root.line, "", reason, "begin with `workspace:` and `teams:`")])
    return _whole(root, read_workspace_section)


def playbook_from_data(data: AnyMapping[str, object]) -> PlaybookSpec:
    """The playbook that `to_data` made into data; as strict as reading a file was then, and problems have no line."""
    return _whole(_stored(data), read_kept_playbook_section)


def workspace_from_data(data: AnyMapping[str, object]) -> WorkspaceSpec:
    """The workspace that `to_data` made into data; as strict as reading a file, but problems have no line."""
    return _whole(_stored(data), read_workspace_section)


def _parsed(text: str) -> Mapping:
    from cadence.documents.source import parse  # noqa: PLC0415 - YAML is slow to load, and files are rare

    return parse(text)


def _stored(data: AnyMapping[str, object]) -> Mapping:
    root = tree_of(data)
    return root if isinstance(root, Mapping) else Mapping(0, {}, {})


def _whole(root: Mapping, read: Callable[[Section], T]) -> T:
    problems: list[Problem] = []
    section = Section(root, Place("", problems))
    document = read(section)
    section.close()
    if problems:
        raise DocumentRefused(problems)
    return document
