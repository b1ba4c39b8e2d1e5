"""Queries on drift: what was attested of a step, and what was found, declared and recommitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage.tables import Attestation, CheckIn, DriftedStep, StepDrift
from storage.work import UnitOfWork


def events(uow: UnitOfWork, *, adoption_id: int, step: str) -> list[StepDrift]:
    """What happened to a step's drift so far, oldest first."""
    query = select(StepDrift).where(
        StepDrift.workspace_id == uow.workspace_id,
        StepDrift.adoption_id == adoption_id,
        StepDrift.step == step,
    )
    return list(uow.session.exec(query.order_by(col(StepDrift.id))))


def event(uow: UnitOfWork, *, drift_id: int) -> StepDrift | None:
    """One thing that happened to a step's drift."""
    query = select(StepDrift).where(StepDrift.workspace_id == uow.workspace_id, StepDrift.id == drift_id)
    return uow.session.exec(query).first()


def alerts_until(uow: UnitOfWork, *, found: StepDrift) -> list[StepDrift]:
    """What was found of a drift up to a row: by one person first, then by several. Oldest first."""
    rows = events(uow, adoption_id=found.adoption_id, step=found.step)
    alerts: list[StepDrift] = []
    for row in rows:
        if (row.id or 0) <= (found.id or 0) and row.event is not DriftEvent.REPORTED:
            alerts = [*alerts, row] if row.event is DriftEvent.FOUND else []
    return alerts


def between(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[StepDrift]:
    """Whatever happened to the workspace's drifts in an interval, oldest first."""
    query = select(StepDrift).where(
        StepDrift.workspace_id == uow.workspace_id, StepDrift.at >= since, StepDrift.at < until
    )
    return list(uow.session.exec(query.order_by(col(StepDrift.id))))


@dataclass(frozen=True, slots=True)
class Attested:
    """One answer that says how the steps were run, with the steps that were run in another mode."""

    check_in: CheckIn
    modes: Mapping[str, Mode]


def attested(uow: UnitOfWork, *, cycle_id: int, through: int | None = None) -> list[Attested]:
    """The answers of a cycle that somebody ran it, as they stand, by week and member.

    With `through`, as they stood when the check-in of that id was the newest.
    """
    query = select(CheckIn).where(CheckIn.workspace_id == uow.workspace_id, CheckIn.cycle_id == cycle_id)
    if through is None:
        query = query.where(col(CheckIn.replaced_at).is_(None))
    else:
        query = query.where(col(CheckIn.id) <= through)
    rows = uow.session.exec(query.order_by(col(CheckIn.id)))
    newest = {(row.week_start, row.member): row for row in rows}
    ran = [row for _, row in sorted(newest.items()) if row.attestation is not Attestation.NOT_RUN]
    modes = _modes(uow, [row.id or 0 for row in ran])
    return [Attested(row, modes.get(row.id or 0, {})) for row in ran]


def _modes(uow: UnitOfWork, ids: list[int]) -> dict[int, dict[str, Mode]]:
    modes: dict[int, dict[str, Mode]] = {}
    for start in range(0, len(ids), 500):
        query = select(DriftedStep).where(
            DriftedStep.workspace_id == uow.workspace_id,
            col(DriftedStep.check_in_id).in_(ids[start : start + 500]),
        )
        for row in uow.session.exec(query):
            modes.setdefault(row.check_in_id, {})[row.step] = row.mode
    return modes
