"""The plain form of blocks: sections only, for servers and views that refuse newer blocks; nothing is lost by it."""

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from cadence.mrkdwn import escape

Json = dict[str, Any]
PLAIN: Final = frozenset({"section", "divider", "context", "actions", "input"})
"""Types of blocks that every server knows."""
IN_VIEWS: Final = PLAIN | {"header", "image", "rich_text"}
"""Types of blocks of modals and Home: tables are for messages only."""
LONGEST: Final = 2_900
"""Characters of a section; Slack allows 3,000."""
_REFERENCE: Final = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")


def plain_text(blocks: Collection[Json]) -> str:
    """The same content as text to read outside of Slack, without buttons: a line a paragraph, no escapes.

    People stay `<@U…>`: `named` knows their names.
    """
    texts = []
    for block in plain_blocks(blocks):
        if block["type"] == "section":
            texts.append(block["text"]["text"])
        elif block["type"] == "context":
            texts += [one["text"] for one in block["elements"] if "text" in one]
    text = _REFERENCE.sub(_spoken, "\n\n".join(texts))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _spoken(found: re.Match[str]) -> str:
    """A link as `label (address)`, a time as its fallback, a person or a channel as it is."""
    target, label = found[1], found[2]
    if target.startswith("!date"):
        return label or ""
    if target.startswith(("@", "#")):
        return found[0]
    if target.startswith("!"):
        return f"@{target[1:]}"
    return f"{label} ({target})" if label else target


def plain_blocks(blocks: Collection[Json], *, kept: Collection[str] = PLAIN) -> list[Json]:
    """The same content in sections: headers in bold, fields and rows of tables as lines, an image as its description.

    Args:
        kept: types of blocks that stay as they are, but for the fields of sections.
    """
    return [plain for block in blocks for plain in _plain(block, kept)]


def _plain(block: Json, kept: Collection[str]) -> Iterator[Json]:
    kind = block["type"]
    if kind == "section" and "fields" in block and "header" not in kept:
        yield from _of_section(block)
    elif kind in kept:
        yield block
    elif kind == "header":
        yield _section(f"*{block['text']['text']}*")
    elif kind == "table":
        yield from _of_table(block)
    elif kind == "image":
        yield _section(escape(block["alt_text"]))


def _of_section(block: Json) -> Iterator[Json]:
    lines = [block["text"]["text"]] if "text" in block else []
    lines += [": ".join(field["text"].split("\n", 1)) for field in block["fields"]]
    first, *rest = _packed(lines)
    accessory = {"accessory": block["accessory"]} if "accessory" in block else {}
    yield _section(first) | accessory
    yield from map(_section, rest)


def _of_table(block: Json) -> Iterator[Json]:
    """A line a row: the first column in bold, then each other column with its name."""
    head, *rows = [[escape(cell["text"]) for cell in row] for row in block["rows"]]
    lines = [
        " · ".join([f"*{row[0]}*", *(f"{name} {text}" for name, text in zip(head[1:], row[1:], strict=True))])
        for row in rows
    ]
    yield from map(_section, _packed(lines or [" · ".join(head)]))


def _packed(lines: Collection[str]) -> list[str]:
    """Lines joined into as few texts as fit into sections."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= LONGEST:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return texts


def _section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "verbatim": True, "text": text}}
