"""Queries on rubric revisions, graded samples, spot audits and promotions."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.tables import ModeChange, Promotion, PromotionState, RubricResult, RubricRevision, SpotAudit


def results_of_cycle(session: Session, *, workspace_id: str, cycle_id: int) -> list[RubricResult]:
    """The graded samples of a cycle as they stand, oldest first; those that were corrected are left out."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == workspace_id,
        RubricResult.cycle_id == cycle_id,
        col(RubricResult.replaced_at).is_(None),
    )
    return list(session.exec(query.order_by(col(RubricResult.id))))


def calibration(
    session: Session, *, workspace_id: str, adoption_id: int, after: int = 0
) -> list[RubricResult]:
    """The graded samples of an adoption as they stand, oldest first, after one of them."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == workspace_id,
        RubricResult.adoption_id == adoption_id,
        col(RubricResult.replaced_at).is_(None),
        col(RubricResult.id) > after,
    )
    return list(session.exec(query.order_by(col(RubricResult.id))))


def result(session: Session, *, workspace_id: str, result_id: int) -> RubricResult | None:
    """One graded sample, corrected or not."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == workspace_id, RubricResult.id == result_id
    )
    return session.exec(query).first()


def result_of_audit(session: Session, *, workspace_id: str, audit_id: int) -> RubricResult | None:
    """The grades of a spot audit as they stand."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == workspace_id,
        RubricResult.audit_id == audit_id,
        col(RubricResult.replaced_at).is_(None),
    )
    return session.exec(query).first()


def revisions(session: Session, *, workspace_id: str, adoption_id: int, step: str) -> list[RubricRevision]:
    """What was changed in a step's rubric, oldest first."""
    query = select(RubricRevision).where(
        RubricRevision.workspace_id == workspace_id,
        RubricRevision.adoption_id == adoption_id,
        RubricRevision.step == step,
    )
    return list(session.exec(query.order_by(col(RubricRevision.number))))


def audit(session: Session, *, workspace_id: str, audit_id: int) -> SpotAudit | None:
    """One spot audit."""
    query = select(SpotAudit).where(SpotAudit.workspace_id == workspace_id, SpotAudit.id == audit_id)
    return session.exec(query).first()


def audits_of_week(
    session: Session, *, workspace_id: str, adoption_id: int, week_start: date
) -> list[SpotAudit]:
    """The spot audits drawn for a week, in the order they were drawn."""
    query = select(SpotAudit).where(
        SpotAudit.workspace_id == workspace_id,
        SpotAudit.adoption_id == adoption_id,
        SpotAudit.week_start == week_start,
    )
    return list(session.exec(query.order_by(col(SpotAudit.id))))


def promotion(session: Session, *, workspace_id: str, promotion_id: int) -> Promotion | None:
    """One step as it was looked at for promotion."""
    query = select(Promotion).where(Promotion.workspace_id == workspace_id, Promotion.id == promotion_id)
    return session.exec(query).first()


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


def last_promotion(session: Session, *, workspace_id: str, adoption_id: int, step: str) -> Promotion | None:
    """How a step was looked at for promotion the last time."""
    query = (
        select(Promotion)
        .where(
            Promotion.workspace_id == workspace_id,
            Promotion.adoption_id == adoption_id,
            Promotion.step == step,
            _look_stands(),
        )
        .order_by(col(Promotion.id).desc())
        .limit(1)
    )
    return session.exec(query).first()


def promotions_of_cycle(session: Session, *, workspace_id: str, cycle_id: int) -> list[Promotion]:
    """Every step looked at for promotion when a cycle closed, as far as that stands."""
    query = select(Promotion).where(
        Promotion.workspace_id == workspace_id, Promotion.cycle_id == cycle_id, _look_stands()
    )
    return list(session.exec(query.order_by(col(Promotion.id))))


def overtaken_promotion(session: Session, *, workspace_id: str, cycle_id: int, step: str) -> Promotion | None:
    """How a step was looked at when a cycle closed, if a demotion stood then that was taken back since."""
    query = select(Promotion).where(
        Promotion.workspace_id == workspace_id,
        Promotion.cycle_id == cycle_id,
        Promotion.step == step,
        ~_look_stands(),
    )
    return session.exec(query).first()


def lapsed_promotions(
    session: Session, *, workspace_id: str, adoption_id: int, step: str, lapsed_at: datetime
) -> list[Promotion]:
    """Proposals of a step that lapsed at an instant."""
    query = select(Promotion).where(
        Promotion.workspace_id == workspace_id,
        Promotion.adoption_id == adoption_id,
        Promotion.step == step,
        Promotion.state == PromotionState.LAPSED,
        Promotion.decided_at == lapsed_at,
    )
    return list(session.exec(query.order_by(col(Promotion.id))))


def open_promotions(
    session: Session, *, workspace_id: str, adoption_id: int | None = None, step: str | None = None
) -> list[Promotion]:
    """Proposals that wait for a decision."""
    query = select(Promotion).where(
        Promotion.workspace_id == workspace_id, Promotion.state == PromotionState.OPEN
    )
    if adoption_id is not None:
        query = query.where(Promotion.adoption_id == adoption_id)
    if step is not None:
        query = query.where(Promotion.step == step)
    return list(session.exec(query.order_by(col(Promotion.id))))
