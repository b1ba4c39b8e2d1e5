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
    hits = uow.messages("target-reached", week.cycle.id)
    uow.rewrite_messages(
        [row for row in hits if row.subject.get("week") == week.week], mark=f"reading:{kept.reading_id}"
    )
    members = {uow.actor.member, kept.member, view.team.reporter or ""} - {""}
    sent = [] if guardrail else uow.messages(("kpi-missing", "week-opens"), view.id)
    sent += uow.messages_about_any(CHECKIN_KINDS, [(one, week.start) for one in sorted(members)])
    sent = [row for row in sent if row.subject.get("week") == str(week.start)]
    uow.rewrite_messages(sent, mark=f"reading:{kept.reading_id}")
    return kept
