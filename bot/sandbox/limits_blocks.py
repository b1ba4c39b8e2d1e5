"""What Slack refuses in a list of blocks, by surface: message, modal or home."""

from collections.abc import Callable

from bot.sandbox.kinds import Json
from bot.sandbox.limits_check import ID, Check, join
from bot.sandbox.limits_elements import check_element

_ANY_TEXT = ("plain_text", "mrkdwn")
_EVERYWHERE = frozenset({"message", "modal", "home"})
_MESSAGES = frozenset({"message"})
MARKDOWN_TEXT = 12_000

_KEYS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "section": (frozenset(), frozenset({"text", "fields", "accessory", "expand"})),
    "header": (frozenset({"text"}), frozenset()),
    "divider": (frozenset(), frozenset()),
    "context": (frozenset({"elements"}), frozenset()),
    "actions": (frozenset({"elements"}), frozenset()),
    "image": (frozenset({"alt_text"}), frozenset({"image_url", "slack_file", "title"})),
    "input": (frozenset({"label", "element"}), frozenset({"hint", "optional", "dispatch_action"})),
    "markdown": (frozenset({"text"}), frozenset()),
    "rich_text": (frozenset({"elements"}), frozenset()),
    "table": (frozenset({"rows"}), frozenset({"column_settings"})),
}
"""Per block type: the keys it needs and those it may have, besides `type` and `block_id`."""

_SURFACES = {"markdown": _MESSAGES, "table": _MESSAGES}
_RICH_SECTIONS = frozenset(
    {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
)
_RICH_PARTS = frozenset(
    {"text", "link", "user", "usergroup", "channel", "emoji", "broadcast", "date", "color", "team"}
)


def check_blocks(check: Check, blocks: object, *, surface: str, most: int, least: int = 0) -> None:
    """Note everything wrong with a list of blocks shown on `surface` ("message", "modal" or "home")."""
    entries = check.count("blocks", blocks, most, least)
    check.each("blocks", entries, lambda path, block: _block(check, path, block, surface))
    known = [block for block in entries if isinstance(block, dict)]
    _unique(check, "blocks", [block.get("block_id") for block in known], "block_id")
    if sum(block.get("type") == "table" for block in known) > 1:
        check.say("blocks", "more than one table, 1 allowed in a message")
    markdown = sum(len(str(block.get("text", ""))) for block in known if block.get("type") == "markdown")
    if markdown > MARKDOWN_TEXT:
        check.say("blocks", f"{markdown:,} characters of markdown in all, {MARKDOWN_TEXT:,} allowed")


def _unique(check: Check, path: str, names: list[object], what: str) -> None:
    seen: set[object] = set()
    for name in names:
        if name is not None and name in seen:
            check.say(path, f"{what} `{name}` is used twice")
        seen.add(name)


def _block(check: Check, path: str, block: Json, surface: str) -> None:
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in _KEYS:
        check.say(f"{path}.type", f"`{kind}` isn't a type of block")
        return
    if surface not in _SURFACES.get(kind, _EVERYWHERE):
        check.say(f"{path}.type", f"`{kind}` can't be shown in a {surface} view")
    needed, optional = _KEYS[kind]
    if not check.keys(path, block, required=needed | {"type"}, optional=optional | {"block_id"}):
        return
    if "block_id" in block:
        check.length(join(path, "block_id"), block["block_id"], ID)
    look = _LOOKS.get(kind)
    if look:
        look(check, path, block)


def _section(check: Check, path: str, block: Json) -> None:
    if "text" not in block and "fields" not in block:
        check.say(path, "needs text or fields")
    if "text" in block:
        check.text(join(path, "text"), block["text"], 3_000, _ANY_TEXT)
    if "fields" in block:
        for at, field in enumerate(check.count(join(path, "fields"), block["fields"], 10)):
            check.text(f"{path}.fields[{at}]", field, 2_000, _ANY_TEXT)
    if "accessory" in block:
        check_element(check, join(path, "accessory"), block["accessory"], "section")
    check.boolean(join(path, "expand"), block.get("expand"))


def _header(check: Check, path: str, block: Json) -> None:
    check.text(join(path, "text"), block["text"], 150)


def _context(check: Check, path: str, block: Json) -> None:
    for at, element in enumerate(check.count(join(path, "elements"), block["elements"], 10)):
        where = f"{path}.elements[{at}]"
        if isinstance(element, dict) and element.get("type") in _ANY_TEXT:
            check.text(where, element, 3_000, _ANY_TEXT)
        else:
            check_element(check, where, element, "context")


def _actions(check: Check, path: str, block: Json) -> None:
    elements = check.count(join(path, "elements"), block["elements"], 25)
    for at, element in enumerate(elements):
        check_element(check, f"{path}.elements[{at}]", element, "actions")
    ids = [element.get("action_id") for element in elements if isinstance(element, dict)]
    _unique(check, join(path, "elements"), ids, "action_id")


def _image(check: Check, path: str, block: Json) -> None:
    if ("image_url" in block) == ("slack_file" in block):
        check.say(path, "needs either image_url or slack_file")
    if "image_url" in block:
        check.length(join(path, "image_url"), block["image_url"], 3_000)
    check.length(join(path, "alt_text"), block["alt_text"], 2_000)
    if "title" in block:
        check.text(join(path, "title"), block["title"], 2_000)


def _input(check: Check, path: str, block: Json) -> None:
    check.text(join(path, "label"), block["label"], 2_000)
    if "hint" in block:
        check.text(join(path, "hint"), block["hint"], 2_000)
    check.boolean(join(path, "optional"), block.get("optional"))
    check.boolean(join(path, "dispatch_action"), block.get("dispatch_action"))
    check_element(check, join(path, "element"), block["element"], "input")


def _markdown(check: Check, path: str, block: Json) -> None:
    check.length(join(path, "text"), block["text"], MARKDOWN_TEXT)


def _rich_text(check: Check, path: str, block: Json) -> None:
    elements = check.count(join(path, "elements"), block["elements"], 1_000, least=0)
    check.each(join(path, "elements"), elements, lambda where, element: _rich_section(check, where, element))


def _rich_section(check: Check, path: str, element: Json) -> None:
    check.one_of(join(path, "type"), element.get("type"), _RICH_SECTIONS)
    if element.get("type") == "rich_text_list":
        lines = check.count(join(path, "elements"), element.get("elements"), 1_000, least=0)
        check.each(join(path, "elements"), lines, lambda where, line: _rich_section(check, where, line))
        return
    parts = check.count(join(path, "elements"), element.get("elements"), 10_000, least=0)
    check.each(join(path, "elements"), parts, lambda where, part: _rich_part(check, where, part))


def _rich_part(check: Check, path: str, part: Json) -> None:
    kind = part.get("type")
    check.one_of(join(path, "type"), kind, _RICH_PARTS)
    if kind == "text":
        check.length(join(path, "text"), part.get("text"), 40_000)


def _table(check: Check, path: str, block: Json) -> None:
    rows = check.count(join(path, "rows"), block["rows"], 100)
    for at, row in enumerate(rows):
        cells = check.count(f"{path}.rows[{at}]", row, 20)
        check.each(f"{path}.rows[{at}]", cells, lambda where, cell: _cell(check, where, cell))
    if "column_settings" in block:
        check.count(join(path, "column_settings"), block["column_settings"], 20, least=0)


def _cell(check: Check, path: str, cell: Json) -> None:
    if cell.get("type") == "rich_text":
        _rich_text(check, path, cell)
    elif cell.get("type") in ("raw_text", "raw_number"):
        check.length(join(path, "text"), cell.get("text"), 3_000)
    else:
        check.say(f"{path}.type", f"`{cell.get('type')}` isn't a table cell: raw_text or rich_text")


_LOOKS: dict[str, Callable[[Check, str, Json], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "table": _table,
}
