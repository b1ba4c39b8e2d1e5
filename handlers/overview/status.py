"""Status, why, and the digest."""

from dataclasses import dataclass
from typing import Final

from cadence.flows import overview
from cadence.mrkdwn import code, say
from cadence.refusals import Unknown
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Command, Entry, Request
from handlers.grammar.errors import shown
from handlers.grammar.steps import take_playbook_and_step
from handlers.payloads import Body, Form, row_id, split_ref
from templates.contexts.base import MessageContext
from templates.contexts.overview.statuses import WhyForm
from templates.ids import Action, Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(AboutPlaybook):
    """`/cadence status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(AboutPlaybook):
    """`/cadence why`: why a step is in its mode."""

    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(Command):
    """`/cadence digest`: this week so far, or the months."""

    months: bool = False


def read_status(request: Request) -> Status:
    """`/cadence status [playbook]`."""
    return Status(playbook=request.only_playbook(), team=request.team)


def read_why(request: Request) -> Why:
    """`/cadence why <playbook> <step>`."""
    playbook, step = take_playbook_and_step(request)
    return Why(playbook=playbook, step=step, team=request.team)


def read_digest(request: Request) -> Digest:
    """`/cadence digest [months]`."""
    word = request.typed.take()[0]
    if word.key != "months":
        raise Unknown(
            say(
                "{typed} isn't part of the digest. Try {right}.",
                typed=shown(word.text),
                right=code(f"{request.command} months"),
            ),
            typed=word.text,
            near="months",
        )
    return Digest(months=True)


def status(context: RequestContext, command: Status) -> None:
    """`/cadence status`."""
    context.say(overview.status(context.uow, playbook=command.playbook, team=command.team))


def status_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Status]: of one playbook, or of all of a person's."""
    context.say(overview.status(context.uow, playbook=value or None, team=None))


def why(context: RequestContext, command: Why) -> None:
    """`/cadence why`: immediately if the step is given, else by form."""
    if command.step is None:
        context.open(overview.why_form(context.uow))
        return
    context.say(overview.why(context.uow, playbook=command.playbook, step=command.step, team=command.team))


def _why(context: RequestContext, ref: str) -> MessageContext:
    adoption_id, step = split_ref(ref)
    return overview.why(context.uow, playbook=None, step=step, adoption_id=adoption_id)


def why_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Why] of a step; of a playbook with several, it asks which."""
    if (adoption_id := row_id(value)) is not None:
        context.open(overview.why_form(context.uow, adoption_id=adoption_id))
        return
    context.say(_why(context, value))


def math(context: RequestContext, value: str, _body: Body) -> None:
    """[Show the math] of a why."""
    adoption_id, step = split_ref(value)
    context.open(overview.why_math(context.uow, adoption_id=adoption_id, step=step))


def why_submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form that asks which step is meant."""
    return _why(context, form.read(WhyForm).selected or "")


def digest(context: RequestContext, command: Digest) -> None:
    """`/cadence digest`: this week so far, or the months, for curators."""
    context.say(overview.ask_process(context.uow) if command.months else overview.show_digest(context.uow))


def process_by_button(context: RequestContext, _value: str, _body: Body) -> None:
    """[Show the months] of the digest."""
    context.say(overview.ask_process(context.uow))


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="status",
            task="This week",
            usage="[playbook] [team=slug]",
            summary="See this week: KPI, check-ins, gate and steps",
            examples=("/cadence status", "/cadence status support-reply"),
            read=read_status,
            bare=Status,
            run=status,
            options=("team",),
        ),
        Entry(
            name="why",
            task="Exceptions and steps",
            usage="<playbook> <step> [team=slug]",
            summary="See why a step is led the way it is",
            examples=("/cadence why support-reply send",),
            read=read_why,
            bare=Why,
            run=why,
            options=("team",),
        ),
        Entry(
            name="digest",
            task="This week",
            usage="[months]",
            summary="See the weekly digest so far, or the rollout by month",
            who="curator",
            examples=("/cadence digest", "/cadence digest months"),
            read=read_digest,
            bare=Digest,
            run=digest,
        ),
    ),
    buttons={
        Action.WHY: why_by_button,
        Action.SHOW_MATH: math,
        Action.SHOW_STATUS: status_by_button,
        Action.SHOW_PROCESS: process_by_button,
    },
    forms={Callback.WHY: why_submitted},
)
