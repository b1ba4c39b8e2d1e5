r"""Renders a context for Slack.

A template is JSON text: first one object for the whole (`{"text": …}` of a message, title and buttons of a
modal), then one object a block, one after the other; the commas are put here. Whatever `{{ … }}` prints is
escaped for Slack and for the JSON string it stands in; undefined is an error.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, overload

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2 import __version__ as jinja_version
from jinja2.bccache import Bucket
from markupsafe import Markup

from templates.contexts.base import MessageContext, ViewContext
from templates.filters import FILTERS, printed
from templates.ids import Action, Callback, Field

Json = dict[str, Any]

_FOLDER: Final = Path(__file__).parent
_JINJA_FILTERS: Final = ("length", "list", "map", "reject", "rejectattr", "selectattr", "sum")
_SPACE = re.compile(r"\s*")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message: `text` is the notification (4,000 characters at most), `blocks` what is shown (50 at most)."""

    text: str
    blocks: list[Json]


@overload
def render(context: MessageContext) -> Rendered: ...
@overload
def render(context: ViewContext) -> Json: ...
def render(context: MessageContext | ViewContext) -> Rendered | Json:
    """Fill the context's template.

    Returns:
        A `Rendered` message, or the view of a modal for `views.open`.

    Raises:
        jinja2.UndefinedError, TypeError, ValueError: the template or the context is wrong, never a person's
            input.
    """
    values = {field.name: getattr(context, field.name) for field in fields(context)} | {"modal": context}
    source = _ENVIRONMENT.get_template(context.TEMPLATE).render(values)
    head, *blocks = (value for value, _ in _values(source))
    if isinstance(context, MessageContext):
        return Rendered(text=head["text"], blocks=blocks)
    return {"type": "modal", **head, "private_metadata": context.private_metadata, "blocks": blocks}


def _values(source: str) -> Iterator[tuple[Json, str]]:
    """Each JSON value of a text that holds several, and the text of it."""
    at = _end_of_space(source, 0)
    while at < len(source):
        value, end = _DECODER.raw_decode(source, at)
        yield value, source[at:end]
        at = _end_of_space(source, end)


def _end_of_space(source: str, at: int) -> int:
    found = _SPACE.match(source, at)
    return found.end() if found else at


def _array(caller: Callable[[], str]) -> Markup:
    """`{% call array() %}`: the JSON values of its body, as a JSON array."""
    return Markup(f"[{','.join(source for _, source in _values(caller()))}]")  # noqa: S704 - valid JSON


class _CompiledTemplates(FileSystemBytecodeCache):
    """Keeps compiled templates beside Python's compiled modules, and like those only where it can write.

    A compiled template depends on its text, Jinja2 and this module. It would depend on the filters, too, if it
    printed or filtered a constant; a test finds those that do.
    """

    _SETTINGS: Final = sha256(jinja_version.encode() + Path(__file__).read_bytes()).hexdigest()

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The name of its file."""
        return sha256(f"{self._SETTINGS}:{filename}:{name}".encode()).hexdigest()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Save a compiled template."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)


def new_environment() -> Environment:
    """A Jinja2 environment in which every value is escaped when printed."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=printed,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_CompiledTemplates(str(_FOLDER / "__pycache__"), "%s.j2c"),
    )
    environment.filters = {name: environment.filters[name] for name in _JINJA_FILTERS} | dict(FILTERS)
    environment.globals = {"Action": Action, "Callback": Callback, "Field": Field, "array": _array}
    return environment


_ENVIRONMENT: Final = new_environment()
