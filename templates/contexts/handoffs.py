"""Handoffs between teams: the request, the answer, the lists and the forms."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, Id, MessageContext
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffNames:
    """One handoff, wherever it is shown.

    Args:
        number: its id, as commands name it: `#12`.
        playbook: titles of the playbook, the sending team and the receiving team (`to`).
        sent_by: Slack ID.
        sent_at: when it was handed over.
        due_at: until when it should be accepted; `sla` is the duration, such as `24 hours`.
        state: `sent`, `accepted`, `failed`, `done` or `withdrawn`.
        decided_by: Slack ID.
        reason: the note with which it was accepted or finished, or why it can't be used or was withdrawn.
        lacking: the missing inputs.
    """

    number: Id
    playbook: str
    team: str
    to: str
    what: str
    sent_by: str
    sent_at: datetime
    due_at: datetime
    sla: str
    state: str = "sent"
    link: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffPost(MessageContext):
    """Something is handed to a team, or nobody accepted it in time (`overdue`); later, the answer.

    Args:
        inputs: what comes with it, according to the contract; `outputs` is what is expected back.
        on_failure: what the contract says happens if it can't be used.
        may_answer: the reader is on the receiving side, so they get the buttons.
        may_withdraw: the reader can withdraw it while nobody has accepted it.
    """

    TEMPLATE: ClassVar[str] = "messages/handoffs/handoff.json.j2"

    handoff: HandoffNames
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    on_failure: str
    overdue: bool = False
    may_answer: bool = True
    may_withdraw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """A step that a failed handoff holds in its fallback mode: its title, and its modes then and before."""

    step: str
    after: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffAnswered(MessageContext):
    """To the sender: it was accepted, is done or was withdrawn, or can't be used and what follows then.

    Args:
        owner: Slack ID, who can declare the fallback mode; None if that is the reader.
        fallback: the mode the contract names for such a case; None if no step is above it.
        declare: the value of [Declare …]; None for people who can't.
        again: the value of [Hand over again].
        switched: the step that was switched automatically, while it stays so.
        settle: the value of [Handoffs work again]; None for people who can't.
    """

    TEMPLATE: ClassVar[str] = "messages/handoffs/handoff_answered.json.j2"

    handoff: HandoffNames
    on_failure: str
    owner: str | None
    fallback: str | None = None
    declare: str | None = None
    again: str | None = None
    switched: Switched | None = None
    settle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffFallback(MessageContext):
    """A failed handoff switched a step to its contract's fallback mode, or the step is back in its mode (`ended`).

    Args:
        number: the handoff's.
        playbook: titles of the playbook and team that run the step.
        to: the team that sent the handoff back.
        reason: why it was sent back, or why the fallback ended.
        member: Slack ID, who said that handoffs work again; None if a new handoff was accepted.
        held: whether the step still runs in the fallback mode.
        again: the value of [Hand over again].
    """

    TEMPLATE: ClassVar[str] = "messages/handoffs/handoff_fallback.json.j2"

    number: Id
    adoption_id: Id
    step_key: str
    step: str
    before: str
    after: str
    playbook: str
    team: str
    to: str
    what: str
    reason: str
    member: str | None = None
    ended: bool = False
    held: bool = True
    again: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRow:
    """One handoff in a list. `overdue`: its time is over.

    `may_answer`: the reader can accept it or send it back and, once it is accepted, mark it as done.
    """

    handoff: HandoffNames
    overdue: bool = False
    may_answer: bool = False
    may_withdraw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoffs(MessageContext):
    """Open handoffs, those `in_hand`, and recently returned ones; the first ten are shown.

    `asked` is the command that matched several: `accept`, `fail`, `done` or `withdraw`.
    """

    TEMPLATE: ClassVar[str] = "answers/handoffs/handoffs.json.j2"

    rows: tuple[HandoffRow, ...]
    waiting: int
    overdue: int
    in_hand: int = 0
    playbook: str | None = None
    asked: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffForm(PlainForm, callback=Callback.HANDOFF, title="Hand over", submit="Hand over"):
    """Hand something over. A contract's value is `{adoption_id}:{version_id}:{place}`.

    `absent` are receiving teams that the workspace doesn't have yet, by their names in the playbooks.
    """

    TEMPLATE: ClassVar[str] = "modals/handoffs/handoff.json.j2"

    choices: tuple[Choice, ...]
    selected: str | None = ask.choice(
        "What and to whom?",
        "Your playbook's contract says what comes with it and how fast it's accepted.",
        among="choices",
        name=Field.CONTRACT,
    )
    what: str = ask.lines(
        "What are you handing over?", "In one line: the case, the ticket, the list.", most=300
    )
    link: str = ask.text("Link", "To the message or ticket.", most=1_000, optional=True)
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffFailForm(PlainForm, callback=Callback.HANDOFF_FAIL, title="Send it back", submit="Send back"):
    """Why a handoff can't be used; `lacking` are indexes of the contract's inputs."""

    TEMPLATE: ClassVar[str] = "modals/handoffs/handoff_fail.json.j2"

    playbook: str
    team: str
    what: str
    on_failure: str
    choices: tuple[Choice, ...]
    lacking: tuple[str, ...] = ask.several(
        "What is missing?",
        "What the contract says should come with it.",
        among="choices",
        when="choices",
        placeholder="Nothing",
        optional=True,
    )
    reason: str = ask.lines(
        "Why can't you use it?", "The sending team will see this. Describe what's wrong, not who did it."
    )
