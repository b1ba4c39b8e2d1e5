"""The week's number: `/kpi`, its form, and the button of the message that asks for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from cadence.flows.core import NeedsChoice, NeedsWeek
from cadence.flows.numbers import NumberGiven, kpi_form, record_number
from cadence.mrkdwn import say
from cadence.nearest import nearest
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.amounts import refuse_second_number, starts_amount, take_amount
from handlers.grammar.errors import TAKE_BACK, shown
from handlers.grammar.words import Typed, Word
from handlers.payloads import Body, Form, metadata, read_week, row_id, split_week
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field

_OPENS: Final = "\"'“„«"
_QUOTED: Final = re.compile(r"""["'“„«](?P<name>[^"'“”„«»=]{1,80})["'”“»]=(?P<value>\S*)""")
_LONGEST: Final = 6
_NUMBER: Final = re.compile(r"[+\-]?[^\w\s]{0,2}[.,]?\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi(AboutPlaybook):
    """`/kpi`: the week's number. `value` is as typed: it is parsed once the KPI's unit is known.

    `guardrails` are (name, number) as typed; `unread` are such words of the note without a number, outside quotes.
    """

    value: str | None = None
    note: str | None = None
    guardrails: tuple[tuple[str, str], ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    week: int | None = None


def read_kpi(request: Request) -> Kpi:
    """`/kpi [playbook] <value> [guardrail=value] [note]`."""
    guardrails = (*take_guardrails(request.typed), *_spelled_out(request))
    named = None if starts_amount(request.typed) and len(request.typed.words) == 1 else request.playbook()
    value = note = None
    unread: tuple[tuple[str, str], ...] = ()
    if request.typed:
        if not starts_amount(request.typed):
            raise _not_a_number(request, named)
        value = take_amount(request.typed)
        refuse_second_number(value, request.typed)
        unread = tuple(word.option for word in request.typed.words if word.option)
        note = request.sentence("note")
    return Kpi(
        value=value,
        note=note,
        guardrails=guardrails,
        unread=unread,
        playbook=request.the_playbook(named),
        team=request.team,
        week=request.week,
    )


def _spelled_out(request: Request) -> tuple[tuple[str, str], ...]:
    """Take a guardrail and its number without a sign between them: `csat 4.2`."""
    found: list[tuple[str, str]] = []
    at = 0
    while at + 1 < len(words := request.typed.words):
        name = words[at].key
        is_pair = _NUMBER.match(words[at + 1].text) and not _NUMBER.match(words[at].text)
        if is_pair and name not in request.vocabulary.playbooks and name in request.vocabulary.guardrails:
            found.append((words[at].text, words[at + 1].text))
            request.typed.words = [*words[:at], *words[at + 2 :]]
        else:
            at += 1
    return tuple(found)


def _not_a_number(request: Request, named: str | None) -> Refusal:
    word = request.typed.words[0].text
    known = request.vocabulary.playbooks
    figure_follows = any(request.typed.key(at)[:1].isdecimal() for at in (1, 2, 3))
    if named is None and (nearest(word, known) or figure_follows):
        return request.no_playbook()
    right = f"{request.command} {named} 14m" if named else f"{request.command} 14m"
    if request.typed.key() in TAKE_BACK:
        return Refusal(
            say(
                "A number can't be undone, but your next one replaces it, like {right}.",
                right=shown(right),
            )
        )
    if named is None and known:
        return Refusal(
            say(
                "{word} isn't a playbook or a number. Try {right}.",
                word=shown(word),
                right=shown(right),
            )
        )
    return Refusal(say("{word} isn't a number. Try {right}.", word=shown(word), right=shown(right)))


def take_guardrails(typed: Typed) -> tuple[tuple[str, str], ...]:
    """Take `name=number` words, anywhere in the text; returns (name, number) as typed.

    One without a number keeps "": only the playbook knows if it has that guardrail.

    Raises:
        Refusal: one is given twice with different numbers.
    """
    found: dict[str, str] = {}
    same: dict[str, str] = {}
    kept: list[Word] = []
    words = typed.words
    while words:
        name, value, count = _next(words)
        if name is None:
            kept.append(words[0])
        elif found.setdefault(same.setdefault(name.casefold(), name), value) != value:
            raise Refusal(
                say(
                    "You typed {name} twice: {one} and {two}. Which one?",
                    name=shown(f"{name}="),
                    one=shown(found[same[name.casefold()]]),
                    two=shown(value),
                )
            )
        words = words[count:]
    typed.words = kept
    return tuple(found.items())


def _next(words: list[Word]) -> tuple[str | None, str, int]:
    """The guardrail at the next words, its number or "", and how many words they are, or None."""
    first = words[0]
    option = first.option
    if option and (not option[1] or _NUMBER.match(option[1])):
        return first.text.partition("=")[0].strip(), option[1], 1
    if first.text[:1] and first.text[0] in _OPENS:
        for count in range(1, min(_LONGEST, len(words)) + 1):
            whole = _QUOTED.fullmatch(" ".join(word.text for word in words[:count]))
            if whole and not whole["value"] and count < len(words) and _NUMBER.match(words[count].text):
                return whole["name"].strip(), words[count].text, count + 1
            if whole and (not whole["value"] or _NUMBER.match(whole["value"])):
                return whole["name"].strip(), whole["value"], count
    return None, "", 1


def by_command(context: RequestContext, command: Kpi) -> None:
    """`/kpi`: records immediately; opens the form without arguments, or if the adoption or week isn't
    clear."""
    given = _given(command)
    if given is None:
        open_form(context, None, playbook=command.playbook, team=command.team)
        return
    try:
        context.say(record_number(context.uow, given))
    except (NeedsWeek, NeedsChoice) as ask:
        _ask(context, given, ask)


def _given(command: Kpi) -> NumberGiven | None:
    if command.value is None and not command.guardrails:
        return None
    return NumberGiven(
        value=command.value or "",
        playbook=command.playbook,
        team=command.team,
        week=command.week,
        note=command.note or "",
        guardrails=dict(command.guardrails),
        unread=command.unread,
    )


def _ask(context: RequestContext, given: NumberGiven, ask: NeedsWeek | NeedsChoice) -> None:
    """Open the form, because the week or adoption isn't clear."""
    adoption_id = ask.adoption_id if isinstance(ask, NeedsWeek) else None
    open_form(
        context,
        adoption_id,
        playbook=given.playbook,
        team=given.team,
        number=given.week,
        value=given.value,
        note=given.note,
        guardrails=given.guardrails,
    )


def open_form(
    context: RequestContext,
    adoption_id: int | None,
    *,
    playbook: str | None = None,
    team: str | None = None,
    week: date | None = None,
    number: int | None = None,
    value: str = "",
    note: str = "",
    guardrails: Mapping[str, str] | None = None,
) -> None:
    """Open the prefilled form."""
    form = kpi_form(
        context.uow,
        adoption_id=adoption_id,
        playbook=playbook,
        team=team,
        week_start=week,
        week=number,
        value=value,
        note=note,
        guardrails=guardrails,
    )
    context.open(form, ids=metadata(a=form.selected or adoption_id, w=week and week.isoformat(), n=number))


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Report the number]."""
    adoption_id, week = split_week(value)
    open_form(context, adoption_id, week=week)


def submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form."""
    adoption = form.option(Field.ADOPTION)
    week = form.option(Field.WEEK)
    given = NumberGiven(
        value=form.text(Field.VALUE),
        adoption_id=(row_id(adoption) or 0) if adoption else form.row("a"),
        week_start=read_week(week) if week else form.week("w"),
        week=form.row("n") if "n" in form.ids else None,
        note=form.text(Field.NOTE),
        guardrails=form.texts(Field.GUARDRAIL),
    )
    return record_number(context.uow.by(context.by(form)), given)


FEATURE: Final = Feature(
    commands=(
        Entry(
            slash="/kpi",
            name="kpi",
            task="This week",
            usage="[playbook] <value> [guardrail=value] [note] [week=N] [team=slug]",
            summary="Report this week's KPI, or correct it",
            examples=(
                "/kpi support-reply 14m",
                "/kpi 1h30m two people away",
                "/kpi 92% week=2",
                "/kpi 14m CSAT=4.7",
            ),
            bare=Kpi,
            run=by_command,
            read=read_kpi,
            options=("week", "team"),
            pairs=lambda names: names.guardrails,
        ),
    ),
    buttons={Action.REPORT_KPI: by_button},
    forms={Callback.KPI: submitted},
)
