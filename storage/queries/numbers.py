"""A weekly number as it is kept: the reading, the one it corrects, the trail, rewrites of what asked for it.

On PostgreSQL that is one statement, which holds the adoption and its cycle first: each trip to the server costs more
than what it does there. SQLite has no such statement, and needs none: nobody else writes between its own.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    String,
    Table,
    Update,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy import cast as as_type
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, SQLModel

from cadence.actor import Actor
from storage import trail
from storage.engine import Bound, Clash, connection_of
from storage.outbox import rewrites
from storage.tables import Adoption, Cycle, CycleState, HomeChange, Reading, TrailEntry
from storage.work import UnitOfWork

FIRST, CORRECTED = "reading", "reading-corrected"
"""What the trail calls a number, and one that corrects another."""
_SHOWING: Final = ("kpi-missing:{0}:{1}", "week-opens:{0}:{1}", "checkin:{0}:{2}")
"""Keys of the messages that ask for a week's number or show it, by workspace, adoption, member; then the week."""
_ONE: ColumnElement[int] = literal_column("1")


@dataclass(frozen=True, slots=True)
class Number:
    """A number to keep.

    Args:
        cycle_state: as it was when the week was chosen; a cycle that has been closed since doesn't take it unseen.
        guardrail: its name; "" for the KPI's own number.
        request: what came with it, for the trail.
    """

    adoption_id: int
    cycle_id: int
    cycle_state: CycleState
    week: int
    week_start: date
    guardrail: str
    value: float
    typed: str
    note: str
    member: str
    surface: str
    request: str
    at: datetime


class Kept(NamedTuple):
    """What became of a number: the value it corrects, and False when the same was there already."""

    before: float | None
    is_new: bool


class Overtaken(Clash):
    """The cycle was closed, or paused, while its number was on the way: whoever asks again sees it as it is now."""

    def __init__(self) -> None:
        super().__init__("the cycle is another one by now", None, Exception())


def keep(uow: UnitOfWork, *, number: Number) -> Kept:
    """Save a number as the current one of its week; a number that says the same changes nothing.

    Raises:
        Clash: somebody else came first; asked again, it is kept.
    """
    if isinstance(uow.bound, Session):
        uow.bound.flush()  # what it is a number of comes first
    asked = _asked(uow.workspace_id, number)
    connection = connection_of(uow.bound)
    if connection.dialect.name == "sqlite":
        return _keep_step_by_step(uow.bound, number, asked)
    statement = _at_once(asks=not number.guardrail)
    for _ in range(2):  # whoever waited for the hold may have looked too early: now it is theirs
        held, before, new, same = connection.execute(statement, asked).one()
        if held is None:
            raise Overtaken
        if new is not None or same:
            return Kept(before, new is not None)
    raise Overtaken


def is_there(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> bool:
    """Whether a week has its KPI number."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id, "monday": week_start, "rail": ""}
    return bool(connection_of(uow.bound).execute(_THERE, asked).scalar_one())


def _asked(workspace_id: str, number: Number) -> dict[str, Any]:
    """What the statements below are given, by the names they use."""
    subject = f"adoption:{number.adoption_id}/week:{number.week_start}"
    showing = [one.format(workspace_id, number.adoption_id, number.member) for one in _SHOWING]
    return rewrites.asked(showing, slot=f":{number.week_start}", now=number.at) | {
        "workspace": workspace_id,
        "adoption": number.adoption_id,
        "cycle": number.cycle_id,
        "state": number.cycle_state,
        "week_number": number.week,
        "monday": number.week_start,
        "rail": number.guardrail,
        "number": number.value,
        "words": number.typed[:200],
        "said": number.note,
        "who": number.member,
        "where": number.surface,
        "moment": number.at,
        "about": f"{subject}/{number.guardrail}" if number.guardrail else subject,
        "new_value": number.value,
        "request": number.request,
    }


def _table(model: type[SQLModel]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


_READING, _TRAIL, _HOME = _table(Reading), _table(TrailEntry), _table(HomeChange)
_CURRENT = (
    _READING.c.workspace_id == bindparam("workspace"),
    _READING.c.adoption_id == bindparam("adoption"),
    _READING.c.week_start == bindparam("monday"),
    _READING.c.guardrail == bindparam("rail"),
    _READING.c.replaced_at.is_(None),
)
_SAME = (_READING.c.value == bindparam("number"), _READING.c.note == bindparam("said"))
_IS_CURRENT = exists(select(_ONE).select_from(_READING).where(*_CURRENT))
_COLUMNS = {
    "workspace_id": "workspace",
    "adoption_id": "adoption",
    "cycle_id": "cycle",
    "week": "week_number",
    "week_start": "monday",
    "guardrail": "rail",
    "value": "number",
    "typed": "words",
    "note": "said",
    "member": "who",
    "surface": "where",
    "reported_at": "moment",
}
"""Of a reading's columns, the name that their value has here."""


def _end() -> Update:
    """Ends the current reading of the week, unless it says the same; gives its value."""
    differs = or_(*(~same for same in _SAME))
    ended = update(_READING).where(*_CURRENT, differs).values(replaced_at=bindparam("moment"))
    return ended.returning(_READING.c.value)


def _row() -> Select[Any]:
    return select(*(bindparam(given, type_=_READING.c[name].type) for name, given in _COLUMNS.items()))


_THERE = select(_IS_CURRENT)
_END = _end()
_ADD = insert(_READING).from_select(list(_COLUMNS), _row().where(~_IS_CURRENT)).returning(_READING.c.id)


def _keep_step_by_step(session: Bound, number: Number, asked: dict[str, Any]) -> Kept:
    connection = connection_of(session)
    before: float | None = connection.execute(_END, asked).scalar_one_or_none()
    new: int | None = connection.execute(_ADD, asked).scalar_one_or_none()
    if new is None:
        return Kept(None, False)
    trail.record(
        UnitOfWork.around(session, Actor.system(asked["workspace"], request=number.request)),
        at=number.at,
        member=number.member,
        action=FIRST if before is None else CORRECTED,
        subject=asked["about"],
        surface=number.surface,
        before=before,
        after=number.value,
    )
    if not number.guardrail:
        connection.execute(_REWRITE, asked | {"mark": str(new)})
    return Kept(before, True)


_REWRITE = rewrites.statement("sqlite", mark=bindparam("mark", type_=String()), prefixes=len(_SHOWING))


@cache
def _at_once(*, asks: bool) -> Select[Any]:
    """Everything in one statement of PostgreSQL; `asks` when messages ask for such a number.

    Its parts see the tables as they were when it began, whatever they waited for: what was changed meanwhile is
    noticed (the row that is to end has ended, the new one is there already), and then nothing is done.
    """
    adoption, cycle = _table(Adoption), _table(Cycle)
    held = (
        select(adoption.c.id)
        .join(cycle, cycle.c.adoption_id == adoption.c.id)
        .where(
            adoption.c.workspace_id == bindparam("workspace"),
            adoption.c.id == bindparam("adoption"),
            cycle.c.id == bindparam("cycle"),
            cycle.c.state == bindparam("state", type_=cycle.c.state.type),
        )
        .with_for_update(of=[adoption, cycle], key_share=True)
        .cte("held")
    )
    holding = exists(select(_ONE).select_from(held))
    ended = _end().where(_READING.c.adoption_id == select(held.c.id).scalar_subquery()).cte("ended")
    fits = or_(exists(select(_ONE).select_from(ended)), ~_IS_CURRENT)
    added = (
        postgresql.insert(_READING)
        .from_select(list(_COLUMNS), _row().where(holding, fits))
        .on_conflict_do_nothing()
        .returning(_READING.c.id)
        .cte("added")
    )
    before = select(ended.c.value).scalar_subquery()
    entry, change = _entry(before).select_from(added), _change().select_from(added)
    written = [
        insert(_TRAIL).from_select(_ENTRY, entry, include_defaults=False).cte("entry"),
        insert(_HOME).from_select(_CHANGE, change, include_defaults=False).cte("change"),
    ]
    if asks:
        mark = as_type(select(added.c.id).scalar_subquery(), String)
        rewritten = rewrites.statement("postgresql", mark=mark, prefixes=len(_SHOWING), given=added)
        written.append(rewritten.cte("rewritten"))
    same = exists(select(_ONE).select_from(_READING).where(*_CURRENT, *_SAME))
    return select(
        select(held.c.id).scalar_subquery(), before, select(added.c.id).scalar_subquery(), same
    ).add_cte(*written)


_ENTRY = ["workspace_id", "at", "member", "action", "subject", "surface", "before", "after", "correlation_id"]
_CHANGE = ["workspace_id", "subject", "member"]


def _entry(before: ColumnElement[Any]) -> Any:
    """What the trail says of it."""
    nothing: ColumnElement[Any] = literal_column("'null'::json")
    return select(
        bindparam("workspace", type_=String()),
        bindparam("moment", type_=_TRAIL.c.at.type),
        bindparam("who", type_=String()),
        case((before.is_(None), literal_column(f"'{FIRST}'")), else_=literal_column(f"'{CORRECTED}'")),
        bindparam("about", type_=String()),
        bindparam("where", type_=String()),
        func.coalesce(func.to_json(before), nothing),
        bindparam("new_value", type_=JSON()),
        bindparam("request", type_=String()),
    )


def _change() -> Select[Any]:
    """What may change somebody's Home."""
    given: list[Any] = [bindparam(name, type_=String()) for name in ("workspace", "about", "who")]
    return select(*given)
