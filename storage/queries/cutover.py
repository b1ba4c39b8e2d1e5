"""Queries on what follows a pilot: the assessment, the decisions on the cutover, and what they rest on."""

from collections.abc import Collection

from sqlmodel import col, func, select

from storage.query_cache import cached
from storage.tables import Assessment, CheckIn, Cutover, CutoverState
from storage.work import UnitOfWork


@cached(Assessment)
def assessment(uow: UnitOfWork, *, playbook_id: int) -> Assessment | None:
    """The current assessment of a playbook."""
    query = select(Assessment).where(
        Assessment.workspace_id == uow.workspace_id,
        Assessment.playbook_id == playbook_id,
        col(Assessment.replaced_at).is_(None),
    )
    return uow.session.exec(query).first()


@cached(Assessment)
def assessed(uow: UnitOfWork, *, playbook_ids: Collection[int]) -> dict[int, Assessment]:
    """The current assessments of some playbooks, by playbook."""
    query = select(Assessment).where(
        Assessment.workspace_id == uow.workspace_id,
        col(Assessment.playbook_id).in_(playbook_ids),
        col(Assessment.replaced_at).is_(None),
    )
    return {row.playbook_id: row for row in uow.session.exec(query)}


def by_id(uow: UnitOfWork, *, assessment_id: int) -> Assessment | None:
    """One assessment, replaced or not."""
    query = select(Assessment).where(
        Assessment.workspace_id == uow.workspace_id, Assessment.id == assessment_id
    )
    return uow.session.exec(query).first()


def decision(uow: UnitOfWork, *, cutover_id: int) -> Cutover | None:
    """One request or decision."""
    query = select(Cutover).where(Cutover.workspace_id == uow.workspace_id, Cutover.id == cutover_id)
    return uow.session.exec(query).first()


@cached(Cutover)
def decisions(uow: UnitOfWork, *, playbook_id: int) -> list[Cutover]:
    """Everything asked and decided about a playbook's cutover, newest first."""
    query = select(Cutover).where(
        Cutover.workspace_id == uow.workspace_id, Cutover.playbook_id == playbook_id
    )
    return list(uow.session.exec(query.order_by(col(Cutover.id).desc())))


@cached(Cutover)
def asked(uow: UnitOfWork) -> list[Cutover]:
    """The requests for a cutover that nobody has decided, oldest first."""
    newest = (
        select(func.max(Cutover.id))
        .where(Cutover.workspace_id == uow.workspace_id)
        .group_by(col(Cutover.playbook_id))
    )
    query = select(Cutover).where(
        Cutover.workspace_id == uow.workspace_id,
        Cutover.state == CutoverState.ASKED,
        col(Cutover.id).in_(newest),
    )
    return list(uow.session.exec(query.order_by(col(Cutover.id))))


@cached(Cutover)
def in_production(uow: UnitOfWork) -> set[int]:
    """The ids of the playbooks that were moved to production; a request alone moves nothing."""
    query = select(Cutover.playbook_id).where(
        Cutover.workspace_id == uow.workspace_id,
        col(Cutover.state).in_((CutoverState.PASSED, CutoverState.OVERRIDDEN)),
    )
    return set(uow.session.exec(query))


def complete_inputs(uow: UnitOfWork, *, cycle_id: int) -> tuple[int, int] | None:
    """(runs with complete inputs, runs) of a cycle's current check-ins that answered the question.

    None if nobody answered it.
    """
    query = select(func.sum(CheckIn.complete_inputs), func.sum(CheckIn.runs)).where(
        CheckIn.workspace_id == uow.workspace_id,
        CheckIn.cycle_id == cycle_id,
        col(CheckIn.replaced_at).is_(None),
        col(CheckIn.complete_inputs).is_not(None),
    )
    complete, runs = uow.session.exec(query).one()
    return None if complete is None or runs is None else (complete, runs)
