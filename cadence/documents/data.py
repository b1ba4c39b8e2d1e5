"""A document as JSON-compatible data: the structure of the file, with every default and no empty keys."""

from typing import TypeAlias

from pydantic import JsonValue

from cadence.documents.playbook import PlaybookSpec
from cadence.documents.workspace import WorkspaceSpec

Data: TypeAlias = dict[str, JsonValue]


def to_data(spec: PlaybookSpec | WorkspaceSpec) -> Data:
    """Convert to plain data in the order of the file; `playbook_from_data` reads a playbook's back.

    Enums become their values, whole floats integers (so 15 stays 15) except 1.0, since a cap of 1 is 1%. None and
    empty values are left out.
    """
    data = _given(spec.model_dump(mode="json", by_alias=True))
    if isinstance(spec, PlaybookSpec):
        return data
    teams = data.pop("teams", [])
    return _given({"workspace": data, "teams": teams}) or {
        "teams": []
    }  # so that an empty workspace is still recognized as one


def _given(values: dict[str, JsonValue]) -> Data:
    """The keys with a value."""
    plain = {key: _plain(value) for key, value in values.items()}
    return {key: value for key, value in plain.items() if value is not None and value not in ([], {})}


def _plain(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _given(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and value != 1 else value
