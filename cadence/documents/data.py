"""A document as JSON-able data: the shape of the file, every default written, nothing that isn't there."""

from dataclasses import asdict
from typing import TypeAlias

from pydantic import JsonValue

from cadence.documents.playbook import PlaybookSpec
from cadence.documents.workspace import WorkspaceSpec

Data: TypeAlias = dict[str, JsonValue]


def to_data(spec: PlaybookSpec | WorkspaceSpec) -> Data:
    """Plain data in the order of the file; `playbook_from_data` and `workspace_from_data` read it back.

    Enums become their words, whole floats integers (so 15 stays 15), and what is None or empty is left out.
    """
    values = asdict(spec)
    if isinstance(spec, PlaybookSpec):
        return _given(playbook=values.pop("slug"), **values)
    teams = [_given(team=team.pop("slug"), **team) for team in values.pop("teams")]
    data = _given(workspace=values, teams=teams)
    return data or {"teams": []}  # an empty workspace is still seen to be one


def _given(**values: object) -> Data:
    """The keys that hold something, with plain values."""
    plain = {key: _plain(value) for key, value in values.items()}
    return {key: value for key, value in plain.items() if value is not None and value not in ([], {})}


def _plain(value: object) -> JsonValue:
    if isinstance(value, dict):
        return _given(**value)
    if isinstance(value, list | tuple):
        return [plain for plain in map(_plain, value) if plain is not None]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, int):
        return value
    return str(value)
