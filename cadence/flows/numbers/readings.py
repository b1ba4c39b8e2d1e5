"""Keep a weekly number: the KPI's own, or a guardrail's. A correction is a new row."""

from cadence.flows.core import ReportWeek, TeamRun
from storage.queries import numbers
from storage.queries.numbers import Number
from storage.work import UnitOfWork


def keep_reading(
    uow: UnitOfWork,
    run: TeamRun,
    week: ReportWeek,
    *,
    value: float,
    typed: str,
    note: str = "",
    guardrail: str = "",
) -> float | None:
    """Save a reading and return the value it corrects, if there was one; the same again changes nothing."""
    kept = numbers.keep(
        uow,
        number=Number(
            adoption_id=run.id,
            cycle_id=week.cycle.id or 0,
            cycle_state=week.cycle.state,
            week=week.week,
            week_start=week.start,
            guardrail=guardrail,
            value=value,
            typed=typed,
            note=note,
            member=uow.actor.member,
            surface=uow.actor.surface,
            request=uow.actor.request,
            at=uow.now,
        ),
    )
    return kept.before
