"""Queries on check-ins and what they answer for each step."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, func, or_, update
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from cadence.rules.modes import Mode
from storage.engine import connection_of
from storage.inserts import insert_rows
from storage.queries.streams import columns
from storage.query_cache import cached, teach
from storage.tables import Attestation, CheckIn, Cycle, DriftedStep
from storage.work import UnitOfWork


def attested_runs(uow: UnitOfWork, *, cycle: Cycle) -> int:
    """The runs attested in the cycle's current check-ins."""
    rows = answers_of_cycle(
        uow, adoption_id=cycle.adoption_id, cycle_id=cycle.id or 0, starts_on=cycle.starts_on
    )
    return sum(row.runs for row in rows if not row.replaced)


class Answer(NamedTuple):
    """A member's answer for a week, see `CheckIn`; `replaced` is set once it was corrected."""

    id: int
    cycle_id: int
    week: int
    week_start: date
    member: str
    attestation: Attestation
    runs: int
    complete_inputs: int | None
    value_events: int | None
    note: str
    answered_at: datetime
    replaced: bool


_STORED = Answer._fields[:-1]


@cached(CheckIn)
def answers_since(uow: UnitOfWork, *, adoption_id: int, since: date) -> list[Answer]:
    """Every answer for the weeks from a Monday on, oldest first."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id, "since": since}
    return [Answer(*row) for row in connection_of(uow.session).execute(_ANSWERS_SINCE, asked)]


_ANSWERS_SINCE: Final[Any] = (
    select_rows(*columns(CheckIn, _STORED), col(CheckIn.replaced_at).is_not(None))
    .where(
        col(CheckIn.workspace_id) == bindparam("workspace"),
        col(CheckIn.adoption_id) == bindparam("adoption"),
        col(CheckIn.week_start) >= bindparam("since"),
    )
    .order_by(col(CheckIn.id))
)


def answers_of(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> list[Answer]:
    """Every answer for a week, oldest first; recent weeks are read together."""
    since = min(week_start, uow.recent) if uow.recent else week_start
    rows = answers_since(uow, adoption_id=adoption_id, since=since)
    return [row for row in rows if row.week_start == week_start]


def answers_of_cycle(uow: UnitOfWork, *, adoption_id: int, cycle_id: int, starts_on: date) -> list[Answer]:
    """Every answer for the weeks of a cycle, oldest first; recent weeks are read together."""
    since = min(starts_on, uow.recent) if uow.recent else starts_on
    rows = answers_since(uow, adoption_id=adoption_id, since=since)
    return [row for row in rows if row.cycle_id == cycle_id]


def check_in(uow: UnitOfWork, *, adoption_id: int, week_start: date, member: str) -> Answer | None:
    """A member's current answer for a week."""
    rows = answers_of(uow, adoption_id=adoption_id, week_start=week_start)
    return next((row for row in rows if row.member == member and not row.replaced), None)


def keep(uow: UnitOfWork, *, row: CheckIn, drifts: Mapping[str, Mode], replaces: Answer | None) -> Answer:
    """Save an answer as the member's current one for its week.

    Args:
        drifts: the modes of the steps that were run in another one, by step key.

    Raises:
        Conflict: a copy of the request was faster.
    """
    since = min(row.week_start, uow.recent) if uow.recent else row.week_start
    before = answers_since(uow, adoption_id=row.adoption_id, since=since)
    if replaces is not None:
        given = {"workspace": uow.workspace_id, "check_in": replaces.id, "at": uow.now}
        connection_of(uow.session).execute(_REPLACE, given)
    insert_rows(uow.session, [row])
    insert_rows(
        uow.session,
        [
            DriftedStep(workspace_id=uow.workspace_id, check_in_id=row.id or 0, step=step, mode=mode)
            for step, mode in drifts.items()
        ],
    )
    kept = Answer._make([*(getattr(row, name) for name in _STORED), False])
    stood = [one if one != replaces else one._replace(replaced=True) for one in before]
    teach(uow, answers_since, [*stood, kept], adoption_id=row.adoption_id, since=since)
    teach(uow, _drifted, {kept.id: dict(drifts)} if drifts else {}, check_ins=(kept.id,))
    return kept


_REPLACE: Final = (
    update(CheckIn)
    .where(col(CheckIn.workspace_id) == bindparam("workspace"), col(CheckIn.id) == bindparam("check_in"))
    .values(replaced_at=bindparam("at"))
)


def drifted_modes(uow: UnitOfWork, *, check_in: Answer) -> dict[str, Mode]:
    """The modes of the steps that were run in another one, according to an answer, by step key."""
    if check_in.attestation is not Attestation.DRIFTED:
        return {}
    return _drifted(uow, check_ins=(check_in.id,)).get(check_in.id, {})


def drifted_modes_of(uow: UnitOfWork, *, check_ins: Sequence[Answer]) -> dict[int, dict[str, Mode]]:
    """`drifted_modes` of several answers, by their ids."""
    ids = [row.id for row in check_ins if row.attestation is Attestation.DRIFTED]
    found: dict[int, dict[str, Mode]] = {}
    for start in range(0, len(ids), 500):
        found |= _drifted(uow, check_ins=tuple(ids[start : start + 500]))
    for one in ids if len(ids) > 1 else ():
        teach(uow, _drifted, {one: found.get(one, {})}, check_ins=(one,))
    return found


@cached(DriftedStep)
def _drifted(uow: UnitOfWork, *, check_ins: tuple[int, ...]) -> dict[int, dict[str, Mode]]:
    asked = {"workspace": uow.workspace_id, "check_ins": check_ins}
    found: dict[int, dict[str, Mode]] = {}
    for check_in, step, mode in connection_of(uow.session).execute(_DRIFTED, asked):
        found.setdefault(check_in, {})[step] = mode
    return found


_DRIFTED: Final[Any] = (
    select_rows(*columns(DriftedStep, ("check_in_id", "step", "mode")))
    .where(
        col(DriftedStep.workspace_id) == bindparam("workspace"),
        col(DriftedStep.check_in_id).in_(bindparam("check_ins", expanding=True)),
    )
    .order_by(col(DriftedStep.id))
)


def answers(
    uow: UnitOfWork, *, adoption_id: int, first: date, last: date, latest: int = 0, through: int | None = None
) -> list[tuple[str, date, int]]:
    """(member, week, runs) of the current answers of some weeks, newest week first.

    Args:
        first, last: the Mondays of the first and the last week.
        latest: also this many of each member's newest answers up to the last week, however old they are.
        through: the answers as of the check-in with this id.
    """
    since = min(first, uow.recent) if uow.recent else first
    rows = _placed_answers(
        uow, adoption_id=adoption_id, since=since, last=last, latest=latest, through=through
    )
    return [(member, week, runs) for member, week, runs, place in rows if week >= first or place <= latest]


@cached(CheckIn)
def _placed_answers(
    uow: UnitOfWork, *, adoption_id: int, since: date, last: date, latest: int, through: int | None
) -> list[tuple[str, date, int, int]]:
    """(member, week, runs, place) of current answers, newest week first; `place` 1 is the member's newest."""
    given = {"workspace": uow.workspace_id, "adoption": adoption_id, "since": since, "last": last}
    more = {"latest": latest} | ({} if through is None else {"through": through})
    statement = _placed_statement(as_of=through is not None)
    rows = connection_of(uow.session).execute(statement, given | more)
    return [(member, week, runs, place) for member, week, runs, place in rows]


@cache
def _placed_statement(*, as_of: bool) -> Any:
    newest: Any = (
        func.row_number()
        .over(
            partition_by=(col(CheckIn.member), col(CheckIn.week_start)),
            order_by=col(CheckIn.id).desc(),
        )
        .label("newest")
    )
    found: Any = select_rows(
        col(CheckIn.id), col(CheckIn.member), col(CheckIn.week_start), col(CheckIn.runs), newest
    ).where(
        col(CheckIn.workspace_id) == bindparam("workspace"),
        col(CheckIn.adoption_id) == bindparam("adoption"),
        col(CheckIn.week_start) <= bindparam("last"),
        col(CheckIn.id) <= bindparam("through") if as_of else col(CheckIn.replaced_at).is_(None),
    )
    stood = found.subquery()
    place = func.row_number().over(partition_by=stood.c.member, order_by=stood.c.week_start.desc())
    current = select_rows(stood, place.label("place")).where(stood.c.newest == 1).subquery()
    return (
        select_rows(current.c.member, current.c.week_start, current.c.runs, current.c.place)
        .where(or_(current.c.week_start >= bindparam("since"), current.c.place <= bindparam("latest")))
        .order_by(current.c.week_start.desc(), current.c.id.desc())
    )


def answered_members(
    uow: UnitOfWork,
    *,
    adoption_id: int,
    week_start: date,
    through: int | None = None,
    before: datetime | None = None,
) -> set[str]:
    """Members who answered for a week; with `through`, by a check-in up to that id; with `before`, by an
    instant."""

    def counts(row: Answer) -> bool:
        if through is not None:
            return row.id <= through
        return row.answered_at < before if before is not None else not row.replaced

    rows = answers_of(uow, adoption_id=adoption_id, week_start=week_start)
    return {row.member for row in rows if counts(row)}


def last_check_in_id(uow: UnitOfWork, *, adoption_id: int, until: datetime | None = None) -> int:
    """The newest check-in of an adoption, including corrections, up to an instant, or 0."""
    if until is None and uow.recent is not None:
        rows = answers_since(uow, adoption_id=adoption_id, since=uow.recent)
        # A check-in entered later than this one would be among them too.
        if rows and rows[-1].answered_at >= uow.now - timedelta(weeks=1):
            return rows[-1].id
    query = select(func.max(CheckIn.id)).where(
        CheckIn.workspace_id == uow.workspace_id, CheckIn.adoption_id == adoption_id
    )
    if until is not None:
        query = query.where(CheckIn.answered_at <= until)
    return uow.session.exec(query).one() or 0
