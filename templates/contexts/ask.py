"""Plain forms: each input is declared once, in the context that holds its initial value.

A form is a frozen dataclass. An attribute whose default comes from `ask.text` or its like is an input: the value of
the attribute is what the input starts with, and what it holds once the form is submitted (`PlainForm.of`). Inputs are
shown in the order of their declaration by one template, `modals/form.json.j2`.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple, Self

from cadence.mrkdwn import Mrkdwn, code, say
from templates.contexts.base import Choice, ChoiceGroup, ViewContext
from templates.filters import clip
from templates.ids import Callback

_INPUT: Final = "input"
MOST_CHOICES: Final = 100
"""Options in one menu, Slack's limit."""
MOST_GROUPS: Final = 40
"""Headings in one menu: Slack takes 100 of 100 options each, but no view above 250 kB."""
FIELD: Final = 3_000
"""Characters in one field, Slack's limit."""
PARAGRAPH: Final = 1_000
"""Characters of a reason or a note."""


class Kind(StrEnum):
    """The type of an input."""

    TEXT = "text"
    WHOLE = "whole"
    CHOICE = "choice"
    RADIO = "radio"
    SEVERAL = "several"
    CHECK = "check"
    CHECKS = "checks"
    DAY = "day"
    MEMBER = "member"
    MEMBERS = "members"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a plain form.

    Args:
        kind: its type.
        label: above it.
        hint: below it.
        optional: it can be left empty.
        name: its block id, a `Field`, if that isn't the attribute's name.
        most: maximum characters of a text.
        lines: the text may have several lines.
        least: minimum of a whole number.
        among: the options, or the attribute that holds them: choices, or groups of them.
        first: the first option is the default.
        placeholder: of a menu without a selection; empty for none.
        cut: shown below a menu with more options than it can show.
        when: the attribute that must be set for it to be asked. A text that is None isn't either: it is too long.
        above: shown above it, as mrkdwn.
        needed: the refusal if nothing was chosen; empty if a flow refuses it.
        action: sent at once when its value changes, so that the form can be shown again; empty for none.
    """

    kind: Kind
    label: str
    hint: str = ""
    optional: bool = False
    name: str = ""
    most: int = FIELD
    lines: bool = False
    least: int = 0
    among: str | tuple[Choice, ...] = ()
    first: bool = False
    placeholder: str = "Choose one"
    cut: str = ""
    when: str = ""
    above: str = ""
    needed: str = ""
    action: str = ""


class Asked(NamedTuple):
    """An input as shown: `field` is its block id, `value` its initial value."""

    field: str
    input: Input
    value: Any
    choices: tuple[Choice, ...] = ()
    groups: tuple[ChoiceGroup, ...] = ()

    @property
    def action(self) -> str:
        """Its action id."""
        return self.input.action or self.field

    @property
    def above(self) -> Mrkdwn:
        """The text above it."""
        return Mrkdwn(self.input.above)

    @property
    def cut(self) -> Mrkdwn | None:
        """The text about options that don't fit, if there are any."""
        fits = len(self.choices) <= MOST_CHOICES and len(self.groups) <= MOST_GROUPS
        return None if fits or not self.input.cut else Mrkdwn(self.input.cut)


def _asks(kind: Kind, default: object, label: str, hint: str = "", **declared: Any) -> Any:
    """An attribute that is an input; see `Input` for its options."""
    return field(default=default, metadata={_INPUT: Input(kind=kind, label=label, hint=hint, **declared)})


text = partial(_asks, Kind.TEXT, "")
"""One line of text: a `str`."""
lines = partial(_asks, Kind.TEXT, "", lines=True, most=PARAGRAPH)
"""A text of several lines: a `str`."""
whole = partial(_asks, Kind.WHOLE, None)
"""A whole number: an `int | None`."""
choice = partial(_asks, Kind.CHOICE, None)
"""One of several options: its value, a `str | None`."""
radio = partial(_asks, Kind.RADIO, None)
"""One of a few options, all of them shown: its value, a `str | None`."""
several = partial(_asks, Kind.SEVERAL, ())
"""Any of several options in a menu: their values, a `tuple[str, ...]`."""
check = partial(_asks, Kind.CHECK, False)
"""One checkbox, the only option `among`: a `bool`."""
checks = partial(_asks, Kind.CHECKS, ())
"""Any of several checkboxes: their values, a `tuple[str, ...]`."""
day = partial(_asks, Kind.DAY, None)
"""A date: a `date | None`."""
member = partial(_asks, Kind.MEMBER, None)
"""One person: a Slack ID, a `str | None`."""
members = partial(_asks, Kind.MEMBERS, ())
"""Several people: Slack IDs, a `tuple[str, ...]`."""
channel = partial(_asks, Kind.CHANNEL, None)
"""A channel: a Slack ID, a `str | None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainForm(ViewContext):
    """A modal that asks for some inputs and is submitted once.

    A form with further content has a template that extends `modals/form.json.j2`.
    """

    TEMPLATE: ClassVar[str] = "modals/form.json.j2"
    CALLBACK: ClassVar[Callback]
    TITLE: ClassVar[str] = ""
    SUBMIT: ClassVar[str] = "Save"
    INTRO: ClassVar[str] = ""

    def __init_subclass__(cls, **constants: str) -> None:
        """Set what every form of a class shares, by keywords: `callback`, `title`, `submit`, `intro`."""
        for name, value in constants.items():
            setattr(cls, name.upper(), value)

    def modal_title(self) -> str:
        """The modal's title, 24 characters at most."""
        return self.TITLE

    def modal_submit(self) -> str:
        """The label of the button that submits it, 24 characters at most."""
        return self.SUBMIT

    def intro(self) -> str | Mrkdwn:
        """The text above the inputs."""
        return Mrkdwn(self.INTRO)

    @classmethod
    def declared_inputs(cls) -> Mapping[str, Input]:
        """The inputs by the attribute that holds their value."""
        return {one.name: one.metadata[_INPUT] for one in fields(cls) if _INPUT in one.metadata}

    def asked_input(self, attribute: str, declared: Input) -> Asked:
        """One input, as shown."""
        value = getattr(self, attribute)
        among: tuple[Any, ...] = (
            getattr(self, declared.among) if isinstance(declared.among, str) else declared.among
        )
        if declared.first and value not in {one.value for one in among}:
            value = among[0].value
        grouped = bool(among) and isinstance(among[0], ChoiceGroup)
        return Asked(
            field=declared.name or attribute,
            input=declared,
            value=value,
            choices=() if grouped else among,
            groups=among if grouped else (),
        )

    def asked_inputs(self) -> list[Asked | Mrkdwn]:
        """The inputs to show, with the texts in place of those that aren't asked."""
        shown = [self._shown(name, declared) for name, declared in self.declared_inputs().items()]
        return [one for one in shown if one is not None]

    def _shown(self, attribute: str, declared: Input) -> Asked | Mrkdwn | None:
        too_long = declared.kind is Kind.TEXT and getattr(self, attribute) is None
        if too_long or (declared.when and not getattr(self, declared.when)):
            return self.instead(attribute)
        return self.asked_input(attribute, declared)

    def instead(self, attribute: str) -> Mrkdwn | None:  # noqa: ARG002 - for forms that say something
        """The text in place of an input that isn't asked."""
        return None

    @classmethod
    def of(cls, value: Callable[[str, Input], Any]) -> Self:
        """The submitted form: only its inputs are set, and attributes with a default.

        Args:
            value: returns the value of an input, by its block id.
        """
        form = object.__new__(cls)
        for one in fields(cls):
            declared = one.metadata.get(_INPUT)
            if declared is not None:
                object.__setattr__(form, one.name, value(declared.name or one.name, declared))
            elif one.default is not MISSING:
                object.__setattr__(form, one.name, one.default)
        return form


def short_name(slug: str) -> Mrkdwn:
    """The text in place of a short name that can't be changed."""
    return say("Short name: {slug}", slug=code(clip(slug, 80)))
