"""What tools can read: the evidence behind a team's figures, its status, verdicts, and the registry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from pydantic import BaseModel, Field

from cadence.flows.core import AdoptionView, require_workspace
from cadence.flows.machines.items import Item, KpiItem
from cadence.flows.machines.places import covered
from cadence.flows.numbers import latest_reading
from cadence.flows.overview import show_registry
from cadence.flows.standards import StepState, step_states
from cadence.flows.tokens import TokenHolder
from cadence.rules.calendar import monday_of
from storage.queries import machines, tokens
from storage.queries.machines import Evidence, Stretch
from storage.tables import CheckResult, LoggedException, MeasuredRuns, Reading, RubricResult, StepVerdict
from storage.work import UnitOfWork

MOST_ROWS: Final = 200
"""Rows of one page."""
TABLES: Final[Mapping[str, type[Evidence]]] = {
    "runs": MeasuredRuns,
    "kpi": Reading,
    "exceptions": LoggedException,
    "rubric": RubricResult,
    "checks": CheckResult,
}
"""The rows that are read at each path."""


class EvidenceRow(BaseModel):
    """One report, of a tool or of a person. A field that its path doesn't have is left out."""

    number: int = Field(description="Its number in the bot's database; a newer report has a higher one.")
    item: str | None = Field(None, description="The id of your own item; only for what this token reported.")
    via: str | None = Field(
        None, description="The name of the token that reported it; none for a person's report."
    )
    playbook: str
    team: str
    step: str | None = None
    at: datetime = Field(description="When it happened, as far as the reporter said.")
    recorded_at: datetime
    runs: int | None = None
    member: str | None = Field(None, description="Whose runs they are; only for what this token reported.")
    replaced: bool | None = Field(None, description="Whether a newer report replaced it.")
    week_start: date | None = None
    value: float | None = Field(None, description="In the unit of the KPI or the guardrail.")
    guardrail: str | None = None
    reason: str | None = None
    critical: bool | None = None
    withdrawn: bool | None = Field(None, description="Whether it was undone.")
    link: str | None = None
    check: str | None = None
    samples: int | None = None
    passes: int | None = None
    risky: int | None = None
    note: str | None = None


class EvidencePage(BaseModel):
    """A page of reports, newest first."""

    items: list[EvidenceRow]
    next: str | None = Field(None, description="Pass it as `cursor` for the next page; none on the last.")


class StepStatus(BaseModel):
    """A step now: its exceptions against its cap."""

    step: str
    title: str
    mode: str
    planned_mode: str
    decision: str | None = Field(None, description="Its newest verdict: `hold`, `watch` or `demote`.")
    cap: float | None = None
    exceptions: int | None = None
    runs: int | None = Field(None, description="N: the measured, reported and estimated runs.")
    measured: int | None = None
    reported: int | None = None
    estimated: int | None = None


class KpiStatus(BaseModel):
    """The KPI with its newest number."""

    name: str
    unit: str
    direction: str
    target: float
    value: float | None = None


class AdoptionStatus(BaseModel):
    """A team that runs a playbook."""

    playbook: str
    team: str
    cycle: int | None = None
    week: int | None = None
    starts_on: date | None = None
    closes_on: date | None = None
    kpi: KpiStatus
    steps: list[StepStatus]


class StatusAnswer(BaseModel):
    """The teams and playbooks that a token covers."""

    items: list[AdoptionStatus]


class VerdictRow(BaseModel):
    """A verdict, with the numbers behind it."""

    number: int
    playbook: str
    team: str
    step: str
    decision: str
    line: str
    mode: str
    lands_on: str | None = None
    exceptions: int
    critical: int
    measured: int
    reported: int
    estimated: int
    ratio: float
    cap: float
    probability: float
    cause: str
    at: datetime


class VerdictPage(BaseModel):
    """A page of verdicts, newest first."""

    items: list[VerdictRow]
    next: str | None = Field(None, description="Pass it as `cursor` for the next page; none on the last.")


class RegistryTeamRow(BaseModel):
    """A team that runs a published playbook; the KPI's value is the last closed cycle's median."""

    team: str
    version: str
    kpi: KpiStatus
    setup_minutes: int | None = None


class RegistryRow(BaseModel):
    """A published playbook."""

    playbook: str
    title: str
    function: str
    version: int
    owner: str
    teams: list[RegistryTeamRow]
    more_teams: int


class RegistryPage(BaseModel):
    """A page of the registry."""

    items: list[RegistryRow]
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a request; slugs that a token doesn't cover match nothing.

    Args:
        week: any day of the week, in the team's zone.
        before: the cursor: only rows with a lower number.
    """

    playbook: str | None = None
    team: str | None = None
    step: str | None = None
    week: date | None = None
    before: int | None = None
    limit: int = 50


def _views(uow: UnitOfWork, holder: TokenHolder, wanted: Wanted) -> dict[int, AdoptionView]:
    return {
        view.id: view
        for view in covered(uow, holder)
        if wanted.playbook in (None, view.playbook.slug) and wanted.team in (None, view.team.slug)
    }


def read_evidence(uow: UnitOfWork, holder: TokenHolder, kind: type[Item], wanted: Wanted) -> EvidencePage:
    """A page of what was reported, by tools and by people."""
    with uow.read():
        views = _views(uow, holder, wanted)
        step = None if kind is KpiItem else wanted.step
        found = machines.evidence(
            uow,
            table=TABLES[kind.PATH],
            stretches=[_stretch(view, wanted.week) for view in views.values()],
            step=step,
            before=wanted.before,
            limit=wanted.limit + 1,
        )
        shown = found[: wanted.limit]
        names = tokens.names(uow, token_ids=[row.token_id for row in shown if row.token_id])
        return EvidencePage(
            items=[_row(row, views[row.adoption_id], holder, names) for row in shown],
            next=str(shown[-1].id) if len(found) > len(shown) else None,
        )


def _stretch(view: AdoptionView, week: date | None) -> Stretch:
    if week is None:
        return Stretch(view.id)
    monday = monday_of(week)
    first, last = (
        datetime.combine(day, time(), view.zone).astimezone(UTC)
        for day in (monday, monday + timedelta(weeks=1))
    )
    return Stretch(view.id, first, last)


def _row(row: Evidence, view: AdoptionView, holder: TokenHolder, names: Mapping[int, str]) -> EvidenceRow:
    own = row.token_id == holder.id
    source = "" if isinstance(row, Reading) else row.source
    return EvidenceRow(
        number=row.id or 0,
        item=source.removeprefix(f"{holder.key}:") if own and source else None,
        via=names.get(row.token_id or 0),
        playbook=view.playbook.slug,
        team=view.team.slug,
        **_fields(row, own=own),
    )


def _fields(row: Evidence, *, own: bool) -> dict[str, Any]:
    """The fields of one kind of row."""
    if isinstance(row, MeasuredRuns):
        return {
            "at": row.happened_at,
            "recorded_at": row.recorded_at,
            "week_start": row.week_start,
            "step": row.step or None,
            "runs": row.runs,
            "member": (row.member or None) if own else None,
            "replaced": row.replaced_by is not None,
        }
    if isinstance(row, Reading):
        return {
            "at": row.happened_at or row.reported_at,
            "recorded_at": row.reported_at,
            "week_start": row.week_start,
            "value": row.value,
            "guardrail": row.guardrail or None,
            "note": row.note or None,
            "replaced": row.replaced_at is not None,
        }
    if isinstance(row, LoggedException):
        return {
            "at": row.happened_at or row.logged_at,
            "recorded_at": row.logged_at,
            "step": row.step,
            "reason": row.reason,
            "critical": row.critical,
            "link": row.link,
            "withdrawn": row.withdrawn_at is not None,
        }
    if isinstance(row, RubricResult):
        return {
            "at": row.graded_at,
            "recorded_at": row.graded_at,
            "step": row.step,
            "samples": row.samples,
            "passes": row.passes,
            "risky": row.risky,
            "note": row.note or None,
            "replaced": row.replaced_at is not None,
        }
    return {
        "at": row.happened_at,
        "recorded_at": row.recorded_at,
        "step": row.step,
        "check": row.name,
        "samples": row.samples,
        "passes": row.passes,
        "note": row.note or None,
        "link": row.link,
    }


def read_status(uow: UnitOfWork, holder: TokenHolder, wanted: Wanted) -> StatusAnswer:
    """The teams and playbooks that a token covers, with each step's evidence."""
    with uow.read():
        return StatusAnswer(items=[_status(uow, view) for view in _views(uow, holder, wanted).values()])


def _status(uow: UnitOfWork, view: AdoptionView) -> AdoptionStatus:
    kpi, cycle = view.spec.kpi, view.cycle
    newest = latest_reading(uow, view)
    return AdoptionStatus(
        playbook=view.playbook.slug,
        team=view.team.slug,
        cycle=cycle.number if cycle else None,
        week=view.week,
        starts_on=cycle.starts_on if cycle else None,
        closes_on=cycle.closes_on if cycle else None,
        kpi=KpiStatus(
            name=kpi.name,
            unit=kpi.unit,
            direction=kpi.direction,
            target=kpi.target,
            value=newest.value if newest else None,
        ),
        steps=[_step(one) for one in step_states(uow, view)],
    )


def _step(one: StepState) -> StepStatus:
    seen = one.evidence
    return StepStatus(
        step=one.step.key,
        title=one.step.title,
        mode=one.mode,
        planned_mode=one.step.mode,
        decision=one.verdict.decision if one.verdict else None,
        cap=seen.cap if seen else None,
        exceptions=seen.exceptions if seen else None,
        runs=seen.runs if seen else None,
        measured=seen.measured if seen else None,
        reported=seen.attested if seen else None,
        estimated=seen.assumed if seen else None,
    )


def read_verdicts(uow: UnitOfWork, holder: TokenHolder, wanted: Wanted) -> VerdictPage:
    """A page of verdicts."""
    with uow.read():
        views = _views(uow, holder, wanted)
        found = machines.verdicts(
            uow, adoption_ids=list(views), step=wanted.step, before=wanted.before, limit=wanted.limit + 1
        )
        shown: Sequence[StepVerdict] = found[: wanted.limit]
        return VerdictPage(
            items=[_verdict(row, views[row.adoption_id]) for row in shown],
            next=str(shown[-1].id) if len(found) > len(shown) else None,
        )


def _verdict(row: StepVerdict, view: AdoptionView) -> VerdictRow:
    return VerdictRow(
        number=row.id or 0,
        playbook=view.playbook.slug,
        team=view.team.slug,
        step=row.step,
        decision=row.decision,
        line=row.line,
        mode=row.mode,
        lands_on=row.lands_on,
        exceptions=row.exceptions,
        critical=row.critical,
        measured=row.measured,
        reported=row.attested,
        estimated=row.assumed,
        ratio=row.ratio,
        cap=row.cap,
        probability=row.probability,
        cause=row.cause,
        at=row.judged_at,
    )


def read_registry(uow: UnitOfWork, *, function: str | None, page: int) -> RegistryPage:
    """A page of the registry; every member of the workspace can see all of it."""
    with uow.read():
        require_workspace(uow)
        found = show_registry(uow, function=function, page=page)
        return RegistryPage(
            items=[
                RegistryRow(
                    playbook=row.slug,
                    title=row.title,
                    function=row.function,
                    version=row.number,
                    owner=row.owner,
                    more_teams=row.more_teams,
                    teams=[
                        RegistryTeamRow(
                            team=team.team,
                            version=team.version,
                            setup_minutes=team.setup_minutes,
                            kpi=KpiStatus(
                                name=team.kpi.name,
                                unit=team.kpi.unit,
                                direction=team.kpi.direction,
                                target=team.kpi.target,
                                value=team.kpi.value,
                            ),
                        )
                        for team in row.teams
                    ],
                )
                for row in found.rows
            ],
            page=found.page,
            pages=found.pages,
        )
