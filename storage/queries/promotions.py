"""Queries on promotions, proposed and decided."""

from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from storage.tables import ModeChange, Promotion, PromotionState
from storage.work import UnitOfWork


def promotion(uow: UnitOfWork, *, promotion_id: int) -> Promotion | None:
    """One promotion, that is, one step's evaluation."""
    query = select(Promotion).where(Promotion.workspace_id == uow.workspace_id, Promotion.id == promotion_id)
    return uow.session.exec(query).first()


@cache
def _look_stands() -> ColumnElement[bool]:
    """Condition: an evaluation of a step wasn't made under a demotion that was reversed since."""
    demotion, back = aliased(ModeChange), aliased(ModeChange)
    return ~exists().where(
        col(demotion.adoption_id) == col(Promotion.adoption_id),
        col(demotion.step) == col(Promotion.step),
        col(demotion.changed_at) <= col(Promotion.judged_at),
        col(back.takes_back) == col(demotion.id),
        col(back.changed_at) > col(Promotion.judged_at),
    )


def last_promotion(uow: UnitOfWork, *, adoption_id: int, step: str) -> Promotion | None:
    """The last evaluation of a step for promotion."""
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
    """The valid evaluations of all steps when a cycle closed."""
    query = select(Promotion).where(
        Promotion.workspace_id == uow.workspace_id, Promotion.cycle_id == cycle_id, _look_stands()
    )
    return list(uow.session.exec(query.order_by(col(Promotion.id))))


def overtaken_promotion(uow: UnitOfWork, *, cycle_id: int, step: str) -> Promotion | None:
    """The evaluation of a step when a cycle closed, if it was made under a demotion that was reversed
    since."""
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
    """Undecided proposals."""
    query = select(Promotion).where(
        Promotion.workspace_id == uow.workspace_id, Promotion.state == PromotionState.OPEN
    )
    if adoption_id is not None:
        query = query.where(Promotion.adoption_id == adoption_id)
    if step is not None:
        query = query.where(Promotion.step == step)
    return list(uow.session.exec(query.order_by(col(Promotion.id))))


def promotions_between(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[Promotion]:
    """Promotions decided in an interval, or evaluated in it and undecided, oldest first."""
    moment = func.coalesce(col(Promotion.decided_at), col(Promotion.judged_at))
    query = select(Promotion).where(
        Promotion.workspace_id == uow.workspace_id, moment >= since, moment < until
    )
    return list(uow.session.exec(query.order_by(col(Promotion.id))))
