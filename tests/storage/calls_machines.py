"""The queries on tokens and on what tools report, tried on two workspaces by `test_workspaces`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from cadence.actor import Actor
from storage.queries import machines, tokens
from storage.tables import CheckResult, LoggedException, MeasuredRuns, Reading, RubricResult
from storage.work import UnitOfWork
from tests.storage.seeds_machines import KEY

if TYPE_CHECKING:
    from tests.storage.seeds import Planted

Call = Callable[[Session, str, "Planted"], Any]


def _uow(session: Session, workspace_id: str) -> UnitOfWork:
    from tests.storage.seeds import NOW

    return UnitOfWork.around(session, Actor.system(workspace_id), NOW)


def _used(session: Session, workspace_id: str, ids: "Planted") -> bool:
    """Note a use, and take it back."""
    from tests.storage.seeds import NOW

    with session.begin_nested() as kept:
        found = tokens.note_use(_uow(session, workspace_id), token_id=ids.token, before=NOW)
        kept.rollback()
    return found


def _answered(session: Session, workspace_id: str, _ids: "Planted") -> dict[str, Any]:
    from tests.storage.seeds import MEMBER

    return machines.answered(_uow(session, workspace_id), holder=MEMBER, items=["asked before"])


def _kept(session: Session, workspace_id: str, _ids: "Planted") -> dict[str, Any]:
    """Save an answer, read it, and take it back."""
    with session.begin_nested() as kept:
        uow = _uow(session, workspace_id)
        answer = {"workspace": workspace_id}
        machines.keep_answers(uow, holder="token:9", kind="machines.runs", answers=[("item", answer)])
        found = machines.answered(uow, holder="token:9", items=["item"])
        kept.rollback()
    return found


def add_runs(session: Session, workspace_id: str, ids: "Planted") -> dict[str, int]:
    """Save runs that a tool counted."""
    from tests.storage.seeds import MONDAY, NOW

    row = {
        "adoption_id": ids.adoption,
        "cycle_id": ids.cycle,
        "week": 1,
        "week_start": MONDAY,
        "runs": 3,
        "surface": "api",
        "source": f"{KEY}:runs-2",
        "happened_at": NOW,
        "recorded_at": NOW,
    }
    return machines.add_runs(_uow(session, workspace_id), rows=[row])


BY_NAME: dict[str, Call] = {
    "machines.answered": _answered,
    "machines.keep_answers": _kept,
    "machines.recorded_sources": lambda s, ws, _: machines.recorded_sources(
        _uow(s, ws), sources=[f"{KEY}:runs-1", f"{KEY}:check-1"]
    ),
    "machines.runs_by_source": lambda s, ws, _: machines.runs_by_source(_uow(s, ws), source=f"{KEY}:runs-1"),
    "tokens.by_key": lambda s, ws, _: tokens.by_key(_uow(s, ws), key=KEY),
    "tokens.hold": lambda s, ws, _: tokens.hold(_uow(s, ws)),
    "tokens.valid": lambda s, ws, _: tokens.valid(_uow(s, ws)),
}
BY_ID: dict[str, Call] = {
    "machines.evidence": lambda s, ws, ids: [
        row
        for table in (MeasuredRuns, Reading, LoggedException, RubricResult, CheckResult)
        for row in machines.evidence(
            _uow(s, ws), table=table, stretches=[machines.Stretch(ids.adoption)], limit=5
        )
    ],
    "machines.checked": lambda s, ws, ids: machines.checked(
        _uow(s, ws), adoption_id=ids.adoption, cycle_id=ids.cycle
    ),
    "machines.verdicts": lambda s, ws, ids: machines.verdicts(
        _uow(s, ws), adoption_ids=[ids.adoption], step=None, before=None, limit=5
    ),
    "tokens.token": lambda s, ws, ids: tokens.token(_uow(s, ws), token_id=ids.token),
    "tokens.names": lambda s, ws, ids: tokens.names(_uow(s, ws), token_ids=[ids.token]),
    "tokens.note_use": _used,
}
