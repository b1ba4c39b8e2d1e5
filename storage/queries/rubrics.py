"""Queries on rubric revisions, graded samples and spot audits."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, exists, func, insert, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from cadence.rules.calendar import WEEKS
from storage.engine import connection_of
from storage.query_cache import cached
from storage.tables import Adoption, CheckIn, Cycle, Playbook, RubricResult, RubricRevision, SpotAudit
from storage.work import UnitOfWork


class GradedSamples(NamedTuple):
    """The current graded samples of a cycle on one revision of a step's rubric: how many results, and their sums.

    Tools can grade every run, so the database adds them up.
    """

    cycle_id: int
    step: str
    revision: int
    results: int
    samples: int
    passes: int
    risky: int


@cached(RubricResult)
def graded_in_cycle(uow: UnitOfWork, *, cycle_id: int) -> list[GradedSamples]:
    """The graded samples of a cycle, by step and revision."""
    asked = {"workspace": uow.workspace_id, "cycle": cycle_id}
    return [GradedSamples(*row) for row in connection_of(uow.session).execute(_IN_CYCLE, asked)]


@cached(RubricResult)
def graded(uow: UnitOfWork, *, adoption_id: int) -> list[GradedSamples]:
    """The graded samples of an adoption, by cycle, step and revision."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id}
    return [GradedSamples(*row) for row in connection_of(uow.session).execute(_OF_ADOPTION, asked)]


@cached(RubricResult)
def graded_since(
    uow: UnitOfWork, *, adoption_id: int, step: str, revision: int, after: int, after_audit: int
) -> list[GradedSamples]:
    """The graded samples of a step on one revision of its rubric, by cycle.

    Args:
        after: only results with a higher id.
        after_audit: only grades of spot audits with a higher id; other results count all the same.
    """
    asked = {
        "workspace": uow.workspace_id,
        "adoption": adoption_id,
        "step": step,
        "revision": revision,
        "after": after,
        "after_audit": after_audit,
    }
    return [GradedSamples(*row) for row in connection_of(uow.session).execute(_SINCE, asked)]


_BY: Final = (col(RubricResult.cycle_id), col(RubricResult.step), col(RubricResult.revision))
_GRADED: Final[Any] = (
    select_columns(
        *_BY,
        func.count(),
        func.sum(col(RubricResult.samples)),
        func.sum(col(RubricResult.passes)),
        func.sum(col(RubricResult.risky)),
    )
    .where(col(RubricResult.workspace_id) == bindparam("workspace"), col(RubricResult.replaced_at).is_(None))
    .group_by(*_BY)
    .order_by(*_BY)
)
_IN_CYCLE: Final = _GRADED.where(col(RubricResult.cycle_id) == bindparam("cycle"))
_OF_ADOPTION: Final = _GRADED.where(col(RubricResult.adoption_id) == bindparam("adoption"))
_SINCE: Final = _OF_ADOPTION.where(
    col(RubricResult.step) == bindparam("step"),
    col(RubricResult.revision) == bindparam("revision"),
    col(RubricResult.id) > bindparam("after"),
    or_(col(RubricResult.audit_id).is_(None), col(RubricResult.audit_id) > bindparam("after_audit")),
)


def result(uow: UnitOfWork, *, result_id: int) -> RubricResult | None:
    """One graded sample, corrected or not."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == uow.workspace_id, RubricResult.id == result_id
    )
    return uow.session.exec(query).first()


def result_of_audit(uow: UnitOfWork, *, audit_id: int) -> RubricResult | None:
    """The current grades of a spot audit."""
    query = select(RubricResult).where(
        RubricResult.workspace_id == uow.workspace_id,
        RubricResult.audit_id == audit_id,
        col(RubricResult.replaced_at).is_(None),
    )
    return uow.session.exec(query).first()


def revisions(uow: UnitOfWork, *, adoption_id: int, step: str, limit: int) -> list[RubricRevision]:
    """The newest revisions of a step's rubric, the newest first."""
    query = (
        select(RubricRevision)
        .where(
            RubricRevision.workspace_id == uow.workspace_id,
            RubricRevision.adoption_id == adoption_id,
            RubricRevision.step == step,
        )
        .order_by(col(RubricRevision.number).desc())
        .limit(limit)
    )
    return list(uow.session.exec(query))


def revision_after(uow: UnitOfWork, *, adoption_id: int, step: str, number: int) -> RubricRevision | None:
    """The first revision of a step's rubric with a higher number than this."""
    query = (
        select(RubricRevision)
        .where(
            RubricRevision.workspace_id == uow.workspace_id,
            RubricRevision.adoption_id == adoption_id,
            RubricRevision.step == step,
            col(RubricRevision.number) > number,
        )
        .order_by(col(RubricRevision.number))
    )
    return uow.session.exec(query).first()


def audit(uow: UnitOfWork, *, audit_id: int) -> SpotAudit | None:
    """One spot audit."""
    query = select(SpotAudit).where(SpotAudit.workspace_id == uow.workspace_id, SpotAudit.id == audit_id)
    return uow.session.exec(query).first()


def audits_of_week(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> list[SpotAudit]:
    """The spot audits drawn for a week, in drawing order."""
    query = select(SpotAudit).where(
        SpotAudit.workspace_id == uow.workspace_id,
        SpotAudit.adoption_id == adoption_id,
        SpotAudit.week_start == week_start,
    )
    return list(uow.session.exec(query.order_by(col(SpotAudit.id))))


class WeekOfCycle(NamedTuple):
    """The cycle of a run that contains a week, and the owner of its playbook."""

    adoption_id: int
    cycle_id: int
    starts_on: date
    version_id: int
    owner: str


def cycles_of_week(uow: UnitOfWork, *, adoption_ids: Sequence[int], week_start: date) -> list[WeekOfCycle]:
    """The cycle of each run that contains a week, by run."""
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
            col(Cycle.closes_on) >= week_start,
        )
        .order_by(col(Cycle.adoption_id))
    )
    return [WeekOfCycle(*row) for row in uow.session.execute(query)]


def attested(uow: UnitOfWork, *, adoption_ids: Sequence[int], week_start: date) -> list[tuple[int, str, int]]:
    """(adoption, member, runs) of the runs attested for a week so far."""
    query = select(col(CheckIn.adoption_id), col(CheckIn.member), col(CheckIn.runs)).where(
        CheckIn.workspace_id == uow.workspace_id,
        col(CheckIn.adoption_id).in_(adoption_ids),
        CheckIn.week_start == week_start,
        col(CheckIn.replaced_at).is_(None),
        CheckIn.runs > 0,
    )
    return sorted(uow.session.exec(query))


def drawn(uow: UnitOfWork, *, adoption_ids: Sequence[int], week_start: date) -> dict[tuple[int, str], int]:
    """The audits already drawn for a week: their ids, by adoption and step."""
    query = select(col(SpotAudit.adoption_id), col(SpotAudit.step), col(SpotAudit.id)).where(
        SpotAudit.workspace_id == uow.workspace_id,
        col(SpotAudit.adoption_id).in_(adoption_ids),
        SpotAudit.week_start == week_start,
    )
    return {(adoption, step): number or 0 for adoption, step, number in uow.session.exec(query)}


def ungraded(uow: UnitOfWork, *, adoption_ids: Sequence[int], since: date) -> list[tuple[int, date, int]]:
    """(adoption, week, runs drawn) of ungraded audits from a week on."""
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
    """Save drawn audits in one statement."""
    values = [row.model_dump(exclude={"id"}) | {"workspace_id": uow.workspace_id} for row in rows]
    connection_of(uow.session).execute(insert(SpotAudit).inline(), values)
