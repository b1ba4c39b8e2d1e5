"""The checks that limits are composed of: keys, lengths, text objects, options, confirms."""

from collections.abc import Callable, Collection
from typing import Any

from bot.sandbox.kinds import Json

ID = 255
OPTION_TEXT = 75
OPTION_VALUE = 150
OPTIONS = 100


class Check:
    """Collects problems; every method says the path it looked at, so that all are reported at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def say(self, path: str, what: str) -> None:
        """Note one problem at `path`; the top of the payload has an empty path."""
        self.problems.append(f"{path}: {what}" if path else what)

    def keys(
        self, path: str, node: Json, *, required: Collection[str], optional: Collection[str] = ()
    ) -> bool:
        """Whether all required keys are there and no unknown one is; Slack refuses both."""
        before = len(self.problems)
        for key in sorted(set(required) - node.keys()):
            self.say(join(path, key), "missing")
        for key in sorted(node.keys() - set(required) - set(optional)):
            self.say(join(path, key), "unknown key")
        return len(self.problems) == before

    def length(self, path: str, value: object, most: int, least: int = 1) -> None:
        """A string of `least` to `most` characters."""
        if not isinstance(value, str):
            self.say(path, "must be a text")
        elif len(value) > most:
            self.say(path, f"{len(value):,} characters, {most:,} allowed")
        elif len(value) < least:
            self.say(path, "empty" if least == 1 else f"{len(value)} characters, at least {least} needed")

    def count(self, path: str, value: object, most: int, least: int = 1) -> list[Any]:
        """The list itself when its number of entries is allowed, else an empty one."""
        if not isinstance(value, list):
            self.say(path, "must be a list")
            return []
        if len(value) > most:
            self.say(path, f"{len(value)} entries, {most} allowed")
        elif len(value) < least:
            self.say(path, f"{len(value)} entries, at least {least} needed")
        return value

    def boolean(self, path: str, value: object) -> None:
        """True, false or left out."""
        if value is not None and not isinstance(value, bool):
            self.say(path, "must be true or false")

    def one_of(self, path: str, value: object, allowed: Collection[str]) -> None:
        """One of a few words."""
        if value not in allowed:
            self.say(path, f"`{value}` isn't one of {', '.join(sorted(allowed))}")

    def whole(self, path: str, value: object, least: int, most: int | None = None) -> None:
        """A whole number, left out or within its bounds."""
        if value is None:
            return
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self.say(path, f"must be a whole number of {least} or more")
        elif most is not None and value > most:
            self.say(path, f"{value:,}, {most:,} allowed")

    def text(self, path: str, node: object, most: int, kinds: Collection[str] = ("plain_text",)) -> None:
        """A text object of one of `kinds` with 1 to `most` characters."""
        if not isinstance(node, dict):
            self.say(path, "must be a text object")
            return
        kind = node.get("type")
        if kind not in kinds:
            self.say(f"{path}.type", f"`{kind}` isn't allowed here: {' or '.join(sorted(kinds))}")
            return
        extra = {"emoji"} if kind == "plain_text" else {"verbatim"}
        if self.keys(path, node, required={"type", "text"}, optional=extra):
            self.length(path, node["text"], most)
            for key in extra:
                self.boolean(f"{path}.{key}", node.get(key))

    def each(self, path: str, nodes: list[Any], look: Callable[[str, Json], None]) -> None:
        """Look at every entry of a list, which must be objects."""
        for at, node in enumerate(nodes):
            if isinstance(node, dict):
                look(f"{path}[{at}]", node)
            else:
                self.say(f"{path}[{at}]", "must be an object")

    def confirm(self, path: str, node: object) -> None:
        """A confirm dialog: title 100, text 300, buttons 30 characters."""
        if not isinstance(node, dict):
            self.say(path, "must be an object")
            return
        self.keys(path, node, required={"title", "text", "confirm", "deny"}, optional={"style"})
        for key, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            if key in node:
                self.text(
                    join(path, key),
                    node[key],
                    most,
                    ("plain_text", "mrkdwn") if key == "text" else ("plain_text",),
                )
        if "style" in node:
            self.one_of(join(path, "style"), node["style"], {"primary", "danger"})

    def option(self, path: str, node: Json, *, kinds: Collection[str], url: bool = False) -> None:
        """One option: text 75, value 150, description 75, and in overflow menus a url of 3,000 characters."""
        extra = {"description", "url"} if url else {"description"}
        if not self.keys(path, node, required={"text", "value"}, optional=extra):
            return
        self.text(join(path, "text"), node["text"], OPTION_TEXT, kinds)
        self.length(join(path, "value"), node["value"], OPTION_VALUE)
        if "description" in node:
            self.text(join(path, "description"), node["description"], OPTION_TEXT, kinds)
        if "url" in node:
            self.length(join(path, "url"), node["url"], 3_000)

    def group(self, path: str, node: Json) -> None:
        """A labelled group of options in a menu."""
        if self.keys(path, node, required={"label", "options"}):
            self.text(join(path, "label"), node["label"], OPTION_TEXT)
            options = self.count(join(path, "options"), node["options"], OPTIONS)
            self.each(join(path, "options"), options, lambda at, o: self.option(at, o, kinds=("plain_text",)))


def join(path: str, key: str) -> str:
    """`path.key`, or the key alone at the top."""
    return f"{path}.{key}" if path else key
