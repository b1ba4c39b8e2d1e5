"""The form to report a number."""

from collections.abc import Mapping, Sequence
from datetime import date

from cadence.flows.core import (
    AdoptionView,
    NeedsChoice,
    ReportWeek,
    adoption_by_id,
    find_adoption,
    how_to_begin,
    last_week,
    require_cycle,
    shown_week,
    this_week,
    visible_adoptions,
)
from cadence.flows.numbers.guardrails import asked, asked_of_any, key_of
from cadence.flows.numbers.kpis import require_team_member
from cadence.flows.numbers.shown_kpis import kpi_context
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from storage.tables import Cycle
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.numbers import KpiForm


def run_choices(runs: Sequence[AdoptionView]) -> tuple[Choice, ...]:
    """Adoptions as options; a value is the adoption's id."""
    return tuple(
        Choice(label=f"{view.playbook.title} · {view.team.title}", value=str(view.id)) for view in runs
    )


def kpi_form(
    uow: UnitOfWork,
    *,
    adoption_id: int | None,
    playbook: str | None = None,
    team: str | None = None,
    week_start: date | None = None,
    week: int | None = None,
    value: str = "",
    note: str = "",
    guardrails: Mapping[str, str] | None = None,
) -> KpiForm:
    """The form for a KPI number; asks for the adoption or the week only if it isn't clear.

    Args:
        week: as typed, 1 to 4.
        value, note, guardrails: as typed; guardrails by name.

    Raises:
        Refusal: no team of the caller runs a playbook, or no week accepts a number.
    """
    typed = {key_of(name): number for name, number in (guardrails or {}).items()}
    with uow.read():
        if adoption_id is None:
            runs = _measured_runs(uow, playbook, team)
            if len(runs) > 1:
                rails = asked_of_any(runs, typed)
                known = {rail.key for rail in rails}
                words = (f"{key}={number}" for key, number in typed.items() if key not in known)
                return KpiForm(
                    adoptions=_kpi_choices(runs),
                    named=week,
                    value=value,
                    note=" ".join(filter(None, (note, *words))),
                    guardrails=rails,
                    only_guardrails=bool(rails) and not value,
                )
            view = runs[0]
        else:
            view = adoption_by_id(uow, adoption_id=adoption_id)
        require_team_member(uow, view, to="report its number")
        before = last_week(uow, view)
        weeks = _week_choices(view, before)
        if week_start is None and not weeks:
            this_week(view)  # says when there will be one
        return KpiForm(
            playbook=view.playbook.title,
            team=view.team.title,
            kpi=kpi_context(view, value=None),
            selected=str(view.id),
            weeks=weeks if week_start is None else (),
            week_start=week_start,
            week=str(view.week_start) if weeks else None,
            value=value,
            note=note,
            guardrails=asked(uow, view, week_start=week_start, typed=typed),
            only_guardrails=bool(typed) and not value,
        )


def _measured_runs(uow: UnitOfWork, playbook: str | None, team: str | None) -> list[AdoptionView]:
    """The adoptions a number may be about: the named ones, as for `/kpi`, else all of the caller's."""
    if playbook or team:
        try:
            return [find_adoption(uow, playbook=playbook, team=team)]
        except NeedsChoice as several:
            return list(several.runs)
    every = visible_adoptions(uow)
    runs = [view for view in every if view.cycle is not None]
    if every and not runs:
        require_cycle(every[0])  # says who can start it
    if not runs:
        raise Refusal(
            say(
                "There's nothing to report yet: none of your teams is in a cycle. {next}",
                next=how_to_begin(uow),
            )
        )
    return runs


def _kpi_choices(runs: Sequence[AdoptionView]) -> tuple[Choice, ...]:
    """Adoptions as options, each with its KPI: `Reply · Desk: First response time, minutes`."""
    return tuple(
        Choice(label=f"{one.label[:45]}: {view.spec.kpi.name}, {view.spec.kpi.unit}", value=one.value)
        for view, one in zip(runs, run_choices(runs), strict=True)
    )


def _week_choices(view: AdoptionView, before: ReportWeek | None) -> tuple[Choice, ...]:
    choices = []
    if view.week is not None:
        choices.append(
            Choice(label=f"This week{_numbered(view.cycle, view.week)}", value=view.week_start.isoformat())
        )
    if before is not None:
        choices.append(
            Choice(label=f"Last week{_numbered(before.cycle, before.week)}", value=before.start.isoformat())
        )
    return tuple(choices)


def _numbered(cycle: Cycle | None, week: int) -> str:
    """The number of a week in its cycle; the weeks of a watch period have none."""
    return f" (week {week} of 4)" if shown_week(cycle, week) else ""
