"""The rubric of a step: `/cadence rubric`, its forms, and spot audits."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.core import NeedsChoice
from cadence.flows.rubrics import (
    MOST_SAMPLES,
    AuditMeant,
    Graded,
    SampleGiven,
    StepMeant,
    audit_form,
    grade_audits,
    record_sample,
    revise_rubric,
    revision_form,
    rubric_form,
)
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.amounts import whole_number
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.errors import shown
from handlers.grammar.steps import take_playbook_and_step
from handlers.payloads import Body, Form, row_id, split_ref, split_week
from templates.contexts.base import MessageContext
from templates.contexts.rubrics import RevisionForm, RubricForm
from templates.ids import Action, Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric(AboutPlaybook):
    """`/cadence rubric`: a graded sample. Opens the form if the step or its numbers are omitted.

    `revise`: a new rubric instead, and `change` is what changed.
    """

    step: str | None = None
    samples: int | None = None
    passes: int | None = None
    risky: int | None = None
    note: str | None = None
    revise: bool = False
    change: str | None = None


def read_rubric(request: Request) -> Rubric:
    """`/cadence rubric <playbook> <step> passes=N samples=N [risky=N] [note]`, or `… revise <what changed>`."""
    playbook, step = take_playbook_and_step(request)
    if step is not None and request.typed.key() == "revise":
        request.typed.take()
        change = request.sentence("description")
        return Rubric(step=step, playbook=playbook, revise=True, change=change, team=request.team)
    return Rubric(
        playbook=playbook,
        step=step,
        samples=_count(request, "samples"),
        passes=_count(request, "passes"),
        risky=_count(request, "risky"),
        note=request.sentence("note"),
        team=request.team,
    )


def _count(request: Request, name: str) -> int | None:
    typed = request.options.get(name)
    if typed is None:
        return None
    number = whole_number(typed)
    if number is None or number < 0:
        raise Refusal(
            say(
                "{typed} isn't a number of samples. Try a whole number, like {right}.",
                typed=shown(f"{name}={typed}"),
                right=code("passes=19 samples=20"),
            )
        )
    if number > MOST_SAMPLES:
        raise Refusal(
            say(
                "{typed} is too many. Record up to {most} samples at a time.",
                typed=shown(f"{name}={typed}"),
                most=f"{MOST_SAMPLES:,}",
            )
        )
    return number


def by_command(context: RequestContext, command: Rubric) -> None:
    """`/cadence rubric`: records immediately; opens the form if something is omitted."""
    meant = StepMeant(command.step, playbook=command.playbook, team=command.team) if command.step else None
    if meant is not None and command.revise:
        _revise(context, meant, command.change)
        return
    given = SampleGiven(command.samples, command.passes, command.risky or 0, command.note or "")
    if meant is None or (command.samples is None and command.passes is None):
        context.open(rubric_form(context.uow, meant, given))
        return
    context.say_or_ask(
        lambda: record_sample(context.uow, meant, given),
        unclear=NeedsChoice,
        ask=lambda: context.open(rubric_form(context.uow, meant, given)),
    )


def _revise(context: RequestContext, meant: StepMeant, change: str | None) -> None:
    """Immediately if the change is given, else by form."""
    if change is None:
        context.open(revision_form(context.uow, meant))
    else:
        context.say(revise_rubric(context.uow, meant, change=change))


def open_sample(context: RequestContext, value: str, _body: Body) -> None:
    """[Record a rubric result] in a list of gaps: the form, on the team's steps."""
    where, _, step = value.partition(":")
    meant = StepMeant(step, adoption_id=row_id(where))
    context.open(rubric_form(context.uow, meant, SampleGiven(None, None)))


def open_revision(context: RequestContext, value: str, _body: Body) -> None:
    """[Update the rubric] on a demotion."""
    adoption_id, step = split_ref(value)
    context.open(revision_form(context.uow, StepMeant(step, adoption_id=adoption_id)))


def submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form for a graded sample."""
    typed = form.read(RubricForm)
    given = SampleGiven(typed.samples, typed.passes, typed.risky or 0, typed.note)
    return record_sample(context.uow, _chosen(typed.selected), given)


def revision_submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form for a new rubric."""
    typed = form.read(RevisionForm)
    return revise_rubric(context.uow, _chosen(typed.selected), change=typed.change)


def _chosen(value: str | None) -> StepMeant:
    adoption_id, step = split_ref(value or "")
    return StepMeant(step, adoption_id=adoption_id)


def open_audit(context: RequestContext, value: str, _body: Body) -> None:
    """[Grade them] on a spot audit."""
    adoption_id, week = split_week(value)
    context.open(audit_form(context.uow, AuditMeant(adoption_id, week)))


def change_grades(context: RequestContext, value: str, _body: Body) -> None:
    """[Change] next to a step's grades."""
    context.open(audit_form(context.uow, AuditMeant(audit_id=row_id(value) or 0)))


def graded(context: RequestContext, form: Form) -> MessageContext:
    """The form with a grade for each run."""
    grades: dict[int, dict[int, Graded]] = {}
    for field in form.values:
        name, _, rest = field.partition(":")
        audit_id, place = (row_id(part) for part in (rest.partition(":")[0], rest.partition(":")[2]))
        if name == Field.GRADE and audit_id is not None and place is not None:
            link = form.text(f"{Field.LINK}:{audit_id}:{place}") or None
            grades.setdefault(audit_id, {})[place] = Graded(form.option(field), link)
    return grade_audits(context.uow, grades=grades)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="rubric",
            task="Exceptions and steps",
            usage="<playbook> <step> passes=N samples=N [risky=N] [note] | <playbook> <step> revise <what changed>",
            summary="Record graded samples, or update a rubric",
            who="owner",
            examples=(
                "/cadence rubric support-reply draft passes=19 samples=20",
                "/cadence rubric support-reply draft passes=29 samples=30 risky=1 refunds",
            ),
            read=read_rubric,
            bare=Rubric,
            run=by_command,
            options=("passes", "samples", "risky", "team"),
        ),
    ),
    buttons={
        Action.RUBRIC_RECORD: open_sample,
        Action.REVISE_RUBRIC: open_revision,
        Action.GRADE_AUDIT: open_audit,
        Action.CHANGE_GRADES: change_grades,
    },
    forms={Callback.AUDIT: graded, Callback.RUBRIC: submitted, Callback.REVISE_RUBRIC: revision_submitted},
)
