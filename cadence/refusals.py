"""What the bot says when it can't do what was asked: what is wrong, and what would be right."""

from collections.abc import Mapping
from dataclasses import dataclass

from cadence.mrkdwn import Mrkdwn, sentence


@dataclass(frozen=True, slots=True)
class Offer:
    """One button beside a refusal, so that the right thing is one click away.

    Args:
        label: the button's words, 75 characters at most.
        action: an action id of `templates.ids`.
        value: what the button carries: ids only, never trusted without a new check.
    """

    label: str
    action: str
    value: str = ""


class Refusal(Exception):
    """Something a person asked for that can't be done, worded so that they can do it right.

    Args:
        text: one or two sentences of our own; `mrkdwn.say` puts in what was typed, mentions and code.
        field: the form field it is about, when there is one (also the block id of that input).
        offer: a button that does what they probably meant.
    """

    def __init__(self, text: str, *, field: str | None = None, offer: Offer | None = None) -> None:
        self.text: Mrkdwn = sentence(text)
        self.field = field
        self.offer = offer
        super().__init__(self.plain)

    @property
    def plain(self) -> str:
        """The sentence for a terminal or a form field: no Slack escapes."""
        return self.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class FieldsRefused(Refusal):
    """Several fields of a form are wrong: `errors` says what is wrong with each, plain text by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        field, text = next(iter(self.errors.items()))
        super().__init__(text, field=field)


class NotAllowed(Refusal):
    """The person's role doesn't allow it; the text says whose does."""


class Unknown(Refusal):
    """A playbook, step, team, member or command that doesn't exist here; the text names the nearest."""
