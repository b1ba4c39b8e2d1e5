"""Queries on training: samples, champions' grades, who read the lessons, which teams are in a wave."""

from collections import defaultdict
from collections.abc import Collection

from sqlmodel import col, select

from storage.query_cache import cached
from storage.tables import LessonsRead, TrainingGrade, TrainingSample, Wave, WaveState, WaveTeam
from storage.work import UnitOfWork


@cached(TrainingSample)
def samples(uow: UnitOfWork, *, playbook_ids: Collection[int]) -> dict[int, list[TrainingSample]]:
    """The current training samples of some playbooks, oldest first; playbooks without any are left out."""
    query = (
        select(TrainingSample)
        .where(
            TrainingSample.workspace_id == uow.workspace_id,
            col(TrainingSample.playbook_id).in_(playbook_ids),
            col(TrainingSample.removed_at).is_(None),
        )
        .order_by(col(TrainingSample.id))
    )
    found: dict[int, list[TrainingSample]] = defaultdict(list)
    for row in uow.session.exec(query):
        found[row.playbook_id].append(row)
    return dict(found)


def sample(uow: UnitOfWork, *, sample_id: int) -> TrainingSample | None:
    """One training sample, removed or not."""
    query = select(TrainingSample).where(
        TrainingSample.workspace_id == uow.workspace_id, TrainingSample.id == sample_id
    )
    return uow.session.exec(query).first()


@cached(TrainingGrade)
def grades(uow: UnitOfWork, *, adoption_ids: Collection[int]) -> list[TrainingGrade]:
    """The current grades of champions in some adoptions, oldest first."""
    query = (
        select(TrainingGrade)
        .where(
            TrainingGrade.workspace_id == uow.workspace_id,
            col(TrainingGrade.adoption_id).in_(adoption_ids),
            col(TrainingGrade.replaced_at).is_(None),
        )
        .order_by(col(TrainingGrade.id))
    )
    return list(uow.session.exec(query))


@cached(LessonsRead)
def readers(uow: UnitOfWork, *, adoption_ids: Collection[int]) -> set[tuple[int, str]]:
    """(adoption, member) of those who read the lessons."""
    query = select(LessonsRead.adoption_id, LessonsRead.member).where(
        LessonsRead.workspace_id == uow.workspace_id, col(LessonsRead.adoption_id).in_(adoption_ids)
    )
    return set(uow.session.exec(query))


@cached(Wave, WaveTeam)
def in_open_waves(uow: UnitOfWork, *, playbook_ids: Collection[int]) -> set[tuple[int, int]]:
    """(playbook, team) of the teams in open waves of some playbooks."""
    query = (
        select(Wave.playbook_id, WaveTeam.team_id)
        .join(WaveTeam, col(WaveTeam.wave_id) == col(Wave.id))
        .where(
            Wave.workspace_id == uow.workspace_id,
            col(Wave.playbook_id).in_(playbook_ids),
            Wave.state == WaveState.OPEN,
            col(WaveTeam.removed_at).is_(None),
        )
    )
    return set(uow.session.exec(query))
