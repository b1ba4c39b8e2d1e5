"""Lessons: `/cadence learn`, its form, and the button on posts."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.lessons import LessonGiven, learn, learn_form
from cadence.nearest import nearest
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.payloads import Body, Form
from templates.contexts.base import MessageContext
from templates.contexts.lessons import LearnForm
from templates.ids import Action, Callback

_ADVICE: Final = "Shorten it to what the next team needs, or add two lessons."


@dataclass(frozen=True, slots=True, kw_only=True)
class Learn(AboutPlaybook):
    """`/cadence learn`. `text` is the lesson."""

    text: str | None = None


def read_learn(request: Request) -> Learn:
    """`/cadence learn <playbook> <text>`; the playbook is optional if there is only one."""
    named = request.playbook()
    if named is None and request.typed:
        known = (*request.vocabulary.playbooks, *request.vocabulary.others)
        word = request.typed.words[0].text
        if "-" in word and nearest(word, known):
            raise request.no_playbook(of_others=True)
    return Learn(
        playbook=request.the_playbook(named),
        text=request.sentence("lesson", _ADVICE),
        team=request.team,
    )


def by_command(context: RequestContext, command: Learn) -> None:
    """`/cadence learn`: immediately if everything is given, else by form."""
    if command.playbook is None or command.text is None:
        form = learn_form(context.uow, playbook=command.playbook, text=command.text or "")
        context.open(form)
        return
    given = LessonGiven(playbook=command.playbook, text=command.text, team=command.team)
    context.say(learn(context.uow, given))


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Add a lesson] under a post."""
    context.open(learn_form(context.uow, playbook=value or None))


def submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    typed = form.read(LearnForm)
    return learn(context.uow, LessonGiven(playbook=typed.playbook or "", text=typed.note))


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="learn",
            task="Playbooks",
            usage="<playbook> <text> [team=slug]",
            summary="Add a lesson for the next team",
            examples=("/cadence learn support-reply Load the policy file before the first draft",),
            read=read_learn,
            bare=Learn,
            run=by_command,
            options=("team",),
        ),
    ),
    buttons={Action.LEARN: by_button},
    forms={Callback.LEARN: submitted},
)
