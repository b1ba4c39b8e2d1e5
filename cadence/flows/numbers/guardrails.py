"""Guardrails: numbers that must not get worse while the KPI moves. Their readings are separate from the
KPI's."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from cadence.documents import Guardrail
from cadence.flows.core import AdoptionView, ReportWeek, in_form
from cadence.flows.numbers.readings import keep_reading
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from cadence.rules import kpi as rules
from cadence.rules.calendar import WEEKS
from cadence.rules.kpi import AmountError, Direction, Unit, meets, parse_amount
from storage.queries import numbers
from storage.queries.numbers import CurrentReading
from storage.tables import Cycle
from storage.work import UnitOfWork
from templates.contexts.base import GuardrailAsked
from templates.contexts.numbers import Guardrail as GuardrailShown
from templates.ids import Field


def key_of(name: str) -> str:
    """A guardrail's name as typed before a `=`: `Reopen rate` is `reopen-rate`."""
    return re.sub(r"[\s_-]+", "-", name.strip().casefold())


def read_guardrails(
    uow: UnitOfWork, view: AdoptionView, given: Mapping[str, str]
) -> dict[str, tuple[float, str]]:
    """Typed numbers by guardrail: (value in its unit, as typed). Empty ones are left out.

    Raises:
        Unknown: the playbook has no such guardrail; the nearest is named, or all of them. Refusal: it isn't a
        number of the guardrail's unit; the sentence shows a correct one.
    """
    return dict(_read(uow, view, name, typed) for name, typed in given.items() if typed.strip())


def refuse_unread(uow: UnitOfWork, view: AdoptionView, given: Iterable[tuple[str, str]]) -> None:
    """Refuse `csat=good` and `csat=` in the words of a command: the guardrail would be left without a number.

    Args:
        given: (name, number) as typed.

    Raises:
        Unknown, Refusal: see `read_guardrails`.
    """
    names = {key_of(rail.name) for rail in view.spec.kpi.guardrails}
    for name, typed in given:
        if key_of(name) in names or not typed:
            _read(uow, view, name, typed)


def _read(uow: UnitOfWork, view: AdoptionView, name: str, typed: str) -> tuple[str, tuple[float, str]]:
    rails = {key_of(rail.name): rail for rail in view.spec.kpi.guardrails}
    rail = rails.get(key_of(name))
    if rail is None:
        raise _unknown(uow, view, name, rails)
    return rail.name, (_amount(uow, view, rail, typed), typed)


def _unknown(uow: UnitOfWork, view: AdoptionView, name: str, rails: Mapping[str, Guardrail]) -> Unknown:
    if not rails:
        return Unknown(
            say(
                "{title} doesn't have guardrails, so we can't record {name}. "
                "To keep it as a note, put it in {where}.",
                title=view.playbook.title,
                name=code(name),
                where="the note" if in_form(uow) else "quotes",
            ),
            field=f"{Field.GUARDRAIL}:{key_of(name)}",
        )
    guess = nearest(key_of(name), rails)
    hint = (
        say("Did you mean {guess}?", guess=code(f"{guess}="))
        if guess
        else say("It has {names}.", names=code(", ".join(f"{key}=" for key in rails)))
    )
    return Unknown(
        say(
            "{title} doesn't have a guardrail {name}. {hint}",
            title=view.playbook.title,
            name=code(name),
            hint=hint,
        ),
        typed=name,
        near=guess,
        field=f"{Field.GUARDRAIL}:{key_of(name)}",
    )


def _amount(uow: UnitOfWork, view: AdoptionView, rail: Guardrail, typed: str) -> float:
    try:
        return parse_amount(typed, Unit(rail.unit))
    except AmountError as wrong:
        example = wrong.examples[0]
        if not in_form(uow):
            example = f"/kpi {view.playbook.slug} {key_of(rail.name)}={example}"
        raise Refusal(
            say(
                "{name}: {problem} Try {example}.",
                name=rail.name,
                problem=wrong.problem.replace("`", "“", 1).replace("`", "”", 1),
                example=code(example),
            ),
            field=f"{Field.GUARDRAIL}:{key_of(rail.name)}",
        ) from wrong


def save_guardrails(
    uow: UnitOfWork, view: AdoptionView, week: ReportWeek, values: Mapping[str, tuple[float, str]]
) -> tuple[GuardrailShown, ...]:
    """Save the week's readings of guardrails; earlier ones are replaced, but kept."""
    before = {
        name: keep_reading(uow, view, week, value=value, typed=typed, guardrail=name)
        for name, (value, typed) in values.items()
    }
    return tuple(
        replace(
            shown(rail, values[rail.name][0]),
            replaced=before[rail.name].before,
            replaced_of=before[rail.name].by_other(uow),
        )
        for rail in view.spec.kpi.guardrails
        if rail.name in values
    )


def shown(rail: Guardrail, value: float | None) -> GuardrailShown:
    """A guardrail for a message, with the value to show."""
    held = None if value is None else meets(value, rail.limit, Direction(rail.direction))
    return GuardrailShown(
        name=rail.name, unit=rail.unit, direction=rail.direction, limit=rail.limit, value=value, held=held
    )


def of_week(uow: UnitOfWork, view: AdoptionView, week_start: date) -> list[GuardrailShown]:
    """The guardrails with a week's readings."""
    found = []
    for rail in view.spec.kpi.guardrails:
        row = numbers.reading(uow, adoption_id=view.id, week_start=week_start, guardrail=rail.name)
        found.append(shown(rail, row.value if row else None))
    return found


def of_member(
    uow: UnitOfWork, view: AdoptionView, *, member: str, week_start: date
) -> tuple[GuardrailShown, ...]:
    """The guardrails whose number of a week a member gave, without those a tool reported for them.

    For the team's reporter all that have a number, with who gave it if that's another person.
    """
    found = []
    for rail in view.spec.kpi.guardrails:
        row = numbers.reading(uow, adoption_id=view.id, week_start=week_start, guardrail=rail.name)
        if row is not None and member in (given_by(row), view.team.reporter):
            found.append(replace(shown(rail, row.value), given_by=given_by(row, unless=member)))
    return tuple(found)


def given_by(row: CurrentReading, *, unless: str | None = None) -> str | None:
    """Who gave a number; None if a tool did, or that member."""
    return row.member if row.happened_at is None and row.member != unless else None


def latest(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> list[GuardrailShown]:
    """The guardrails with a cycle's newest readings, and their weeks where those are earlier than this one."""
    found = []
    for rail in view.spec.kpi.guardrails:
        week, value = max(
            numbers.readings(uow, cycle=cycle, guardrail=rail.name).items(), default=(None, None)
        )
        this = view.week or WEEKS
        found.append(replace(shown(rail, value), week=None if week == this else week))
    return found


def asked(
    uow: UnitOfWork, view: AdoptionView, *, week_start: date | None, typed: Mapping[str, str] | None = None
) -> tuple[GuardrailAsked, ...]:
    """The guardrails for a form, with what was typed, by key, or else for the week before."""
    found = []
    for rail in view.spec.kpi.guardrails:
        row = week_start and numbers.reading(
            uow, adoption_id=view.id, week_start=week_start, guardrail=rail.name
        )
        found.append(_asked(rail, (typed or {}).get(key_of(rail.name)) or (row.typed if row else "")))
    return tuple(found)


def asked_of_any(views: Sequence[AdoptionView], typed: Mapping[str, str]) -> tuple[GuardrailAsked, ...]:
    """The guardrails of several adoptions that have been typed, by key, before one of them was chosen."""
    rails = {key_of(rail.name): rail for view in views for rail in view.spec.kpi.guardrails}
    return tuple(_asked(rails[key], given) for key, given in typed.items() if key in rails)


def _asked(rail: Guardrail, typed: str) -> GuardrailAsked:
    return GuardrailAsked(
        key=key_of(rail.name),
        name=rail.name,
        unit=rail.unit,
        direction=rail.direction,
        limit=rail.limit,
        typed=typed,
    )


def judged(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[rules.Guardrail, ...]:
    """The guardrails with a cycle's readings, to judge it."""
    return tuple(
        rules.Guardrail(
            name=rail.name,
            direction=Direction(rail.direction),
            limit=rail.limit,
            readings=tuple(numbers.readings(uow, cycle=cycle, guardrail=rail.name).values()),
        )
        for rail in view.spec.kpi.guardrails
    )
