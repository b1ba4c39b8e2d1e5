"""The queries on waves, tried on two workspaces by `test_workspaces`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, SQLModel, col, select

from cadence.actor import Actor
from storage.queries import history, waves
from storage.tables import AdoptionRequest, Wave, WaveState, WaveTeam
from storage.work import UnitOfWork

if TYPE_CHECKING:
    from tests.storage.seeds import Planted

Call = Callable[[Session, str, "Planted"], Any]


def _uow(session: Session, workspace_id: str) -> UnitOfWork:
    from tests.storage.seeds import NOW

    return UnitOfWork.around(session, Actor.system(workspace_id), NOW)


def _id(session: Session, table: type[SQLModel], ids: "Planted") -> int:
    """The id of the first planted row of a table."""
    rows = select(table).where(col(table.workspace_id) == ids.workspace)  # type: ignore[attr-defined]
    found = session.exec(rows.order_by(col(table.id)).limit(1)).one()  # type: ignore[attr-defined]
    return int(found.id)  # type: ignore[attr-defined]


def _open(session: Session, workspace_id: str, ids: "Planted") -> list[int | None]:
    """Look while the planted wave is open."""
    with session.begin_nested() as kept:
        session.get_one(Wave, _id(session, Wave, ids)).state = WaveState.OPEN
        session.flush()
        found = waves.open_waves_of_team(
            _uow(session, workspace_id), playbook_id=ids.playbook, team_id=ids.team
        )
        known = [row.id for row in found]
        kept.rollback()
    return known


BY_NAME: dict[str, Call] = {
    "waves.current": lambda s, ws, _: waves.current(_uow(s, ws)),
}
BY_ID: dict[str, Call] = {
    "waves.of_playbook": lambda s, ws, ids: waves.of_playbook(_uow(s, ws), playbook_id=ids.playbook),
    "waves.wave": lambda s, ws, ids: waves.wave(_uow(s, ws), wave_id=_id(s, Wave, ids)),
    "waves.numbered": lambda s, ws, ids: waves.numbered(_uow(s, ws), playbook_id=ids.playbook, number=1),
    "waves.teams_of": lambda s, ws, ids: waves.teams_of(_uow(s, ws), wave_ids=[_id(s, Wave, ids)]),
    "waves.wave_team": lambda s, ws, ids: waves.wave_team(_uow(s, ws), row_id=_id(s, WaveTeam, ids)),
    "waves.open_waves_of_team": _open,
    "waves.wishes": lambda s, ws, ids: waves.wishes(_uow(s, ws), playbook_ids=[ids.playbook]),
    "waves.requests_of": lambda s, ws, ids: waves.requests_of(_uow(s, ws), playbook_id=ids.playbook),
    "waves.request_of": lambda s, ws, ids: waves.request_of(
        _uow(s, ws), playbook_id=ids.playbook, team_id=ids.team, member="U01AGENT1"
    ),
    "waves.request": lambda s, ws, ids: waves.request(_uow(s, ws), request_id=_id(s, AdoptionRequest, ids)),
    "waves.adaptations": lambda s, ws, ids: waves.adaptations(_uow(s, ws), adoption_ids=[ids.adoption]),
    "waves.adaptation": lambda s, ws, ids: waves.adaptation(
        _uow(s, ws), adoption_id=ids.adoption, part="tone guide"
    ),
    "waves.adoptions_by_teams": lambda s, ws, ids: waves.adoptions_by_teams(_uow(s, ws), team_ids=[ids.team]),
    "waves.pilot_team": lambda s, ws, ids: waves.pilot_team(_uow(s, ws), playbook_id=ids.playbook),
    "waves.running_titles": lambda s, ws, ids: waves.running_titles(_uow(s, ws), team_ids=[ids.team]),
    "waves.verdicts_of_cycles": lambda s, ws, ids: waves.verdicts_of_cycles(
        _uow(s, ws), cycle_ids=[ids.cycle]
    ),
    "history.waves": lambda s, ws, ids: history.waves(_uow(s, ws), playbooks=[ids.playbook]),
    "history.wave_teams": lambda s, ws, ids: history.wave_teams(_uow(s, ws), playbooks=[ids.playbook]),
    "history.adoption_requests": lambda s, ws, ids: history.adoption_requests(
        _uow(s, ws), playbooks=[ids.playbook]
    ),
    "history.adaptations": lambda s, ws, ids: history.adaptations(_uow(s, ws), playbooks=[ids.playbook]),
}
