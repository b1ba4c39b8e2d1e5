"""Replies that any feature gives: done, refused, help, and what a modal shows instead of a form."""

from dataclasses import dataclass
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import MessageContext, ViewContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(MessageContext):
    """A refusal: a `Refusal`'s text and its offer."""

    TEMPLATE: ClassVar[str] = "answers/refused.json.j2"

    text: str
    offer: Offer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(MessageContext):
    """One line (`mrkdwn.say`), with buttons for the next step if there is one (at most five)."""

    TEMPLATE: ClassVar[str] = "answers/done.json.j2"

    text: Mrkdwn
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpEntry:
    """One command: its `name` (`/cadence away`), `usage` with its arguments, who can use it, and
    `examples` to type."""

    name: str
    usage: str
    summary: str
    who: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpGroup:
    """The commands for one task, such as what there is to do this week."""

    task: str
    entries: tuple[HelpEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpRest:
    """The commands that the reader can't use, and who can."""

    who: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Help(MessageContext):
    """The commands of the reader's roles by task, or those of one topic, for any role. `others` are not
    the reader's."""

    TEMPLATE: ClassVar[str] = "answers/help.json.j2"

    groups: tuple[HelpGroup, ...]
    topic: str | None = None
    others: tuple[HelpRest, ...] = ()

    @property
    def entries(self) -> tuple[HelpEntry, ...]:
        """The commands of all groups."""
        return tuple(entry for group in self.groups for entry in group.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(MessageContext):
    """The words of the product and what they mean: `/cadence help words`."""

    TEMPLATE: ClassVar[str] = "answers/words.json.j2"

    TOPICS: ClassVar[tuple[str, ...]] = ("words", "glossary")


@dataclass(frozen=True, slots=True, kw_only=True)
class HowItWorks(ViewContext):
    """What a person gets and does, to read in 30 seconds."""

    TEMPLATE: ClassVar[str] = "modals/overview/how_it_works.json.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoView(ViewContext):
    """A text to read: a title and paragraphs. `loading()` is opened while the real view is made."""

    TEMPLATE: ClassVar[str] = "modals/info.json.j2"

    title: str
    paragraphs: tuple[str | Mrkdwn, ...]

    @classmethod
    def loading(cls, title: str) -> "InfoView":
        """A placeholder view to open at once (a trigger is valid for three seconds), to be replaced with
        `views.update`."""
        return cls(title=title, paragraphs=("One moment…",))
