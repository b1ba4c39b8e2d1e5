"""Queries on rubric revisions, graded samples, spot audits and promotions."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, insert
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from cadence.rules.calendar import WEEKS
from storage.engine import connection_of
from storage.tables import (
    Adoption,
    CheckIn,
    Cycle,
    ModeChange,
    Playbook,
    Promotion,
    PromotionState,
    RubricResult,
    RubricRevision,
    SpotAudit,
)
from storage.work import UnitOfWork


def results_of_cycle(uow: UnitOfWork, *, cycle_id: int) -> list[RubricResult]:
    """The graded samples of a cycle as they stand, oldest first; those that were corrected are left out."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == uow.workspace_id,
        RubricResult.cycle_id == cycle_id,
        col(RubricResult.replaced_at).is_(None),
    )
    return list(uow.session.exec(query.order_by(col(RubricResult.id))))


def calibration(uow: UnitOfWork, *, adoption_id: int, after: int = 0) -> list[RubricResult]:
    """The graded samples of an adoption as they stand, oldest first, after one of them."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == uow.workspace_id,
        RubricResult.adoption_id == adoption_id,
        col(RubricResult.replaced_at).is_(None),
        col(RubricResult.id) > after,
    )
    return list(uow.session.exec(query.order_by(col(RubricResult.id))))


def result(uow: UnitOfWork, *, result_id: int) -> RubricResult | None:
    """One graded sample, corrected or not."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == uow.workspace_id, RubricResult.id == result_id
    )
    return uow.session.exec(query).first()


def result_of_audit(uow: UnitOfWork, *, audit_id: int) -> RubricResult | None:
    """The grades of a spot audit as they stand."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == uow.workspace_id,
        RubricResult.audit_id == audit_id,
        col(RubricResult.replaced_at).is_(None),
    )
    return uow.session.exec(query).first()


def revisions(uow: UnitOfWork, *, adoption_id: int, step: str) -> list[RubricRevision]:
    """What was changed in a step's rubric, oldest first."""
    query = select(RubricRevision).where(
        RubricRevision.workspace_id == uow.workspace_id,
        RubricRevision.adoption_id == adoption_id,
        RubricRevision.step == step,
    )
    return list(uow.session.exec(query.order_by(col(RubricRevision.number))))


def audit(uow: UnitOfWork, *, audit_id: int) -> SpotAudit | None:
    """One spot audit."""
    query = select(SpotAudit).where(SpotAudit.workspace_id == uow.workspace_id, SpotAudit.id == audit_id)
    return uow.session.exec(query).first()


def audits_of_week(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> list[SpotAudit]:
    """The spot audits drawn for a week, in the order they were drawn."""
    query = select(SpotAudit).where(
        SpotAudit.workspace_id == uow.workspace_id,
        SpotAudit.adoption_id == adoption_id,
        SpotAudit.week_start == week_start,
    )
    return list(uow.session.exec(query.order_by(col(SpotAudit.id))))


def promotion(uow: UnitOfWork, *, promotion_id: int) -> Promotion | None:
    """One step as it was looked at for promotion."""
    query = select(Promotion).where(Promotion.workspace_id == uow.workspace_id, Promotion.id == promotion_id)
    return uow.session.exec(query).first()


def _look_stands() -> ColumnElement[bool]:
    """A look at a step while no demotion stood that was taken back since."""
    demotion, back = aliased(ModeChange), aliased(ModeChange)
    return ~exists().where(
        col(demotion.adoption_id) == col(Promotion.adoption_id),
        col(demotion.step) == col(Promotion.step),
        col(demotion.changed_at) <= col(Promotion.judged_at),
        col(back.takes_back) == col(demotion.id),
        col(back.changed_at) > col(Promotion.judged_at),
    )


def last_promotion(uow: UnitOfWork, *, adoption_id: int, step: str) -> Promotion | None:
    """How a step was looked at for promotion the last time."""
    query = (
        select(Promotion)
        .where(
            Promotion.workspace_id == uow.workspace_id,
            Promotion.adoption_id == adoption_id,
            Promotion.step == step,
            _look_stands(),
        )
        .order_by(col(Promotion.id).desc())
        .limit(1)
    )
    return uow.session.exec(query).first()


def promotions_of_cycle(uow: UnitOfWork, *, cycle_id: int) -> list[Promotion]:
    """Every step looked at for promotion when a cycle closed, as far as that stands."""
    query = select(Promotion).where(
        Promotion.workspace_id == uow.workspace_id, Promotion.cycle_id == cycle_id, _look_stands()
    )
    return list(uow.session.exec(query.order_by(col(Promotion.id))))


def overtaken_promotion(uow: UnitOfWork, *, cycle_id: int, step: str) -> Promotion | None:
    """How a step was looked at when a cycle closed, if a demotion stood then that was taken back since."""
    query = select(Promotion).where(
        Promotion.workspace_id == uow.workspace_id,
        Promotion.cycle_id == cycle_id,
        Promotion.step == step,
        ~_look_stands(),
    )
    return uow.session.exec(query).first()


def lapsed_promotions(
    uow: UnitOfWork, *, adoption_id: int, step: str, lapsed_at: datetime
) -> list[Promotion]:
    """Proposals of a step that lapsed at an instant."""
    query = select(Promotion).where(
        Promotion.workspace_id == uow.workspace_id,
        Promotion.adoption_id == adoption_id,
        Promotion.step == step,
        Promotion.state == PromotionState.LAPSED,
        Promotion.decided_at == lapsed_at,
    )
    return list(uow.session.exec(query.order_by(col(Promotion.id))))


def open_promotions(
    uow: UnitOfWork, *, adoption_id: int | None = None, step: str | None = None
) -> list[Promotion]:
    """Proposals that wait for a decision."""
    query = select(Promotion).where(
        Promotion.workspace_id == uow.workspace_id, Promotion.state == PromotionState.OPEN
    )
    if adoption_id is not None:
        query = query.where(Promotion.adoption_id == adoption_id)
    if step is not None:
        query = query.where(Promotion.step == step)
    return list(uow.session.exec(query.order_by(col(Promotion.id))))


class WeekOfCycle(NamedTuple):
    """The cycle of a run that a week lies in, and who owns its playbook."""

    adoption_id: int
    cycle_id: int
    starts_on: date
    version_id: int
    owner: str


def lock_adoptions(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> list[int]:
    """Hold adoptions until the transaction ends, always in the same order; returns those that are there."""
    query = (
        select(Adoption.id)
        .where(Adoption.workspace_id == uow.workspace_id, col(Adoption.id).in_(adoption_ids))
        .order_by(col(Adoption.id))
        .with_for_update()
    )
    return [number or 0 for number in uow.session.exec(query)]


def cycles_of_week(uow: UnitOfWork, *, adoption_ids: Sequence[int], week_start: date) -> list[WeekOfCycle]:
    """The cycle of each run that a week lies in, by run."""
    query = (
        select_columns(
            col(Cycle.adoption_id),
            col(Cycle.id),
            col(Cycle.starts_on),
            col(Cycle.version_id),
            col(Playbook.owner),
        )
        .join(Adoption, col(Adoption.id) == col(Cycle.adoption_id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .where(
            col(Cycle.workspace_id) == uow.workspace_id,
            col(Cycle.adoption_id).in_(adoption_ids),
            col(Cycle.starts_on) <= week_start,
            col(Cycle.starts_on) > week_start - timedelta(weeks=WEEKS),
        )
        .order_by(col(Cycle.adoption_id))
    )
    return [WeekOfCycle(*row) for row in uow.session.execute(query)]


def attested(uow: UnitOfWork, *, adoption_ids: Sequence[int], week_start: date) -> list[tuple[int, str, int]]:
    """(adoption, member, runs) of who attested runs for a week so far, by member."""
    query = select(col(CheckIn.adoption_id), col(CheckIn.member), col(CheckIn.runs)).where(
        CheckIn.workspace_id == uow.workspace_id,
        col(CheckIn.adoption_id).in_(adoption_ids),
        CheckIn.week_start == week_start,
        col(CheckIn.replaced_at).is_(None),
        CheckIn.runs > 0,
    )
    return sorted(uow.session.exec(query))


def drawn(uow: UnitOfWork, *, adoption_ids: Sequence[int], week_start: date) -> dict[tuple[int, str], int]:
    """What was drawn for a week already: the id of each, by adoption and step."""
    query = select(col(SpotAudit.adoption_id), col(SpotAudit.step), col(SpotAudit.id)).where(
        SpotAudit.workspace_id == uow.workspace_id,
        col(SpotAudit.adoption_id).in_(adoption_ids),
        SpotAudit.week_start == week_start,
    )
    return {(adoption, step): number or 0 for adoption, step, number in uow.session.exec(query)}


def ungraded(uow: UnitOfWork, *, adoption_ids: Sequence[int], since: date) -> list[tuple[int, date, int]]:
    """(adoption, week, runs drawn) of the audits of weeks from one on that nobody has graded."""
    graded = exists().where(
        col(RubricResult.audit_id) == col(SpotAudit.id), col(RubricResult.replaced_at).is_(None)
    )
    query = (
        select(col(SpotAudit.adoption_id), col(SpotAudit.week_start), col(SpotAudit.drawn))
        .where(
            SpotAudit.workspace_id == uow.workspace_id,
            col(SpotAudit.adoption_id).in_(adoption_ids),
            SpotAudit.week_start >= since,
            ~graded,
        )
        .order_by(col(SpotAudit.id))
    )
    return [(adoption, week, len(drawn)) for adoption, week, drawn in uow.session.exec(query)]


def add(uow: UnitOfWork, *, rows: Sequence[SpotAudit]) -> None:
    """Keep draws, all in one statement."""
    values = [row.model_dump(exclude={"id"}) | {"workspace_id": uow.workspace_id} for row in rows]
    connection_of(uow.session).execute(insert(SpotAudit).inline(), values)
