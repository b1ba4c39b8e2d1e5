"""What a person who types a number may mean, in one statement and without rows: the busiest request of all."""

from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    bindparam,
    func,
    literal_column,
)
from sqlalchemy import select as select_rows
from sqlmodel import col

from storage.engine import connection_of
from storage.queries.adoptions import CURRENT_CYCLE, OF_PERSON
from storage.queries.people import Whereabouts
from storage.tables import (
    Adoption,
    AnsweredRequest,
    Curator,
    Cycle,
    CycleState,
    Member,
    Playbook,
    PlaybookVersion,
    Team,
    Workspace,
)
from storage.work import UnitOfWork

_FIELD, _ROW = "\x1f", "\x1e"
"""Between the fields of a playbook's names and between playbooks: no name holds them."""


class OwnRun(NamedTuple):
    """A run of a team that a person is in, or of a playbook they own, as far as a number needs it.

    `version_id`, `version_at` and `version_by` are the version it runs on; `cycle_id` and what follows are None
    before the first cycle.
    """

    adoption_id: int
    slug: str
    playbook: str
    team_slug: str
    team: str
    channel: str
    timezone: str
    is_member: bool
    version_id: int
    version_at: datetime
    version_by: str
    cycle_id: int | None
    cycle_state: CycleState | None
    starts_on: date | None


class PlaybookNames(NamedTuple):
    """How a playbook is called, and who owns it."""

    slug: str
    title: str
    owner: str


class Own(NamedTuple):
    """Where a person is, how the workspace's playbooks are called, and the person's own runs.

    `answered` is what this request was answered, when it came before.
    """

    there: Whereabouts
    names: tuple[PlaybookNames, ...]
    runs: tuple[OwnRun, ...]
    answered: dict[str, Any] | None


def own(uow: UnitOfWork, *, member_id: str, request: str, on: date) -> Own | None:
    """The runs a person has to do with, each with the cycle a date lies in; None when there are none.

    Which those are, and which cycle, is said in `runs.runs`; of curators it says all, here their own.
    """
    asked = {"workspace": uow.workspace_id, "member": member_id, "request": request, "on": on}
    rows = connection_of(uow.bound).execute(_own(), asked).all()
    if not rows:
        return None
    first = rows[0]
    there = Whereabouts(first[0], first[1], first[2])
    return Own(there, _names(first[3]), tuple(OwnRun._make(row[5:]) for row in rows), answered=first[4])


@lru_cache(maxsize=256)
def _names(joined: str) -> tuple[PlaybookNames, ...]:
    return tuple(sorted(PlaybookNames(*one.split(_FIELD)) for one in joined.split(_ROW)))


def _names_of_all() -> ScalarSelect[Any]:
    """The names of the workspace's playbooks, joined."""
    field: ColumnElement[str] = literal_column(f"'{_FIELD}'")
    apart: Any = literal_column(f"'{_ROW}'")
    named = Playbook.__table__.alias("named")  # type: ignore[attr-defined]
    each = named.c.slug + field + named.c.title + field + named.c.owner
    ours = named.c.workspace_id == bindparam("workspace")
    return select_rows(func.aggregate_strings(each, apart)).where(ours).scalar_subquery()


@cache
def _own() -> Select[Any]:
    person = (
        select_rows(col(Member.timezone))
        .where(col(Member.workspace_id) == bindparam("workspace"), col(Member.id) == bindparam("member"))
        .scalar_subquery()
    )
    curator = (
        select_rows(literal_column("1"))
        .select_from(Curator)
        .where(
            col(Curator.workspace_id) == bindparam("workspace"), col(Curator.member) == bindparam("member")
        )
        .exists()
    )
    answered = (
        select_rows(col(AnsweredRequest.answer))
        .where(
            col(AnsweredRequest.workspace_id) == bindparam("workspace"),
            col(AnsweredRequest.member) == bindparam("member"),
            col(AnsweredRequest.request) == bindparam("request"),
        )
        .scalar_subquery()
    )
    columns: tuple[Any, ...] = (
        col(Workspace.timezone),
        person,
        curator,
        _names_of_all(),
        answered,
        col(Adoption.id),
        col(Playbook.slug),
        col(Playbook.title),
        col(Team.slug),
        col(Team.title),
        col(Team.channel),
        col(Team.timezone),
        OF_PERSON.c.is_member == literal_column("1"),
        col(PlaybookVersion.id),
        col(PlaybookVersion.created_at),
        col(PlaybookVersion.created_by),
        col(Cycle.id),
        col(Cycle.state),
        col(Cycle.starts_on),
    )
    runs_on = func.coalesce(Cycle.version_id, Adoption.version_id)
    return (
        select_rows(*columns)
        .select_from(OF_PERSON)
        .join(Adoption, col(Adoption.id) == OF_PERSON.c.id)
        .join(Workspace, col(Workspace.id) == col(Adoption.workspace_id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .outerjoin(Cycle, col(Cycle.id) == CURRENT_CYCLE)
        .join(PlaybookVersion, col(PlaybookVersion.id) == runs_on)
        .order_by(col(Playbook.slug), col(Team.slug))
    )
