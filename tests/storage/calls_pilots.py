"""The queries on pilots, tried on two workspaces by `test_workspaces`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, select

from cadence.actor import Actor
from storage.queries import pilots
from storage.tables import PilotReview
from storage.work import UnitOfWork

if TYPE_CHECKING:
    from tests.storage.seeds import Planted

Call = Callable[[Session, str, "Planted"], Any]


def _uow(session: Session, workspace_id: str) -> UnitOfWork:
    from tests.storage.seeds import NOW

    return UnitOfWork.around(session, Actor.system(workspace_id), NOW)


def _review(session: Session, ids: "Planted") -> int:
    rows = select(PilotReview).where(PilotReview.workspace_id == ids.workspace)
    return session.exec(rows).one().id or 0


def _first_cycles(session: Session, workspace_id: str, _: "Planted") -> Any:
    from tests.storage.seeds import MONDAY

    return pilots.first_cycles(_uow(session, workspace_id), day=MONDAY)


BY_NAME: dict[str, Call] = {
    "pilots.newest_reviews": lambda s, ws, _: pilots.newest_reviews(_uow(s, ws)),
    "pilots.reviews_waiting": lambda s, ws, _: pilots.reviews_waiting(_uow(s, ws)),
    "pilots.first_cycles": _first_cycles,
    "pilots.duties_held": lambda s, ws, _: pilots.duties_held(_uow(s, ws), members=["U01AGENT1"]),
    "pilots.duties_without_person": lambda s, ws, _: pilots.duties_without_person(_uow(s, ws)),
    "pilots.every_review": lambda s, ws, _: pilots.every_review(_uow(s, ws), playbooks=None),
    "pilots.every_duty": lambda s, ws, _: pilots.every_duty(_uow(s, ws), playbooks=None),
}
BY_ID: dict[str, Call] = {
    "pilots.newest_review": lambda s, ws, ids: pilots.newest_review(_uow(s, ws), playbook_id=ids.playbook),
    "pilots.review": lambda s, ws, ids: pilots.review(_uow(s, ws), review_id=_review(s, ids)),
    "pilots.duties": lambda s, ws, ids: pilots.duties(_uow(s, ws), playbook_id=ids.playbook),
    "pilots.every_review/of a playbook": lambda s, ws, ids: pilots.every_review(
        _uow(s, ws), playbooks=[ids.playbook]
    ),
    "pilots.every_duty/of a playbook": lambda s, ws, ids: pilots.every_duty(
        _uow(s, ws), playbooks=[ids.playbook]
    ),
}
