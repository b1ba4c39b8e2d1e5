"""Refusals: what is wrong with a request, and how to do it right."""

from collections.abc import Mapping
from dataclasses import dataclass

from cadence.mrkdwn import Mrkdwn, sentence


@dataclass(frozen=True, slots=True)
class Offer:
    """A button with a refusal, so that the right action is one click away.

    Args:
        label: the button's text, 75 characters at most.
        action: an action id of `templates.ids`.
        value: the button's value: ids only, checked again when it is pressed.
    """

    label: str
    action: str
    value: str = ""


class Refusal(Exception):
    """A request that can't be carried out, worded so that the person can correct it.

    Args:
        text: one or two sentences; `mrkdwn.say` inserts input, mentions and code.
        field: the form field it is about, if any (also the block id of that input).
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
    """Several fields of a form are wrong: `errors` has the problem of each as plain text, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        field, text = next(iter(self.errors.items()))
        super().__init__(text, field=field)


class NotAllowed(Refusal):
    """The person's role doesn't allow it; the text says which role does."""


class Unknown(Refusal):
    """A playbook, step, team, member or command that doesn't exist here; the text suggests the nearest.

    Args:
        typed: the wrong word, as it was typed.
        near: the right word in its place, if one is near: the command is then offered with it.
    """

    def __init__(
        self,
        text: str,
        *,
        field: str | None = None,
        offer: Offer | None = None,
        typed: str = "",
        near: str | None = None,
    ) -> None:
        super().__init__(text, field=field, offer=offer)
        self.typed = typed
        self.near = near
