"""A document as YAML text, in the order of the examples; parsing it gives the same document."""

import re
from io import StringIO

from pydantic import JsonValue

from cadence.documents.data import to_data
from cadence.documents.playbook import PlaybookSpec
from cadence.documents.syntax import resolve
from cadence.documents.workspace import WorkspaceSpec

_WIDTH = 100
_ON_ONE_LINE = frozenset({"promote", "verify", "guardrails", "scale_rule", "worth"})
_SHORT_LIST = 70
_PLAIN = re.compile(r"\w[^:#\[\]{}\"\\]*")


def dump_playbook(spec: PlaybookSpec) -> str:
    """The playbook's file with every default; `read_playbook` of it gives `spec`."""
    return _dump(to_data(spec))


def dump_workspace(spec: WorkspaceSpec) -> str:
    """The workspace's file: `read_workspace` of it gives `spec`."""
    return _dump(to_data(spec))


def _dump(data: dict[str, JsonValue]) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 - loaded by the few who read or write files

    yaml = YAML(typ="rt", pure=True)
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(_block(data), stream)
    return stream.getvalue()


def _block(value: JsonValue, key: str = "", *, flow: bool = False) -> object:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq  # noqa: PLC0415 - as above

    flow = flow or key in _ON_ONE_LINE
    if isinstance(value, dict):
        mapping = CommentedMap({name: _block(part, name, flow=flow) for name, part in value.items()})
        if flow and key != "guardrails":
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, list):
        sequence = CommentedSeq([_block(part, flow=flow or isinstance(part, str)) for part in value])
        if all(not isinstance(part, dict) for part in value) and len("".join(map(str, value))) <= _SHORT_LIST:
            sequence.fa.set_flow_style()
        return sequence
    return _text(value, flow=flow) if isinstance(value, str) else value


def _text(value: str, *, flow: bool) -> object:
    from ruamel.yaml.scalarstring import (  # noqa: PLC0415 - as above
        DoubleQuotedScalarString,
        LiteralScalarString,
    )

    if "\n" in value and not flow:
        return LiteralScalarString(value)
    # Only text that is clearly plain stays unquoted: ruamel.yaml would read `[key:]` as a list of one
    # mapping.
    plain = isinstance(resolve(value), str) and _PLAIN.fullmatch(value) and not (flow and "," in value)
    return value if plain else DoubleQuotedScalarString(value)
