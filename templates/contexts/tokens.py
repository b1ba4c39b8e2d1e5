"""Tokens: the form, the view that shows one once, and the list."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, MessageContext, ViewContext
from templates.ids import Callback

TOOL, ASSISTANT = "tool", "assistant"
USES: Final = (
    Choice(label="A tool, such as a help desk or a CI job", value=TOOL),
    Choice(label="My own AI assistant: it can do what I can do", value=ASSISTANT),
)
"""Who uses a token."""
WRITE, READ = "write", "read"
SCOPES: Final = (
    Choice(label="Write evidence: runs, numbers, exceptions, grades, checks", value=WRITE),
    Choice(label="Read: status, verdicts, registry (an assistant needs this to answer)", value=READ),
)
"""What a token allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForm(
    PlainForm,
    callback=Callback.TOKEN,
    title="Make a token",
    submit="Make it",
    intro="With a token, a tool reports what it knows, so that nobody has to type it. "
    "You'll see the token once, on the next screen.",
):
    """A new token; without playbooks and teams only one for an assistant can be made."""

    playbooks: tuple[Choice, ...] = ()
    teams: tuple[Choice, ...] = ()
    uses: tuple[Choice, ...] = USES
    name: str = ask.text("Name", "The tool or assistant that will use it, like “Help desk”.", most=60)
    use: str | None = ask.radio("Who will use it?", among="uses", needed="Choose who will use it.")
    playbook: str | None = ask.choice(
        "For which playbook?",
        "For a tool, choose a playbook, a team, or both. Without a playbook it can report on all of the team's.",
        among="playbooks",
        optional=True,
        when="playbooks",
        cut="Showing the first 100 playbooks.",
    )
    team: str | None = ask.choice(
        "For which team?",
        "Without a team it can report for every team that runs the playbook.",
        among="teams",
        optional=True,
        when="teams",
        cut="Showing the first 100 teams.",
    )
    scopes: tuple[str, ...] = ask.checks("What can it do?", among=SCOPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenShown(ViewContext):
    """A token with its secret, as code, shown once after it was made; `scope` is what it is limited to."""

    TEMPLATE: ClassVar[str] = "modals/tokens/token_shown.json.j2"

    name: str
    token: Mrkdwn
    scope: str
    write: bool
    read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """One token; `member` is the person whose assistant uses it."""

    ref: str
    name: str
    scope: str
    member: str | None
    write: bool
    read: bool
    made_by: str
    made_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenList(MessageContext):
    """The tokens somebody can see, newest first."""

    TEMPLATE: ClassVar[str] = "answers/tokens/token_list.json.j2"

    tokens: tuple[TokenLine, ...]
    offers: tuple[Offer, ...] = ()
