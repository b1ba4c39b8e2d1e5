"""Record a week's number."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from cadence.documents import PlaybookSpec
from cadence.flows.core import (
    AdoptionView,
    ReportWeek,
    adoption_by_id,
    find_adoption,
    in_form,
    is_in_team,
    meant_week,
    once,
    require_owner_or_curator,
    shown_week,
    week_starting,
)
from cadence.flows.numbers.guardrails import read_guardrails, refuse_unread, save_guardrails
from cadence.flows.numbers.readings import keep_reading
from cadence.flows.numbers.results import judge_again
from cadence.flows.numbers.shown_kpis import kpi_of
from cadence.flows.numbers.targets import tell_target_reached
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.kpi import AmountError, Direction, Unit, meets, parse_amount
from storage.queries import numbers
from storage.queries.numbers import CurrentReading, Kept
from storage.work import UnitOfWork
from templates.contexts.numbers import Guardrail as GuardrailShown
from templates.contexts.numbers import Recorded


@dataclass(frozen=True, slots=True)
class NumberGiven:
    """A request to record a KPI number.

    Args:
        value: as typed, such as `1h30m`; "" if only guardrails are given.
        guardrails: as typed, by name.
        unread: (name, text) of the note that may be meant as guardrails.
        adoption_id: from a form or a button; otherwise `playbook` and `team` select it.
        week: 1 to 4 of the running cycle; `week_start` is a form's Monday.
    """

    value: str
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None
    week: int | None = None
    week_start: date | None = None
    note: str = ""
    guardrails: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[tuple[str, str], ...] = ()


@once
def record_number(uow: UnitOfWork, given: NumberGiven) -> Recorded:
    """Record this week's KPI number; a second one in the same week corrects it, and both are kept.

    Raises:
        Refusal: not a number of the KPI's unit, no running cycle, several adoptions or weeks fit, not their
        team.
    """
    with uow.write():
        view = pick_adoption(uow, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team)
        if given.adoption_id is not None:  # by words only a person's own adoptions are found
            require_team_member(uow, view, to="report its number")
        else:
            refuse_unread(uow, view, (*given.guardrails.items(), *given.unread))
        return record(uow, view, given)


def record(uow: UnitOfWork, view: AdoptionView, given: NumberGiven) -> Recorded:
    """Record a number of an adoption within a transaction; raises the same as `record_number`."""
    given = _without_guardrails(given) if not view.spec.kpi.guardrails else given
    value = amount(uow, view, given.value) if given.value or not any(given.guardrails.values()) else None
    rails = read_guardrails(uow, view, given.guardrails)
    week = _week(uow, view, given)
    before = Kept(None, None)
    if value is not None:
        before = keep_reading(uow, view, week, value=value, typed=given.value, note=given.note)
    kept = save_guardrails(uow, view, week, rails)
    was = week.cycle.result
    judge_again(uow, view, week.cycle)
    tell_target_reached(uow, view, week.cycle)
    return recorded(
        view.spec,
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        value=value,
        week_start=week.start,
        replaced=before.before,
        replaced_of=before.by_other(uow),
        guardrails=kept,
        result=week.cycle.result,
        was=was,
        week=None if week.start == view.week_start else shown_week(week.cycle, week.week) or None,
        note=given.note if value is not None else "",
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
    replaced_of: str = "",
    guardrails: tuple[GuardrailShown, ...] = (),
    result: str | None = None,
    was: str | None = None,
    week: int | None = None,
    note: str = "",
) -> Recorded:
    """The answer to the reporter of a number; `result` if its cycle is already closed."""
    kpi = spec.kpi
    return Recorded(
        slug=slug,
        playbook=playbook,
        team=team,
        kpi=kpi_of(spec, value=value),
        met=value is not None and meets(value, kpi.target, Direction(kpi.direction)),
        week_start=week_start,
        replaced=replaced,
        replaced_of=replaced_of,
        guardrails=guardrails,
        result=result,
        was=was,
        week=week,
        note=note,
    )


def _without_guardrails(given: NumberGiven) -> NumberGiven:
    """For a KPI without guardrails, `backlog=12` next to the number is part of the note."""
    if not given.value:
        return given
    words = (given.note, *(f"{name}={typed}" for name, typed in given.guardrails.items() if typed))
    return replace(given, note=" ".join(filter(None, words)), guardrails={})


def pick_adoption(
    uow: UnitOfWork, *, adoption_id: int | None, playbook: str | None, team: str | None
) -> AdoptionView:
    """The adoption with an id, else the one named in words."""
    if adoption_id is not None:
        return adoption_by_id(uow, adoption_id=adoption_id)
    return find_adoption(uow, playbook=playbook, team=team)


def require_team_member(uow: UnitOfWork, view: AdoptionView, *, to: str) -> None:
    """Require a member of the team, the playbook's owner or a curator.

    Raises:
        NotAllowed: anybody else.
    """
    if is_in_team(uow, view, uow.actor.member):
        return
    require_owner_or_curator(uow, playbook=view.playbook, to=f"{to} from outside {view.team.title}")


def amount(uow: UnitOfWork, view: AdoptionView, typed: str) -> float:
    """A typed number in the KPI's unit.

    Raises:
        Refusal: it isn't one; the sentence shows a correct one.
    """
    try:
        return parse_amount(typed, Unit(view.spec.kpi.unit))
    except AmountError as wrong:
        command = "" if in_form(uow) else f"/kpi {view.playbook.slug} "
        first, second = (code(f"{command}{example}") for example in wrong.examples)
        raise Refusal(
            say(
                "{problem} Try {first} or {second}.",
                problem=wrong.problem.replace("`", "“", 1).replace("`", "”", 1),
                first=first,
                second=second,
            ),
            field="value",
        ) from wrong


def _week(uow: UnitOfWork, view: AdoptionView, given: NumberGiven) -> ReportWeek:
    if given.week_start is not None:
        return week_starting(uow, view, given.week_start)

    def is_missing(before: ReportWeek) -> bool:
        row = numbers.reading(uow, adoption_id=view.id, week_start=before.start)
        return row is None

    return meant_week(uow, view, week=given.week, is_missing=is_missing)


def latest_reading(uow: UnitOfWork, view: AdoptionView) -> CurrentReading | None:
    """The newest reading of the adoption's cycle up to this week."""
    return numbers.latest_reading(uow, cycle=view.cycle, until=view.week_start) if view.cycle else None
