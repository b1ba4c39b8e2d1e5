"""Blocks as the lines of a transcript: tables by rows, and what can be pressed or chosen marked as such."""

from collections.abc import Iterator, Sequence

from bot.ops.terminal_output import Table
from bot.sandbox.kinds import Json, elements_of, options_of, words_of


def lines_of(blocks: Sequence[Json]) -> Iterator[str]:
    """The lines a person reads, without buttons and menus; a table has a line for each row."""
    for block in blocks:
        if block["type"] == "table":
            yield from _rows(block)
        elif block["type"] != "actions":
            yield from (line for line in words_of(_without_controls(block)).splitlines() if line.strip())


def controls_of(blocks: list[Json]) -> Iterator[str]:
    """What can be pressed or chosen: `[As planned]`, `[Playbook ▾]`, and last `[⋯ Tomorrow · I'm away]`."""
    elements = sorted(
        (element for _, element in elements_of(blocks)), key=lambda one: one["type"] == "overflow"
    )
    for element in elements:
        choices = " · ".join(option["text"]["text"] for option in options_of(element))
        if element["type"] == "button":
            yield f"[{element['text']['text']}]"
        elif element["type"] == "overflow":
            yield f"[⋯ {choices}]"
        elif element.get("placeholder"):
            name = f"{element['placeholder']['text']} ▾"
            yield f"[{name} {choices}]" if choices else f"[{name}]"


def _without_controls(block: Json) -> Json:
    """A section without the button or menu beside it; a picture stays, for its description."""
    beside = block.get("accessory")
    if block["type"] != "section" or beside is None or beside["type"] == "image":
        return block
    return {name: part for name, part in block.items() if name != "accessory"}


def _rows(table: Json) -> Iterator[str]:
    head, *rows = [[" ".join(words_of(cell).split()) for cell in row] for row in table["rows"]]
    return Table(head, rows).lines()
