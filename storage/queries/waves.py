"""Queries on waves, their teams, requests from teams, and parts that teams adapted."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import col, select

from storage.query_cache import cached
from storage.tables import (
    Adaptation,
    Adoption,
    AdoptionRequest,
    AdoptionState,
    Cycle,
    CycleKind,
    CycleState,
    Playbook,
    StepVerdict,
    Team,
    Wave,
    WaveState,
    WaveTeam,
)
from storage.work import UnitOfWork


@cached(Wave)
def of_playbook(uow: UnitOfWork, *, playbook_id: int) -> list[Wave]:
    """The waves of a playbook that aren't canceled, by number."""
    query = select(Wave).where(
        Wave.workspace_id == uow.workspace_id,
        Wave.playbook_id == playbook_id,
        Wave.state != WaveState.CANCELED,
    )
    return list(uow.session.exec(query.order_by(col(Wave.number))))


@cached(Wave)
def current(uow: UnitOfWork) -> list[Wave]:
    """The waves of every playbook that aren't canceled, by playbook and number."""
    query = select(Wave).where(Wave.workspace_id == uow.workspace_id, Wave.state != WaveState.CANCELED)
    return list(uow.session.exec(query.order_by(col(Wave.playbook_id), col(Wave.number))))


def wave(uow: UnitOfWork, *, wave_id: int, lock: bool = False) -> Wave | None:
    """One wave, in any state; locked until the transaction ends if asked."""
    query = select(Wave).where(Wave.workspace_id == uow.workspace_id, Wave.id == wave_id)
    if lock and uow.session.get_bind().dialect.name != "sqlite":
        query = query.with_for_update().execution_options(populate_existing=True)
    return uow.session.exec(query).first()


def numbered(uow: UnitOfWork, *, playbook_id: int, number: int) -> Wave | None:
    """A playbook's wave by its number, in any state."""
    query = select(Wave).where(
        Wave.workspace_id == uow.workspace_id, Wave.playbook_id == playbook_id, Wave.number == number
    )
    return uow.session.exec(query).first()


@cached(WaveTeam, Team)
def teams_of(uow: UnitOfWork, *, wave_ids: Sequence[int]) -> list[tuple[WaveTeam, Team]]:
    """(place in the wave, team) of the teams of some waves that weren't removed, in the order of adding."""
    query = (
        select(WaveTeam, Team)
        .join(Team, col(Team.id) == col(WaveTeam.team_id))
        .where(
            WaveTeam.workspace_id == uow.workspace_id,
            col(WaveTeam.wave_id).in_(wave_ids),
            col(WaveTeam.removed_at).is_(None),
        )
    )
    return list(uow.session.exec(query.order_by(col(WaveTeam.id))))


def wave_team(uow: UnitOfWork, *, row_id: int, lock: bool = False) -> WaveTeam | None:
    """A team's place in a wave, removed or not; locked until the transaction ends if asked."""
    query = select(WaveTeam).where(WaveTeam.workspace_id == uow.workspace_id, WaveTeam.id == row_id)
    if lock and uow.session.get_bind().dialect.name != "sqlite":
        query = query.with_for_update().execution_options(populate_existing=True)
    return uow.session.exec(query).first()


@cached(Wave, WaveTeam)
def open_waves_of_team(uow: UnitOfWork, *, playbook_id: int, team_id: int) -> list[Wave]:
    """The open waves of a playbook that a team is in."""
    query = (
        select(Wave)
        .join(WaveTeam, col(WaveTeam.wave_id) == col(Wave.id))
        .where(
            Wave.workspace_id == uow.workspace_id,
            Wave.playbook_id == playbook_id,
            Wave.state == WaveState.OPEN,
            WaveTeam.team_id == team_id,
            col(WaveTeam.removed_at).is_(None),
        )
    )
    return list(uow.session.exec(query.order_by(col(Wave.number))))


class Wish(NamedTuple):
    """The open requests of a team for a playbook: how many people asked, and who asked first."""

    playbook_id: int
    team_id: int
    votes: int
    first_id: int


@cached(AdoptionRequest)
def wishes(uow: UnitOfWork, *, playbook_ids: Sequence[int]) -> list[Wish]:
    """The teams that ask for some playbooks, most votes first, then the earliest."""
    votes, first = func.count(), func.min(AdoptionRequest.id)
    query = (
        select(AdoptionRequest.playbook_id, AdoptionRequest.team_id, votes, first)
        .where(
            AdoptionRequest.workspace_id == uow.workspace_id,
            col(AdoptionRequest.playbook_id).in_(playbook_ids),
            col(AdoptionRequest.withdrawn_at).is_(None),
        )
        .group_by(col(AdoptionRequest.playbook_id), col(AdoptionRequest.team_id))
        .order_by(votes.desc(), first)
    )
    return [Wish(playbook, team, many, least or 0) for playbook, team, many, least in uow.session.exec(query)]


def requests_of(uow: UnitOfWork, *, playbook_id: int) -> list[AdoptionRequest]:
    """The open requests for a playbook, oldest first."""
    query = select(AdoptionRequest).where(
        AdoptionRequest.workspace_id == uow.workspace_id,
        AdoptionRequest.playbook_id == playbook_id,
        col(AdoptionRequest.withdrawn_at).is_(None),
    )
    return list(uow.session.exec(query.order_by(col(AdoptionRequest.id))))


def request_of(uow: UnitOfWork, *, playbook_id: int, team_id: int, member: str) -> AdoptionRequest | None:
    """A person's open request for a team."""
    query = select(AdoptionRequest).where(
        AdoptionRequest.workspace_id == uow.workspace_id,
        AdoptionRequest.playbook_id == playbook_id,
        AdoptionRequest.team_id == team_id,
        AdoptionRequest.member == member,
        col(AdoptionRequest.withdrawn_at).is_(None),
    )
    return uow.session.exec(query).first()


def request(uow: UnitOfWork, *, request_id: int) -> AdoptionRequest | None:
    """One request, withdrawn or not."""
    query = select(AdoptionRequest).where(
        AdoptionRequest.workspace_id == uow.workspace_id, AdoptionRequest.id == request_id
    )
    return uow.session.exec(query).first()


@cached(Adaptation)
def adaptations(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> list[Adaptation]:
    """The parts that some adoptions adapted; those that are back to the playbook's are left out."""
    query = select(Adaptation).where(
        Adaptation.workspace_id == uow.workspace_id,
        col(Adaptation.adoption_id).in_(adoption_ids),
        col(Adaptation.replaced_at).is_(None),
        Adaptation.text != "",
    )
    return list(uow.session.exec(query.order_by(col(Adaptation.adoption_id), col(Adaptation.part))))


def adaptation(uow: UnitOfWork, *, adoption_id: int, part: str) -> Adaptation | None:
    """The current text of a part in an adoption, which may be empty."""
    query = select(Adaptation).where(
        Adaptation.workspace_id == uow.workspace_id,
        Adaptation.adoption_id == adoption_id,
        Adaptation.part == part,
        col(Adaptation.replaced_at).is_(None),
    )
    return uow.session.exec(query).first()


def adoptions_by_teams(uow: UnitOfWork, *, team_ids: Sequence[int]) -> list[Adoption]:
    """The adoptions of some teams that haven't ended."""
    query = select(Adoption).where(
        Adoption.workspace_id == uow.workspace_id,
        col(Adoption.team_id).in_(team_ids),
        Adoption.state != AdoptionState.ENDED,
    )
    return list(uow.session.exec(query.order_by(col(Adoption.id))))


@cached(Adoption, Team)
def pilot_team(uow: UnitOfWork, *, playbook_id: int) -> Team | None:
    """The team that adopted a playbook first, even if it doesn't run it any more."""
    query = (
        select(Team)
        .join(Adoption, col(Adoption.team_id) == col(Team.id))
        .where(Adoption.workspace_id == uow.workspace_id, Adoption.playbook_id == playbook_id)
    )
    return uow.session.exec(query.order_by(col(Adoption.id)).limit(1)).first()


@cached(Adoption, Cycle, Playbook)
def running_titles(uow: UnitOfWork, *, team_ids: Sequence[int]) -> dict[int, list[str]]:
    """The titles of the playbooks whose cycles some teams run now, by team; teams without any are left out."""
    query = (
        select(Adoption.team_id, Playbook.title)
        .join(Cycle, col(Cycle.adoption_id) == col(Adoption.id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .where(
            Adoption.workspace_id == uow.workspace_id,
            col(Adoption.team_id).in_(team_ids),
            Cycle.state == CycleState.RUNNING,
            Cycle.kind == CycleKind.ROLLOUT,
        )
        .distinct()
        .order_by(col(Playbook.title))
    )
    found: dict[int, list[str]] = {}
    for team, title in uow.session.exec(query):
        found.setdefault(team, []).append(title)
    return found


@cached(StepVerdict)
def verdicts_of_cycles(uow: UnitOfWork, *, cycle_ids: Sequence[int]) -> list[StepVerdict]:
    """The newest verdict on each step in some cycles."""
    newest = (
        select(func.max(StepVerdict.id))
        .where(StepVerdict.workspace_id == uow.workspace_id, col(StepVerdict.cycle_id).in_(cycle_ids))
        .group_by(col(StepVerdict.cycle_id), col(StepVerdict.step))
    )
    query = select(StepVerdict).where(
        StepVerdict.workspace_id == uow.workspace_id, col(StepVerdict.id).in_(newest)
    )
    return list(uow.session.exec(query.order_by(col(StepVerdict.id))))
