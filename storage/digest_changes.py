"""Queries of the digest on what changed: demotions, promotions, drifts, cycles that missed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import (
    exists,
    func,
    select,
)
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from cadence.rules.drift import DriftEvent
from cadence.rules.kpi import Outcome
from storage import decisions
from storage.streams import stream
from storage.tables import (
    Cycle,
    ModeChange,
    Promotion,
    PromotionState,
    RubricRevision,
    StepDrift,
)


def demoted(session: Session, *, workspace_id: str, until: datetime) -> Iterator[tuple[int, str, datetime]]:
    """(adoption, step, when) of steps whose last change is a demotion, and whose rubric wasn't revised since."""
    later = aliased(ModeChange)
    since = exists().where(
        col(later.adoption_id) == col(ModeChange.adoption_id),
        col(later.step) == col(ModeChange.step),
        col(later.id) > col(ModeChange.id),
        *decisions.stands(later),
    )
    revised = exists().where(
        col(RubricRevision.adoption_id) == col(ModeChange.adoption_id),
        col(RubricRevision.step) == col(ModeChange.step),
        col(RubricRevision.number) > col(ModeChange.rubric),
    )
    query = select(col(ModeChange.adoption_id), col(ModeChange.step), col(ModeChange.changed_at)).where(
        col(ModeChange.workspace_id) == workspace_id,
        col(ModeChange.kind) == "demotion",
        col(ModeChange.changed_at) < until,
        ~since,
        ~revised,
        *decisions.stands(),
    )
    return stream(session, query)


def missed(
    session: Session, *, workspace_id: str, since: datetime, until: datetime
) -> Iterator[tuple[int, int, str | None]]:
    """(adoption, number, result) of the cycles that closed in an interval without meeting their target."""
    query = select(col(Cycle.adoption_id), col(Cycle.number), col(Cycle.result)).where(
        col(Cycle.workspace_id) == workspace_id,
        col(Cycle.closed_at) >= since,
        col(Cycle.closed_at) < until,
        col(Cycle.result).is_distinct_from(Outcome.MET.value),
    )
    return stream(session, query)


def promotions_open(session: Session, *, workspace_id: str) -> Iterator[tuple[int, int]]:
    """(promotion, adoption) of those that wait for a decision."""
    query = select(col(Promotion.id), col(Promotion.adoption_id)).where(
        col(Promotion.workspace_id) == workspace_id, col(Promotion.state) == PromotionState.OPEN
    )
    return stream(session, query)


def promotions_declined(
    session: Session, *, workspace_id: str, since: datetime, until: datetime
) -> Iterator[tuple[int, int]]:
    """(promotion, adoption) of those that were declined in an interval."""
    moment = func.coalesce(col(Promotion.decided_at), col(Promotion.judged_at))
    query = select(col(Promotion.id), col(Promotion.adoption_id)).where(
        col(Promotion.workspace_id) == workspace_id,
        col(Promotion.state) == PromotionState.DECLINED,
        moment >= since,
        moment < until,
    )
    return stream(session, query)


def drifts_open(session: Session, *, workspace_id: str) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
    """(drift, adoption, step, its numbers) of the drifts that nobody has settled."""
    later = aliased(StepDrift)
    since = exists().where(
        col(later.adoption_id) == col(StepDrift.adoption_id),
        col(later.step) == col(StepDrift.step),
        col(later.id) > col(StepDrift.id),
    )
    query = select(
        col(StepDrift.id), col(StepDrift.adoption_id), col(StepDrift.step), col(StepDrift.evidence)
    ).where(col(StepDrift.workspace_id) == workspace_id, col(StepDrift.event) == DriftEvent.FOUND, ~since)
    return stream(session, query)


def changes(
    session: Session, *, workspace_id: str, since: datetime, until: datetime, kind: str
) -> Iterator[tuple[int, int]]:
    """(mode change, adoption) of one kind in an interval; a declaration that only set a step up isn't one."""
    query = select(col(ModeChange.id), col(ModeChange.adoption_id)).where(
        col(ModeChange.workspace_id) == workspace_id,
        col(ModeChange.changed_at) >= since,
        col(ModeChange.changed_at) < until,
        col(ModeChange.before).is_not(None),
        col(ModeChange.kind) == kind,
        *decisions.stands(),
    )
    return stream(session, query)
