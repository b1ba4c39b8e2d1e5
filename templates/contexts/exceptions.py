"""A logged exception, the form for one, and the list of those that count."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from templates.contexts import ask
from templates.contexts.ask import Asked, Input, PlainForm
from templates.contexts.base import Choice, ChoiceGroup, Evidence, Id, MessageContext, ViewContext
from templates.ids import Action, Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionLogged(MessageContext):
    """A logged exception, and its effect.

    Args:
        step_ref: the value of [View exceptions], `{adoption_id}:{step_key}`.
        decision: the current verdict: `hold`, `watch` or `demote`.
        demote_at: the count at which the evidence line demotes now, None if it can't.
        severe: the verdict rests on a critical exception.
        after: the new mode, if demoted.
        link: of the message kept as evidence.
        duplicate: it was logged before; nothing changed.
        undo: the value of [Undo], while the reader can undo it.
        logged_by: Slack ID of who logged this message before, and when (`logged_at`); None for one's own retry.
    """

    TEMPLATE: ClassVar[str] = "answers/exceptions/exception_logged.json.j2"

    playbook: str
    team: str
    step: str
    step_ref: str
    mode: str
    critical: bool
    reason: str
    evidence: Evidence
    decision: str
    demote_at: int | None = None
    severe: bool = False
    after: str | None = None
    link: str | None = None
    duplicate: bool = False
    undo: Id | None = None
    logged_by: str | None = None
    logged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedForYou(MessageContext):
    """A workflow logged an exception in its reader's name; `undo` is the value of [Undo], None once it was undone."""

    TEMPLATE: ClassVar[str] = "messages/exceptions/logged_for_you.json.j2"

    playbook: str
    team: str
    step: str
    step_ref: str
    reason: str
    link: str | None = None
    undo: Id | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionForm(PlainForm, callback=Callback.EXCEPTION, title="Log an exception", submit="Log it"):
    """An exception of a step in at least one group.

    The value of a step is the caller's own, such as `{adoption_id}:{step_key}`.

    Args:
        notice: what it will do, or that it was just logged, if that needs confirmation.
        effect: what a critical exception would do to the chosen step.
    """

    TEMPLATE: ClassVar[str] = "modals/exceptions/exception.json.j2"

    groups: tuple[ChoiceGroup, ...]
    selected: str | None = ask.choice(
        "Which step went wrong?",
        among="groups",
        name=Field.STEP,
        action=Action.CHOOSE_STEP,
        cut=(
            "Showing the first 40 playbooks. For any other, type `/exception` with the playbook and the step."
        ),
    )
    reason: str = ask.lines(
        "What happened?",
        "Describe what happened, not who did it. You can undo it for 10 minutes.",
    )
    critical: bool = ask.check(
        "How serious is it?",
        among=(Choice(label="Critical: demotes the step right away", value="critical"),),
        optional=True,
    )
    link: str = ask.text("Link", "To the message or ticket.", most=2_000, optional=True)
    notice: Mrkdwn | None = None
    effect: str = ""

    def asked_input(self, attribute: str, declared: Input) -> Asked:
        """The effect of a critical exception stands below its checkbox, unless the notice says it."""
        if attribute == "critical" and not self.notice:
            declared = replace(declared, hint=self.effect)
        return PlainForm.asked_input(self, attribute, declared)

    def modal_submit(self) -> str:
        """[Log it] confirms what the notice says."""
        return "Log it" if self.notice else self.SUBMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedException:
    """One exception as it was logged, without its author; `via` is the token of the tool that reported it."""

    logged_at: datetime
    reason: str
    critical: bool = False
    link: str | None = None
    via: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionList(ViewContext):
    """The exceptions that count against a step, newest first; `evidence.exceptions` counts them all.

    `earlier` are those of the cycle that counted before the count restarted, such as by a demotion.
    """

    TEMPLATE: ClassVar[str] = "modals/exceptions/exceptions.json.j2"

    playbook: str
    team: str
    step: str
    evidence: Evidence
    items: tuple[LoggedException, ...]
    earlier: tuple[LoggedException, ...] = ()
