"""Guardrails: numbers that must not get worse while the KPI moves. Their readings are kept apart from the KPI's."""

import re
from collections.abc import Mapping
from datetime import date

from cadence.documents import Guardrail
from cadence.flows.core import ReportWeek, TeamRun
from cadence.flows.numbers.readings import keep_reading
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from cadence.rules import kpi as rules
from cadence.rules.kpi import AmountError, Direction, Unit, meets, parse_amount
from storage.queries import reports
from storage.tables import Cycle
from storage.work import UnitOfWork
from templates.contexts.base import GuardrailAsked
from templates.contexts.verdicts import Guardrail as GuardrailShown
from templates.ids import Field


def key_of(name: str) -> str:
    """A guardrail's name as it is typed before a `=`: `Reopen rate` is `reopen-rate`."""
    return re.sub(r"[\s_-]+", "-", name.strip().casefold())


def read_guardrails(run: TeamRun, given: Mapping[str, str]) -> dict[str, tuple[float, str]]:
    """Typed numbers by guardrail: (value in its unit, as typed). Empty ones are left out.

    Raises:
        Unknown: the playbook has no such guardrail; the nearest is named, or all of them.
        Refusal: not a number of the guardrail's unit; the sentence shows what would be.
    """
    rails = {key_of(rail.name): rail for rail in run.spec.kpi.guardrails}
    found = {}
    for name, typed in given.items():
        if not typed.strip():
            continue
        rail = rails.get(key_of(name))
        if rail is None:
            raise _unknown(run, name, rails)
        found[rail.name] = (_amount(run, rail, typed), typed)
    return found


def _unknown(run: TeamRun, name: str, rails: Mapping[str, Guardrail]) -> Unknown:
    if not rails:
        return Unknown(
            say(
                "{title} has no guardrails, so {name} can't be recorded. To keep it as a note, put it in quotes.",
                title=run.playbook.title,
                name=code(name),
            )
        )
    guess = nearest(key_of(name), rails)
    hint = (
        say("Did you mean {guess}?", guess=code(f"{guess}="))
        if guess
        else say("It has {names}.", names=code(", ".join(f"{key}=" for key in rails)))
    )
    return Unknown(
        say("{title} has no guardrail {name}. {hint}", title=run.playbook.title, name=code(name), hint=hint)
    )


def _amount(run: TeamRun, rail: Guardrail, typed: str) -> float:
    try:
        return parse_amount(typed, Unit(rail.unit))
    except AmountError as wrong:
        example = f"/kpi {run.playbook.slug} {key_of(rail.name)}={wrong.examples[0]}"
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
    uow: UnitOfWork, run: TeamRun, week: ReportWeek, values: Mapping[str, tuple[float, str]]
) -> tuple[GuardrailShown, ...]:
    """Save the week's readings of guardrails; what was there before is kept, and replaced."""
    for name, (value, typed) in values.items():
        keep_reading(uow, run, week, value=value, typed=typed, guardrail=name)
    return tuple(shown(rail, values[rail.name][0]) for rail in run.spec.kpi.guardrails if rail.name in values)


def shown(rail: Guardrail, value: float | None) -> GuardrailShown:
    """A guardrail for a message, with the value to show."""
    held = None if value is None else meets(value, rail.limit, Direction(rail.direction))
    return GuardrailShown(
        name=rail.name, unit=rail.unit, direction=rail.direction, limit=rail.limit, value=value, held=held
    )


def of_week(uow: UnitOfWork, run: TeamRun, week_start: date) -> list[GuardrailShown]:
    """The guardrails with a week's readings."""
    found = []
    for rail in run.spec.kpi.guardrails:
        row = reports.reading(uow, adoption_id=run.id, week_start=week_start, guardrail=rail.name)
        found.append(shown(rail, row.value if row else None))
    return found


def latest(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> list[GuardrailShown]:
    """The guardrails with a cycle's newest readings."""
    return [
        shown(rail, of.readings[-1] if of.readings else None)
        for rail, of in zip(run.spec.kpi.guardrails, judged(uow, run, cycle), strict=True)
    ]


def asked(uow: UnitOfWork, run: TeamRun, *, week_start: date | None) -> tuple[GuardrailAsked, ...]:
    """The guardrails as a form asks for them, with what was typed for the week before."""
    found = []
    for rail in run.spec.kpi.guardrails:
        row = week_start and reports.reading(
            uow, adoption_id=run.id, week_start=week_start, guardrail=rail.name
        )
        found.append(
            GuardrailAsked(
                key=key_of(rail.name),
                name=rail.name,
                unit=rail.unit,
                direction=rail.direction,
                limit=rail.limit,
                typed=row.typed if row else "",
            )
        )
    return tuple(found)


def judged(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> tuple[rules.Guardrail, ...]:
    """The guardrails with a cycle's readings, for its result."""
    return tuple(
        rules.Guardrail(
            name=rail.name,
            direction=Direction(rail.direction),
            limit=rail.limit,
            readings=tuple(reports.readings(uow, cycle_id=cycle.id or 0, guardrail=rail.name).values()),
        )
        for rail in run.spec.kpi.guardrails
    )
