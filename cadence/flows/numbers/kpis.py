"""Record this week's number."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from cadence.documents import PlaybookSpec
from cadence.flows.core import (
    ReportWeek,
    TeamRun,
    find_run,
    meant_week,
    once,
    require_owner_or_curator,
    run_by_id,
    week_starting,
)
from cadence.flows.numbers.guardrails import read_guardrails, save_guardrails
from cadence.flows.numbers.readings import keep_reading
from cadence.flows.numbers.results import judge_again
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.kpi import AmountError, Direction, Unit, meets, parse_amount
from storage.queries import people, reports
from storage.work import UnitOfWork
from templates.contexts.answers import Recorded
from templates.contexts.base import Kpi
from templates.contexts.verdicts import Guardrail as GuardrailShown


@dataclass(frozen=True, slots=True)
class NumberGiven:
    """A KPI number as someone gave it.

    Args:
        value: as typed, such as `1h30m`; "" when only guardrails are given.
        guardrails: as typed, by name.
        adoption_id: from a form or a button; otherwise `playbook` and `team` say which.
        week: 1 to 4 of the running cycle; `week_start` is the Monday a form carries.
    """

    value: str
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None
    week: int | None = None
    week_start: date | None = None
    note: str = ""
    guardrails: Mapping[str, str] = field(default_factory=dict)


@once
def record_number(uow: UnitOfWork, given: NumberGiven) -> Recorded:
    """Record this week's KPI number; again in the same week corrects it and keeps both.

    Raises:
        Refusal: not a number of the KPI's unit, no running cycle, several runs or weeks fit, not their team.
    """
    with uow.write():
        run = pick_run(uow, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team)
        if given.adoption_id is not None:  # by words only runs are found that a person has to do with
            require_team_member(uow, run, to="report its number")
        return record(uow, run, given)


def record(uow: UnitOfWork, run: TeamRun, given: NumberGiven) -> Recorded:
    """Record a number of a run, within a transaction; raises what `record_number` does."""
    given = _without_guardrails(given) if not run.spec.kpi.guardrails else given
    value = amount(run, given.value) if given.value or not given.guardrails else None
    rails = read_guardrails(run, given.guardrails)
    week = _week(uow, run, given)
    replaced = None
    if value is not None:
        replaced = keep_reading(uow, run, week, value=value, typed=given.value, note=given.note)
    kept = save_guardrails(uow, run, week, rails)
    judge_again(uow, run, week.cycle)
    return recorded(
        run.spec,
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        value=value,
        week_start=week.start,
        replaced=replaced,
        guardrails=kept,
        result=week.cycle.result,
    )


def recorded(
    spec: PlaybookSpec,
    *,
    slug: str,
    playbook: str,
    team: str,
    value: float | None,
    week_start: date,
    replaced: float | None,
    guardrails: tuple[GuardrailShown, ...] = (),
    result: str | None = None,
) -> Recorded:
    """The answer to whoever reported a number; `result` when its cycle is closed already."""
    kpi = spec.kpi
    return Recorded(
        slug=slug,
        playbook=playbook,
        team=team,
        kpi=kpi_of(spec, value=value),
        met=value is not None and meets(value, kpi.target, Direction(kpi.direction)),
        week_start=week_start,
        replaced=replaced,
        guardrails=guardrails,
        result=result,
    )


def _without_guardrails(given: NumberGiven) -> NumberGiven:
    """For a KPI without guardrails, `backlog=12` beside the number is part of the note."""
    if not given.value:
        return given
    words = (given.note, *(f"{name}={typed}" for name, typed in given.guardrails.items()))
    return replace(given, note=" ".join(filter(None, words)), guardrails={})


def pick_run(uow: UnitOfWork, *, adoption_id: int | None, playbook: str | None, team: str | None) -> TeamRun:
    """The run an id names, else the one the words name."""
    if adoption_id is not None:
        return run_by_id(uow, adoption_id=adoption_id)
    return find_run(uow, playbook=playbook, team=team)


def require_team_member(uow: UnitOfWork, run: TeamRun, *, to: str) -> None:
    """Let the team's members through, and those who may act for it: the owner and curators.

    Raises:
        NotAllowed: anybody else.
    """
    if run.team.id in people.team_ids(uow, member_id=uow.actor.member):
        return
    require_owner_or_curator(uow, owner=run.playbook.owner, to=f"{to} from outside {run.team.title}")


def amount(run: TeamRun, typed: str) -> float:
    """A typed number in the KPI's unit.

    Raises:
        Refusal: it isn't one; the sentence shows what would be.
    """
    try:
        return parse_amount(typed, Unit(run.spec.kpi.unit))
    except AmountError as wrong:
        first, second = (code(f"/kpi {run.playbook.slug} {example}") for example in wrong.examples)
        raise Refusal(
            say(
                "{problem} Try {first} or {second}.",
                problem=wrong.problem.replace("`", "“", 1).replace("`", "”", 1),
                first=first,
                second=second,
            ),
            field="value",
        ) from wrong


def _week(uow: UnitOfWork, run: TeamRun, given: NumberGiven) -> ReportWeek:
    if given.week_start is not None:
        return week_starting(uow, run, given.week_start)

    def is_missing(before: ReportWeek) -> bool:
        row = reports.reading(uow, adoption_id=run.id, week_start=before.start)
        return row is None

    return meant_week(uow, run, week=given.week, is_missing=is_missing)


def kpi_context(run: TeamRun, *, value: float | None) -> Kpi:
    """The KPI of a run for a template, with the value to show."""
    return kpi_of(run.spec, value=value)


def kpi_of(spec: PlaybookSpec, *, value: float | None) -> Kpi:
    """The KPI of what a version says, with the value to show."""
    kpi = spec.kpi
    return Kpi(
        name=kpi.name,
        unit=kpi.unit,
        direction=kpi.direction,
        target=kpi.target,
        baseline=kpi.baseline,
        value=value,
    )


def latest_value(uow: UnitOfWork, run: TeamRun) -> float | None:
    """The newest reading of the run's cycle up to this week."""
    row = reports.latest_reading(uow, adoption_id=run.id, until=run.week_start)
    return row.value if row and run.cycle and row.cycle_id == run.cycle.id else None
