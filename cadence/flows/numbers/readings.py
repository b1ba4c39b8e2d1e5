"""Save a weekly number: of the KPI or of a guardrail."""

from cadence.flows.core import CHECKIN_KINDS, AdoptionView, ReportWeek
from storage.queries import numbers
from storage.queries.numbers import Kept, Measured, Number
from storage.work import UnitOfWork


def keep_reading(
    uow: UnitOfWork,
    view: AdoptionView,
    week: ReportWeek,
    *,
    value: float,
    typed: str,
    note: str = "",
    guardrail: str = "",
    measured: Measured | None = None,
) -> Kept:
    """Save a reading and return what it corrects, if anything; the same number again changes nothing.

    Args:
        measured: if a tool reported it, its token and when it was measured.
    """
    kept = numbers.keep(
        uow,
        number=Number(
            adoption_id=view.id,
            cycle_id=week.cycle.id or 0,
            cycle_state=week.cycle.state,
            week=week.week,
            week_start=week.start,
            guardrail=guardrail,
            value=value,
            typed=typed,
            note=note,
            measured=measured,
        ),
    )
    if kept.reading_id is None:
        return kept
    subject = f"adoption:{view.id}/week:{week.start}"
    uow.record(
        action="reading" if kept.before is None else "reading-corrected",
        subject=f"{subject}/{guardrail}" if guardrail else subject,
        before=kept.before,
        after=value,
    )
    mark = f"reading:{kept.reading_id}"
    uow.rewrite("target-reached", week.cycle.id, mark=mark, week=week.week)
    if not guardrail:  # the messages that ask for the week's number, or show it
        uow.rewrite(("kpi-missing", "week-opens"), view.id, mark=mark, week=week.start)
    members = {uow.actor.member, kept.member, view.team.reporter or ""} - {""}
    for member in sorted(members):  # a check-in shows the numbers of its week
        uow.rewrite(CHECKIN_KINDS, member, week.start, mark=mark)
    return kept
