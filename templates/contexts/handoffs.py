"""Handoffs between teams: the message that hands over, what came of it, the lists and the forms."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from templates.contexts.base import Choice, Id, MessageContext, ViewContext


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffNames:
    """One handoff, wherever it is shown.

    Args:
        number: its id, as commands name it: `#12`.
        playbook: titles, of the playbook, the team that sent it and the team it goes to (`to`).
        sent_by: Slack ID.
        sent_at: when it was handed over.
        due_at: until when it should be accepted; `sla` says how long that is, such as `24 hours`.
        state: `sent`, `accepted`, `failed`, `done` or `withdrawn`.
        decided_by: Slack ID.
        reason: the note of who accepted or finished it, or why it can't be used or was withdrawn.
        lacking: the inputs that were missed.
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
    """Something is handed to a team, or nobody took it in time (`overdue`); later, what came of it.

    Args:
        inputs: what comes with it, as the contract names it; `outputs` is what is expected back.
        on_failure: what the contract says happens when it can't be used.
        may_answer: the reader is of the receiving side, so they get the buttons.
        may_withdraw: the reader may take it back while nobody has accepted it.
    """

    TEMPLATE: ClassVar[str] = "messages/handoff.json.j2"

    handoff: HandoffNames
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    on_failure: str
    overdue: bool = False
    may_answer: bool = True
    may_withdraw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffAnswered(MessageContext):
    """To those who handed over: it was accepted, is done or was withdrawn, or can't be used and what follows then.

    Args:
        owner: Slack ID, who may declare the fallback mode; None when that is the reader.
        fallback: the mode the contract names for such a case; None when no step is above it.
        declare: what [Declare …] carries; None for those who may not.
        again: what [Hand over again] carries.
    """

    TEMPLATE: ClassVar[str] = "messages/handoff_answered.json.j2"

    handoff: HandoffNames
    on_failure: str
    owner: str | None
    fallback: str | None = None
    declare: str | None = None
    again: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRow:
    """One handoff in a list. `overdue`: its time is over.

    `may_answer`: the reader may accept it or send it back and, once it is accepted, say that it is done.
    """

    handoff: HandoffNames
    overdue: bool = False
    may_answer: bool = False
    may_withdraw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoffs(MessageContext):
    """What was handed over and waits, what is `in_hand`, and what was sent back lately; the first ten are shown.

    `asked` is the command that meant one of several: `accept`, `fail`, `done` or `withdraw`.
    """

    TEMPLATE: ClassVar[str] = "answers/handoffs.json.j2"

    rows: tuple[HandoffRow, ...]
    waiting: int
    overdue: int
    in_hand: int = 0
    playbook: str | None = None
    asked: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffForm(ViewContext):
    """Hand something over. Inputs: `contract` (of value `{adoption_id}:{version_id}:{place}`), `what`, `link`.

    `absent` are receiving teams that the workspace doesn't have yet, by the names the playbooks give them.
    """

    TEMPLATE: ClassVar[str] = "modals/handoff.json.j2"

    choices: tuple[Choice, ...]
    selected: str | None = None
    what: str = ""
    link: str = ""
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffFailForm(ViewContext):
    """Why what was handed over can't be used. Inputs: `lacking` (places of the contract's inputs), `reason`."""

    TEMPLATE: ClassVar[str] = "modals/handoff_fail.json.j2"

    playbook: str
    team: str
    what: str
    on_failure: str
    choices: tuple[Choice, ...]
    reason: str = ""
