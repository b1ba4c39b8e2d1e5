"""What people were shown, as the contexts that filled its templates, and its words as golden files have them.

Tests assert on contexts and rows, so that copy can change. Words are compared in golden files only.
"""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import templates.render as rendering
from bot.sandbox.answers import Answer, SubmitResult
from bot.sandbox.kinds import elements_of, words_of
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from templates.contexts.base import MessageContext, ViewContext
from templates.plain import IN_VIEWS, plain_blocks

Context = TypeVar("Context", bound=MessageContext | ViewContext)
Shown = Answer | SubmitResult | Message | View
"""What a person sees: a message or a form, or what came of an action."""
HEADING: Final = "=== "
_SHOWN: Final[dict[str, dict[type, Any]]] = defaultdict(dict)
"""The latest context of each kind, by the words that it was rendered to."""
_render: Any = rendering.render


def _recorded(context: Any) -> Any:
    """Render a context, and remember it by its words."""
    rendered = _render(context)
    blocks = rendered.blocks if isinstance(rendered, rendering.Rendered) else rendered["blocks"]
    if not all("type" in block for block in blocks):
        return rendered  # a test's own template
    for form in (blocks, plain_blocks(blocks), plain_blocks(blocks, kept=IN_VIEWS)):
        _SHOWN[words_of(form)][type(context)] = context
    return rendered


rendering.render = _recorded  # before the modules that import it


def shown(said: Shown, kind: type[Context]) -> Context:
    """The newest context of a kind in what a person sees: in the form on top, else in the messages."""
    found = [_SHOWN[words_of(blocks)] for blocks in _blocks(said)]
    for contexts in found:
        if kind in contexts:
            context: Context = contexts[kind]
            return context
    others = sorted({other.__name__ for contexts in found for other in contexts})
    raise AssertionError(f"no {kind.__name__} was shown, but {others}: {words(said)!r}")


def contexts(messages: Iterable[Message], kind: type[Context]) -> list[Context]:
    """The contexts of a kind among some messages, as each is now, in their order."""
    return [shown(message, kind) for message in messages if is_shown(message, kind)]


def actions(said: Shown) -> list[str]:
    """The action ids of the buttons, menus and fields that a person sees, in order (`templates.ids.Action`)."""
    elements = (element for blocks in _blocks(said) for _, element in elements_of(blocks))
    return [element["action_id"] for element in elements if "action_id" in element]


def is_shown(said: Shown, kind: type[object]) -> bool:
    """Whether a context of a kind is in what a person sees."""
    return any(kind in _SHOWN[words_of(blocks)] for blocks in _blocks(said))


def _blocks(said: Shown) -> Iterator[list[Any]]:
    """The blocks a person sees, the newest first."""
    if isinstance(said, Message | View):
        yield said.blocks
        return
    if said.view is not None:
        yield said.view.blocks
    yield from (message.blocks for message in reversed(said.messages))


def words(said: Shown) -> str:
    """All the words a person sees: of the messages, then of the form on top."""
    if isinstance(said, Message | View):
        return said.words
    form = [said.view.words] if said.view is not None else []
    errors = [f"{name}: {text}" for name, text in getattr(said, "errors", {}).items()]
    return "\n".join([*(message.words for message in said.messages), *form, *errors])


def assert_golden(said: Shown | str, name: str) -> None:
    """Compare words with the entry of this name in the golden file beside the test module; UPDATE_GOLDEN=1 writes it.

    Args:
        name: unique in the module; what varies comes after a colon, as in `refused:typo`.
    """
    text = said if isinstance(said, str) else words(said)
    path = _golden_file()
    if os.environ.get("UPDATE_GOLDEN"):
        _update(path, name, text)
    entries = golden_entries(path)
    assert name in entries, f"{path} has no entry {name!r}. UPDATE_GOLDEN=1 writes it."
    assert text.strip() == entries[name]


def golden_entries(path: Path) -> dict[str, str]:
    """The words of each entry of a golden file."""
    if not path.exists():
        return {}
    _, *parts = f"\n{path.read_text(encoding='utf-8')}".split(f"\n{HEADING}")
    found = (part.partition("\n") for part in parts)
    return {name: text.strip() for name, _, text in found}


def _golden_file() -> Path:
    module = Path(os.environ["PYTEST_CURRENT_TEST"].partition("::")[0])
    return Path(__file__).parent.parent / module.parent / "golden" / f"{module.stem}.txt"


def _update(path: Path, name: str, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        entries = golden_entries(path) | {name: text.strip()}
        parts = [f"{HEADING}{one}\n{entries[one]}\n" for one in sorted(entries)]
        file.truncate(0)
        file.write("\n".join(parts))
