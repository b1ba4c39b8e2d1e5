"""Queries on pilots: reviews of drafts, first cycles that run, and who is responsible for what."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import and_, func
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from storage.query_cache import cached
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    CycleKind,
    CycleState,
    Duty,
    Member,
    PilotReview,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    ReviewState,
    Team,
)
from storage.work import UnitOfWork


@cached(PilotReview)
def newest_review(uow: UnitOfWork, *, playbook_id: int) -> PilotReview | None:
    """The review of a playbook that counts."""
    query = select(PilotReview).where(
        PilotReview.workspace_id == uow.workspace_id, PilotReview.playbook_id == playbook_id
    )
    return uow.session.exec(query.order_by(col(PilotReview.id).desc()).limit(1)).first()


@cached(PilotReview)
def review(uow: UnitOfWork, *, review_id: int) -> PilotReview | None:
    """A review by its id."""
    query = select(PilotReview).where(
        PilotReview.workspace_id == uow.workspace_id, PilotReview.id == review_id
    )
    return uow.session.exec(query).first()


@cached(PilotReview)
def newest_reviews(uow: UnitOfWork) -> dict[int, PilotReview]:
    """The review of each playbook that counts, by playbook id."""
    newest = (
        select(func.max(PilotReview.id))
        .where(PilotReview.workspace_id == uow.workspace_id)
        .group_by(col(PilotReview.playbook_id))
    )
    query = select(PilotReview).where(
        PilotReview.workspace_id == uow.workspace_id, col(PilotReview.id).in_(newest)
    )
    return {row.playbook_id: row for row in uow.session.exec(query)}


@cached(PilotReview, Playbook)
def reviews_waiting(uow: UnitOfWork) -> list[tuple[PilotReview, Playbook]]:
    """The reviews of drafts that a person has to act on, asked or sent back, oldest first."""
    newest = (
        select(func.max(PilotReview.id))
        .where(PilotReview.workspace_id == uow.workspace_id)
        .group_by(col(PilotReview.playbook_id))
    )
    query = (
        select(PilotReview, Playbook)
        .join(Playbook, col(Playbook.id) == col(PilotReview.playbook_id))
        .where(
            PilotReview.workspace_id == uow.workspace_id,
            col(PilotReview.id).in_(newest),
            PilotReview.state != ReviewState.APPROVED,
            Playbook.state == PlaybookState.DRAFT,
        )
        .order_by(col(PilotReview.id))
    )
    return list(uow.session.exec(query))


class FirstCycle(NamedTuple):
    """A team in its first cycle of a playbook."""

    adoption_id: int
    playbook: str
    team: str
    closes_on: date


def first_cycles(uow: UnitOfWork, *, day: date) -> list[FirstCycle]:
    """The first cycles that run, or will start, and close on a day or later, oldest first."""
    query = (
        select_rows(col(Cycle.adoption_id), col(Playbook.title), col(Team.title), col(Cycle.closes_on))
        .join(Adoption, col(Adoption.id) == col(Cycle.adoption_id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(
            col(Cycle.workspace_id) == uow.workspace_id,
            col(Cycle.number) == 1,
            col(Cycle.kind) == CycleKind.ROLLOUT,
            col(Cycle.state) == CycleState.RUNNING,
            col(Cycle.closes_on) >= day,
            col(Adoption.state) != AdoptionState.ENDED,
        )
        .order_by(col(Cycle.id))
    )
    return [FirstCycle(*row) for row in uow.session.execute(query)]


@cached(Duty)
def duties(uow: UnitOfWork, *, playbook_id: int) -> list[Duty]:
    """Who is responsible for what in a playbook now."""
    query = select(Duty).where(
        Duty.workspace_id == uow.workspace_id,
        Duty.playbook_id == playbook_id,
        col(Duty.ended_at).is_(None),
    )
    return list(uow.session.exec(query.order_by(col(Duty.id))))


def duties_held(uow: UnitOfWork, *, members: Collection[str]) -> list[tuple[Duty, Playbook]]:
    """What some people are responsible for, in playbooks that aren't retired."""
    query = _HELD.where(Duty.workspace_id == uow.workspace_id, col(Duty.member).in_(members))
    return list(uow.session.exec(query))


@cached(Duty, Playbook, Member)
def duties_without_person(uow: UnitOfWork) -> list[tuple[Duty, Playbook]]:
    """Duties of people who have left the workspace, in playbooks that aren't retired."""
    query = _HELD.join(
        Member, and_(col(Member.workspace_id) == col(Duty.workspace_id), col(Member.id) == col(Duty.member))
    ).where(Duty.workspace_id == uow.workspace_id, col(Member.deleted).is_(True))
    return list(uow.session.exec(query))


_HELD = (
    select(Duty, Playbook)
    .join(Playbook, col(Playbook.id) == col(Duty.playbook_id))
    .where(col(Duty.ended_at).is_(None), Playbook.state != PlaybookState.RETIRED)
    .order_by(col(Playbook.slug), col(Duty.id))
)


def every_review(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> list[tuple[PilotReview, str, int]]:
    """Every review with its playbook's slug and its revision, oldest first; None: of the whole workspace."""
    query = (
        select_rows(PilotReview, col(Playbook.slug), col(PlaybookVersion.revision))
        .join(Playbook, col(Playbook.id) == col(PilotReview.playbook_id))
        .join(PlaybookVersion, col(PlaybookVersion.id) == col(PilotReview.version_id))
        .where(col(PilotReview.workspace_id) == uow.workspace_id)
        .order_by(col(PilotReview.id))
    )
    if playbooks is not None:
        query = query.where(col(PilotReview.playbook_id).in_(playbooks))
    return [(row, slug, revision) for row, slug, revision in uow.session.execute(query)]


def every_duty(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> list[tuple[Duty, str, str | None]]:
    """Every duty, ended or not, with its playbook's slug and its member's name, oldest first; None: of the whole
    workspace."""
    query = (
        select_rows(Duty, col(Playbook.slug), col(Member.name))
        .join(Playbook, col(Playbook.id) == col(Duty.playbook_id))
        .outerjoin(
            Member,
            and_(col(Member.workspace_id) == col(Duty.workspace_id), col(Member.id) == col(Duty.member)),
        )
        .where(col(Duty.workspace_id) == uow.workspace_id)
        .order_by(col(Duty.id))
    )
    if playbooks is not None:
        query = query.where(col(Duty.playbook_id).in_(playbooks))
    return [(row, slug, name) for row, slug, name in uow.session.execute(query)]
