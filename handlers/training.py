"""Training of champions: `/cadence train`, its forms, and the buttons of lessons and samples."""

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from cadence.flows.training import (
    SampleToAdd,
    add_sample,
    after_grading,
    again_form,
    grade_sample,
    open_training,
    read_lessons,
    remove_form,
    remove_sample,
    sample_form,
    show_training,
)
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.errors import listed, shown
from handlers.payloads import Body, Form, known_row, metadata, row_id, split_ref
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.training import AddSampleForm, GradeSampleForm, RemoveSampleForm
from templates.ids import Action, Callback

Word = Literal["add", "remove", "show"]
_WORDS: Final[dict[str, Word]] = {verb: verb for verb in get_args(Word)}
_OLD: Final = "This button has expired. Continue with `/cadence train`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Train(AboutPlaybook):
    """`/cadence train`. Without a `verb` it opens what the person does next."""

    verb: Word | None = None


def read_train(request: Request) -> Train:
    """`/cadence train [playbook] [add|show|remove]`."""
    named = request.playbook()
    verb = None
    if request.typed:
        word = request.typed.words[0]
        verb = _WORDS.get(word.key)
        if verb is not None:
            request.typed.take()
            named = named or request.next_playbook(of_others=True)
        elif named is None:
            raise request.no_playbook(of_others=True)
        else:
            raise _no_verb(request, word.key, word.text)
    return Train(verb=verb, playbook=named, team=request.team)


def _no_verb(request: Request, key: str, text: str) -> Refusal:
    near = nearest(key, _WORDS)
    if near is None:
        return Refusal(say("{word} doesn't fit here. Try {verbs}.", word=shown(text), verbs=listed(_WORDS)))
    right = code(f"{request.command} {near}")
    return Unknown(say("Did you mean {right}?", right=right), typed=text, near=near)


def by_command(context: RequestContext, command: Train) -> None:
    """`/cadence train`: a form, or the result."""
    if command.verb == "add":
        context.open(sample_form(context.uow, playbook=command.playbook))
    elif command.verb == "remove":
        context.open(remove_form(context.uow, playbook=command.playbook))
    elif command.verb == "show":
        context.say(show_training(context.uow, playbook=command.playbook))
    else:
        _show(context, open_training(context.uow, playbook=command.playbook, team=command.team))


def _show(context: RequestContext, found: MessageContext | ViewContext) -> None:
    if isinstance(found, GradeSampleForm):
        context.open(found, ids=_ids(found))
    elif isinstance(found, ViewContext):
        context.open(found)
    else:
        context.say(found)


def _ids(form: GradeSampleForm) -> str:
    return metadata(adoption=form.adoption_id, sample=form.sample_id)


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Grade], [Continue] and [Continue the training]: the champion's next sample, or the result."""
    _show(context, open_training(context.uow, adoption_id=known_row(value, _OLD)))


def open_add(context: RequestContext, value: str, _body: Body) -> None:
    """[Add a training sample] and [Add another]."""
    context.open(sample_form(context.uow, playbook=value or None))


def open_remove(context: RequestContext, value: str, _body: Body) -> None:
    """[Remove a sample]."""
    context.open(remove_form(context.uow, playbook=value or None))


def show(context: RequestContext, value: str, _body: Body) -> None:
    """[Show the training]."""
    context.say(show_training(context.uow, playbook=value or None))


def lessons_read(context: RequestContext, value: str, _body: Body) -> None:
    """[I've read them]."""
    context.say(read_lessons(context.uow, adoption_id=known_row(value, _OLD)))


def open_again(context: RequestContext, value: str, _body: Body) -> None:
    """[Grade again]."""
    adoption_id, sample = split_ref(value)
    form = again_form(context.uow, adoption_id=adoption_id, sample_id=known_row(sample, _OLD))
    context.open(form, ids=_ids(form))


def added(context: RequestContext, form: Form) -> MessageContext:
    """The form with a new sample."""
    typed = form.read(AddSampleForm)
    playbook, step = split_ref(typed.selected or "")
    given = SampleToAdd(playbook, step, text=typed.text, grade=typed.grade, note=typed.note)
    return add_sample(context.uow, given)


def removed(context: RequestContext, form: Form) -> MessageContext:
    """The form with the sample to remove."""
    return remove_sample(context.uow, sample_id=row_id(form.read(RemoveSampleForm).sample or "") or 0)


def graded(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """The form with a sample: the next one follows, or the result."""
    adoption_id, typed = form.row("adoption"), form.read(GradeSampleForm)
    grade_sample(context.uow, adoption_id=adoption_id, sample_id=form.row("sample"), grade=typed.grade)
    found = after_grading(context.uow, adoption_id=adoption_id)
    return replace(found, private_metadata=_ids(found)) if isinstance(found, GradeSampleForm) else found


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="train",
            task="From one team to many",
            usage="[playbook] [add|show|remove] [team=slug]",
            summary="Grade training samples as a champion, or add and review them as the owner",
            examples=(
                "/cadence train",
                "/cadence train support-reply add",
                "/cadence train support-reply show",
            ),
            read=read_train,
            bare=Train,
            run=by_command,
            options=("team",),
            after="adopt",
        ),
    ),
    buttons={
        Action.TRAIN: by_button,
        Action.ADD_SAMPLE: open_add,
        Action.REMOVE_SAMPLE: open_remove,
        Action.SHOW_TRAINING: show,
        Action.READ_LESSONS: lessons_read,
        Action.GRADE_AGAIN: open_again,
    },
    forms={
        Callback.ADD_SAMPLE: added,
        Callback.REMOVE_SAMPLE: removed,
        Callback.GRADE_SAMPLE: graded,
    },
)
