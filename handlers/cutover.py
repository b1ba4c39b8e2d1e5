"""After a pilot: `/cadence assess`, `/cadence cutover`, their forms and buttons."""

from dataclasses import dataclass, replace
from typing import Final

from cadence.flows.cutover import (
    AssessmentGiven,
    anyway_form,
    approve_cutover,
    ask_cutover,
    assess,
    assessment_form,
    choose_form,
    hold_cutover,
    hold_form,
    left_to_sort,
    practices_form,
    show_assessment,
    show_cutover,
    sort_practices,
)
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import Command, Entry, Request
from handlers.grammar.errors import shown
from handlers.payloads import Body, Form, metadata, row_id
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.cutover import (
    AssessmentForm,
    ChooseCutoverForm,
    HoldForm,
    MoveAnywayForm,
    PracticesForm,
)
from templates.ids import Action, Callback, Field

_ASSESS, _CUTOVER = "Assess a pilot", "Move to production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assess(Command):
    """`/cadence assess`. With `show`, the answers instead of the form."""

    playbook: str | None = None
    show: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverTable(Command):
    """`/cadence cutover`. Without a playbook it asks which one, unless there is only one."""

    playbook: str | None = None


def read_assess(request: Request) -> Assess:
    """`/cadence assess [playbook] [show]`."""
    named = request.playbook()
    show = bool(request.typed) and request.typed.words[0].key == "show"
    if show:
        request.typed.take()
    if request.typed and named is None:
        named = request.next_playbook(of_others=True)
    elif request.typed:
        word = request.typed.take()[0].text
        raise Refusal(say("{word} doesn't fit here. Try `show`.", word=shown(word)))
    return Assess(playbook=request.the_playbook(named), show=show)


def assess_(context: RequestContext, command: Assess) -> None:
    """`/cadence assess`: the form, or the answers."""
    slug = command.playbook or _chosen(context, _ASSESS, to="show" if command.show else "assess")
    if slug is None:
        return
    if command.show:
        context.say(show_assessment(context.uow, slug))
    else:
        _open(context, slug)


def _chosen(context: RequestContext, heading: str, *, to: str) -> str | None:
    """The only playbook; None if the form asks which one."""
    found = choose_form(context.uow, heading=heading)
    if isinstance(found, str):
        return found
    context.open(found, ids=metadata(to=to))
    return None


def _open(context: RequestContext, slug: str) -> None:
    context.open(assessment_form(context.uow, slug), ids=metadata(slug=slug))


def chosen(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """A playbook was chosen; the form says for what."""
    slug = form.read(ChooseCutoverForm).playbook or ""
    if form.ids.get("to") == "cutover":
        return show_cutover(context.uow, slug)
    if form.ids.get("to") == "show":
        return show_assessment(context.uow, slug)
    return replace(assessment_form(context.uow, slug), private_metadata=metadata(slug=slug))


def open_assessment(context: RequestContext, value: str, _body: Body) -> None:
    """[Answer the assessment], [Change the answers]."""
    _open(context, value)


def open_practices(context: RequestContext, value: str, _body: Body) -> None:
    """[Sort the practices]."""
    form = practices_form(context.uow, value)
    context.open(form, ids=_ids(form))


def _ids(form: PracticesForm) -> str:
    return metadata(assessment=form.assessment_id)


def assessment_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Show the assessment]."""
    context.say(show_assessment(context.uow, value))


def assessed(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """The four answers: the practices follow, to be sorted."""
    typed, slug = form.read(AssessmentForm), form.slug or ""
    given = AssessmentGiven(
        playbook=slug,
        manual_work=typed.manual_work,
        changed_for_ai=typed.changed_for_ai,
        local_knowledge=typed.local_knowledge,
        feedback=typed.feedback,
        reviewer=typed.reviewer,
        practices=typed.practices,
    )
    done = assess(context.uow, given)
    if not left_to_sort(context.uow, slug):
        return done
    shown_next = practices_form(context.uow, slug)
    return replace(shown_next, private_metadata=_ids(shown_next))


def practices_sorted(context: RequestContext, form: Form) -> MessageContext:
    """The practices with their kinds."""
    kinds = {
        place: form.option(field) or ""
        for field in form.values
        if field.startswith(f"{Field.PRACTICE}:")
        and (place := row_id(field.removeprefix(f"{Field.PRACTICE}:"))) is not None
    }
    return sort_practices(context.uow, assessment_id=form.row("assessment"), kinds=kinds)


def cutover_(context: RequestContext, command: CutoverTable) -> None:
    """`/cadence cutover`: the table."""
    slug = command.playbook or _chosen(context, _CUTOVER, to="cutover")
    if slug is not None:
        context.say(show_cutover(context.uow, slug))


def show(context: RequestContext, value: str, _body: Body) -> None:
    """[Show the cutover], [Show the table], [Decide]."""
    context.say(show_cutover(context.uow, value))


def ask(context: RequestContext, value: str, _body: Body) -> None:
    """[Ask for cutover]."""
    context.say(ask_cutover(context.uow, value))


def approve(context: RequestContext, value: str, _body: Body) -> None:
    """[Move to production]."""
    context.say(approve_cutover(context.uow, value))


def open_anyway(context: RequestContext, value: str, _body: Body) -> None:
    """[Move anyway]: asks for the reason."""
    context.open(anyway_form(context.uow, value), ids=metadata(slug=value))


def open_hold(context: RequestContext, value: str, _body: Body) -> None:
    """[Hold]: asks what has to happen first."""
    context.open(hold_form(context.uow, value), ids=metadata(slug=value))


def moved_anyway(context: RequestContext, form: Form) -> MessageContext:
    """The form with the reason to move it anyway."""
    return approve_cutover(context.uow, form.slug or "", reason=form.read(MoveAnywayForm).reason)


def held(context: RequestContext, form: Form) -> MessageContext:
    """The form with what has to happen first."""
    return hold_cutover(context.uow, form.slug or "", reason=form.read(HoldForm).reason)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="assess",
            task="From one team to many",
            usage="[playbook] [show]",
            summary="Answer for a pilot what the next teams need to know",
            who="owner",
            examples=("/cadence assess support-reply", "/cadence assess support-reply show"),
            read=read_assess,
            bare=Assess,
            run=assess_,
        ),
        Entry(
            name="cutover",
            task="From one team to many",
            usage="[playbook]",
            summary="Compare a pilot with what production needs, and move it there",
            who="owner",
            examples=("/cadence cutover support-reply",),
            read=lambda request: CutoverTable(
                playbook=request.the_playbook(request.next_playbook(of_others=True))
            ),
            bare=CutoverTable,
            run=cutover_,
        ),
    ),
    buttons={
        Action.ASSESS: open_assessment,
        Action.SORT_PRACTICES: open_practices,
        Action.SHOW_ASSESSMENT: assessment_by_button,
        Action.SHOW_CUTOVER: show,
        Action.ASK_CUTOVER: ask,
        Action.APPROVE_CUTOVER: approve,
        Action.CUTOVER_ANYWAY: open_anyway,
        Action.HOLD_CUTOVER: open_hold,
    },
    forms={
        Callback.ASSESSMENT: assessed,
        Callback.PRACTICES: practices_sorted,
        Callback.CUTOVER_ANYWAY: moved_anyway,
        Callback.HOLD_CUTOVER: held,
        Callback.CHOOSE_CUTOVER: chosen,
    },
)
