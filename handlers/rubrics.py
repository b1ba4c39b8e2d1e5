"""The rubric of a step: `/cadence rubric`, its forms, and spot audits."""

from slack_bolt import App

from cadence.flows.core import NeedsChoice
from cadence.flows.rubrics import (
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
from handlers.context import Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, row_id, split_ref, split_week
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field


def register(app: App, services: Services) -> None:
    """Listen for the buttons and the forms."""
    register_button(app, services, Action.RUBRIC_RECORD, open_sample)
    register_button(app, services, Action.REVISE_RUBRIC, open_revision)
    register_button(app, services, Action.GRADE_AUDIT, open_audit)
    register_button(app, services, Action.CHANGE_GRADES, change_grades)
    register_form(app, services, Callback.AUDIT, graded)
    register_form(app, services, Callback.RUBRIC, submitted)
    register_form(app, services, Callback.REVISE_RUBRIC, revision_submitted)


def by_command(turn: Turn, command: commands.Rubric) -> None:
    """`/cadence rubric`: records at once; opens the form when something is left out."""
    meant = _meant(command) if command.step else None
    given = SampleGiven(command.samples, command.passes, command.risky or 0, command.note or "")
    if meant is None or (command.samples is None and command.passes is None):
        turn.open(rubric_form(turn.uow, meant, given))
        return
    turn.say_or_ask(
        lambda: record_sample(turn.uow, meant, given),
        unclear=NeedsChoice,
        ask=lambda: turn.open(rubric_form(turn.uow, meant, given)),
    )


def revise(turn: Turn, command: commands.ReviseRubric) -> None:
    """`/cadence rubric … revise`: at once when it says what changed, else by form."""
    meant = _meant(command)
    if command.change is None:
        turn.open(revision_form(turn.uow, meant))
        return
    turn.say(revise_rubric(turn.uow, meant, change=command.change))


def _meant(command: commands.Rubric | commands.ReviseRubric) -> StepMeant:
    return StepMeant(command.step or "", playbook=command.playbook, team=command.team)


def open_sample(turn: Turn, value: str, _body: Body) -> None:
    """[Record a rubric result] under what is missing: the form, on the team's steps."""
    where, _, step = value.partition(":")
    meant = StepMeant(step, adoption_id=row_id(where))
    turn.open(rubric_form(turn.uow, meant, SampleGiven(None, None)))


def open_revision(turn: Turn, value: str, _body: Body) -> None:
    """[Record a new rubric] under a demotion."""
    adoption_id, step = split_ref(value)
    turn.open(revision_form(turn.uow, StepMeant(step, adoption_id=adoption_id)))


def submitted(turn: Turn, form: Form) -> MessageContext:
    """The form for a graded sample."""
    given = SampleGiven(
        samples=form.whole(Field.SAMPLES),
        passes=form.whole(Field.PASSES),
        risky=form.whole(Field.RISKY) or 0,
        note=form.text(Field.NOTE),
    )
    return record_sample(turn.uow, _chosen(form), given)


def revision_submitted(turn: Turn, form: Form) -> MessageContext:
    """The form for a new rubric."""
    change = form.text(Field.REASON)
    return revise_rubric(turn.uow, _chosen(form), change=change)


def _chosen(form: Form) -> StepMeant:
    adoption_id, step = split_ref(form.option(Field.STEP) or "")
    return StepMeant(step, adoption_id=adoption_id)


def open_audit(turn: Turn, value: str, _body: Body) -> None:
    """[Grade them] under a spot audit."""
    adoption_id, week = split_week(value)
    turn.open(audit_form(turn.uow, AuditMeant(adoption_id, week)))


def change_grades(turn: Turn, value: str, _body: Body) -> None:
    """[Change] beside what a step was graded."""
    turn.open(audit_form(turn.uow, AuditMeant(audit_id=row_id(value) or 0)))


def graded(turn: Turn, form: Form) -> MessageContext:
    """The form with a grade for each run."""
    grades: dict[int, dict[int, Graded]] = {}
    for field in form.values:
        name, _, rest = field.partition(":")
        audit_id, place = (row_id(part) for part in (rest.partition(":")[0], rest.partition(":")[2]))
        if name == Field.GRADE and audit_id is not None and place is not None:
            link = form.text(f"{Field.LINK}:{audit_id}:{place}") or None
            grades.setdefault(audit_id, {})[place] = Graded(form.option(field), link)
    return grade_audits(turn.uow, grades=grades)
