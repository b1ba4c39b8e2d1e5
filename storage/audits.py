"""Queries for drawing a week's spot audits: of many runs at once."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import exists, insert
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from cadence.rules.calendar import WEEKS
from storage.engine import connection_of
from storage.tables import Adoption, CheckIn, Cycle, Playbook, RubricResult, SpotAudit


class WeekOfCycle(NamedTuple):
    """The cycle of a run that a week lies in, and who owns its playbook."""

    adoption_id: int
    cycle_id: int
    starts_on: date
    version_id: int
    owner: str


def lock_adoptions(session: Session, *, workspace_id: str, adoption_ids: Sequence[int]) -> list[int]:
    """Hold adoptions until the transaction ends, always in the same order; returns those that are there."""
    query = (
        select(Adoption.id)
        .where(Adoption.workspace_id == workspace_id, col(Adoption.id).in_(adoption_ids))
        .order_by(col(Adoption.id))
        .with_for_update()
    )
    return [number or 0 for number in session.exec(query)]


def cycles_of_week(
    session: Session, *, workspace_id: str, adoption_ids: Sequence[int], week_start: date
) -> list[WeekOfCycle]:
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
            col(Cycle.workspace_id) == workspace_id,
            col(Cycle.adoption_id).in_(adoption_ids),
            col(Cycle.starts_on) <= week_start,
            col(Cycle.starts_on) > week_start - timedelta(weeks=WEEKS),
        )
        .order_by(col(Cycle.adoption_id))
    )
    return [WeekOfCycle(*row) for row in session.execute(query)]


def attested(
    session: Session, *, workspace_id: str, adoption_ids: Sequence[int], week_start: date
) -> list[tuple[int, str, int]]:
    """(adoption, member, runs) of who attested runs for a week so far, by member."""
    query = select(col(CheckIn.adoption_id), col(CheckIn.member), col(CheckIn.runs)).where(
        CheckIn.workspace_id == workspace_id,
        col(CheckIn.adoption_id).in_(adoption_ids),
        CheckIn.week_start == week_start,
        col(CheckIn.replaced_at).is_(None),
        CheckIn.runs > 0,
    )
    return sorted(session.exec(query))


def drawn(
    session: Session, *, workspace_id: str, adoption_ids: Sequence[int], week_start: date
) -> dict[tuple[int, str], int]:
    """What was drawn for a week already: the id of each, by adoption and step."""
    query = select(col(SpotAudit.adoption_id), col(SpotAudit.step), col(SpotAudit.id)).where(
        SpotAudit.workspace_id == workspace_id,
        col(SpotAudit.adoption_id).in_(adoption_ids),
        SpotAudit.week_start == week_start,
    )
    return {(adoption, step): number or 0 for adoption, step, number in session.exec(query)}


def ungraded(
    session: Session, *, workspace_id: str, adoption_ids: Sequence[int], since: date
) -> list[tuple[int, date, int]]:
    """(adoption, week, runs drawn) of the audits of weeks from one on that nobody has graded."""
    graded = exists().where(
        col(RubricResult.audit_id) == col(SpotAudit.id), col(RubricResult.replaced_at).is_(None)
    )
    query = (
        select(col(SpotAudit.adoption_id), col(SpotAudit.week_start), col(SpotAudit.drawn))
        .where(
            SpotAudit.workspace_id == workspace_id,
            col(SpotAudit.adoption_id).in_(adoption_ids),
            SpotAudit.week_start >= since,
            ~graded,
        )
        .order_by(col(SpotAudit.id))
    )
    return [(adoption, week, len(drawn)) for adoption, week, drawn in session.exec(query)]


def add(session: Session, *, workspace_id: str, rows: Sequence[SpotAudit]) -> None:
    """Keep draws, all in one statement."""
    values = [row.model_dump(exclude={"id"}) | {"workspace_id": workspace_id} for row in rows]
    connection_of(session).execute(insert(SpotAudit).inline(), values)
